"""Email addresses: one spelling for each, so that equal addresses compare equal."""

import re

from email_validator import EmailNotValidError, validate_email

# What nearly every address looks like; anything else goes the careful way.
_PLAIN = re.compile(
    r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}"
)
_MAX_LENGTH = 254  # RFC 5321, 4.5.3.1.3, less the angle brackets
_RESERVED = {"localhost", "local", "test", "invalid", "example", "onion", "arpa"}  # RFC 6761 and its fellows


class AddressError(ValueError):
    """The text is no email address; the message says why, in words for staff."""


def normalise_email(text: str) -> str:
    """The one spelling under which an address is stored: trimmed, lower case, domain in ASCII (IDNA 2008).

    Raises AddressError. Dots and plus signs are kept: only the mail host may say that they don't matter.
    """
    address = text.strip().lower()
    if _PLAIN.fullmatch(address):
        local, _, domain = address.partition("@")
        if (
            len(address) <= _MAX_LENGTH
            and len(local) <= 64
            and "xn--" not in domain
            and domain.rpartition(".")[2] not in _RESERVED
        ):
            return address
    try:
        valid = validate_email(address, check_deliverability=False, test_environment=False)
    except EmailNotValidError as error:
        raise AddressError(str(error)) from None
    return f"{valid.local_part}@{valid.ascii_domain}".lower()
