"""What people allow us: granting, withdrawing, leaving, suppressing.

The latest line per purpose decides. Leaving is in force in the transaction that records it; only the person's
own confirmed act brings them back, never an import or a sync.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import QuerySet, Value
from django.db.models.functions import Now

from supporters.models import AddressHash, Consent, Organisation, Purpose, Supporter, Suppression

AGAIN = timedelta(minutes=1)
"""What comes within this time of a leaving is the same one: mail programs and people click twice."""

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser


def state_of(supporter: Supporter, purpose: str = Purpose.EMAIL) -> str | None:
    """The state that decides for this purpose; None where nothing was ever said."""
    rows = supporter.consents.filter(purpose=purpose, organisation=None)
    return rows.order_by("-happened_at", "-state", "-pk").values_list("state", flat=True).first()


def to_partners(supporter: Supporter) -> QuerySet[Consent]:
    """The line that decides for each partner of whom anything was ever said, with the partner."""
    lines = supporter.consents.filter(purpose=Purpose.PARTNER).select_related("organisation")
    return lines.order_by("organisation_id", "-happened_at", "-state", "-pk").distinct("organisation_id")


def request(
    supporter: Supporter,
    purpose: str,
    *,
    wording: str,
    method: str,
    wording_version: str = "",
    language: str = "",
    source: str = "",
    organisation: Organisation | None = None,
    happened_at: datetime | None = None,
) -> Consent:
    """Record that the person was shown these words and asked to confirm."""
    return _record(
        supporter,
        purpose,
        Consent.State.REQUESTED,
        method,
        wording=wording,
        wording_version=wording_version,
        language=language,
        source=source,
        organisation=organisation,
        happened_at=happened_at,
    )


@transaction.atomic
def grant(
    supporter: Supporter,
    purpose: str,
    *,
    wording: str,
    method: str,
    wording_version: str = "",
    language: str = "",
    source: str = "",
    organisation: Organisation | None = None,
    happened_at: datetime | None = None,
    recorded_by: "AbstractBaseUser | None" = None,
) -> Consent:
    """Record a grant with its proof.

    The person's own confirmed act also lifts an earlier leaving of this address; a bounce, a complaint or an
    erasure stays.
    """
    consent = _record(
        supporter,
        purpose,
        Consent.State.GRANTED,
        method,
        wording=wording,
        wording_version=wording_version,
        language=language,
        source=source,
        organisation=organisation,
        happened_at=happened_at,
        recorded_by=recorded_by,
    )
    if method == Consent.Method.CONFIRMED and purpose == Purpose.EMAIL and supporter.email:
        suppressions_of(supporter.email).filter(reason=Suppression.Reason.LEFT).delete()
    return consent


def withdraw(
    supporter: Supporter,
    purpose: str,
    *,
    method: str,
    source: str = "",
    organisation: Organisation | None = None,
    happened_at: datetime | None = None,
    recorded_by: "AbstractBaseUser | None" = None,
) -> Consent:
    """Record a withdrawal; it is in force at once."""
    return _record(
        supporter,
        purpose,
        Consent.State.WITHDRAWN,
        method,
        source=source,
        organisation=organisation,
        happened_at=happened_at,
        recorded_by=recorded_by,
    )


@transaction.atomic
def leave(
    supporter: Supporter,
    *,
    method: str,
    reason: str = Suppression.Reason.LEFT,
    source: str = "",
    recorded_by: "AbstractBaseUser | None" = None,
) -> None:
    """Nothing more by email to this person: the consent is withdrawn and the address suppressed.

    Leaving again is a line of its own: they may have come back through a door that we have yet to hear of.
    """
    lines = supporter.consents.filter(purpose=Purpose.EMAIL, organisation=None, state=Consent.State.WITHDRAWN)
    just_now = lines.filter(recorded_at__gt=Now() - AGAIN).exists()
    if not just_now or state_of(supporter) != Consent.State.WITHDRAWN:
        withdraw(supporter, Purpose.EMAIL, method=method, source=source, recorded_by=recorded_by)
    if supporter.email:
        suppress(supporter.email, reason)


def suppress(email: str, reason: str) -> None:
    """Keep the address from ever being written to; doing it twice changes nothing."""
    Suppression.objects.bulk_create(
        [Suppression(email_hash=AddressHash(Value(email)), reason=reason)], ignore_conflicts=True
    )


def is_suppressed(email: str) -> bool:
    return suppressions_of(email).exists()


def suppressions_of(email: str) -> QuerySet[Suppression]:
    return Suppression.objects.filter(email_hash=AddressHash(Value(email)))


def is_erased(email: str, since: datetime | None = None) -> bool:
    """Whether whoever had this address was erased, after that moment if one is given."""
    found = suppressions_of(email).filter(reason=Suppression.Reason.ERASED)
    return (found.filter(created_at__gte=since) if since else found).exists()


def _record(supporter: Supporter, purpose: str, state: str, method: str, **proof: object) -> Consent:
    if proof.get("happened_at") is None:
        proof.pop("happened_at", None)
    return Consent.objects.create(supporter=supporter, purpose=purpose, state=state, method=method, **proof)
