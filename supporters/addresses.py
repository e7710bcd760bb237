"""Email addresses: one spelling for each, so that equal addresses compare equal.

The domain is in ASCII (IDNA 2008, as email-validator does it). What stands before the @ is in lower case and NFC, as
RFC 8265, 3.3 does it for names of users: mail hosts tell no case apart, but ß and ss are two people to them, so it is no full
case folding.
"""

import re
import unicodedata

from django.utils.translation import gettext as _

from supporters.hygiene.text import one_line

# What nearly every address looks like; anything else goes the careful way.
_PLAIN = re.compile(
    r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}"
)
_MAX_LENGTH = 254  # RFC 5321, 4.5.3.1.3, less the angle brackets
_RESERVED = {"localhost", "local", "test", "invalid", "example", "onion", "arpa"}  # RFC 6761 and its fellows
_IN_BRACKETS = re.compile(r"[^<>]*<([^<>]*)>[^<>]*")
_LINK = re.compile(r"(?:mailto|e-?mail|e-?post|mejl|mail)\s*:\s*", re.IGNORECASE)
_AROUND = " \t.,;:\"'‘’“”„«»()[]<>\u200e\u200f"
_WIDE = str.maketrans({"＠": "@", "．": ".", "。": "."})


class AddressError(ValueError):
    """The text is no email address; the message says why, in words for staff."""


def normalise_email(text: str) -> str:
    """The one spelling under which an address is stored. Raises AddressError.

    What lists and mail programs put around an address is taken off: `mailto:`, a name before angle brackets, quotes, points and
    semicolons. Dots and plus signs before the @ are kept: only the mail host may say that they don't matter.
    """
    address = text.strip().lower()
    if _PLAIN.fullmatch(address):
        local, _at, domain = address.partition("@")
        if (
            len(address) <= _MAX_LENGTH
            and len(local) <= 64
            and "xn--" not in domain
            and domain.rpartition(".")[2] not in _RESERVED
        ):
            return address
    return _carefully(_unwrapped(text))


def _unwrapped(text: str) -> str:
    line = one_line(text).translate(_WIDE)
    if brackets := _IN_BRACKETS.fullmatch(line):
        line = brackets[1]
    line = line.strip(_AROUND)
    if link := _LINK.match(line):
        line = line[link.end() :].partition("?")[0].strip(_AROUND)
    return line


def _carefully(address: str) -> str:
    if address.count("@") > 1 and re.search(r"@.*[\s,;/|]+.*@", address):
        raise AddressError(_("There is more than one address in it."))
    # Loaded when it is needed: its tables of letters are a megabyte, and who sends mail never looks at them.
    from email_validator import EmailNotValidError, validate_email

    try:
        valid = validate_email(address, check_deliverability=False, test_environment=False, strict=True)
    except EmailNotValidError as error:
        raise AddressError(str(error)) from None
    local = unicodedata.normalize("NFC", valid.local_part.lower())
    return f"{local}@{valid.ascii_domain.lower()}"
