"""Addresses as headers and the SMTP dialogue take them."""

import re

from django.utils.translation import gettext as _

_PLAIN = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)*[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
)
_ATOM = r"[^\x00-\x20\x7f-\xa0\u2028\u2029\ud800-\udfff()<>\[\]:;@\\,.\"]+"
_LOCAL = re.compile(rf'{_ATOM}(?:\.{_ATOM})*|"(?:[^\x00-\x1f\x7f-\xa0\u2028\u2029\ud800-\udfff"\\]|\\[\x20-\x7e])*"')
_LONGEST = 254
"""Octets (RFC 5321, 4.5.3.1.3, less the angle brackets)."""


class AddressUnusable(ValueError):
    """No message can be addressed to this; the text says why."""


def deliverable(address: str) -> str:
    """The address with its domain in ASCII (IDNA 2008): what goes into headers and into the envelope.

    A local part outside ASCII stays as it is; the message then needs SMTPUTF8 (RFC 6531). Raises AddressUnusable.
    """
    if _PLAIN.fullmatch(address) and len(address) <= _LONGEST:
        return address
    local, at, domain = address.rpartition("@")
    if not (at and _LOCAL.fullmatch(local)):
        raise AddressUnusable(_("What stands before the @ can't be part of an address."))
    import idna  # a megabyte of tables, loaded by whoever meets such an address

    try:
        usable = f"{local}@{idna.encode(domain, uts46=True).decode()}"
    except (idna.IDNAError, UnicodeError):
        raise AddressUnusable(_("What stands behind the @ is no domain.")) from None
    if len(usable.encode()) > _LONGEST:
        raise AddressUnusable(_("The address is too long."))
    return usable
