"""Erasing a person (GDPR, article 17).

The books keep the gifts and the petition its count, both without the person; the address stays suppressed as a hash.
Everything else goes.
"""

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction

from supporters import consent
from supporters.models import (
    Consent,
    Donation,
    ImportRow,
    OrganisationContact,
    RecurringDonation,
    Reference,
    Signature,
    Supporter,
    Suppression,
)

LEDGER = "lodestar.ledger"
"""The setting by which a transaction tells the consent ledger's guard what it is doing."""


@transaction.atomic
def erase(supporter: Supporter) -> None:
    """Remove the person from everything that supporters own. Whatever stands above calls this last, in one transaction."""
    if supporter.email:
        consent.suppress(supporter.email, Suppression.Reason.ERASED)
    Donation.objects.filter(supporter=supporter).update(supporter=None)
    RecurringDonation.objects.filter(supporter=supporter).update(supporter=None)
    Signature.objects.filter(supporter=supporter).update(supporter=None, comment="")
    with ledger_open_for("erase"):
        Consent.objects.filter(supporter=supporter).delete()
    _forget_failed_rows(supporter)
    OrganisationContact.objects.filter(supporter=supporter).delete()
    Reference.objects.filter(supporter=supporter).delete()
    supporter.tags.clear()
    kind = ContentType.objects.get_for_model(Supporter)
    LogEntry.objects.filter(content_type=kind, object_id=str(supporter.pk)).update(object_repr="", change_message="")
    Supporter.objects.filter(pk=supporter.pk).delete()


class ledger_open_for:
    """Let the consent ledger be changed within the block, for the reason that its guard knows."""

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def __enter__(self) -> None:
        _set_local(LEDGER, self.reason)

    def __exit__(self, *failure: object) -> None:
        if not failure[0]:
            _set_local(LEDGER, "")


def _set_local(name: str, value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, true)", [name, value])


def _forget_failed_rows(supporter: Supporter) -> None:
    """Rows that a file kept back may be about this person: they are known by address or reference."""
    known = [text for text in (supporter.email, *supporter.references.values_list("identifier", flat=True)) if text]
    for text in known:
        ImportRow.objects.filter(values__contains=[text]).delete()
