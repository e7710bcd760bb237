"""Pushing what is owed to an audience, and pulling what changed there.

A push works off the difference (difference.py) in an order that lets nobody back who has left: deletions for good, leavings,
new members who never overwrite anybody, changes without a status, moved addresses, tags. The state is the shadow, written
from each answer, so a push that dies is continued by comparing again; SyncRun only tells staff about it.

    running ──▶ done | failed
"""

import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from campaigns.mailchimp import difference, mapping, shadow, webhooks
from campaigns.mailchimp.client import Mailchimp, MailchimpError, connect
from campaigns.mailchimp.difference import Owed
from campaigns.mailchimp.shadow import Answer, Heard
from campaigns.models import Audience, AudienceMember, SyncRun
from supporters.locks import advisory_lock
from supporters.models import Supporter

STRETCH = 40
"""Seconds that one task works before it makes room for others."""
EVERY = timedelta(hours=1)
OVERLAP = timedelta(minutes=5)
"""How far a pull reads back behind what it has seen: Mailchimp's clocks are several."""
SECOND = timedelta(seconds=1)
"""What Mailchimp's times are exact to; `since_last_changed` leaves the second it names out."""
BEFORE_MAILCHIMP = datetime(2001, 1, 1, tzinfo=UTC)
"""Where the first read begins: with everybody who was there before us."""
PAGE = 1000
Status = AudienceMember.Status


class OutOfTime(Exception):
    """The stretch is over; the rest is owed still."""


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


def prepare(mailchimp: Mailchimp, audience: Audience) -> None:
    """See that the audience has our tags and merge fields; makes what is missing. Raises MailchimpError."""
    if not audience.merge_fields:
        audience.merge_fields = dict(mapping.DEFAULT_MERGE_FIELDS)
        audience.save(update_fields=["merge_fields"])
    there = {field["tag"] for field in mailchimp.merge_fields(audience.list_id)}
    missing = [tag for tag in audience.merge_fields if tag not in there]
    if len(there) + len(missing) > mapping.MOST_MERGE_FIELDS:
        raise MailchimpError(
            400, _("The audience would have more than %(most)s merge fields.") % {"most": mapping.MOST_MERGE_FIELDS}
        )
    for tag in missing:
        label = str(mapping.FIELDS[audience.merge_fields[tag]][0])
        mailchimp.add_merge_field(audience.list_id, tag, label)
    links = list(audience.links.select_related("segment"))
    known = mailchimp.tags(audience.list_id)
    for link in links:
        if link.tag_id in known.values():
            continue
        name = link.segment.name[:100]
        tag_id = known.get(name) or mailchimp.add_tag(audience.list_id, name)
        audience.links.filter(pk=link.pk).update(tag_id=tag_id)
        if link.tag_id:  # somebody deleted the tag there: nobody has it any more
            _forget_tag(audience, link.tag_id)


def _forget_tag(audience: Audience, tag: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE campaigns_audiencemember SET tags = coalesce(
                (SELECT jsonb_agg(t) FROM jsonb_array_elements(tags) t WHERE t <> to_jsonb(%(tag)s::bigint)), '[]')
            WHERE audience_id = %(audience)s AND tags @> to_jsonb(%(tag)s::bigint)
            """,
            {"tag": tag, "audience": audience.pk},
        )


def push(pk: int, seconds: float = STRETCH) -> bool:
    """Push an audience for this long; returns whether more is owed. False at once when somebody else is at it."""
    return _run(pk, SyncRun.Kind.PUSH, lambda audience, run, until: Push(audience, run, until).work(), seconds)


def pull(pk: int, seconds: float = STRETCH) -> bool:
    """Read what changed in an audience since last time; returns whether more is to be read."""
    return _run(pk, SyncRun.Kind.PULL, _pull, seconds)


def _run(pk: int, kind: str, work: Callable[[Audience, SyncRun, float], None], seconds: float) -> bool:
    with advisory_lock(f"mailchimp:{pk}") as ours:
        audience = Audience.objects.filter(pk=pk, paused=False).first()
        if not ours or audience is None:
            return False
        asked_at = audience.sync_requested_at
        run = audience.runs.filter(kind=kind, state=SyncRun.State.RUNNING).first()
        run = run or SyncRun.objects.create(audience=audience, kind=kind)
        try:
            work(audience, run, time.monotonic() + seconds)
        except OutOfTime:
            return True
        except MailchimpError as error:
            _finish(run, SyncRun.State.FAILED, error.for_staff)
        except Exception:
            _finish(run, SyncRun.State.FAILED, _("It stopped with an error that was written to the log."))
            raise
        else:
            _finish(run, SyncRun.State.DONE)
        if kind == SyncRun.Kind.PUSH:
            Audience.objects.filter(pk=pk, sync_requested_at=asked_at).update(sync_requested_at=None)
        return False


def _finish(run: SyncRun, state: str, error: str = "") -> None:
    SyncRun.objects.filter(pk=run.pk).update(state=state, error=error, counts=run.counts, finished_at=Now())


def _pull(audience: Audience, run: SyncRun, until: float) -> None:
    mailchimp = connect()
    webhooks.ensure(mailchimp, audience)
    since = (audience.changed_since or BEFORE_MAILCHIMP) - OVERLAP
    offset = 0
    while True:
        if time.monotonic() > until:
            raise OutOfTime
        page = mailchimp.changed_members(audience.list_id, since.isoformat(timespec="seconds"), offset, PAGE)
        heard = [
            Heard(
                member["id"],
                member["email_address"],
                member["status"],
                datetime.fromisoformat(member["last_changed"]),
            )
            for member in page
        ]
        if heard:
            newest = _take_page(audience, run, heard)
            # Read on from the newest second of the page, which may hold more; where one second fills a page, by
            # offset, with a tenth read twice: members who change meanwhile move back and shift the rest forward.
            behind = newest - SECOND
            since, offset = (behind, 0) if behind > since else (since, offset + PAGE - PAGE // 10)
        if len(page) < PAGE:
            return


def _take_page(audience: Audience, run: SyncRun, heard: list[Heard]) -> datetime:
    newest = max(row.changed_at for row in heard)
    with transaction.atomic():
        counts = shadow.hear(audience, heard, f"Mailchimp: {audience.name}"[:250])
        Audience.objects.filter(pk=audience.pk).update(changed_since=newest)
    for name, number in {"read": len(heard), **counts}.items():
        if number:
            run.counts[name] = run.counts.get(name, 0) + number
    SyncRun.objects.filter(pk=run.pk).update(counts=run.counts)
    return newest


def push_due() -> dict:
    """Hand out the audiences whose push was asked for, was cut short, or is over an hour old."""
    from campaigns.tasks import push_audience

    recent = SyncRun.objects.filter(audience=OuterRef("pk"), kind=SyncRun.Kind.PUSH, started_at__gt=Now() - EVERY)
    unfinished = SyncRun.objects.filter(audience=OuterRef("pk"), kind=SyncRun.Kind.PUSH, state=SyncRun.State.RUNNING)
    due = Audience.objects.filter(paused=False).filter(
        Q(sync_requested_at__isnull=False) | Exists(unfinished) | ~Exists(recent)
    )
    return _hand_out(due, push_audience)


def pull_due() -> dict:
    """Hand out every audience for its nightly reading."""
    from campaigns.tasks import pull_audience

    return _hand_out(Audience.objects.filter(paused=False), pull_audience)


def _hand_out(audiences: QuerySet[Audience], task) -> dict:  # noqa: ANN001
    keys = list(audiences.values_list("pk", flat=True))
    for pk in keys:
        task.delay(pk)
    return {"audiences": len(keys)}


def _database_now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]
