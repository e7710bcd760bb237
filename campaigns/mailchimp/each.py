"""What Mailchimp lets nobody do to many members in one call: marketing permissions, and archiving.

Few go by themselves, side by side; many are handed in (bulk.py), 500 in one call.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from campaigns.mailchimp import bulk, difference, mapping, shadow
from campaigns.mailchimp.bulk import Operation, Outcome
from campaigns.mailchimp.client import GONE, MailchimpError, connect
from campaigns.mailchimp.difference import ARCHIVE, Permitted
from campaigns.mailchimp.lanes import Job
from campaigns.models import Audience, AudienceMember, HandedIn

if TYPE_CHECKING:
    from campaigns.mailchimp.stretch import Stretch

Status = AudienceMember.Status


def permit(stretch: "Stretch") -> None:
    """The call for many members knows no marketing permissions."""
    path = f"lists/{stretch.audience.list_id}/members/"
    chunks = (
        [Operation(row.member, "PATCH", path + row.hash, _permission(stretch.audience, row)) for row in rows]
        for rows in difference.permissions(stretch.audience)
    )
    write = partial(_write_permissions, stretch.audience, count=stretch.count)
    stretch.lanes.work_off(jobs(stretch, bulk.PERMIT, chunks, write))


def archive(stretch: "Stretch") -> None:
    path = f"lists/{stretch.audience.list_id}/members/"
    chunks = (
        [Operation(row.member, "DELETE", path + row.old_hash) for row in rows] for rows in difference.chunks(ARCHIVE)
    )
    stretch.lanes.work_off(jobs(stretch, bulk.ARCHIVE, chunks, partial(_write_archived, count=stretch.count)))


def jobs(
    stretch: "Stretch",
    kind: str,
    chunks: Iterator[list[Operation]],
    write: Callable[[Sequence[Outcome]], None],
) -> Iterator[Job]:
    """Up to 500 operations at a time: handed in, or each a call by itself, whose outcome is written down at once."""
    many = False
    for operations in chunks:
        stretch.breathe()
        many = many or len(operations) > bulk.FEW
        if many:
            yield from bulk.hand_in(stretch.audience, kind, operations)
            continue
        for operation in operations:
            yield Job(partial(_call, operation), lambda outcome: write([outcome]))


def _call(operation: Operation) -> Outcome:
    try:
        answer = connect().do(operation.method, operation.path, operation.body)
    except MailchimpError as error:
        if error.passing or error.status == 401:
            raise
        answer = {"title": error.title, "detail": error.detail, "errors": list(error.errors)}
        return Outcome(operation.member, operation.note, error.status, answer)
    return Outcome(operation.member, operation.note, 200, answer)


# What became of them


def _permission(audience: Audience, row: Permitted) -> dict:
    ours = [key.removeprefix(mapping.PERMISSION) for key in audience.groups if key.startswith(mapping.PERMISSION)]
    return {"marketing_permissions": [{"marketing_permission_id": one, "enabled": one in row.given} for one in ours]}


def permitted(handed: HandedIn, outcomes: Sequence[Outcome], count: Callable[..., None]) -> None:
    with transaction.atomic():
        _write_permissions(handed.audience, outcomes, count)
        bulk.end(handed)


def _write_permissions(audience: Audience, outcomes: Sequence[Outcome], count: Callable[..., None]) -> None:
    done = [outcome for outcome in outcomes if outcome.done]
    shadow.permit(audience, {outcome.member: _given(audience, outcome.answer) for outcome in done})
    count(permitted=len(done), refused=note_refusals(outcomes))


def _given(audience: Audience, answer: dict) -> dict[str, bool]:
    return {
        one["marketing_permission_id"]: True
        for one in answer.get("marketing_permissions") or []
        if one["enabled"] and f"{mapping.PERMISSION}{one['marketing_permission_id']}" in audience.groups
    }


def archived(handed: HandedIn, outcomes: Sequence[Outcome], count: Callable[..., None]) -> None:
    """Who left in the meantime may have been archived before that, or after it."""
    members = handed.members.filter(to_delete=False)
    unclear = members.filter(
        Q(status_at__gt=handed.handed_in_at) | ~Q(status__in=[Status.SUBSCRIBED, Status.PENDING])
    )
    with transaction.atomic():
        doubtful = set(unclear.values_list("pk", flat=True))
        shadow.doubt(list(doubtful))
        _write_archived([outcome for outcome in outcomes if outcome.member not in doubtful], count)
        bulk.end(handed)


def _write_archived(outcomes: Sequence[Outcome], count: Callable[..., None]) -> None:
    done = [outcome.member for outcome in outcomes if outcome.done or outcome.status in GONE]
    AudienceMember.objects.filter(pk__in=done, to_delete=False).update(
        status=Status.ARCHIVED, archived_by_us=True, digest=None, updated_at=Now()
    )
    count(archived=len(done), refused=note_refusals([one for one in outcomes if one.status not in GONE]))


def note_refusals(outcomes: Sequence[Outcome]) -> int:
    """Why these could not be done; returns how many. What failed in passing is owed still, and that is all."""
    refusals = {outcome.member: outcome.error.for_staff for outcome in outcomes if outcome.refused}
    shadow.refuse(list(refusals), list(refusals.values()))
    return len(refusals)
