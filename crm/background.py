"""What the workers are doing, for people who are not technicians."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _L
from django.utils.translation import ngettext

from campaigns.models import Appeal, Return, ReturnedMessage, Segment, SyncRun, WebhookEvent
from crm import health
from crm.jobs import JOBS, overdue
from crm.models import Job
from supporters import erasing
from supporters.hygiene.marks import Mark
from supporters.importing.preview import owed as preview_owed
from supporters.importing.undoing import owed as undo_owed
from supporters.models import DoubleSearch, Export, ImportRun, PaymentEvent, Supporter, Tally, Tidying

LONGEST_RUN = timedelta(minutes=10)
"""A job that has run for longer has lost its worker: Celery ends a task after five minutes."""


@dataclass(frozen=True)
class JobLine:
    name: str
    label: str
    purpose: str
    state: str
    """good, running, failed, late or new."""
    succeeded_at: datetime | None
    next_run_at: datetime | None
    did: str
    error: str


@dataclass(frozen=True)
class Task:
    """A piece of work under way, or one that wants a person."""

    title: str
    text: str
    link: str
    since: datetime | None
    trouble: bool = False


def jobs() -> list[JobLine]:
    rows = {row.name: row for row in Job.objects.all()}
    now = timezone.now()
    lines = []
    for job in JOBS.values():
        row = rows.get(job.name)
        lines.append(
            JobLine(
                name=job.name,
                label=str(job.label),
                purpose=str(job.purpose),
                state=_state(row, now),
                succeeded_at=row.succeeded_at if row else None,
                next_run_at=row.next_run_at if row else None,
                did=_did(row.counts) if row else "",
                error=row.error if row else "",
            )
        )
    return lines


_COUNTS = {
    "launched": _L("launched"),
    "handed_out": _L("on their way"),
    "finished": _L("finished"),
    "late": _L("too late"),
    "released": _L("taken up again"),
    "recovered": _L("found in a journal"),
    "unknown": _L("not known"),
    "owed": _L("under way"),
    "refreshed": _L("refreshed"),
    "failed": _L("failed"),
    "applied": _L("messages applied"),
    "left": _L("left"),
    "bounced": _L("bounced"),
    "complained": _L("complained"),
    "unreadable": _L("not readable"),
    "fetched": _L("fetched"),
    "messages": _L("messages forgotten"),
    "moved": _L("moved"),
    "audiences": _L("audiences"),
    "files": _L("files deleted"),
    "supporters": _L("supporters"),
    "counted": _L("appeals counted"),
    "payments": _L("payments applied"),
    "in_doubt": _L("in doubt"),
    "missed": _L("never heard of before"),
    "lost": _L("lost on their way"),
    "reminded": _L("reminded"),
    "folded": _L("petitions put together"),
    "off": _L("differed"),
    "unproven": _L("batches with another scan than was entered"),
    "sealed": _L("sealed"),
    "digest": _L("is the last digest"),
    "checked": _L("receipts checked"),
    "days": _L("digests checked"),
    "disclosed": _L("files of one person made"),
    "erased": _L("people erased"),
    "kept_waiting": _L("kept waiting"),
    "idle": _L("people to be erased"),
    "donors": _L("donors to be erased"),
    "pending": _L("unconfirmed signatures"),
    "rows": _L("rows"),
    "scans": _L("scans of signatures"),
    "pledges": _L("pledges emptied"),
    "clicks": _L("appeals without clicks"),
    "mailchimp": _L("messages from Mailchimp"),
    "strangers": _L("returned messages"),
    "returned": _L("returned messages emptied"),
    "late-returns": _L("returned messages of the erased"),
    "doubles": _L("possible doubles found"),
    "people": _L("people looked at"),
    "marks": _L("with other marks"),
    "email": _L("addresses"),
    "first_name": _L("first names"),
    "last_name": _L("last names"),
    "phone": _L("phones"),
    "street": _L("streets"),
    "postcode": _L("postcodes"),
    "city": _L("cities"),
    "region": _L("regions"),
    "country": _L("countries"),
    "language": _L("languages"),
    "conflicts": _L("addresses of two people"),
}


def _did(counts: dict) -> str:
    """What a job did, in words; empty where there was nothing to do."""
    return ", ".join(f"{number} {_COUNTS.get(name, name)}" for name, number in counts.items() if number)


def _state(row: Job | None, now: datetime) -> str:
    if row is None or row.queued_at is None:
        return "new"
    if row.error:
        return "failed"
    if overdue(row, now):
        return "late"
    ended = max(filter(None, (row.succeeded_at, row.failed_at)), default=None)
    if row.started_at and (ended is None or ended < row.started_at):
        longest = JOBS[row.name].limit or LONGEST_RUN
        return "running" if now - row.started_at < longest else "late"
    return "good"


def _beside_imports() -> list[Task]:
    """Previews of imports that are worked out, and imports that are undone."""
    found = []
    for preview in preview_owed().select_related("run").order_by("-asked_at")[:10]:
        text = _("%(done)s of %(rows)s rows") % {"done": preview.checkpoint, "rows": preview.run.rows}
        link = reverse("admin:supporters_importrun_preview", args=[preview.run_id])
        title = _("Preview of an import: %(name)s") % {"name": preview.run.file_name}
        found.append(Task(title, text, link, preview.asked_at, False))
    for undo in undo_owed().select_related("run").order_by("-asked_at")[:10]:
        link = reverse("admin:supporters_importrun_undo", args=[undo.run_id])
        title = _("Undoing an import: %(name)s") % {"name": undo.run.file_name}
        found.append(Task(title, undo.get_state_display(), link, undo.asked_at, False))
    return found


def tasks() -> list[Task]:
    """Imports, syncs, appeals and segments: what runs, and what was not done and why."""
    week = timezone.now() - timedelta(days=7)
    found = []
    running = [ImportRun.State.QUEUED, ImportRun.State.RUNNING]
    for run in ImportRun.objects.filter(
        Q(state__in=running) | Q(state=ImportRun.State.FAILED, finished_at__gt=week)
    ).order_by("-created_at")[:10]:
        failed = run.state == ImportRun.State.FAILED
        text = run.error if failed else _("%(done)s of %(rows)s rows") % {"done": run.checkpoint, "rows": run.rows}
        link = reverse("admin:supporters_importrun_change", args=[run.pk])
        found.append(Task(_("Import: %(name)s") % {"name": run.file_name}, text, link, run.created_at, failed))
    found += _beside_imports()
    making = [Export.State.QUEUED, Export.State.MAKING]
    for export in Export.objects.filter(
        Q(state__in=making) | Q(state=Export.State.FAILED, finished_at__gt=week)
    ).order_by("-created_at")[:10]:
        failed = export.state == Export.State.FAILED
        text = export.error if failed else _("%(percent)s %% done") % {"percent": export.percent}
        link = reverse("admin:supporters_export_change", args=[export.pk])
        found.append(Task(_("Export: %(list)s") % {"list": export.what}, text, link, export.created_at, failed))
    for appeal in Appeal.objects.filter(state__in=[Appeal.State.SENDING, Appeal.State.PAUSED]).order_by("-pk")[:10]:
        paused = appeal.state == Appeal.State.PAUSED
        text = appeal.pause_reason or appeal.trouble or appeal.get_state_display()
        link = reverse("admin:campaigns_appeal_change", args=[appeal.pk])
        title = _("Appeal: %(name)s") % {"name": appeal.name}
        found.append(Task(title, text, link, appeal.launched_at, paused or bool(appeal.trouble)))
    for sync in SyncRun.objects.select_related("audience").filter(
        Q(state=SyncRun.State.RUNNING) | Q(state=SyncRun.State.FAILED, started_at__gt=week)
    )[:10]:
        link = reverse("admin:campaigns_audience_change", args=[sync.audience_id])
        title = _("Mailchimp: %(name)s") % {"name": sync.audience.name}
        text = sync.error or sync.get_state_display()
        found.append(Task(title, text, link, sync.started_at, sync.state == SyncRun.State.FAILED))
    if late := erasing.figures()["late"]:
        text = ngettext("%(number)d request is overdue", "%(number)d requests are overdue", late) % {"number": late}
        link = reverse("admin:supporters_erasurerequest_changelist")
        found.append(Task(_("People who asked to be erased"), text, link, None, True))
    for search in DoubleSearch.objects.filter(finished_at=None):
        link = reverse("admin:supporters_double_changelist")
        text = _("%(percent)s %% done") % {"percent": search.percent}
        found.append(Task(_("Search for doubles"), text, link, search.started_at))
    for run in Tidying.objects.filter(finished_at=None):
        link = reverse("admin:supporters_tidying_change", args=[run.pk])
        text = ngettext("%(number)d supporter looked at", "%(number)d supporters looked at", run.people)
        found.append(Task(_("Going over all records"), text % {"number": run.people}, link, run.asked_at))
    unchecked = Tally.objects.filter(state=Tally.State.ENTERED).order_by("pk")
    if oldest := unchecked.first():
        number = unchecked.count()
        text = ngettext("%(number)d waits for a second person", "%(number)d wait for a second person", number)
        link = f"{reverse('admin:supporters_tally_changelist')}?state__exact={Tally.State.ENTERED}"
        found.append(Task(_("Batches of signatures"), text % {"number": number}, link, oldest.entered_at))
    if number := Supporter.objects.marked(Mark.TAKEN).count():
        text = ngettext("%(number)d waits for a person", "%(number)d wait for a person", number) % {"number": number}
        link = f"{reverse('admin:supporters_supporter_changelist')}?mark={Mark.TAKEN}"
        found.append(Task(_("Addresses that two people have"), text, link, None, True))
    look = Return.objects.filter(done=Return.Done.LOOK).order_by("pk")
    if oldest := look.first():
        number = look.count()
        text = ngettext("%(number)d waits for a person", "%(number)d wait for a person", number) % {"number": number}
        link = f"{reverse('admin:campaigns_return_changelist')}?done__exact={Return.Done.LOOK}"
        found.append(Task(_("Returned mail"), text, link, oldest.happened_at, True))
    doubtful = PaymentEvent.objects.filter(state=PaymentEvent.State.REVIEW).order_by("pk")
    if oldest := doubtful.first():
        number = doubtful.count()
        text = ngettext("%(number)d waits for a person", "%(number)d wait for a person", number) % {"number": number}
        link = f"{reverse('admin:supporters_paymentevent_changelist')}?state__exact={PaymentEvent.State.REVIEW}"
        found.append(Task(_("Payments in doubt"), text, link, oldest.received_at, True))
    unreadable = ReturnedMessage.objects.exclude(error="").filter(received_at__gt=week).order_by("pk")
    if oldest := unreadable.first():
        link = f"{reverse('admin:campaigns_returnedmessage_changelist')}?readable=no"
        found.append(Task(_("Returned mail that could not be read"), oldest.error, link, oldest.received_at, True))
    for segment in Segment.objects.exclude(error="")[:10]:
        link = reverse("admin:campaigns_segment_change", args=[segment.pk])
        found.append(
            Task(_("Segment: %(name)s") % {"name": segment.name}, segment.error, link, segment.refreshed_at, True)
        )
    return found


def waiting() -> list[tuple[str, datetime | None]]:
    """The oldest thing waiting of each kind."""
    oldest = [
        (_("An import"), ImportRun.objects.filter(state=ImportRun.State.QUEUED).order_by("created_at"), "created_at"),
        (_("An export"), Export.objects.filter(state=Export.State.QUEUED).order_by("created_at"), "created_at"),
        (_("Word from Mailchimp"), WebhookEvent.objects.filter(applied_at=None).order_by("received_at"), "received_at"),
        (_("Returned mail"), ReturnedMessage.objects.filter(applied_at=None).order_by("received_at"), "received_at"),
        (_("A segment to refresh"), Segment.objects.filter(refresh_requested_at__isnull=False).order_by("refresh_requested_at"), "refresh_requested_at"),
        (_("An appeal that is due"), Appeal.objects.filter(state=Appeal.State.SCHEDULED, scheduled_at__lt=timezone.now()).order_by("scheduled_at"), "scheduled_at"),
    ]  # fmt: skip
    return [(label, rows.values_list(name, flat=True).first()) for label, rows, name in oldest]


def context() -> dict:
    return {
        "jobs": jobs(),
        "tasks": tasks(),
        "waiting": [(label, since) for label, since in waiting() if since],
        "parts": health.check(),
        "queues": health.queue_lengths(),
    }
