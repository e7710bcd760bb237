"""Deleting people for good there who were erased here, until it is so.

Few go by themselves, at once. Of many it waits only until the calls that would bring them there, or move them, can't be
under way any more: till then that they are not there says nothing.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from campaigns.mailchimp import bulk, difference, shadow
from campaigns.mailchimp.bulk import Operation, Outcome
from campaigns.mailchimp.client import GONE, MailchimpError, connect
from campaigns.mailchimp.lanes import Job
from campaigns.models import Audience, AudienceMember, HandedIn

if TYPE_CHECKING:
    from campaigns.mailchimp.stretch import Stretch

_ADDRESS = re.compile(r"[^\s<>\"']+@[^\s<>\"']+")
"""Nothing of who was erased is written down anew."""


def jobs(stretch: "Stretch") -> Iterator[Job]:
    owed = stretch.audience.members.filter(to_delete=True).exclude(handed_in__kind=bulk.DELETE)
    if owed[: bulk.FEW + 1].count() > bulk.FEW:
        return _handing_in(stretch.audience, owed)
    return (_job(stretch, member) for member in owed.iterator(500))


def _hashes(member: AudienceMember) -> dict[str, None]:
    """Under which they may be there."""
    return dict.fromkeys(filter(None, (member.moving_to, member.subscriber_hash)))


# Each by itself


def _job(stretch: "Stretch", member: AudienceMember) -> Job:
    def forget() -> tuple[bool, str]:
        """Whether they were there to be deleted, and why they could not be."""
        were_there = False
        for hash in _hashes(member):
            try:
                connect().delete_for_good(stretch.audience.list_id, hash)
                were_there = True
            except MailchimpError as error:
                if error.passing or error.status == 401:
                    raise
                if error.status not in GONE:
                    return False, _why(error)
        return were_there, ""

    def forgotten(outcome: tuple[bool, str]) -> None:
        was_there, refusal = outcome
        owed = AudienceMember.objects.filter(pk=member.pk, to_delete=True)
        if refusal:
            shadow.refuse([member.pk], [refusal])
        elif was_there:
            owed.delete()
        else:
            _sure(owed.filter(handed_in=None), Now()).delete()
        stretch.count(deleted=was_there, refused=bool(refusal))

    return Job(forget, forgotten)


def _sure(members: QuerySet[AudienceMember], asked_at: object) -> QuerySet[AudienceMember]:
    """Of those who were not there when that was asked, who can't be there since by a call of ours."""
    return members.exclude(shadow.IN_DOUBT, updated_at__gt=asked_at - shadow.GRACE)


def _why(error: MailchimpError) -> str:
    return _ADDRESS.sub("…", error.for_staff)


# Many


def _handing_in(audience: Audience, owed: QuerySet[AudienceMember]) -> Iterator[Job]:
    last = 0
    waiting = _sure(owed.filter(handed_in=None), Now()).order_by("pk")
    while members := list(waiting.filter(pk__gt=last)[: difference.CHUNK]):
        last = members[-1].pk
        path = f"lists/{audience.list_id}/members/{{}}/actions/delete-permanent"
        operations = [
            Operation(member.pk, "POST", path.format(hash), note=hash)
            for member in members
            for hash in _hashes(member)
        ]
        yield from bulk.hand_in(audience, bulk.DELETE, operations)


def written(handed: HandedIn, outcomes: Sequence[Outcome], count: Callable[..., None]) -> None:
    """Write down what became of them."""
    refused = {one.member: _why(one.error) for one in outcomes if one.refused and one.status not in GONE}
    failed = {one.member for one in outcomes if not one.done and one.status not in GONE}
    deleted = {one.member for one in outcomes if one.done} - failed
    gone = {one.member for one in outcomes} - failed - deleted
    members = handed.members.filter(to_delete=True)
    with transaction.atomic():
        members.filter(pk__in=deleted).delete()
        _sure(members.filter(pk__in=gone), handed.handed_in_at).delete()
        shadow.refuse(list(refused), list(refused.values()))
        bulk.end(handed)
    count(deleted=len(deleted), refused=len(refused))
