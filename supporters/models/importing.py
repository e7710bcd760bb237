from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from supporters.models.consent import Purpose


class ImportRun(models.Model):
    """A file on its way in. supporters.importing.run owns its states."""

    class Kind(models.TextChoices):
        SUPPORTERS = "supporters", _("Supporters")
        DONATIONS = "donations", _("Donations")

    class State(models.TextChoices):
        UPLOADED = "uploaded", _("Uploaded")
        QUEUED = "queued", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")
        UNDOING = "undoing", _("Being undone")
        UNDONE = "undone", _("Undone")

    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    state = models.CharField(_("state"), max_length=9, choices=State, default=State.UPLOADED)
    file_name = models.CharField(_("file"), max_length=250)
    file_size = models.BigIntegerField(_("size"), default=0, help_text=_("Bytes."))
    file_hash = models.BinaryField(null=True, editable=False, help_text="SHA-256")
    layout = models.JSONField(
        default=dict,
        help_text=_("How the file is read: format, encoding, delimiter, sheet, columns, known export."),
    )
    mapping = models.JSONField(_("mapping"), default=dict, help_text=_("Column to field."))
    options = models.JSONField(
        _("options"), default=dict, help_text=_("What holds for every row: tags, source code, …")
    )

    consent_purpose = models.CharField(_("consent to"), max_length=20, choices=Purpose, blank=True, default="")
    consent_wording = models.TextField(_("in these words"), blank=True, default="")
    consent_language = models.CharField(_("language of the words"), max_length=12, blank=True, default="")
    consent_on = models.DateField(_("given on"), null=True, blank=True)
    consent_how = models.CharField(_("how it was given"), max_length=200, blank=True, default="")

    rows = models.BigIntegerField(_("rows"), default=0)
    checkpoint = models.BigIntegerField(
        _("rows done"), default=0, help_text=_("Rows up to here are in, or listed as failed.")
    )
    created = models.BigIntegerField(_("new"), default=0)
    updated = models.BigIntegerField(_("changed"), default=0)
    unchanged = models.BigIntegerField(_("unchanged"), default=0)
    failed = models.BigIntegerField(_("failed"), default=0)
    noted = models.BigIntegerField(
        _("in, less a value"),
        default=0,
        help_text=_("Rows that went in without a value that can't be read; they are listed."),
    )
    held_back = models.BigIntegerField(
        _("consents held back"), default=0, help_text=_("People who had left before: no file brings them back.")
    )
    doubtful = models.BigIntegerField(
        _("doubtful"), default=0, db_default=0, help_text=_("Rows that wait for somebody to say whose they are.")
    )
    not_taken = models.BigIntegerField(
        _("not donations"),
        default=0,
        db_default=0,
        help_text=_("Rows of a known export that are none of ours: fees, payouts."),
    )
    error = models.TextField(_("error"), blank=True, default="")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("by"),
    )
    created_at = models.DateTimeField(_("uploaded"), db_default=Now(), editable=False)
    started_at = models.DateTimeField(_("started"), null=True, editable=False)
    finished_at = models.DateTimeField(_("finished"), null=True, editable=False)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=["supporters", "donations"]), name="import_kind"),
            models.CheckConstraint(
                condition=Q(
                    state__in=[*("uploaded", "queued", "running", "done", "failed", "cancelled", "undoing", "undone")]
                ),
                name="import_state",
            ),
            models.CheckConstraint(
                condition=Q(consent_purpose="")
                | (~Q(consent_wording="") & Q(consent_on__isnull=False) & ~Q(consent_how="")),
                name="import_consent_has_proof",
                violation_error_message=_("Say what was consented to in which words, when and how."),
            ),
        ]
        indexes = [
            # For the tick that hands unfinished imports to workers.
            models.Index(fields=["id"], condition=Q(state__in=["queued", "running"]), name="import_owed"),
        ]

    def __str__(self) -> str:
        return self.file_name

    @property
    def percent(self) -> int:
        """How much of the file is done; 100 only when all of it is."""
        if self.state == self.State.DONE:
            return 100
        return min(99, self.checkpoint * 100 // self.rows) if self.rows else 0


class ImportChunk(models.Model):
    """A piece of the uploaded file: workers may run on machines that share nothing but the database."""

    run = models.ForeignKey(ImportRun, on_delete=models.CASCADE, related_name="chunks")
    number = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="import_chunk_unique")]

    def __str__(self) -> str:
        return f"{self.run_id}/{self.number}"


class ImportKey(models.Model):
    """How often a run has met a row of these contents so far: what tells equal rows of one file apart.

    A run's keys go when it ends.
    """

    pk = models.CompositePrimaryKey("run", "key")
    run = models.ForeignKey(
        ImportRun, on_delete=models.CASCADE, db_index=False, db_constraint=False, related_name="+"
    )
    key = models.UUIDField()
    times = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.run_id}/{self.key}"


class ImportRow(models.Model):
    """A row that did not go in, or not with all its values, or that waits for staff to say whose it is; and why.

    supporters.importing.doubts owns the verdicts.
    """

    class Verdict(models.TextChoices):
        WAITING = "waiting", _("Waits for you")
        SAME = "same", _("The same person")
        SECOND = "second", _("A second person")
        LEFT_OUT = "left_out", _("Left out")

    run = models.ForeignKey(ImportRun, on_delete=models.CASCADE, related_name="failures", verbose_name=_("import"))
    number = models.BigIntegerField(
        _("row"), help_text=_("Counted as a spreadsheet does: the first row below the header is 2.")
    )
    values = models.JSONField(_("values"))
    reason = models.TextField(_("reason"))
    went_in = models.BooleanField(
        _("went in"), default=False, db_default=False, help_text=_("All of it but the value that the reason names.")
    )
    verdict = models.CharField(
        _("verdict"),
        max_length=8,
        choices=Verdict,
        blank=True,
        db_default="",
        help_text=_("Empty where none is needed."),
    )
    supporter = models.ForeignKey(
        "supporters.Supporter",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("who it may be"),
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("decided by"),
    )
    decided_at = models.DateTimeField(_("decided"), null=True, editable=False)
    settled_at = models.DateTimeField(_("done"), null=True, editable=False)

    class Meta:
        verbose_name = _("row to look at")
        verbose_name_plural = _("rows to look at")
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["run", "number"], name="import_row_unique"),
            models.CheckConstraint(
                condition=Q(verdict__in=["", "waiting", "same", "second", "left_out"]), name="import_row_verdict"
            ),
        ]
        indexes = [
            # For the page of doubtful rows.
            models.Index(fields=["run", "number"], condition=Q(verdict="waiting"), name="import_row_waiting"),
            # For the tick that hands decided rows to a worker.
            models.Index(
                fields=["run", "number"],
                condition=Q(verdict__in=["same", "second"], settled_at=None),
                name="import_row_owed",
            ),
        ]

    def __str__(self) -> str:
        return str(self.number)
