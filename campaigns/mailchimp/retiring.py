"""Members under the other address of somebody who was on file twice: two members of one person become one.

subscribed, pending ──▶ archived          the person has a member of their own, under the address that they kept
                    └─▶ unsubscribed      they have left, as either
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial

from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import MD5, Now
from django.db.models.lookups import Exact

from campaigns.mailchimp import shadow
from campaigns.mailchimp.client import MailchimpError, connect
from campaigns.mailchimp.lanes import Job
from campaigns.models import Audience, AudienceMember
from supporters.models import AddressHash, Consent, Merge, Suppression

Status = AudienceMember.Status
GRACE = timedelta(minutes=2)
"""For so long a call whose answer was lost may still bring them there."""


def owed(audience: Audience) -> QuerySet[AudienceMember]:
    """Those that are still there, each with `left`."""
    under_it = Merge.objects.standing().filter(survivor=OuterRef("retired_from"), other_email__isnull=False)
    under_it = under_it.alias(key=MD5("other_email")).filter(key=OuterRef("subscriber_hash"))
    suppressed = Suppression.objects.filter(email_hash=AddressHash(OuterRef("other_email")))
    said = Consent.objects.latest_state(OuterRef("retired_from"), audience.purpose)
    return audience.members.filter(
        retired_from__isnull=False,
        to_delete=False,
        status__in=[Status.SUBSCRIBED, Status.PENDING, Status.NONE],
    ).annotate(left=Q(Exact(said, Value(Consent.State.WITHDRAWN))) | Q(Exists(under_it.filter(Exists(suppressed)))))


def jobs(audience: Audience, count: Callable[..., None]) -> Iterator[Job]:
    for member in owed(audience).iterator(500):
        yield Job(partial(_retire, audience, member), partial(_retired, member, count))


def _retire(audience: Audience, member: AudienceMember) -> tuple[str, str]:
    """The status that they have there now, and why they could not be taken away; one member keeps back nobody else."""
    try:
        if member.left and member.status != Status.NONE and _unsubscribe(audience, member):
            return Status.UNSUBSCRIBED, ""
        connect().archive(audience.list_id, member.subscriber_hash)
    except MailchimpError as error:
        if error.passing or error.status == 401:
            raise
        return member.status, error.for_staff
    return Status.ARCHIVED, ""


def _unsubscribe(audience: Audience, member: AudienceMember) -> bool:
    """False if they are not there."""
    try:
        connect().change_member(audience.list_id, member.subscriber_hash, {"status": Status.UNSUBSCRIBED})
    except MailchimpError as error:
        if error.status not in {404, 405}:
            raise
        return False
    return True


def _retired(member: AudienceMember, count: Callable[..., None], outcome: tuple[str, str]) -> None:
    status, refusal = outcome
    if refusal:
        shadow.refuse([member.pk], [refusal])
        count(refused=1)
        return
    done = AudienceMember.objects.filter(pk=member.pk, to_delete=False, retired_from__isnull=False)
    if member.status == Status.NONE:
        done = done.filter(updated_at__lt=Now() - GRACE)
    changed = done.update(
        status=status,
        status_at=Now(),
        archived_by_us=status == Status.ARCHIVED,
        leaving_applied=status == Status.UNSUBSCRIBED,
        digest=None,
        refusal="",
        refused_at=None,
        updated_at=Now(),
    )
    if changed:
        count(**{"archived" if status == Status.ARCHIVED else "unsubscribed": 1})
