import os
import subprocess
import sys

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.core.exceptions import ImproperlyConfigured

from config import env
from tests.processes import ROOT


def test_number_names_the_variable_it_can_not_read(monkeypatch):
    monkeypatch.setenv("PORT", "eighty")
    with pytest.raises(ImproperlyConfigured, match="PORT must be a whole number"):
        env.number("PORT", 8000)


@pytest.mark.parametrize("value", ["", "changeme" * 8, "a" * 60, "short", "django-insecure-" + "x1y2z3" * 8])
def test_production_refuses_a_missing_or_weak_secret(monkeypatch, value):
    monkeypatch.setenv("SECRET_KEY", value)
    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY"):
        env.secret_key(production=True)


def test_a_secret_is_made_once_on_a_developers_machine(tmp_path):
    first = env._kept_secret(tmp_path / "key")
    assert len(first) == 50
    assert env._kept_secret(tmp_path / "key") == first
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://127.0.0.1:1025", ("127.0.0.1", 1025, "", "", False, False)),
        ("smtp://ann:s%40fe@mail.org", ("mail.org", 587, "ann", "s@fe", False, True)),
        ("smtps://ann:safe@mail.org", ("mail.org", 465, "ann", "safe", True, False)),
        ("smtp://ann:safe@mail.org:25/?tls=none", ("mail.org", 25, "ann", "safe", False, False)),
    ],
)
def test_email_url_becomes_djangos_settings(monkeypatch, url, expected):
    monkeypatch.setenv("EMAIL_URL", url)
    read = env.smtp()
    names = ("HOST", "PORT", "HOST_USER", "HOST_PASSWORD", "USE_SSL", "USE_TLS")
    assert tuple(read[f"EMAIL_{name}"] for name in names) == expected


@pytest.mark.parametrize("url", ["http://mail.org", "smtp://", "smtp://mail.org:port", "smtp://mail.org/?tls=maybe"])
def test_email_url_that_can_not_be_read_is_named(monkeypatch, url):
    monkeypatch.setenv("EMAIL_URL", url)
    with pytest.raises(ImproperlyConfigured, match="EMAIL_URL"):
        env.smtp()


@pytest.mark.parametrize(
    ("url", "loopback"),
    [("http://localhost:8000", True), ("http://127.0.0.1", True), ("https://crm.realstars.eu", False)],
)
def test_loopback_is_told_from_the_world(url, loopback):
    assert env.is_loopback(url) is loopback


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("SITE_URL", "https://crm.example.org", "SECRET_KEY can be guessed"),
        ("PORT", "eighty", "PORT must be a whole number"),
        ("EMAIL_URL", "post://mail", "EMAIL_URL must be an address"),
        ("DATABASE_URL", "sqlite:///x", "DATABASE_URL must be an address"),
        ("ORGANISATION_COUNTRY", "Sweden", "ORGANISATION_COUNTRY must be two letters"),
    ],
)
def test_a_wrong_environment_stops_the_start_in_one_line(variable, value, message):
    env_now = {**os.environ, "SECRET_KEY": "changeme", variable: value}
    done = subprocess.run(
        [sys.executable, "manage.py", "check"], cwd=ROOT, env=env_now, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"Lodestar can't start. {message}")
    assert done.stderr.count("\n") == 1


def test_bounce_address_is_read(monkeypatch):
    assert env.bounce_address() == ""
    monkeypatch.setenv("BOUNCE_ADDRESS", "bounces@lists.example.org")
    assert env.bounce_address() == "bounces@lists.example.org"


@pytest.mark.parametrize(
    "address",
    [
        "bounces",
        "@example.org",
        "bounces@",
        "a b@example.org",
        "bounces+x@example.org",
        "böunces@example.org",
        f"{'b' * 20}@example.org",
    ],
)
def test_bounce_address_refuses_what_no_token_can_be_added_to(monkeypatch, address):
    monkeypatch.setenv("BOUNCE_ADDRESS", address)
    with pytest.raises(ImproperlyConfigured, match="BOUNCE_ADDRESS"):
        env.bounce_address()


def test_mailbox_is_read(monkeypatch):
    assert env.mailbox() == {}
    monkeypatch.setenv("MAILBOX_URL", "imaps://bounces%40example.org:s%40fe@mail.example.org/Bounces?done=Old")
    read = env.mailbox()
    assert (read["host"], read["port"], read["tls"]) == ("mail.example.org", 993, True)
    assert (read["user"], read["password"]) == ("bounces@example.org", "s@fe")
    assert (read["folder"], read["done"]) == ("Bounces", "Old")


@pytest.mark.parametrize(
    "url",
    [
        "imaps://mail.org",
        "imaps://ann@mail.org",
        "imap://ann:safe@mail.org",
        "pop3://a:b@mail.org",
        "imaps://a:b@mail.org:x",
    ],
)
def test_mailbox_refuses_what_can_not_be_read_or_is_not_safe(monkeypatch, url):
    monkeypatch.setenv("MAILBOX_URL", url)
    with pytest.raises(ImproperlyConfigured, match="MAILBOX_URL"):
        env.mailbox()


def pem(key):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def test_dkim_key_is_a_text_or_a_file_with_a_selector_for_each_key(monkeypatch, tmp_path):
    assert env.dkim_keys() == ()
    rsa, other = generate_rsa(65537, 2048), Ed25519PrivateKey.generate()
    (tmp_path / "dkim.pem").write_text(pem(rsa) + pem(other))
    monkeypatch.setenv("DKIM_KEY", str(tmp_path / "dkim.pem"))
    monkeypatch.setenv("DKIM_SELECTOR", "spring, autumn")
    (first, private), (second, also) = env.dkim_keys()
    assert (first, second) == ("spring", "autumn")
    assert private.private_numbers() == rsa.private_numbers()
    assert also.private_bytes_raw() == other.private_bytes_raw()
    monkeypatch.setenv("DKIM_KEY", pem(other).replace("\n", "\\n"))
    monkeypatch.setenv("DKIM_SELECTOR", "autumn")
    assert env.dkim_keys()[0][1].private_bytes_raw() == other.private_bytes_raw()


@pytest.mark.parametrize(
    ("key", "selector", "said"),
    [
        ("/nowhere/dkim.pem", "a", "DKIM_KEY is neither"),
        ("-----BEGIN nonsense", "a", "DKIM_KEY holds no private key"),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "a", "DKIM_KEY can't be read"),
        (pem(generate_rsa(65537, 1024)), "a", "DKIM_KEY is an RSA key of 1024 bits"),
        (pem(generate_ec(SECP256R1())), "a", "DKIM_KEY must be an RSA or Ed25519 key"),
        (pem(Ed25519PrivateKey.generate()), "", "DKIM_SELECTOR must name one selector"),
        (pem(Ed25519PrivateKey.generate()), "a,b", "DKIM_SELECTOR must name one selector"),
        (pem(Ed25519PrivateKey.generate()), "a b", "DKIM_SELECTOR may hold"),
    ],
)
def test_a_dkim_key_that_can_not_be_used_is_named_and_not_shown(monkeypatch, key, selector, said):
    monkeypatch.setenv("DKIM_KEY", key)
    monkeypatch.setenv("DKIM_SELECTOR", selector)
    with pytest.raises(ImproperlyConfigured, match=said) as told:
        env.dkim_keys()
    assert "AAAA" not in str(told.value)


def test_domain_is_a_name_and_no_address(monkeypatch):
    monkeypatch.setenv("DKIM_DOMAIN", "Mail.Example.ORG")
    assert env.domain("DKIM_DOMAIN") == "mail.example.org"
    for wrong in ("https://example.org", "ann@example.org", "localhost", "127.0.0.1", "-a.org"):
        monkeypatch.setenv("DKIM_DOMAIN", wrong)
        with pytest.raises(ImproperlyConfigured, match="DKIM_DOMAIN"):
            env.domain("DKIM_DOMAIN")


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("postmark://t0ken@?stream=broadcast", {"server_token": "t0ken", "message_stream": "broadcast"}),
        (
            "mailgun://k%2Fey@mail.example.org?region=eu",
            {"api_key": "k/ey", "sender_domain": "mail.example.org", "api_url": "https://api.eu.mailgun.net/v3"},
        ),
        ("mailjet://key:secret@", {"api_key": "key", "secret_key": "secret"}),
        ("resend://key@?api=http://127.0.0.1:9/", {"api_key": "key", "api_url": "http://127.0.0.1:9/"}),
    ],
)
def test_mail_provider_is_read_from_the_mail_address(monkeypatch, url, options):
    monkeypatch.setenv("EMAIL_URL", url)
    assert env.mail_provider()["options"] == options
    assert env.smtp() == {"EMAIL_HOST": ""}


@pytest.mark.parametrize("url", ["", "smtp://mail.org", "smtps://a:b@mail.org"])
def test_mail_provider_is_none_where_there_is_a_server(monkeypatch, url):
    monkeypatch.setenv("EMAIL_URL", url)
    assert env.mail_provider() == {}


@pytest.mark.parametrize(
    "url",
    [
        "postmark://token",
        "postmark://@",
        "mailgun://key@",
        "mailjet://key@",
        "brevo://k@?region=eu",
        "resend://k@?stream=x",
    ],
)
def test_mail_provider_refuses_half_of_what_it_needs(monkeypatch, url):
    monkeypatch.setenv("EMAIL_URL", url)
    with pytest.raises(ImproperlyConfigured, match="EMAIL_URL"):
        env.mail_provider()


def test_mail_webhooks_need_a_secret_that_is_one(monkeypatch):
    assert env.mail_webhooks("postmark") == {}
    monkeypatch.setenv("ANYMAIL_WEBHOOK_SECRET", "lodestar:a-long-password")
    assert env.mail_webhooks("postmark") == {"WEBHOOK_SECRET": "lodestar:a-long-password"}
    monkeypatch.setenv("ANYMAIL_SIGNING_KEY", "key")
    assert env.mail_webhooks("mailgun")["MAILGUN_WEBHOOK_SIGNING_KEY"] == "key"
    with pytest.raises(ImproperlyConfigured, match="ANYMAIL_SIGNING_KEY"):
        env.mail_webhooks("postmark")
    monkeypatch.setenv("ANYMAIL_WEBHOOK_SECRET", "short")
    with pytest.raises(ImproperlyConfigured, match="ANYMAIL_WEBHOOK_SECRET"):
        env.mail_webhooks("mailgun")


GOOD_SECRET = "whsec_0123456789abcdef"


def stripe_environment(monkeypatch, key, secret):
    monkeypatch.setenv("STRIPE_SECRET_KEY", key)
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", secret)


@pytest.mark.parametrize(
    ("key", "secret", "read"),
    [
        ("", "", ("", ())),
        ("sk_live_abc", GOOD_SECRET, ("sk_live_abc", (GOOD_SECRET,))),
        ("rk_live_abc", f"{GOOD_SECRET}, {GOOD_SECRET}2", ("rk_live_abc", (GOOD_SECRET, f"{GOOD_SECRET}2"))),
    ],
)
def test_stripe_s_key_and_secrets_are_read(monkeypatch, key, secret, read):
    stripe_environment(monkeypatch, key, secret)
    assert env.stripe(production=True) == read


@pytest.mark.parametrize(
    ("key", "secret", "named"),
    [
        ("pk_live_abc", GOOD_SECRET, "STRIPE_SECRET_KEY must begin"),
        ("sk_test_abc", GOOD_SECRET, "is a test key"),
        ("sk_live_abc", "", "need each other"),
        ("", GOOD_SECRET, "need each other"),
        ("sk_live_abc", "secret", "STRIPE_WEBHOOK_SECRET must begin"),
    ],
)
def test_what_would_lose_payments_stops_the_start(monkeypatch, key, secret, named):
    stripe_environment(monkeypatch, key, secret)
    with pytest.raises(ImproperlyConfigured, match=named):
        env.stripe(production=True)


def test_a_test_key_is_for_a_site_that_is_not_public(monkeypatch):
    stripe_environment(monkeypatch, "sk_test_abc", GOOD_SECRET)
    assert env.stripe(production=False)[0] == "sk_test_abc"


def test_amounts_for_giving_are_read(monkeypatch):
    assert env.giving_amounts() == {"SEK": (100, 250, 500, 1000), "EUR": (10, 25, 50, 100)}
    monkeypatch.setenv("GIVING_AMOUNTS", "PLN 100 50, HUF 5000")
    assert env.giving_amounts() == {"PLN": (50, 100), "HUF": (5000,)}


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("SWISH_NUMBER", "123 467 93 04", lambda: env.digits("SWISH_NUMBER", 10)),
        ("BANKGIRO", "900-1223", lambda: env.digits("BANKGIRO", 7, 8)),
        ("BANK_IBAN", "se45 5000 0000 0583 9825 7466", lambda: env.iban("BANK_IBAN")),
        ("BANK_BIC", "essesess", lambda: env.bic("BANK_BIC")),
    ],
)
def test_accounts_are_read_as_people_write_them(monkeypatch, name, value, read):
    monkeypatch.setenv(name, value)
    assert read() == value.replace(" ", "").replace("-", "").upper()


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("SWISH_NUMBER", "12345", lambda: env.digits("SWISH_NUMBER", 10)),
        ("BANK_IBAN", "SE45 5000 0000 0583 9825 7467", lambda: env.iban("BANK_IBAN")),
        ("BANK_BIC", "ESSE", lambda: env.bic("BANK_BIC")),
        *(
            ("GIVING_AMOUNTS", value, env.giving_amounts)
            for value in ("sek 100", "SEK", "SEK 1.5", "SEK 0", "SEK 1, SEK 2")
        ),
    ],
)
def test_an_account_or_amount_with_a_slip_in_it_is_named(monkeypatch, name, value, read):
    monkeypatch.setenv(name, value)
    with pytest.raises(ImproperlyConfigured, match=name):
        read()
