"""Members under the other address of somebody who was on file twice: two members of one person become one.

subscribed, pending ──▶ archived          the person has a member of their own, under the address that they kept
                    └─▶ unsubscribed      they have left, as either
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import MD5, Now
from django.db.models.lookups import Exact

from campaigns.mailchimp import bulk, difference, each, shadow
from campaigns.mailchimp.bulk import Operation, Outcome
from campaigns.mailchimp.client import GONE
from campaigns.mailchimp.lanes import Job
from campaigns.models import Audience, AudienceMember, HandedIn
from supporters.models import AddressHash, Consent, Merge, Suppression

if TYPE_CHECKING:
    from campaigns.mailchimp.stretch import Stretch

Status = AudienceMember.Status
LEFT = "left"


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


def jobs(stretch: "Stretch") -> Iterator[Job]:
    """One member keeps back nobody else."""
    write = partial(_write, count=stretch.count)
    return each.jobs(stretch, bulk.RETIRE, _operations(stretch.audience), write)


def _operations(audience: Audience) -> Iterator[list[Operation]]:
    path = f"lists/{audience.list_id}/members/"
    waiting = owed(audience).filter(handed_in=None).exclude(status=Status.NONE, updated_at__gt=Now() - shadow.GRACE)
    last = 0
    while members := list(waiting.filter(pk__gt=last).order_by("pk")[: difference.CHUNK]):
        last = members[-1].pk
        yield [
            Operation(one.pk, "PATCH", path + one.subscriber_hash, {"status": Status.UNSUBSCRIBED}, LEFT)
            if one.left and one.status != Status.NONE
            else Operation(one.pk, "DELETE", path + one.subscriber_hash)
            for one in members
        ]


def written(handed: HandedIn, outcomes: Sequence[Outcome], count: Callable[..., None]) -> None:
    """Write down what became of them."""
    with transaction.atomic():
        _write(outcomes, count)
        bulk.end(handed)


def _write(outcomes: Sequence[Outcome], count: Callable[..., None]) -> None:
    left = [one.member for one in outcomes if one.done and one.note == LEFT]
    gone = [one.member for one in outcomes if one.member not in left and (one.done or one.status in GONE)]
    count(
        unsubscribed=_retired(left, Status.UNSUBSCRIBED),
        archived=_retired(gone, Status.ARCHIVED),
        refused=each.note_refusals([one for one in outcomes if one.status not in GONE]),
    )


def _retired(members: Sequence[int], status: str) -> int:
    done = AudienceMember.objects.filter(pk__in=members, to_delete=False, retired_from__isnull=False)
    return done.update(
        status=status,
        status_at=Now(),
        archived_by_us=status == Status.ARCHIVED,
        leaving_applied=status == Status.UNSUBSCRIBED,
        digest=None,
        refusal="",
        refused_at=None,
        updated_at=Now(),
    )
