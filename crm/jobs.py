"""The work that comes round, and how one piece of it is run.

The beat sends `tick` each minute. A job is due when the database's clock has passed its next_run_at; whoever moves
next_run_at on by a conditional UPDATE hands it out, so two beats do no harm and a message that gets lost is made
good at the next time.

    due ──tick──▶ handed out ──run──▶ running ──▶ succeeded
                       │                 └──────▶ failed
                       └─ message lost, worker killed: due again at next_run_at
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.db.models import Value
from django.db.models.functions import Now
from django.utils.module_loading import import_string
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from crm.models import Job
from supporters.locks import advisory_lock

logger = logging.getLogger(__name__)

HEARTBEAT = "tick"
"""The job row that says when the beat was last heard."""


@dataclass(frozen=True)
class Periodic:
    """A job: what it is called for people who are not technicians, and when it comes round."""

    name: str
    label: str
    purpose: str
    function: str
    """Dotted name of a function without arguments that returns counts."""
    queue: str = "default"
    every: timedelta | None = None
    daily_at: time | None = None
    """In settings.TIME_ZONE."""
    limit: timedelta | None = None
    """How long it may take, where that is longer than a task may."""

    def next_after(self, now: datetime) -> datetime:
        if self.every:
            return now + self.every
        local = now.astimezone(ZoneInfo(settings.TIME_ZONE))
        today = local.replace(hour=self.daily_at.hour, minute=self.daily_at.minute, second=0, microsecond=0)
        return today if today > local else today + timedelta(days=1)

    @property
    def message(self) -> dict:
        """How its message is sent."""
        seconds = self.limit.total_seconds() if self.limit else 0
        limits = {"time_limit": seconds, "soft_time_limit": seconds - 60} if seconds else {}
        return {"args": [self.name], "queue": self.queue, **limits}

    def run(self) -> dict:
        function: Callable[[], dict | None] = import_string(self.function)
        return function() or {}


MINUTE = timedelta(minutes=1)
EARLY = timedelta(seconds=15)
"""A job due within this time is taken now: a tick that comes a moment too early must not cost it a whole minute."""
JOBS = {
    job.name: job
    for job in (
        Periodic(
            "appeals",
            _("Send appeals"),
            _("Starts appeals whose hour has come, and keeps those on their way going."),
            "campaigns.appeals.tick",
            every=MINUTE,
        ),
        Periodic(
            "appeal-results",
            _("Count what came of appeals"),
            _("Works out clicks, gifts and signatures of each appeal: often while it is new, seldom when it is old."),
            "campaigns.appeals.results.refresh_due",
            every=MINUTE,
        ),
        Periodic(
            "letters",
            _("Send letters"),
            _("Sends what is owed to single people, such as the letters that ask to confirm a signature."),
            "campaigns.letters.tick",
            every=MINUTE,
        ),
        Periodic(
            "reminders",
            _("Remind of signatures"),
            _("Asks those once more who signed three days ago and have yet to confirm."),
            "supporters.signing.lapsing.remind",
            every=timedelta(hours=1),
        ),
        Periodic(
            "signature-counts",
            _("Put counts of signatures together"),
            _("Every five minutes, so that the pages of busy petitions stay quick."),
            "supporters.signing.totals.fold",
            every=timedelta(minutes=5),
        ),
        Periodic(
            "signature-recount",
            _("Recount signatures"),
            _(
                "Each night, holds the counts against the signatures themselves. The number of those who differ should be none."
            ),
            "supporters.signing.totals.recount",
            daily_at=time(3, 0),
        ),
        Periodic(
            "receipts",
            _("Seal receipts of consent"),
            _(
                "Every five minutes, seals what people allowed and took back since; once a day is over, makes its digest."
            ),
            "supporters.receipts.keeping.keep",
            every=timedelta(minutes=5),
            limit=timedelta(hours=3),
        ),
        Periodic(
            "receipts-check",
            _("Check receipts of consent"),
            _(
                "Each night, holds the newest receipts against what stands in the ledger, and once a week all of them."
                " Nothing should ever be found."
            ),
            "supporters.receipts.keeping.check_due",
            daily_at=time(4, 10),
            limit=timedelta(hours=6),
        ),
        Periodic(
            "imports",
            _("Load files"),
            _("Hands uploaded files to a worker, and takes up again what was cut short."),
            "supporters.importing.run.hand_out",
            every=MINUTE,
        ),
        Periodic(
            "exports",
            _("Make files"),
            _(
                "Hands long exports to a worker, takes up again what was cut short, and deletes files past their time."
            ),
            "supporters.exporting.making.tick",
            every=MINUTE,
        ),
        Periodic(
            "payments",
            _("Apply payments"),
            _("Brings the books up to what Stripe and the bank have told."),
            "supporters.payments.applying.apply_owed",
            every=MINUTE,
        ),
        Periodic(
            "payments-missed",
            _("Ask Stripe for what got lost"),
            _("Each night, asks Stripe what happened in the last four days, in case a message from it never came."),
            "supporters.payments.reconciling.fetch_missed",
            daily_at=time(3, 40),
        ),
        Periodic(
            "erasures",
            _("Erase people"),
            _("Erases those whose request was approved, and sees that Mailchimp has forgotten them too."),
            "crm.erasure.carrying.carry_out",
            every=MINUTE,
        ),
        Periodic(
            "disclosures",
            _("Gather what is held of a person"),
            _("Makes the files that were asked for, and deletes them a day later."),
            "crm.disclosing.making.make_owed",
            every=MINUTE,
        ),
        Periodic(
            "segments",
            _("Refresh segments"),
            _("Brings the members of every segment up to date, each at least every half hour."),
            "campaigns.segments.refresh_due",
            every=MINUTE,
        ),
        Periodic(
            "figures",
            _("Add up the overview"),
            _("Works out the figures of the first page, every five minutes."),
            "crm.dashboard.refresh",
            every=timedelta(minutes=5),
        ),
        Periodic(
            "mailchimp-events",
            _("Hear from Mailchimp"),
            _("Applies what Mailchimp has told us: who left, whose address bounced or changed."),
            "campaigns.mailchimp.webhooks.apply_owed",
            queue="sync",
            every=MINUTE,
        ),
        Periodic(
            "mailchimp-push",
            _("Bring Mailchimp up to date"),
            _("Each hour, brings the audiences in Mailchimp to what the segments say."),
            "campaigns.mailchimp.sync.push_due",
            queue="sync",
            every=MINUTE,
        ),
        Periodic(
            "mailchimp-pull",
            _("Read what changed in Mailchimp"),
            _("Each night, reads what changed there, in case a message from Mailchimp got lost."),
            "campaigns.mailchimp.sync.pull_due",
            queue="sync",
            daily_at=time(3, 10),
        ),
        Periodic(
            "mailbox",
            _("Fetch returned mail"),
            _("Every five minutes, fetches what came back to the mailbox for bounces, if there is one."),
            "campaigns.mail.returns.mailbox.fetch",
            every=timedelta(minutes=5),
        ),
        Periodic(
            "returns",
            _("Apply returned mail"),
            _("Sees what bounced, who complained and who asked to leave, and acts on it."),
            "campaigns.mail.returns.applying.apply_owed",
            every=MINUTE,
        ),
        Periodic(
            "mailchimp-compare",
            _("Compare with Mailchimp as a whole"),
            _("Once a week, holds everybody in Mailchimp against what we believe is there, and counts who differs."),
            "campaigns.mailchimp.sync.compare_due",
            queue="sync",
            every=timedelta(hours=1),
        ),
        Periodic(
            "mailchimp-alarm",
            _("Watch over Mailchimp"),
            _(
                "Each hour, sees whether an audience has failed for a day, and writes to those who may change audiences."
            ),
            "campaigns.mailchimp.alarm.check",
            every=timedelta(hours=1),
        ),
        Periodic(
            "mailchimp-results",
            _("Read results from Mailchimp"),
            _("Reads what came of the appeals that Mailchimp sent, for thirty days after each."),
            "campaigns.mailchimp.mailing.results.hand_out",
            every=MINUTE,
        ),
        Periodic(
            "doubles",
            _("Find doubles"),
            _(
                "Each night, looks through the whole file for people who are on it twice, if anybody is new or changed."
            ),
            "supporters.matching.search.run_due",
            daily_at=time(1, 30),
            limit=timedelta(hours=3),
        ),
        Periodic(
            "merges",
            _("Merge certain doubles"),
            _("Goes on with batches of merges that staff have started, or are taking back."),
            "supporters.merging.batches.hand_out",
            every=MINUTE,
        ),
        Periodic(
            "tidying",
            _("Go over all records"),
            _(
                "Once a day, sees whose address, phone or postcode is odd and marks it; writes them in one form where that was"
                " asked for."
            ),
            "supporters.tidying.tick",
            every=timedelta(minutes=5),
        ),
        Periodic(
            "retention",
            _("Forget what has served"),
            _("Each night, deletes or empties what was kept for long enough, by the rules of retention."),
            "crm.retention.apply",
            daily_at=time(2, 20),
            limit=timedelta(hours=2),
        ),
    )
}


def take_due() -> list[Periodic]:
    """The jobs whose time has come, each given to one caller only, with their next times set."""
    known = set(Job.objects.values_list("name", flat=True))
    missing = [Job(name=name) for name in (*JOBS, HEARTBEAT) if name not in known]
    Job.objects.bulk_create(missing, ignore_conflicts=True)
    now = _database_now()
    Job.objects.filter(name=HEARTBEAT).update(succeeded_at=now)
    taken = []
    for row in Job.objects.filter(next_run_at__lte=now + EARLY, name__in=list(JOBS)):
        job = JOBS[row.name]
        changed = Job.objects.filter(pk=row.pk, next_run_at=row.next_run_at).update(
            next_run_at=job.next_after(now), queued_at=now
        )
        if changed:
            taken.append(job)
    return taken


def run(name: str) -> dict | None:
    """Do the job and record how it went; None when somebody is at it already."""
    job = JOBS[name]
    with advisory_lock(f"job:{name}") as ours:
        if not ours:
            return None
        rows = Job.objects.filter(name=name)
        rows.update(started_at=Now())
        try:
            counts = job.run()
        except Exception as error:
            logger.exception("Job %s failed", name)
            rows.update(failed_at=Now(), error=in_plain_words(error))
            raise
        rows.update(succeeded_at=Now(), counts=Value(counts, Job._meta.get_field("counts")), error="")
        return counts


def in_plain_words(error: Exception) -> str:
    """What a person who is not a technician is told of a failure."""
    message = getattr(error, "for_staff", None)
    if message:
        return str(message)
    return gettext("It stopped with an error that was written to the log (%(kind)s).") % {
        "kind": type(error).__name__
    }


def _database_now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


def overdue(job: Job, now: datetime) -> bool:
    """Whether the job was handed out and nothing has been heard of it for long."""
    heard = max(filter(None, (job.started_at, job.succeeded_at, job.failed_at)), default=None)
    if job.queued_at is None or (heard and heard >= job.queued_at):
        return False
    return now - job.queued_at > timedelta(minutes=5)
