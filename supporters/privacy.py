"""Erasing a person (GDPR, article 17).

The books keep the gifts and the petition its count, both without the person; the address stays suppressed as a hash.
Everything else goes at once, save for uploaded files: what they hold is deleted 30 days after they were imported
(supporters.importing.run.forget_files).
"""

import re

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction

from supporters import consent
from supporters.models import (
    Consent,
    Donation,
    OrganisationContact,
    RecurringDonation,
    Reference,
    Signature,
    Supporter,
    Suppression,
)
from supporters.payments.forgetting import forget_person

LEDGER = "lodestar.ledger"
"""The setting by which a transaction tells the consent ledger's guard what it is doing."""


@transaction.atomic
def erase(supporter: Supporter) -> None:
    """Remove the person from everything that supporters own.

    Whatever stands above has let go of the person before, in the same transaction. The row stays locked till its
    end, so that no gift, signature or consent can be added to somebody who is on the way out.
    """
    Supporter.objects.select_for_update().get(pk=supporter.pk)
    if supporter.email:
        consent.suppress(supporter.email, Suppression.Reason.ERASED)
        # What was typed with this address and waits to be confirmed; its letters go along.
        Signature.objects.filter(email=supporter.email).delete()
    forget_person(supporter)
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


NOTHING = "(?!)"
"""A regular expression that nothing matches."""
_FAILED_ROWS = """
DELETE FROM supporters_importrow r USING supporters_importrun i
WHERE i.id = r.run_id AND (
    lower(r.values::text) ~ %(email)s
    OR EXISTS (
        SELECT 1 FROM jsonb_array_elements(i.mapping -> 'columns') WITH ORDINALITY AS c (held, number)
        WHERE c.held ->> 'field' = 'reference' AND btrim(r.values ->> (c.number - 1)::int) = ANY(%(references)s)))
"""


def _forget_failed_rows(supporter: Supporter) -> None:
    """Rows that a file kept back may be about this person: they are known by an address or by their reference.

    A cell of any other column that happens to read like the reference is somebody else's, and so is an address that
    merely ends like this one.
    """
    email = NOTHING
    if supporter.email:
        email = rf"(^|[^a-z0-9._%+-]){re.escape(supporter.email)}($|[^a-z0-9.-]|[.]($|[^a-z0-9]))"
    references = list(supporter.references.values_list("identifier", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(_FAILED_ROWS, {"email": email, "references": references})
