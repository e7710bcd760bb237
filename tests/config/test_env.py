import os
import subprocess
import sys

import pytest
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
