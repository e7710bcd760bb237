"""Bringing to an audience what is owed to it.

A push works off the difference (difference.py) in an order that lets nobody back who has left: deletions for good, second
members of one person (retiring.py) and leavings,
new members who never overwrite anybody, changes without a status, moved addresses, questions to those who come back, tags, and
archiving last. The state is the shadow, written from each answer, so a push that dies is continued by comparing again;
SyncRun only tells staff about it. Within each step calls go side by side (lanes.py). Who was never there goes by newcomers.py, what
Mailchimp lets nobody do to many members in one call by each.py.

Before anything but leavings, a push that would take away more than the audience's share stops and asks (`held`); staff see why
for each person (plan.py), and let it go with `approve`, or mend the segment.
"""

import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from functools import partial

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from campaigns.mailchimp import difference, mapping, newcomers, retiring, shadow
from campaigns.mailchimp.batch import WHOLLY_REFUSED, Batch, Written, refused
from campaigns.mailchimp.client import Mailchimp, MailchimpError, connect
from campaigns.mailchimp.difference import Owed
from campaigns.mailchimp.each import Each
from campaigns.mailchimp.hearing import LEAVINGS, Heard, hear
from campaigns.mailchimp.lanes import Job, Lanes
from campaigns.mailchimp.plan import allowance
from campaigns.mailchimp.plan import preview as preview
from campaigns.mailchimp.preparation import forget_tag, prepare
from campaigns.mailchimp.pull import catch_up
from campaigns.mailchimp.shadow import Answer, Seen
from campaigns.mailchimp.slots import AT_ONCE
from campaigns.mailchimp.sync import STRETCH, Held, OutOfTime, work_on
from campaigns.mailchimp.tagging import TagChange, tag_changes
from campaigns.models import Audience, AudienceMember, SyncRun

WORTH = 4
"""How much longer than comparing the work on what differs may take."""
GRACE = timedelta(minutes=2)
"""For so long a call whose answer was lost may still take effect."""
Status = AudienceMember.Status
_IN_DOUBT = Q(status=Status.NONE) | ~Q(moving_to="")
"""No answer told whether they are there, or under which address."""
_ADDRESS = re.compile(r"[^\s<>\"']+@[^\s<>\"']+")
"""Nothing of who was erased is written down anew."""


def push(pk: int, seconds: float = STRETCH) -> bool:
    """Push an audience for this long; returns whether more is owed. False at once when somebody else is at it."""
    return work_on(pk, SyncRun.Kind.PUSH, lambda audience, run, until: Push(audience, run, until).work(), seconds)


def approve(run: SyncRun) -> bool:
    """Let a held run take away what it said it would; it goes on within a minute. False if it is not held any more."""
    held = SyncRun.objects.filter(pk=run.pk, state=SyncRun.State.HELD)
    return bool(held.update(state=SyncRun.State.RUNNING, approved=F("takes"), error=""))


class Push:
    """One stretch of bringing an audience up to date."""

    def __init__(self, audience: Audience, run: SyncRun, until: float) -> None:
        self.audience, self.run, self.until = audience, run, until
        self.looked = self.told = time.monotonic()
        self.left_over: list[Job] = []
        """What came up while answers were worked on."""
        self.answered: list[tuple[newcomers.Call, newcomers.Brought]] = []
        self.tags_told = True
        """Whether each answer about newcomers said that they have theirs."""

    @property
    def mailchimp(self) -> Mailchimp:
        """The client of this thread."""
        return connect()

    def work(self) -> None:
        """Raises OutOfTime, Held, MailchimpError."""
        with Lanes() as self.lanes:
            self.names = prepare(self.lanes, self.audience)
            self.there = mapping.there(self.audience.merge_fields, self.audience.merge_types)
            if self.audience.pull_requested_at:  # hear before speaking
                catch_up(self.mailchimp, self.audience, SyncRun(), self.until)
            self._delete_for_good()
            self.lanes.work_off(self._in_time(retiring.jobs(self.audience, self._count)))
            if left := shadow.adopt_strangers(self.audience):
                self._hear(left)
            if self._compare().get(difference.LOOK):
                self.lanes.work_off(self._each(difference.LOOK, self._look))
                self._compare()
            self.lanes.work_off(self._each(difference.LEAVE, self._leave))
            self._ask_first()
            self.lanes.work_off(self._each(difference.LAPSE, self._leave))
            self._bring_newcomers()
            self.lanes.work_off(self._left_over())
            self.lanes.work_off(self._additions(difference.ADD))
            self.lanes.work_off(self._each(difference.CHANGE, self._change))
            while moves := difference.free_moves(self.audience):
                self.lanes.work_off(self._in_time(map(self._move, moves)))
            difference.note_blocked_moves(_("Their new address is another person's in Mailchimp. Please look."))
            self.lanes.work_off(self._additions(difference.WAIT))
            self.lanes.work_off(self._each(difference.RETURN, self._ask_back))
            each = Each(self.audience, self.lanes, self.until, breathe=self._breathe, count=self._count)
            each.take_up()
            each.permit()
            tags = tag_changes(self.audience, newcomers=not self.tags_told)
            self.lanes.work_off(self._in_time(map(self._tag, tags)))
            each.archive()
        # The contact ids of those added come with the next read: from then on they are found whatever their address is there.
        self._read_soon(bool(self.run.counts.get("added")))

    def _compare(self) -> dict[str, int]:
        """A stretch that were over when the comparison is would get nowhere, with a large audience and a slow machine."""
        began = time.monotonic()
        owed = difference.compare(self.audience)
        now = time.monotonic()
        self.until = max(self.until, now + WORTH * (now - began))
        return owed

    def _each(self, what: str, step: Callable[[list[Owed]], Iterator[Job]]) -> Iterator[Job]:
        for rows in difference.chunks(what):
            yield from self._in_time(step(rows))

    def _in_time(self, jobs: Iterable[Job]) -> Iterator[Job]:
        for job in jobs:
            self._breathe()
            yield job

    def _bring_newcomers(self) -> None:
        self._breathe()
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
            self._breathe()
            yield Job(partial(self._bring, calls, call), partial(self._brought, call))
            yield from self._left_over()

    def _left_over(self) -> Iterator[Job]:
        while self.left_over:
            yield self.left_over.pop()

    def _additions(self, what: str) -> Iterator[Job]:
        self._breathe()
        for rows in difference.additions(self.audience, what):
            yield Job(partial(self._add, rows), self._added)
            self._breathe()

    def _ask_first(self) -> None:
        takes = difference.takings()
        if takes > allowance(self.audience) + (self.run.approved or 0):
            raise Held(takes)

    # Leaving

    def _delete_for_good(self) -> None:
        members = self.audience.members.filter(to_delete=True).iterator(500)
        self.lanes.work_off(self._in_time(map(self._forget, members)))

    def _forget(self, member: AudienceMember) -> Job:
        def forget() -> tuple[bool, str]:
            """Whether they were there to be deleted, and why they could not be."""
            were_there = False
            for hash in filter(None, (member.moving_to, member.subscriber_hash)):
                try:
                    self.mailchimp.delete_for_good(self.audience.list_id, hash)
                    were_there = True
                except MailchimpError as error:
                    if error.passing or error.status == 401:
                        raise
                    if error.status not in {404, 405}:
                        return False, _ADDRESS.sub("…", error.for_staff)
            return were_there, ""

        def forgotten(outcome: tuple[bool, str]) -> None:
            was_there, refusal = outcome
            owed = AudienceMember.objects.filter(pk=member.pk, to_delete=True)
            if refusal:
                shadow.refuse([member.pk], [refusal])
            elif was_there:
                owed.delete()
            else:  # gone already, unless a call that would bring them there is still under way
                owed.exclude(_IN_DOUBT, updated_at__gt=Now() - GRACE).delete()
            self._count(deleted=was_there, refused=bool(refusal))

        return Job(forget, forgotten)

    def _look(self, rows: list[Owed]) -> Iterator[Job]:
        """Somebody of whom no answer told whether they are there, or under which address."""

        def look(row: Owed) -> Seen | None:
            for hash in dict.fromkeys((row.old_hash, row.hash)):
                if found := self.mailchimp.member(self.audience.list_id, hash):
                    return self._seen(row, found, hash)
            return None

        def seen(row: Owed, found: Seen | None) -> None:
            if found is None:
                gone = AudienceMember.objects.filter(pk=row.member, to_delete=False, updated_at__lt=Now() - GRACE)
                gone.filter(_IN_DOUBT).delete()
                return
            self._see(row, found)

        for row in rows:
            yield Job(partial(look, row), partial(seen, row))

    def _leave(self, rows: list[Owed]) -> Iterator[Job]:
        """Who may not be written to is unsubscribed there, under the address that they have there."""
        at_their_address = [row for row in rows if row.email]
        if at_their_address:
            bodies = [{"email_address": row.email, "status": Status.UNSUBSCRIBED} for row in at_their_address]
            yield Job(lambda: self._batch.write(at_their_address, bodies, update=True), self._left)
        for row in rows:
            if not row.email:
                yield Job(partial(self._leave_elsewhere, row), self._left)

    def _leave_elsewhere(self, row: Owed) -> Written:
        try:
            member = self.mailchimp.change_member(
                self.audience.list_id, row.old_hash, {"status": Status.UNSUBSCRIBED}
            )
        except MailchimpError as error:
            if error.status == 404:
                return Written([Answer(row, Status.FORGOTTEN)], [], [])
            if error.passing or error.status == 401:
                raise
            return Written([Answer(row, Status.NONE, error.for_staff)], [], [])
        return Written([self._batch.answer(row, member)], [], [])

    def _left(self, written: Written) -> None:
        owed_still = []
        for status in {answer.status for answer in written.answers}:
            members = [answer.owed.member for answer in written.answers if answer.status == status]
            if status in {Status.UNSUBSCRIBED, Status.CLEANED, Status.FORGOTTEN}:
                times = [answer.changed_at for answer in written.answers if answer.changed_at]
                shadow.set_status(members, status, max(times, default=None))
                self._count(unsubscribed=len(members))
            else:
                owed_still += [answer for answer in written.answers if answer.status == status]
        if owed_still:
            why = [answer.refusal or _("Mailchimp gave no reason.") for answer in owed_still]
            shadow.refuse([answer.owed.member for answer in owed_still], why)
            self._count(refused=len(owed_still))

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
        self._count(added=sum(brought.number for _call, brought in answered))
        for call, brought in answered:
            if brought.emails:
                rows = difference.newcomers(self.audience, call.first, call.last, brought.emails)
                written = self._batch.read(rows, brought.rest)
                self._take_in(written.answers)
                if written.exist:
                    self.left_over.append(Job(partial(self._meet, written.exist), self._met))

    def _add(self, rows: list[Owed]) -> Written:
        bodies = [{**self._body(row), "tags": self._tag_names(row), "status": Status.SUBSCRIBED} for row in rows]
        written = self._batch.write(rows, bodies, update=False)
        return written._replace(met=self._meet(written.exist) if written.exist else [])

    def _added(self, written: Written) -> None:
        self._take_in(written.answers)
        self._met(written.met)

    def _take_in(self, answers: list[Answer]) -> None:
        self._take_over(answers)
        self._count(added=sum(1 for answer in answers if not answer.refusal))

    def _meet(self, rows: list[Owed]) -> list[Answer]:
        """Somebody was quicker, or our own call whose answer got lost, which shows by our tags. Their choice stands, the rest
        is ours to send."""
        there = self._batch.write(rows, [self._body(row) for row in rows], update=True)
        return [answer._replace(ours=bool(answer.tags), tags=answer.tags or ()) for answer in there.answers]

    def _met(self, answers: list[Answer]) -> None:
        self._take_over(answers)
        self._count(changed=sum(1 for answer in answers if not answer.refusal))

    def _change(self, rows: list[Owed]) -> Iterator[Job]:
        def changed(written: Written) -> None:
            self._take_over(written.answers)
            # Staff there archived them, or the shadow would know: their choice stands.
            shadow.set_status([row.member for row in written.absent], Status.ARCHIVED)
            self._read_soon(bool(written.absent))
            self._count(changed=sum(1 for answer in written.answers if not answer.refusal))

        rows = [row for row in rows if row.email]
        if rows:
            bodies = [{**self._body(row), "tags": self._tag_names(row)} for row in rows]
            yield Job(lambda: self._batch.write(rows, bodies, update=True), changed)

    def _move(self, row: Owed) -> Job:
        """A changed address: the same member under a new one, not a second member."""

        def move() -> Answer | Seen:
            try:
                member = self.mailchimp.change_member(self.audience.list_id, row.old_hash, self._body(row))
            except MailchimpError as error:
                if error.status == 404:  # moved by a call whose answer got lost, or gone there, to be added anew
                    found = self.mailchimp.member(self.audience.list_id, row.hash)
                    return self._seen(row, found, row.hash) if found else Seen(row.member, Status.NONE)
                if error.title == "Member Exists" and row.ours:
                    return self._join(row)
                if error.status != 400:
                    raise
                return refused(row, error.for_staff, error.title)._replace(status=Status.NONE)
            return self._batch.answer(row, member)

        def moved(outcome: Answer | Seen) -> None:
            if isinstance(outcome, Seen):
                self._see(row, outcome)
                self._read_soon(outcome.status == Status.NONE)
            else:
                self._take_over([outcome])
                self._count(moved=not outcome.refusal)

        return Job(move, moved)

    def _join(self, row: Owed) -> Answer:
        """They are there under the new address as well: that member stays, with its choice, and the old one is archived."""
        written = self._batch.write([row], [self._body(row)], update=True)
        if not written.answers:  # it went away this moment
            return Answer(row, Status.NONE, _("The new address was there, and then it was not."))
        if not written.answers[0].refusal:
            self.mailchimp.archive(self.audience.list_id, row.old_hash)
        return written.answers[0]

    def _ask_back(self, rows: list[Owed]) -> Iterator[Job]:
        """Somebody who left there has since said yes here, with proof: Mailchimp asks them to confirm, once."""
        for row in rows:
            yield Job(partial(self._ask, row), partial(self._asked, row))

    def _ask(self, row: Owed) -> Answer | Seen:
        found = self.mailchimp.member(self.audience.list_id, row.old_hash)
        if found is None:
            return Seen(row.member, Status.NONE)
        if found[0] not in {Status.UNSUBSCRIBED, Status.TRANSACTIONAL}:
            return self._seen(row, found, row.old_hash)
        try:
            body = {**self._body(row), "status": Status.PENDING}
            member = self.mailchimp.change_member(self.audience.list_id, row.old_hash, body)
        except MailchimpError as error:
            if error.status != 400:
                raise
            return refused(row, error.for_staff, error.title)._replace(status=Status.NONE)
        return self._batch.answer(row, member)

    def _asked(self, row: Owed, outcome: Answer | Seen) -> None:
        if isinstance(outcome, Seen):
            self._see(row, outcome)
            return
        shadow.write(self.audience, [outcome])
        AudienceMember.objects.filter(pk=row.member).update(asked_back_at=Now())
        self._count(asked_back=not outcome.refusal, refused=bool(outcome.refusal))

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
            self._read_soon(bool(absent))
            self._count(tagged=len(added), untagged=len(removed))

        return Job(tag, tagged)

    # What the steps share

    @property
    def _batch(self) -> Batch:
        return Batch(self.mailchimp, self.audience.list_id, self.names)

    def _read_soon(self, needed: bool) -> None:
        """Have what changed there read before the next push: somebody is new, or not where we thought, and may have moved."""
        if needed:
            Audience.objects.filter(pk=self.audience.pk).update(pull_requested_at=Now())

    def _body(self, row: Owed) -> dict:
        return mapping.member(row.email, row.language, row.values, self.there)

    def _tag_names(self, row: Owed) -> list[str]:
        return [self.names[tag] for tag in row.tags if tag in self.names]

    def _seen(self, row: Owed, found: tuple[str, list[int]], hash: str) -> Seen:
        status, tags = found
        return Seen(row.member, status, tuple(tag for tag in tags if tag in self.names), hash)

    def _see(self, row: Owed, seen: Seen) -> None:
        with transaction.atomic():
            shadow.see([seen])
            self._hear([Heard(seen.hash, row.email, seen.status)] if seen.status in LEAVINGS else [])

    def _take_over(self, answers: list[Answer]) -> None:
        """Write down what became of these; who has left there has left here, even when we learn it from such an answer."""
        if any(answer.status == Status.FORGOTTEN for answer in answers):
            answers = [self._with_the_way_back(answer) for answer in answers]
        gone = [
            # A compliance state may be years old: a yes that they have confirmed since then stands.
            Heard(answer.owed.hash, answer.owed.email, answer.status, answer.changed_at, old=bool(answer.refusal))
            for answer in answers
            if answer.status in LEAVINGS
        ]
        with transaction.atomic():
            shadow.write(self.audience, answers)
            self._hear(gone)
        self._count(refused=sum(1 for answer in answers if answer.refusal))

    def _with_the_way_back(self, answer: Answer) -> Answer:
        if answer.status != Status.FORGOTTEN:
            return answer
        if not self.audience.signup_url:
            self.audience.signup_url = self.mailchimp.signup_url(self.audience.list_id)[:300]
            self.audience.save(update_fields=["signup_url"])
        return answer._replace(refusal=f"{answer.refusal} {self.audience.signup_url}")

    def _hear(self, gone: Sequence[Heard]) -> None:
        if gone:
            hear(self.audience, gone, f"Mailchimp: {self.audience.name}"[:250])

    def _breathe(self) -> None:
        now = time.monotonic()
        if now > self.until:
            raise OutOfTime
        if now > self.looked + 2:
            self.looked = now
            if Audience.objects.filter(pk=self.audience.pk, paused=True).exists():
                raise OutOfTime

    def _count(self, **added: int) -> None:
        if not any(added.values()):
            return
        for name, number in added.items():
            if number:
                self.run.counts[name] = self.run.counts.get(name, 0) + number
        if time.monotonic() > self.told + 1:
            self.told = time.monotonic()
            SyncRun.objects.filter(pk=self.run.pk).update(counts=self.run.counts)
