"""Whom a partner may write to, whom it got in files, and who of them left since.

The latest line of the consent ledger decides, and an address that nobody may write to counts as no. A partner keeps what it got, so it is
told who left, by the address that it got: with less it could not stop. Once it says that they are removed, we forget that it had them. Of who was
erased here nothing is left but that somebody was: a fresh file shows who is still there.
"""

from collections.abc import Sequence

from django.core.cache import cache
from django.db import connection, transaction
from django.db.models import Case, Exists, OuterRef, QuerySet, Subquery, When
from django.db.models.functions import Coalesce

from supporters.models import (
    AddressHash,
    Consent,
    Export,
    Handover,
    Organisation,
    PartnerEvent,
    PartnerUser,
    Purpose,
    Suppression,
)
from supporters.partners import members

LEFT_FRESH = 60
PEOPLE, LEFT = "partner-people", "partner-left"
"""Names of listings: supporters.partners.listing."""


def standing(organisation: Organisation) -> QuerySet[Consent]:
    """The grants of those whom the partner may write to, the newest first."""
    granted = Consent.objects.standing_for(organisation).filter(supporter__email__isnull=False)
    return granted.filter(~Exists(_barred("supporter__email"))).select_related("supporter").order_by("-pk")


def left(organisation: Organisation) -> QuerySet[Handover]:
    """The addresses that the partner got and may no longer write to, each with `left_at`; the last ones handed out first.

    Among them those whose owner still allows it but has another address by now: `moved`.
    """
    there = standing(organisation).filter(supporter=OuterRef("supporter"))
    last = Consent.objects.filter(
        supporter=OuterRef("supporter"), organisation=organisation, purpose=Purpose.PARTNER
    ).order_by("-happened_at", "-state", "-pk")
    barred = _barred("supporter__email").order_by("created_at")
    gone = Handover.objects.filter(
        ~Exists(there.filter(supporter__email=OuterRef("email"))), organisation=organisation
    )
    when = Coalesce(Subquery(barred.values("created_at")[:1]), Subquery(last.values("happened_at")[:1]))
    return gone.annotate(moved=Exists(there), left_at=Case(When(~Exists(there), then=when))).order_by("-pk")


def how_many_left(organisation: Organisation) -> int:
    """Of those addresses, at most LEFT_FRESH seconds old: it takes a look at each that was handed out."""
    return cache.get_or_set(_key(organisation), lambda: left(organisation).order_by().count(), LEFT_FRESH)


def removed(member: PartnerUser, keys: Sequence[int]) -> int:
    """The partner says that it has these no longer; how many they were. Who came back meanwhile is left as it is."""
    with transaction.atomic():
        found = left(member.organisation).filter(pk__in=keys).values_list("pk", flat=True)
        number, _rows = Handover.objects.filter(pk__in=list(found)).delete()
        if number:
            members.note(member, PartnerEvent.Kind.REMOVED, number=number)
    cache.delete(_key(member.organisation))
    return number


def erased_since(organisation: Organisation) -> int:
    """How many whom the partner had got were erased here since it last had a whole list made."""
    lists = Export.objects.filter(
        state__in=["streamed", "done", "expired", "withdrawn"],
        listing=PEOPLE,
        by__partner__organisation=organisation,
    ).order_by("-created_at")
    events = organisation.events.filter(kind=PartnerEvent.Kind.ERASED)
    last = lists.values_list("created_at", flat=True).first()
    return (events.filter(happened_at__gte=last) if last else events).count()


def note_handed(export: Export, people: Sequence[int]) -> None:
    """Write down that the partner whose export this is gets these people's addresses: before they leave."""
    with connection.cursor() as cursor:
        cursor.execute(_HANDED, {"export": export.pk, "by": export.by_id, "people": list(people)})


_HANDED = """
INSERT INTO supporters_handover (organisation_id, supporter_id, email, export_id)
SELECT p.organisation_id, s.id, s.email, %(export)s FROM supporters_partneruser p, supporters_supporter s
WHERE p.user_id = %(by)s AND s.id = ANY(%(people)s) AND s.email IS NOT NULL
ON CONFLICT (organisation_id, email) DO UPDATE
SET supporter_id = excluded.supporter_id, export_id = excluded.export_id, handed_at = statement_timestamp()
"""


def forget(supporter: int) -> None:
    """Take a person who is being erased out of what partners got, and leave for each partner that it was somebody."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH gone AS (DELETE FROM supporters_handover WHERE supporter_id = %s RETURNING organisation_id)
            INSERT INTO supporters_partnerevent (organisation_id, kind, number)
            SELECT DISTINCT organisation_id, 'erased', 1 FROM gone
            """,
            [supporter],
        )


def _barred(email: str) -> QuerySet[Suppression]:
    """That nobody may write to the address at this path; who only left our own mail did not leave a partner's."""
    barred = Suppression.objects.exclude(reason=Suppression.Reason.LEFT)
    return barred.filter(email_hash=AddressHash(OuterRef(email)))


def _key(organisation: Organisation) -> str:
    return f"partner:{organisation.pk}:left"
