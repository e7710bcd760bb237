"""How long what is held of people is kept, as rules that a job applies each night: crm.retention joins and runs them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from supporters import mentions, moving, never
from supporters.importing import run as runs
from supporters.merging import settling
from supporters.models import (
    ImportChunk,
    ImportKey,
    ImportRow,
    ImportRun,
    ImportTrace,
    InboxRequest,
    Letter,
    PartnerEvent,
    PaymentEvent,
    Petition,
    Pledge,
    Signature,
    TallyScan,
)
from supporters.payments import forgetting


def _delete(rows: QuerySet) -> None:
    rows.delete()


@dataclass(frozen=True)
class Rule:
    """One kind of thing, and when it goes."""

    name: str
    title: str | Promise
    rows: Callable[[timedelta], QuerySet]
    """What has been kept for longer than this."""
    setting: str = ""
    """Its name: days, or years where it ends in YEARS; 0 keeps for good. None: there is nothing to choose."""
    act: Callable[[QuerySet], object] = _delete
    """Takes some of these rows, chosen by their keys; afterwards `rows` finds them no more."""
    slice: int = 5_000
    """Rows in one transaction."""
    most: int = 500_000
    """Rows in one night."""
    before: int | str = 0
    """A key that sorts before all."""
    people: bool = False
    """Whether whole people go: off unless a setting says otherwise."""

    @property
    def kept(self) -> int | None:
        """Days or years, as the setting has it; None where there is none."""
        return getattr(settings, self.setting) if self.setting else None

    @property
    def in_years(self) -> bool:
        return self.setting.endswith("YEARS")

    @property
    def is_on(self) -> bool:
        return self.kept is None or self.kept > 0

    def due(self) -> QuerySet:
        """What goes; nothing while the rule is off."""
        days = (self.kept or 0) * (366 if self.in_years else 1)
        rows = self.rows(timedelta(days=days))
        return rows.order_by("pk") if self.is_on else rows.none()


def _pending(kept: timedelta) -> QuerySet:
    return Signature.objects.filter(email__isnull=False, created_at__lt=Now() - kept)


def _files(kept: timedelta) -> QuerySet:
    ended = Q(finished_at__lt=Now() - kept) | Q(state=runs.State.UPLOADED, created_at__lt=Now() - kept)
    held = Exists(ImportChunk.objects.filter(run=OuterRef("pk"))) | Exists(
        ImportKey.objects.filter(run=OuterRef("pk"))
    )
    return ImportRun.objects.filter(ended).filter(held)


def _failed_rows(kept: timedelta) -> QuerySet:
    return ImportRow.objects.filter(
        Q(run__finished_at__lt=Now() - kept) | Q(run__finished_at=None, run__created_at__lt=Now() - kept)
    ).exclude(run__state__in=[runs.State.QUEUED, runs.State.RUNNING])


def _traces(kept: timedelta) -> QuerySet:
    return ImportTrace.objects.filter(run__finished_at__lt=Now() - kept).exclude(run__state=runs.State.UNDOING)


def _letters(kept: timedelta) -> QuerySet:
    over = [Letter.State.SENT, Letter.State.FAILED, Letter.State.UNKNOWN]
    return Letter.objects.filter(state__in=over, due_at__lt=Now() - kept)


def _pledges(kept: timedelta) -> QuerySet:
    return Pledge.objects.filter(created_at__lt=Now() - kept).exclude(email="")


def _payment_messages(kept: timedelta) -> QuerySet:
    return PaymentEvent.objects.filter(done_at__lt=Now() - kept).exclude(payload="")


def _inbox_requests(_kept: timedelta) -> QuerySet:
    return InboxRequest.objects.filter(asked_at__lt=Now() - max(never.LIFE, moving.LIFE))


def _scans(kept: timedelta) -> QuerySet:
    """Of batches that were withdrawn, and of petitions that are over."""
    gone = Q(tally__withdrawn_at__lt=Now() - kept)
    petition = Q(tally__petition__closes_at=None) | Q(tally__petition__closes_at__lt=Now() - kept)
    over = petition & Q(tally__petition__state=Petition.State.CLOSED, tally__entered_at__lt=Now() - kept)
    return TallyScan.objects.filter(gone | over)


def _partner_log(kept: timedelta) -> QuerySet:
    return PartnerEvent.objects.filter(happened_at__lt=Now() - kept)


RULES = [
    Rule("pending", _("Signatures that nobody confirmed"), _pending, "PENDING_DAYS"),
    Rule("inbox-requests", _("What nobody confirmed from their inbox"), _inbox_requests),
    Rule(
        "files", _("Files that were imported"), _files, "KEEP_FILES_DAYS", runs.forget_files_of, slice=20, most=2_000
    ),
    Rule("rows", _("Rows of files that did not go in"), _failed_rows, "KEEP_ROWS_DAYS", mentions.forget_rows),
    Rule("undo", _("What imports changed, for undoing them"), _traces, "UNDO_DAYS", slice=20, most=2_000),
    Rule(
        "merges",
        _("What merged records held, for undoing merges"),
        settling.due,
        "KEEP_MERGES_DAYS",
        settling.settle,
    ),
    Rule("scans", _("Scans of signatures on paper"), _scans, "KEEP_SCANS_DAYS", slice=20, most=2_000),
    Rule("letters", _("That letters were sent"), _letters, "KEEP_LETTERS_DAYS"),
    Rule("partner-log", _("When people of partners were here"), _partner_log, "KEEP_PARTNER_LOG_DAYS"),
    Rule("pledges", _("What was typed to give"), _pledges, "KEEP_PLEDGES_DAYS", forgetting.empty_pledges),
    Rule(
        "payments",
        _("What payment providers told, word by word"),
        _payment_messages,
        "KEEP_PAYMENT_MESSAGES_DAYS",
        forgetting.empty_events,
    ),
]
