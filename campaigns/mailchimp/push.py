"""Bringing to an audience what is owed to it.

A push works off the difference (difference.py) in an order that lets nobody back who has left: deletions for good, leavings,
new members who never overwrite anybody, changes without a status, moved addresses, tags. The state is the shadow, written
from each answer, so a push that dies is continued by comparing again; SyncRun only tells staff about it.
"""

import time
from collections.abc import Callable, Iterable
from datetime import datetime

from django.db import connection
from django.utils.translation import gettext as _

from campaigns.mailchimp import difference, mapping, shadow
from campaigns.mailchimp.client import Mailchimp, MailchimpError, connect
from campaigns.mailchimp.difference import Owed
from campaigns.mailchimp.preparation import prepare
from campaigns.mailchimp.shadow import Answer, Heard
from campaigns.mailchimp.sync import STRETCH, OutOfTime, work_on
from campaigns.models import Audience, AudienceMember, SyncRun
from supporters.models import Supporter

Status = AudienceMember.Status


def push(pk: int, seconds: float = STRETCH) -> bool:
    """Push an audience for this long; returns whether more is owed. False at once when somebody else is at it."""
    return work_on(pk, SyncRun.Kind.PUSH, lambda audience, run, until: Push(audience, run, until).work(), seconds)


class Push:
    """One stretch of bringing an audience up to date."""

    def __init__(self, audience: Audience, run: SyncRun, until: float) -> None:
        self.audience, self.run, self.until = audience, run, until
        self.mailchimp: Mailchimp = connect()

    def work(self) -> None:
        """Raises OutOfTime, MailchimpError."""
        prepare(self.mailchimp, self.audience)
        self._delete_for_good()
        difference.compare(self.audience)
        self._each(difference.LEAVE, self._leave)
        self._each(difference.MOVE, self._move)  # before new members, who may have an address that is given up
        self._each(difference.ADD, self._add)
        self._each(difference.CHANGE, self._change)
        self._each(difference.RETURN, self._ask_back)
        for tag, add, remove, members in difference.tag_changes(self.audience):
            self._breathe()
            self.mailchimp.change_tag(self.audience.list_id, tag, add, remove)
            shadow.set_tag(tag, members)
            self._count(tagged=len(add), untagged=len(remove))

    def _delete_for_good(self) -> None:
        for member in self.audience.members.filter(to_delete=True).iterator(500):
            self._breathe()
            try:
                self.mailchimp.delete_for_good(self.audience.list_id, member.subscriber_hash)
            except MailchimpError as error:
                if error.status not in {404, 405}:  # gone already, or not there in a way that can be deleted
                    raise
            AudienceMember.objects.filter(pk=member.pk, to_delete=True).delete()
            self._count(deleted=1)

    def _each(self, what: str, step: Callable[[list[Owed]], None]) -> None:
        for rows in difference.chunks(what):
            self._breathe()
            step(rows)

    def _leave(self, rows: list[Owed]) -> None:
        """Who withdrew here is unsubscribed there, under the address that they have there."""
        members = AudienceMember.objects.filter(pk__in=[row.member for row in rows]).select_related("supporter")
        at_their_address, elsewhere = [], []
        for member in members:
            email = member.supporter.email if member.supporter else None
            same = email and mapping.subscriber_hash(email) == member.subscriber_hash
            (at_their_address if same else elsewhere).append(member)
        if at_their_address:
            bodies = [{"email_address": m.supporter.email, "status": Status.UNSUBSCRIBED} for m in at_their_address]
            answer = self.mailchimp.write_members(self.audience.list_id, bodies, update=True)
            failed = {str(error.get("email_address", "")).lower() for error in answer.get("errors", [])}
            done = [member.pk for member in at_their_address if member.supporter.email not in failed]
            shadow.set_status(done, Status.UNSUBSCRIBED)
            self._count(refused=len(failed))
        for member in elsewhere:
            try:
                body = {"status": Status.UNSUBSCRIBED}
                self.mailchimp.change_member(self.audience.list_id, member.subscriber_hash, body)
            except MailchimpError as error:
                if error.status != 404:
                    raise
            shadow.set_status([member.pk], Status.UNSUBSCRIBED)
        self._count(unsubscribed=len(rows))

    def _add(self, rows: list[Owed]) -> None:
        rows = self._who_may_still(rows)
        if not rows:
            return
        shadow.adopt_strangers(self.audience, rows)
        bodies = [{**self._body(row), "status": Status.SUBSCRIBED} for row in rows]
        answers, exist = self._write(rows, bodies, update=False)
        shadow.write(self.audience, answers)
        self._count(added=sum(1 for answer in answers if not answer.refusal))
        if exist:
            # Somebody was quicker, or our own call whose answer got lost: their choice stands, the rest is ours to send.
            self._change(exist)

    def _who_may_still(self, rows: list[Owed]) -> list[Owed]:
        """Those who have not left since the comparison: asked again right before they would be subscribed."""
        people = Supporter.objects.contactable(self.audience.purpose).filter(pk__in=[row.supporter for row in rows])
        still = set(people.values_list("pk", flat=True))
        return [row for row in rows if row.supporter in still]

    def _change(self, rows: list[Owed]) -> None:
        answers, _exist = self._write(rows, [self._body(row) for row in rows], update=True)
        shadow.write(self.audience, answers)
        self._take_over(answers)
        self._count(changed=sum(1 for answer in answers if not answer.refusal))

    def _write(self, rows: list[Owed], bodies: list[dict], *, update: bool) -> tuple[list[Answer], list[Owed]]:
        """Send up to 500; a request that is refused as a whole is halved until the one it is about stands alone."""
        try:
            answer = self.mailchimp.write_members(self.audience.list_id, bodies, update=update)
        except MailchimpError as error:
            if error.status != 400:
                raise
            if len(rows) == 1:
                return [self._refused(rows[0], error.for_staff)], []
            half = len(rows) // 2
            first = self._write(rows[:half], bodies[:half], update=update)
            second = self._write(rows[half:], bodies[half:], update=update)
            return first[0] + second[0], first[1] + second[1]
        return self._read(rows, answer)

    def _read(self, rows: list[Owed], answer: dict) -> tuple[list[Answer], list[Owed]]:
        by_email = {row.email: row for row in rows}
        answers, exist = [], []
        for member in [*answer.get("new_members", []), *answer.get("updated_members", [])]:
            if row := by_email.pop(str(member.get("email_address", "")).lower(), None):
                answers.append(Answer(row, member.get("status", Status.SUBSCRIBED)))
        for error in answer.get("errors", []):
            row = by_email.pop(str(error.get("email_address", "")).lower(), None)
            if row is None:
                continue
            if error.get("error_code") == "ERROR_CONTACT_EXISTS":
                exist.append(row)
            else:
                answers.append(self._refused(row, error.get("field_message") or error.get("error") or ""))
        # Whom the answer does not name was not heard of: the next comparison finds them again.
        return answers, exist

    def _move(self, rows: list[Owed]) -> None:
        """A changed address: the same member under a new one, not a second member."""
        for row in rows:
            self._breathe()
            try:
                member = self.mailchimp.change_member(self.audience.list_id, row.old_hash, self._body(row))
                answer = Answer(row, member.get("status", Status.SUBSCRIBED))
            except MailchimpError as error:
                if error.status == 404:  # gone there: added anew by the next comparison
                    AudienceMember.objects.filter(pk=row.member).update(status=Status.NONE, digest=None, tags=[])
                    continue
                if error.status != 400:
                    raise
                answer = self._refused(row, error.for_staff)
            shadow.write(self.audience, [answer])
            self._count(moved=not answer.refusal)

    def _ask_back(self, rows: list[Owed]) -> None:
        """Somebody who left there has since said yes here, with proof: Mailchimp asks them to confirm, once."""
        for row in rows:
            self._breathe()
            try:
                member = self.mailchimp.change_member(
                    self.audience.list_id, row.old_hash, {**self._body(row), "status": Status.PENDING}
                )
                answer = Answer(row, member.get("status", Status.PENDING))
            except MailchimpError as error:
                if error.status not in {400, 404}:
                    raise
                answer = self._refused(row, error.for_staff)
            shadow.write(self.audience, [answer])
            self._count(asked_back=not answer.refusal)

    def _take_over(self, answers: Iterable[Answer]) -> None:
        """Who has left there has left here, even when we learn it from the answer to a change."""
        now = _database_now()
        gone = [
            Heard(answer.owed.hash, answer.owed.email, answer.status, now)
            for answer in answers
            if answer.status in {Status.UNSUBSCRIBED, Status.CLEANED}
        ]
        if gone:
            shadow.hear(self.audience, gone, f"Mailchimp: {self.audience.name}"[:250])

    def _body(self, row: Owed) -> dict:
        return mapping.member(row.email, row.language, row.values)

    def _refused(self, row: Owed, why: str) -> Answer:
        self._count(refused=1)
        return Answer(row, Status.NONE, why or _("Mailchimp gave no reason."))

    def _breathe(self) -> None:
        if time.monotonic() > self.until:
            raise OutOfTime

    def _count(self, **added: int) -> None:
        for name, number in added.items():
            if number:
                self.run.counts[name] = self.run.counts.get(name, 0) + number
        SyncRun.objects.filter(pk=self.run.pk).update(counts=self.run.counts)


def _database_now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]
