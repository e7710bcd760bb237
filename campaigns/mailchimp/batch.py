"""Writing many members in one call, and reading what became of each of them. Touches no database."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from django.utils.translation import gettext as _

from campaigns.mailchimp.client import Mailchimp, MailchimpError
from campaigns.mailchimp.difference import Owed
from campaigns.mailchimp.shadow import Answer
from campaigns.models import AudienceMember

Status = AudienceMember.Status
WHOLLY_REFUSED = frozenset({400, 413, 422})
"""Statuses of a request that is refused for one of those in it, or for its size."""


class Written(NamedTuple):
    """What became of those that were sent; whom the answer does not name was not heard of, and is found by the next comparison."""

    answers: list[Answer]
    exist: list[Owed]
    """Not added: they are there, and their choice stands."""
    absent: list[Owed]
    """Not changed: they are not there."""
    met: Sequence[Answer] = ()
    """What became of those who exist, if they were written to as well."""


class Batch:
    """Writes to one audience, in which the tags with these ids are ours."""

    def __init__(self, mailchimp: Mailchimp, list_id: str, tags: Collection[int]) -> None:
        self.mailchimp, self.list_id, self.tags = mailchimp, list_id, tags

    def write(self, rows: Sequence[Owed], bodies: Sequence[dict], *, update: bool) -> Written:
        """Send up to 500; a request that is refused as a whole is halved until the one it is about stands alone."""
        try:
            answer = self.mailchimp.write_members(self.list_id, list(bodies), update=update)
        except MailchimpError as error:
            if error.status not in WHOLLY_REFUSED:
                raise
            if len(rows) == 1:
                return Written([refused(rows[0], error.for_staff, error.title)], [], [])
            half = len(rows) // 2
            first = self.write(rows[:half], bodies[:half], update=update)
            second = self.write(rows[half:], bodies[half:], update=update)
            return Written(*(one + other for one, other in zip(first[:3], second[:3], strict=True)))
        return self.read(rows, answer)

    def read(self, rows: Sequence[Owed], answer: dict) -> Written:
        """What an answer says of these."""
        by_email = {row.email: row for row in rows}
        written = Written([], [], [])
        for member in [*answer.get("new_members", []), *answer.get("updated_members", [])]:
            if row := by_email.pop(str(member.get("email_address", "")).lower(), None):
                written.answers.append(self.answer(row, member))
        for error in answer.get("errors", []):
            row = by_email.pop(str(error.get("email_address", "")).lower(), None)
            if row is None:
                continue
            why = error.get("field_message") or error.get("error") or ""
            if error.get("error_code") == "ERROR_CONTACT_EXISTS":
                written.exist.append(row)
            elif error.get("field") == "status":
                written.absent.append(row)
            else:
                written.answers.append(refused(row, why, str(error.get("error", ""))))
        return written

    def answer(self, row: Owed, member: dict) -> Answer:
        """A member as Mailchimp tells it, of whom it shows fifty tags at most."""
        shown = member.get("tags")
        whole = shown is not None and member.get("tags_count", 0) <= len(shown)
        tags = tuple(tag["id"] for tag in shown if tag["id"] in self.tags) if whole else None
        changed = member.get("last_changed")
        return Answer(
            row,
            member.get("status", Status.SUBSCRIBED),
            tags=tags,
            changed_at=datetime.fromisoformat(changed) if changed else None,
        )


def refused(row: Owed, why: str, kind: str) -> Answer:
    """Why Mailchimp would not take somebody, in words for staff; `kind` is what it calls that."""
    kind = kind.lower()
    if "permanently deleted" in kind or "forgotten" in kind:
        return Answer(row, Status.FORGOTTEN, _("Deleted for good in Mailchimp. Only they themselves can come back."))
    if "compliance state" in kind:
        text = _(
            "They left or bounced in Mailchimp. Only their own new yes, confirmed here or there, brings them back."
        )
        return Answer(row, Status.UNSUBSCRIBED, text)
    return Answer(row, Status.NONE, why or _("Mailchimp gave no reason."))
