"""Typed readers of the environment. Each error names the variable and says what is expected of it."""

import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key

if TYPE_CHECKING:
    from campaigns.mail.dkim import PrivateKey

BASE_DIR = Path(__file__).resolve().parent.parent
DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z0-9-]*[a-z][a-z0-9-]*", re.IGNORECASE)
WEAK_SECRETS = ("secret", "changeme", "change-me", "password", "django-insecure", "insecure", "default")


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def country(name: str, default: str) -> str:
    """Two letters of ISO 3166."""
    value = text(name, default).upper()
    if not re.fullmatch(r"[A-Z]{2}", value):
        raise ImproperlyConfigured(f"{name} must be two letters, such as SE.")
    return value


def flag(name: str, default: bool = False) -> bool:
    value = text(name).lower()
    if not value:
        return default
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name} must be yes or no.")


def number(name: str, default: int, *, least: int = 0, most: int | None = None) -> int:
    value = text(name)
    if not value:
        return default
    try:
        parsed = int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number.") from None
    if parsed < least or (most is not None and parsed > most):
        raise ImproperlyConfigured(f"{name} must be between {least} and {most}.")
    return parsed


def words(name: str, default: str = "") -> list[str]:
    """A list separated by commas."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def address(name: str, default: str, schemes: tuple[str, ...]) -> str:
    value = text(name, default)
    parts = urlsplit(value)
    if value and (parts.scheme not in schemes or not (parts.netloc or parts.path)):
        raise ImproperlyConfigured(f"{name} must be an address that starts with {' or '.join(schemes)}.")
    return value


def is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return host in {"localhost", "::1"} or host.startswith("127.")


def secret_key(production: bool) -> str:
    """SECRET_KEY; on a developer's machine one is made and kept in var/ where none is set."""
    value = text("SECRET_KEY")
    if production:
        if not value:
            raise ImproperlyConfigured("SECRET_KEY is missing. Set it to at least 50 random characters.")
        if len(value) < 32 or len(set(value)) < 10 or value.lower().startswith(WEAK_SECRETS):
            raise ImproperlyConfigured("SECRET_KEY can be guessed. Set it to at least 50 random characters.")
        return value
    return value or _kept_secret(BASE_DIR / "var" / "secret_key")


def _kept_secret(path: Path) -> str:
    path.parent.mkdir(exist_ok=True)
    if not path.exists():
        # Linked into place whole: of two processes that start at once, both end up with the same key.
        with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix="key-") as file:  # readable by its owner only
            file.write(get_random_secret_key())
            file.flush()
            try:
                os.link(file.name, path)
            except FileExistsError:
                pass
    return path.read_text()


def stripe(production: bool) -> tuple[str, tuple[str, ...]]:
    """STRIPE_SECRET_KEY, and the secrets of STRIPE_WEBHOOK_SECRET: two by comma while one is rolled."""
    key, secrets = text("STRIPE_SECRET_KEY"), tuple(words("STRIPE_WEBHOOK_SECRET"))
    if key and not re.fullmatch(r"[sr]k_(test|live)_\w+", key):
        raise ImproperlyConfigured("STRIPE_SECRET_KEY must begin with sk_live_, rk_live_, sk_test_ or rk_test_.")
    if production and "_test_" in key:
        raise ImproperlyConfigured(
            "STRIPE_SECRET_KEY is a test key: nobody's money would come. Try it where SITE_URL is not public."
        )
    if bool(key) != bool(secrets):
        raise ImproperlyConfigured("STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET need each other: set both or none.")
    if not all(re.fullmatch(r"whsec_\S{16,}", secret) for secret in secrets):
        raise ImproperlyConfigured(
            "STRIPE_WEBHOOK_SECRET must begin with whsec_, as Stripe shows it for the endpoint."
        )
    return key, secrets


def digits(name: str, *lengths: int) -> str:
    """A number that is written with spaces or hyphens, such as a bankgiro; empty if there is none."""
    value = re.sub(r"[\s-]", "", text(name))
    if value and not (value.isascii() and value.isdigit() and len(value) in lengths):
        raise ImproperlyConfigured(f"{name} must have {' or '.join(map(str, lengths))} digits.")
    return value


def iban(name: str) -> str:
    """An IBAN whose check digits are right (ISO 13616, ISO 7064 modulus 97-10); empty if there is none."""
    value = re.sub(r"\s", "", text(name)).upper()
    if value and not (
        re.fullmatch(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}", value, re.ASCII)
        and int("".join(str(int(c, 36)) for c in value[4:] + value[:4])) % 97 == 1
    ):
        raise ImproperlyConfigured(f"{name} is no IBAN: a letter or digit is wrong or missing.")
    return value


def bic(name: str) -> str:
    value = text(name).upper()
    if value and not re.fullmatch(r"[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?", value, re.ASCII):
        raise ImproperlyConfigured(f"{name} must be a BIC of 8 or 11 letters and digits.")
    return value


def giving_amounts(name: str = "GIVING_AMOUNTS") -> dict[str, tuple[int, ...]]:
    """Currencies with amounts in whole units: `SEK 100 250 500 1000, EUR 10 25 50 100`."""
    found: dict[str, tuple[int, ...]] = {}
    for entry in words(name, "SEK 100 250 500 1000, EUR 10 25 50 100"):
        currency, *amounts = entry.split()
        if not re.fullmatch(r"[A-Z]{3}", currency) or currency in found:
            raise ImproperlyConfigured(f"{name} names each currency once, in three capital letters, such as SEK.")
        if not amounts or not all(re.fullmatch(r"[1-9]\d{0,5}", amount) for amount in amounts):
            raise ImproperlyConfigured(
                f"{name} needs amounts in whole units behind {currency}: {currency} 100 250 500"
            )
        found[currency] = tuple(sorted({int(amount) for amount in amounts}))
    return found


PROVIDERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "brevo": ("brevo://KEY@", ("api_key",)),
    "mailersend": ("mailersend://TOKEN@", ("api_token",)),
    "mailgun": ("mailgun://KEY@DOMAIN", ("api_key", "sender_domain")),
    "mailjet": ("mailjet://KEY:SECRET@", ("api_key", "secret_key")),
    "mandrill": ("mandrill://KEY@", ("api_key",)),
    "postmark": ("postmark://TOKEN@", ("server_token",)),
    "resend": ("resend://KEY@", ("api_key",)),
    "sendgrid": ("sendgrid://KEY@", ("api_key",)),
    "sparkpost": ("sparkpost://KEY@", ("api_key",)),
}
"""How EMAIL_URL names a mail provider, and what its django-anymail backend calls the parts."""
_REGIONS = {
    ("mailgun", "eu"): "https://api.eu.mailgun.net/v3",
    ("sparkpost", "eu"): "https://api.eu.sparkpost.com/api/v1",
    ("sendgrid", "eu"): "https://api.eu.sendgrid.com/v3/",
}


def mail_provider(name: str = "EMAIL_URL") -> dict[str, object]:
    """The provider that EMAIL_URL names, with the options of its django-anymail backend; empty if it names none.

    `?region=eu` for those who have one; `?stream=broadcast` for Postmark; `?api=http://…` only to point elsewhere than the
    provider's own host, such as a stand-in on loopback.
    """
    parts = urlsplit(text(name))
    if parts.scheme not in PROVIDERS:
        return {}
    example, fields = PROVIDERS[parts.scheme]
    given = (parts.username, parts.password or parts.hostname)
    options = {field: unquote(value or "") for field, value in zip(fields, given, strict=False)}
    query = {key: values[0] for key, values in parse_qs(parts.query).items()}
    if not all(options.values()):
        raise ImproperlyConfigured(f"{name} for this provider looks like {example}")
    if region := query.pop("region", ""):
        if (parts.scheme, region) not in _REGIONS:
            raise ImproperlyConfigured(f"{name}: {parts.scheme} has no region {region} that we know.")
        options["api_url"] = _REGIONS[parts.scheme, region]
    if parts.scheme == "postmark" and "stream" in query:
        options["message_stream"] = query.pop("stream")
    if "api" in query:
        options["api_url"] = query.pop("api")
    if query:
        raise ImproperlyConfigured(f"{name} has something that {parts.scheme} doesn't know: {', '.join(query)}")
    return {"name": parts.scheme, "backend": f"anymail.backends.{parts.scheme}.EmailBackend", "options": options}


_SIGNING_KEYS = {
    "mailersend": "MAILERSEND_SIGNING_SECRET",
    "mailgun": "MAILGUN_WEBHOOK_SIGNING_KEY",
    "mandrill": "MANDRILL_WEBHOOK_KEY",
    "resend": "RESEND_SIGNING_SECRET",
    "sendgrid": "SENDGRID_TRACKING_WEBHOOK_VERIFICATION_KEY",
}


def mail_webhooks(provider: str) -> dict[str, object]:
    """django-anymail's settings for webhooks, from ANYMAIL_WEBHOOK_SECRET and ANYMAIL_SIGNING_KEY."""
    secret, key = text("ANYMAIL_WEBHOOK_SECRET"), text("ANYMAIL_SIGNING_KEY")
    if secret and (":" not in secret or len(secret) < 20):
        raise ImproperlyConfigured(
            "ANYMAIL_WEBHOOK_SECRET must be name:password, at least 20 characters that nobody can guess."
        )
    if key and provider not in _SIGNING_KEYS:
        raise ImproperlyConfigured(f"ANYMAIL_SIGNING_KEY is for {', '.join(_SIGNING_KEYS)} in EMAIL_URL only.")
    settings: dict[str, object] = {"WEBHOOK_SECRET": secret} if secret else {}
    return {**settings, _SIGNING_KEYS[provider]: key} if key else settings


def smtp(name: str = "EMAIL_URL") -> dict[str, object]:
    """Django's EMAIL_… settings from `smtp://user:password@host:port/?tls=starttls`.

    smtps:// speaks TLS from the first byte; smtp:// uses STARTTLS when it carries a password or says
    `tls=starttls`, and stays plain with `tls=none`.
    """
    value = address(name, "", ("smtp", "smtps", *PROVIDERS))
    if not value or urlsplit(value).scheme in PROVIDERS:
        return {"EMAIL_HOST": ""}
    parts = urlsplit(value)
    if not parts.hostname:
        raise ImproperlyConfigured(f"{name} names no host: smtp://user:password@host:587")
    try:
        port = parts.port
    except ValueError:
        raise ImproperlyConfigured(f"{name} has a port that is no number.") from None
    tls = parse_qs(parts.query).get("tls", [""])[0]
    if tls not in {"", "none", "starttls"}:
        raise ImproperlyConfigured(f"{name}: tls must be starttls or none.")
    ssl = parts.scheme == "smtps"
    starttls = not ssl and (tls == "starttls" or (not tls and bool(parts.password)))
    return {
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": port or (465 if ssl else 587 if starttls else 25),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": ssl,
        "EMAIL_USE_TLS": starttls,
        "EMAIL_TIMEOUT": 30,
    }


def email(name: str, example: str) -> str:
    """A plain address; empty if none."""
    value = text(name)
    local, _at, domain = value.rpartition("@")
    if value and not (
        value.isascii() and re.fullmatch(r"[A-Za-z0-9._-]+", local) and re.fullmatch(r"[A-Za-z0-9.-]+", domain)
    ):
        raise ImproperlyConfigured(f"{name} must be a plain address, such as {example}.")
    return value


LONGEST_BOUNCE_NAME = 19
"""Characters before the @ of BOUNCE_ADDRESS: campaigns.mail.returns.verp adds 45, and RFC 5321 (4.5.3.1.1) allows 64."""


def bounce_address(name: str = "BOUNCE_ADDRESS") -> str:
    """The mailbox that undeliverable messages come back to, such as bounces@lists.example.org; empty if none."""
    value = email(name, "bounces@lists.example.org")
    local = value.rpartition("@")[0]
    if len(local) > LONGEST_BOUNCE_NAME:
        raise ImproperlyConfigured(f"{name} may have {LONGEST_BOUNCE_NAME} characters before the @ at most.")
    return value


def mailbox(name: str = "MAILBOX_URL") -> dict[str, object]:
    """The mailbox of BOUNCE_ADDRESS from `imaps://user:password@host:993/INBOX?done=Folder`; empty if there is none.

    imap:// without TLS is for a server on this machine only.
    """
    value = address(name, "", ("imaps", "imap"))
    if not value:
        return {}
    parts = urlsplit(value)
    try:
        port = parts.port
    except ValueError:
        raise ImproperlyConfigured(f"{name} has a port that is no number.") from None
    if not (parts.hostname and parts.username and parts.password):
        raise ImproperlyConfigured(f"{name} needs a user, a password and a host: imaps://user:password@host/INBOX")
    if parts.scheme == "imap" and not is_loopback(value):
        raise ImproperlyConfigured(f"{name} would send the password in the clear: write imaps://")
    return {
        "host": parts.hostname,
        "port": port or (993 if parts.scheme == "imaps" else 143),
        "tls": parts.scheme == "imaps",
        "user": unquote(parts.username),
        "password": unquote(parts.password),
        "folder": unquote(parts.path.strip("/")) or "INBOX",
        "done": parse_qs(parts.query).get("done", [""])[0],
    }


def domain(name: str) -> str:
    value = text(name)
    if value and not DOMAIN.fullmatch(value):
        raise ImproperlyConfigured(f"{name} must be a domain, such as example.org.")
    return value.lower()


def dkim_keys() -> "tuple[tuple[str, PrivateKey], ...]":
    """Selectors and private keys: DKIM_KEY holds the PEM text of one key or more, or is the path of a file that does."""
    pem = text("DKIM_KEY")
    if not pem:
        return ()
    if "-----BEGIN" not in pem:
        try:
            pem = Path(pem).read_text()
        except (OSError, UnicodeDecodeError):
            raise ImproperlyConfigured("DKIM_KEY is neither the text of a private key nor a file that can be read.")
    blocks = re.findall(r"-----BEGIN [A-Z ]+-----.+?-----END [A-Z ]+-----", pem.replace("\\n", "\n"), re.DOTALL)
    selectors = words("DKIM_SELECTOR")
    if not blocks:
        raise ImproperlyConfigured("DKIM_KEY holds no private key in PEM form: openssl genrsa -out dkim.pem 2048")
    if len(selectors) != len(blocks):
        raise ImproperlyConfigured(
            f"DKIM_SELECTOR must name one selector for each key of DKIM_KEY, by comma; it has {len(blocks)}."
        )
    if not all(re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?", selector) for selector in selectors):
        raise ImproperlyConfigured("DKIM_SELECTOR may hold letters, digits, dots and hyphens only.")
    return tuple((selector, _dkim_key(block)) for selector, block in zip(selectors, blocks, strict=True))


def _dkim_key(block: str) -> "PrivateKey":
    # Seven megabytes, and only for those who sign.
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(block.encode(), None)
    except TypeError:
        raise ImproperlyConfigured("DKIM_KEY has a password: Lodestar can't ask for one.") from None
    except Exception:
        # Whatever the library raises may quote the key.
        raise ImproperlyConfigured("DKIM_KEY can't be read as a private key.") from None
    if isinstance(key, RSAPrivateKey):
        if key.key_size < 2048:
            raise ImproperlyConfigured(f"DKIM_KEY is an RSA key of {key.key_size} bits: it must have 2048.")
        return key
    if isinstance(key, Ed25519PrivateKey):
        return key
    raise ImproperlyConfigured("DKIM_KEY must be an RSA or Ed25519 key.")
