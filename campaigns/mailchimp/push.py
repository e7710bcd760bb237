"""Bringing to an audience what is owed to it.

A push works off the difference (difference.py) in an order that lets nobody back who has left: deletions for good (deleting.py),
second members of one person (retiring.py) and leavings, new members who never overwrite anybody (newcomers.py), changes without
a status, moved addresses (moving.py), questions to those who come back (asking.py), permissions, tags, and archiving last
(each.py). The state is the shadow, written from each answer, so a push that dies is continued by comparing again; SyncRun only
tells staff about it. Within each step calls go side by side (lanes.py); many calls about single members are handed in (bulk.py),
and once they are answered there is another round.

Before anything but leavings, a push that would take away more than the audience's share stops and asks (`held`); staff see why
for each person (plan.py), and let it go with `approve`, or mend the segment.
"""

import time
from collections.abc import Iterator
from functools import partial

from django.db.models import F
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from campaigns.mailchimp import (
    asking,
    bulk,
    deleting,
    difference,
    each,
    learning,
    mapping,
    moving,
    newcomers,
    retiring,
    shadow,
    taking_up,
)
from campaigns.mailchimp.batch import WHOLLY_REFUSED, Written
from campaigns.mailchimp.client import MailchimpError
from campaigns.mailchimp.difference import Owed
from campaigns.mailchimp.lanes import Job, Lanes
from campaigns.mailchimp.plan import allowance
from campaigns.mailchimp.plan import preview as preview
from campaigns.mailchimp.preparation import forget_tag, prepare
from campaigns.mailchimp.pull import catch_up
from campaigns.mailchimp.shadow import Answer, Seen
from campaigns.mailchimp.slots import AT_ONCE
from campaigns.mailchimp.stretch import Stretch
from campaigns.mailchimp.sync import STRETCH, Held, OutOfTime, UnderWay, work_on
from campaigns.mailchimp.tagging import TagChange, tag_changes
from campaigns.models import Audience, AudienceMember, SyncRun

WORTH = 4
"""How much longer than comparing the work on what differs may take."""
MORE_ROUNDS = 2
"""As what was handed in may leave more to do: a question at the new address, a second member to archive."""
Status = AudienceMember.Status


def push(pk: int, seconds: float = STRETCH) -> bool:
    """Push an audience for this long; returns whether more is owed. False at once when somebody else is at it."""
    return work_on(pk, SyncRun.Kind.PUSH, lambda audience, run, until: Push(audience, run, until).work(), seconds)


def approve(run: SyncRun) -> bool:
    """Let a held run take away what it said it would; it goes on within a minute. False if it is not held any more."""
    bulk.look_now(run.audience)
    held = SyncRun.objects.filter(pk=run.pk, state=SyncRun.State.HELD)
    return bool(held.update(state=SyncRun.State.RUNNING, approved=F("takes"), error=""))


class Push(Stretch):
    """One stretch of bringing an audience up to date."""

    def __init__(self, audience: Audience, run: SyncRun, until: float) -> None:
        super().__init__(audience, run, until)
        self.left_over: list[Job] = []
        """What came up while answers were worked on."""
        self.answered: list[tuple[newcomers.Call, newcomers.Brought]] = []
        self.tags_told = True
        """Whether each answer about newcomers said that they have theirs."""

    def work(self) -> None:
        """Raises OutOfTime, Held, UnderWay, MailchimpError."""
        with Lanes() as self.lanes:
            self.names = prepare(self.lanes, self.audience)
            self.there = mapping.there(self.audience.merge_fields, self.audience.merge_types)
            if self.audience.pull_requested_at:  # hear before speaking
                catch_up(self.mailchimp, self.audience, SyncRun(), self.until)
            self.lanes.work_off(self.in_time(deleting.jobs(self)))
            for first in (True, *[False] * MORE_ROUNDS):
                self._bring_up_to_date()
                if first:  # what was refused now would be again
                    each.permit(self)
                tags = tag_changes(self.audience, newcomers=not self.tags_told)
                self.lanes.work_off(self.in_time(map(self._tag, tags)))
                if first:
                    each.archive(self)
                if not self._wait():
                    break
        # The contact ids of those added come with the next read: from then on they are found whatever their address is there.
        self.read_soon(bool(self.run.counts.get("added")))

    def _bring_up_to_date(self) -> None:
        self.lanes.work_off(retiring.jobs(self))
        if left := shadow.adopt_strangers(self.audience):
            learning.hear_gone(self.audience, left)
        owed = self._compare()
        if self._hear_of_them(owed):
            owed = self._compare()
        self.lanes.work_off(self.each(difference.LEAVE, self._leave))
        self._ask_first()
        self.lanes.work_off(self.each(difference.LAPSE, self._leave))
        self._bring_newcomers()
        self.lanes.work_off(self._left_over())
        self.lanes.work_off(self._additions(difference.ADD))
        self.lanes.work_off(self.each(difference.CHANGE, self._change))
        moving.work_off(self, owed.get(difference.MOVE, 0))
        self.lanes.work_off(self._additions(difference.WAIT))
        asking.work_off(self, owed.get(difference.RETURN, 0))

    def _compare(self) -> dict[str, int]:
        """A stretch that were over when the comparison is would get nowhere, with a large audience and a slow machine."""
        began = time.monotonic()
        owed = difference.compare(self.audience)
        now = time.monotonic()
        self.until = max(self.until, now + WORTH * (now - began))
        return owed

    def _wait(self) -> bool:
        """Until Mailchimp has answered what it was handed: whether it was something, which may have left more to do.

        Raises UnderWay if that takes longer than this stretch; a later run writes it down.
        """
        answered, pause = False, bulk.POLL
        while self.audience.handed_in.exists():
            if taking_up.take_up(self.audience, self.count, self.until):
                answered, pause = True, bulk.POLL
                continue
            if time.monotonic() + pause > self.until:
                raise OutOfTime if answered else UnderWay
            time.sleep(pause)
            self.breathe()
            pause = min(2 * pause, bulk.LONGEST)
        return answered

    def _hear_of_them(self, owed: dict[str, int]) -> bool:
        """Of whom no answer told whether they are there, and of those who are to be asked; whether there are such."""
        if owed.get(difference.LOOK):
            self.lanes.work_off(self.each(difference.LOOK, self._look))
        if many := owed.get(difference.RETURN, 0) > bulk.FEW:
            catch_up(self.mailchimp, self.audience, SyncRun(), self.until, archived=True)
        return many or bool(owed.get(difference.LOOK))

    def _bring_newcomers(self) -> None:
        self.breathe()
        calls = newcomers.Calls(self.audience, self.there, self.names)

        def meanwhile() -> None:
            try:
                calls.prepare()
            finally:
                self._write_down()

        try:
            self.lanes.work_off(self._newcomers(calls), meanwhile, in_line=AT_ONCE)
        finally:
            calls.take_back()

    def _newcomers(self, calls: newcomers.Calls) -> Iterator[Job]:
        for call in calls:
            self.breathe()
            yield Job(partial(self._bring, calls, call), partial(self._brought, call))
            yield from self._left_over()

    def _left_over(self) -> Iterator[Job]:
        while self.left_over:
            yield self.left_over.pop()

    def _additions(self, what: str) -> Iterator[Job]:
        self.breathe()
        for rows in difference.additions(self.audience, what):
            yield Job(partial(self._add, rows), self._added)
            self.breathe()

    def _ask_first(self) -> None:
        takes = difference.takings()
        if takes > allowance(self.audience) + (self.run.approved or 0):
            raise Held(takes)

    # Leaving

    def _look(self, rows: list[Owed]) -> Iterator[Job]:
        """Somebody of whom no answer told whether they are there, or under which address."""

        def look(row: Owed) -> Seen | None:
            for hash in dict.fromkeys((row.old_hash, row.hash)):
                if found := self.mailchimp.member(self.audience.list_id, hash):
                    return self.seen(row, found, hash)
            return None

        def seen(row: Owed, found: Seen | None) -> None:
            if found is None:
                gone = AudienceMember.objects.filter(
                    pk=row.member, to_delete=False, updated_at__lt=Now() - shadow.GRACE
                )
                gone.filter(shadow.IN_DOUBT).delete()
                self.read_soon(True)
                return
            self.see(row, found)

        for row in rows:
            yield Job(partial(look, row), partial(seen, row))

    def _leave(self, rows: list[Owed]) -> Iterator[Job]:
        """Who may not be written to is unsubscribed there, under the address that they have there."""
        on_their_way = dict(
            AudienceMember.objects.filter(pk__in=[row.member for row in rows], handed_in__isnull=False)
            .exclude(moving_to="")
            .values_list("pk", "moving_to")
        )
        at_their_address = [row for row in rows if row.email and row.member not in on_their_way]
        if at_their_address:
            bodies = [{"email_address": row.email, "status": Status.UNSUBSCRIBED} for row in at_their_address]
            yield Job(lambda: self.batch.write(at_their_address, bodies, update=True), self._left)
        for row in rows:
            if not row.email or row.member in on_their_way:
                yield Job(partial(self._leave_elsewhere, row, on_their_way.get(row.member)), self._left)

    def _leave_elsewhere(self, row: Owed, moving_to: str | None) -> Written:
        """At the address that they have there, or may have by now, for Mailchimp is about to change it."""
        for hash in filter(None, (row.old_hash, moving_to)):
            try:
                member = self.mailchimp.change_member(self.audience.list_id, hash, {"status": Status.UNSUBSCRIBED})
            except MailchimpError as error:
                if error.status == 404:
                    continue
                if error.passing or error.status == 401:
                    raise
                return Written([Answer(row, Status.NONE, error.for_staff)], [], [])
            return Written([self.batch.answer(row, member)], [], [])
        return Written([] if moving_to else [Answer(row, Status.FORGOTTEN)], [], [])

    def _left(self, written: Written) -> None:
        owed_still = []
        for status in {answer.status for answer in written.answers}:
            members = [answer.owed.member for answer in written.answers if answer.status == status]
            if status in {Status.UNSUBSCRIBED, Status.CLEANED, Status.FORGOTTEN}:
                times = [answer.changed_at for answer in written.answers if answer.changed_at]
                shadow.set_status(members, status, max(times, default=None))
                self.count(unsubscribed=len(members))
            else:
                owed_still += [answer for answer in written.answers if answer.status == status]
        if owed_still:
            why = [answer.refusal or _("Mailchimp gave no reason.") for answer in owed_still]
            shadow.refuse([answer.owed.member for answer in owed_still], why)
            self.count(refused=len(owed_still))

    # Coming and changing

    def _bring(self, calls: newcomers.Calls, call: newcomers.Call) -> newcomers.Brought | None:
        """None if the call was refused as a whole."""
        calls.begin(call)
        try:
            return self.mailchimp.write_ready_members(
                self.audience.list_id, call.members, partial(newcomers.read, ours=self.names)
            )
        except MailchimpError as error:
            if error.status not in WHOLLY_REFUSED:
                raise
            return None

    def _brought(self, call: newcomers.Call, brought: newcomers.Brought | None) -> None:
        if brought is None or not brought.is_whole(call):
            self.tags_told = False
        if brought is None:
            rows = newcomers.one_by_one(self.audience, call)
            self.left_over.append(Job(partial(self._add, rows), self._added))
            return
        self.answered.append((call, brought))

    def _write_down(self) -> None:
        """Those that were answered at about the same time."""
        answered, self.answered = self.answered, []
        if not answered:
            return
        newcomers.write(self.audience, answered)
        self.count(added=sum(brought.number for _call, brought in answered))
        for call, brought in answered:
            if brought.emails:
                rows = difference.newcomers(self.audience, call.first, call.last, brought.emails)
                written = self.batch.read(rows, brought.rest)
                self._take_in(written.answers)
                if written.exist:
                    self.left_over.append(Job(partial(self._meet, written.exist), self._met))

    def _add(self, rows: list[Owed]) -> Written:
        bodies = [{**self.body(row), "tags": self.tag_names(row), "status": Status.SUBSCRIBED} for row in rows]
        written = self.batch.write(rows, bodies, update=False)
        return written._replace(met=self._meet(written.exist) if written.exist else [])

    def _added(self, written: Written) -> None:
        self._take_in(written.answers)
        self._met(written.met)

    def _take_in(self, answers: list[Answer]) -> None:
        self.take_over(answers)
        self.count(added=sum(1 for answer in answers if not answer.refusal))

    def _meet(self, rows: list[Owed]) -> list[Answer]:
        """Somebody was quicker, or our own call whose answer got lost, which shows by our tags. Their choice stands, the rest
        is ours to send."""
        there = self.batch.write(rows, [self.body(row) for row in rows], update=True)
        return [answer._replace(ours=bool(answer.tags), tags=answer.tags or ()) for answer in there.answers]

    def _met(self, answers: list[Answer]) -> None:
        self.take_over(answers)
        self.count(changed=sum(1 for answer in answers if not answer.refusal))

    def _change(self, rows: list[Owed]) -> Iterator[Job]:
        def changed(written: Written) -> None:
            self.take_over(written.answers)
            # Staff there archived them, or the shadow would know: their choice stands.
            shadow.set_status([row.member for row in written.absent], Status.ARCHIVED)
            self.read_soon(bool(written.absent))
            self.count(changed=sum(1 for answer in written.answers if not answer.refusal))

        rows = [row for row in rows if row.email]
        if rows:
            bodies = [{**self.body(row), "tags": self.tag_names(row)} for row in rows]
            yield Job(lambda: self.batch.write(rows, bodies, update=True), changed)

    # Tags

    def _tag(self, change: TagChange) -> Job:
        add, remove = ([email for _member, email in rows] for rows in (change.add, change.remove))

        def tag() -> set[str] | None:
            try:
                answer = self.mailchimp.change_tag(self.audience.list_id, change.tag, add, remove)
            except MailchimpError as error:
                if error.status != 404:
                    raise
                return None
            return {email.lower() for error in answer.get("errors", []) for email in error.get("email_addresses", [])}

        def tagged(unknown: set[str] | None) -> None:
            if unknown is None:  # somebody deleted the tag there: nobody has it any more
                forget_tag(self.audience, change.tag)
                return
            added, removed = (
                [member for member, email in rows if email not in unknown] for rows in (change.add, change.remove)
            )
            absent = [member for member, email in (*change.add, *change.remove) if email in unknown]
            shadow.set_tags(change.tag, added, removed)
            shadow.set_status(absent, Status.ARCHIVED)
            self.read_soon(bool(absent))
            self.count(tagged=len(added), untagged=len(removed))

        return Job(tag, tagged)
