"""What Mailchimp lets nobody do to many members in one call: marketing permissions, and archiving.

Few go by themselves, side by side; many are handed in (bulk.py), 500 in one call. What becomes of each is written down in the
same way, if only by a later run. Nothing that follows depends on it.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import groupby
from typing import NamedTuple

from django.db.models.functions import Now

from campaigns.mailchimp import bulk, difference, mapping, shadow
from campaigns.mailchimp.client import MailchimpError, connect
from campaigns.mailchimp.difference import ARCHIVE, Permitted
from campaigns.mailchimp.lanes import Job, Lanes
from campaigns.models import Audience, AudienceMember

PERMIT = "permit"
GONE = frozenset({404, 405})
"""Statuses of archiving somebody who is archived already, or not there."""


class Operation(NamedTuple):
    """A call about one member."""

    member: int
    method: str
    hash: str
    body: dict | None = None


class Outcome(NamedTuple):
    member: int
    status: int
    answer: dict


class Each:
    """What is owed to single members of an audience; `breathe` raises when it is time to end, `count` takes how many were done of what."""

    def __init__(
        self,
        audience: Audience,
        lanes: Lanes,
        until: float,
        *,
        breathe: Callable[[], None],
        count: Callable[..., None],
    ) -> None:
        self.audience, self.lanes, self.until, self._breathe, self._count = audience, lanes, until, breathe, count
        self._write_down = {PERMIT: self._permitted, ARCHIVE: self._archived}

    def take_up(self) -> None:
        """Wait for what was handed in, now or by a run before, and write down what became of it. Raises OutOfTime, MailchimpError."""
        results = bulk.results(connect(), self.audience, self.until)
        told = [(*name.split(":", 1), status, answer) for name, status, answer in results]
        for kind, outcomes in groupby(sorted(told, key=lambda one: one[0]), key=lambda one: one[0]):
            self._write_down[kind](
                [Outcome(int(member), status, answer) for _kind, member, status, answer in outcomes]
            )
        bulk.done(self.audience)

    def permit(self) -> None:
        """The call for many members knows no marketing permissions."""
        for rows in difference.permissions(self.audience):
            self._do(PERMIT, [Operation(row.member, "PATCH", row.hash, self._permission(row)) for row in rows])

    def archive(self) -> None:
        for rows in difference.chunks(ARCHIVE):
            self._do(ARCHIVE, [Operation(row.member, "DELETE", row.old_hash) for row in rows])

    def _do(self, kind: str, operations: Sequence[Operation]) -> None:
        self._breathe()
        if len(operations) <= bulk.FEW:
            self.lanes.work_off(self._jobs(kind, operations))
            return
        bulk.hand_in(connect(), self.audience, [self._handed_in(kind, operation) for operation in operations])
        self.take_up()

    def _jobs(self, kind: str, operations: Sequence[Operation]) -> Iterator[Job]:
        def call(operation: Operation) -> Outcome:
            try:
                answer = connect().do(operation.method, self._path(operation), operation.body)
            except MailchimpError as error:
                if error.passing or error.status == 401:
                    raise
                return Outcome(operation.member, error.status, {"title": error.title, "detail": error.detail})
            return Outcome(operation.member, 200, answer)

        for operation in operations:
            yield Job(partial(call, operation), lambda outcome: self._write_down[kind]([outcome]))

    def _handed_in(self, kind: str, operation: Operation) -> dict:
        return {
            "operation_id": f"{kind}:{operation.member}",
            "method": operation.method,
            "path": self._path(operation),
            **(
                {"params": {"skip_merge_validation": True}, "body": json.dumps(operation.body)}
                if operation.body
                else {}
            ),
        }

    def _path(self, operation: Operation) -> str:
        return f"lists/{self.audience.list_id}/members/{operation.hash}"

    # What became of them

    def _permission(self, row: Permitted) -> dict:
        ours = [
            key.removeprefix(mapping.PERMISSION) for key in self.audience.groups if key.startswith(mapping.PERMISSION)
        ]
        return {
            "marketing_permissions": [{"marketing_permission_id": one, "enabled": one in row.given} for one in ours]
        }

    def _permitted(self, outcomes: Sequence[Outcome]) -> None:
        done = [outcome for outcome in outcomes if outcome.status == 200]
        shadow.permit(self.audience, {outcome.member: self._given(outcome.answer) for outcome in done})
        refused = [outcome for outcome in outcomes if _refused(outcome)]
        shadow.refuse([outcome.member for outcome in refused], [_why(outcome) for outcome in refused])
        self._count(permitted=len(done), refused=len(refused))

    def _given(self, answer: dict) -> dict[str, bool]:
        return {
            one["marketing_permission_id"]: True
            for one in answer.get("marketing_permissions") or []
            if one["enabled"] and f"{mapping.PERMISSION}{one['marketing_permission_id']}" in self.audience.groups
        }

    def _archived(self, outcomes: Sequence[Outcome]) -> None:
        done = [outcome.member for outcome in outcomes if outcome.status in GONE or outcome.status < 300]
        AudienceMember.objects.filter(pk__in=done, audience=self.audience, to_delete=False).update(
            status=AudienceMember.Status.ARCHIVED, archived_by_us=True, digest=None, updated_at=Now()
        )
        refused = [outcome for outcome in outcomes if _refused(outcome) and outcome.status not in GONE]
        shadow.refuse([outcome.member for outcome in refused], [_why(outcome) for outcome in refused])
        self._count(archived=len(done), refused=len(refused))


def _refused(outcome: Outcome) -> bool:
    """What failed in passing is owed still, and that is all."""
    return 400 <= outcome.status < 500 and outcome.status != 429


def _why(outcome: Outcome) -> str:
    told = (str(outcome.answer.get(name, "")) for name in ("title", "detail"))
    return MailchimpError(400, *told).for_staff
