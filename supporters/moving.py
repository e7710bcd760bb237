"""Another email address for somebody on file, asked for on their own page.

    asked ──the new inbox confirms──▶ moved
      │  └──it is somebody's on file──▶ a possible double, for staff
      ├──taken back on the page──▶ gone
      └──another one asked for, or some days pass──▶ gone

Nothing changes before the new inbox confirms. The old one is told at once, for whoever has the link to the page may be
somebody else. Whether the new address is on file shows nowhere.
"""

from datetime import timedelta
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from supporters import consent, finding, letters
from supporters.hygiene.contact import contact_of
from supporters.matching.door import OTHER_ADDRESS
from supporters.models import Consent, Double, InboxRequest, Letter, Reference, Supporter, Suppression

LIFE = timedelta(days=3)
"""Of a link to the new inbox."""
MOST = 3
"""New addresses that one person asks for in that time: nobody has letters sent to many."""


class TooMany(Exception):
    """They asked for several lately."""


@transaction.atomic
def ask(uuid: UUID, email: str, language: str) -> None:
    """Owe the letter to the new inbox, and word of it to the old one. The address is in the spelling that records have.

    Raises TooMany.
    """
    supporter = finding.by_uuid(uuid, lock=True)
    if supporter is None or email == supporter.email:
        return
    if _requests(supporter).count() >= MOST:
        raise TooMany
    request = InboxRequest.objects.create(kind=InboxRequest.Kind.MOVE, email=email, supporter=supporter)
    Letter.objects.create(kind=Letter.Kind.MOVE, inbox_request=request, language=language)
    with connection.cursor() as cursor:
        cursor.execute(_TELL, {"supporter": supporter.pk, "language": supporter.language or language})
    transaction.on_commit(letters.wake)


_TELL = """
INSERT INTO supporters_letter AS letter (kind, supporter_id, language) VALUES ('moving', %(supporter)s, %(language)s)
ON CONFLICT (supporter_id, kind) WHERE supporter_id IS NOT NULL DO UPDATE SET state = 'owed', due_at = statement_timestamp(), language = excluded.language
WHERE letter.state IN ('sent', 'failed', 'unknown')
"""


def waiting(supporter: Supporter) -> InboxRequest | None:
    """The one that can be confirmed: the last that was asked for."""
    return _requests(supporter).order_by("-pk").first()


@transaction.atomic
def take_back(uuid: UUID) -> None:
    supporter = finding.by_uuid(uuid, lock=True)
    if supporter:
        _requests(supporter).delete()


def asked_by(uuid: UUID) -> bool:
    """Whether the link to a new inbox can still be confirmed."""
    request = InboxRequest.objects.filter(uuid=uuid).select_related("supporter").first()
    return request is not None and request.supporter is not None and waiting(request.supporter) == request


@transaction.atomic
def confirm(uuid: UUID) -> bool:
    """Write to the new address from now on; False where there is nothing to confirm any more.

    The old one goes on finding this person, and is not written to. To be called by locks.in_the_end.
    """
    found = InboxRequest.objects.filter(uuid=uuid).values_list("supporter", flat=True).first()
    supporter = finding.by_pk(found, lock=True) if found else None
    request = waiting(supporter) if supporter else None
    if request is None or request.uuid != uuid:
        return False
    if not _move(supporter, request.email):
        _point_out(supporter, Supporter.objects.get(email=request.email))
    InboxRequest.objects.filter(supporter=supporter, kind=InboxRequest.Kind.MOVE).delete()
    return True


def _move(supporter: Supporter, email: str) -> bool:
    """False where somebody on file has the address."""
    if Supporter.objects.filter(email=email).exclude(pk=supporter.pk).exists():
        return False
    news = contact_of(supporter, {"email": email, "shares_email_with": None})
    try:
        with transaction.atomic():
            Supporter.objects.filter(pk=supporter.pk).update(**news, updated_at=Now())
    except IntegrityError:  # just now
        return False
    other = Reference.objects.filter(system=OTHER_ADDRESS)
    other.filter(supporter=supporter, identifier=email).delete()
    if supporter.email and len(supporter.email) <= Reference._meta.get_field("identifier").max_length:
        Reference.objects.bulk_create(
            [Reference(supporter=supporter, system=OTHER_ADDRESS, identifier=supporter.email)], ignore_conflicts=True
        )
    if consent.state_of(supporter) == Consent.State.GRANTED:
        # It was left by others, or by them: they say from its inbox that they read us there.
        consent.suppressions_of(email).filter(reason=Suppression.Reason.LEFT).delete()
    return True


def _point_out(supporter: Supporter, other: Supporter) -> None:
    """Two records whose inboxes one person reads; what staff said of the pair stays."""
    first, second = sorted((supporter, other), key=lambda one: one.pk)
    Double.objects.bulk_create(
        [
            Double(
                first=first,
                second=second,
                probability=0.99,
                evidence=[{"what": "email", "how": "both", "weight": 10}],
                cluster=first.pk,
                found_by=Double.FoundBy.DOOR,
            )
        ],
        ignore_conflicts=True,
    )


def _requests(supporter: Supporter) -> QuerySet[InboxRequest]:
    return supporter.inbox_requests.filter(kind=InboxRequest.Kind.MOVE, asked_at__gt=Now() - LIFE)
