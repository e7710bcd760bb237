"""What is odd about a record: marks that staff see, filter by and build segments from. None of them keeps anybody out.

The domains of throw-away addresses are those of the package disposable-email-domains. It is loaded with the first address.
"""

import re
from functools import cache, lru_cache
from pathlib import Path

from django.db import models
from django.utils.translation import gettext_lazy as _

from supporters.hygiene.text import key

_NO_SEPARATORS = str.maketrans("", "", ".-_")
_OFTEN = ("info", "kontakt", "contact", "office")
_OF_A_BRANCH = re.compile(r"(?:info|kontakt|contact|office)[._-]")


class Mark(models.TextChoices):
    ROLE = "role", _("Role address")
    DISPOSABLE = "disposable", _("Disposable address")
    TAKEN = "taken", _("Address somebody else has too")
    MALFORMED = "malformed", _("Malformed address")
    PHONE = "phone", _("Doubtful phone number")
    POSTCODE = "postcode", _("Doubtful postcode")


OF_OLD = frozenset((Mark.TAKEN, Mark.MALFORMED))
"""What only an address can be that came before it was read as it is today."""


def is_role(local: str) -> bool:
    """Whether this, before the @ and in lower case, is an office's, such as info, kontakt, no-reply or info.malmo."""
    bare = local.partition("+")[0].translate(_NO_SEPARATORS)
    if bare in _roles():
        return True
    if local.isascii():
        return local.startswith(_OFTEN) and bool(_OF_A_BRANCH.match(local))
    return key(bare) in _roles()


@lru_cache(maxsize=16_384)
def is_disposable(domain: str) -> bool:
    """Whether the domain, in ASCII, or one that it is part of, gives addresses away for a few minutes."""
    blocked = _disposable_domains()
    while "." in domain:
        if domain in blocked:
            return True
        domain = domain.partition(".")[2]
    return False


def of_email(email: str | None) -> list[str]:
    """Marks of an address in its one spelling; see supporters.addresses."""
    local, at, domain = (email or "").rpartition("@")
    found = []
    if at and is_role(local):
        found.append(Mark.ROLE.value)
    if at and is_disposable(domain):
        found.append(Mark.DISPOSABLE.value)
    return found


@cache
def _roles() -> frozenset[str]:
    lines = Path(__file__).with_name("role_addresses.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(key(word) for line in lines if not line.startswith("#") for word in line.split())


@cache
def _disposable_domains() -> frozenset[str]:
    from disposable_email_domains import blocklist

    return frozenset(blocklist)
