from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class Export(models.Model):
    """Who took what out of the house, and why. supporters.exporting.making owns its states.

    A trigger (migration 0003_triggers) keeps what was asked for as it was, save for erasure, and every row for good.
    """

    class State(models.TextChoices):
        STREAMED = "streamed", _("Handed out at once")
        QUEUED = "queued", _("Waiting")
        MAKING = "making", _("Being made")
        DONE = "done", _("Ready")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")
        WITHDRAWN = "withdrawn", _("Withdrawn")
        EXPIRED = "expired", _("Deleted")

    listing = models.CharField(max_length=40, help_text="Its name in supporters.exporting.listings.")
    query = models.TextField(blank=True, db_default="", help_text="Which part of it, as in a page's address.")
    what = models.CharField(_("list"), max_length=250)
    filters = models.TextField(_("filters"), blank=True, db_default="")
    columns = ArrayField(models.CharField(max_length=100), verbose_name=_("columns"))
    format = models.CharField(
        _("format"), max_length=4, choices=[("xlsx", "xlsx"), ("ods", "ods"), ("csv", "csv"), ("json", "json")]
    )
    people = models.BooleanField(_("names people"))
    traced = models.BooleanField(editable=False, help_text="Whether its parts name everybody who is in it.")
    reason = models.CharField(_("why"), max_length=500, blank=True, db_default="")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("by"),
        help_text=_("Empty: from the command line."),
    )
    created_at = models.DateTimeField(_("asked for"), db_default=Now(), editable=False)

    state = models.CharField(_("state"), max_length=9, choices=State)
    expected = models.BigIntegerField(default=0, help_text="Rows, counted or estimated when it was asked for.")
    rows = models.BigIntegerField(_("rows"), default=0, help_text=_("Written so far."))
    tries = models.PositiveSmallIntegerField(default=0)
    begun_anew = models.PositiveSmallIntegerField(
        default=0, help_text="Tries that no worker died over: somebody in it was erased."
    )
    file_size = models.BigIntegerField(_("size"), default=0, help_text=_("Bytes."))
    error = models.TextField(_("error"), blank=True, db_default="")
    finished_at = models.DateTimeField(_("made"), null=True, editable=False)
    expires_at = models.DateTimeField(_("kept until"), null=True, editable=False)

    class Meta:
        verbose_name = _("export")
        verbose_name_plural = _("exports")
        ordering = ["-created_at"]
        permissions = [("fetch_export", "Can fetch files that others had made")]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    state__in=[
                        *("streamed", "queued", "making", "done"),
                        *("failed", "cancelled", "withdrawn", "expired"),
                    ]
                ),
                name="export_state",
            ),
            models.CheckConstraint(condition=Q(format__in=["xlsx", "ods", "csv", "json"]), name="export_format"),
            models.CheckConstraint(
                condition=Q(people=False) | Q(reason__regex=r"\S"),
                name="export_of_people_says_why",
                violation_error_message=_("Say why people leave the house in a file."),
            ),
            models.CheckConstraint(
                condition=~Q(state="done") | Q(expires_at__isnull=False), name="export_file_expires"
            ),
        ]
        indexes = [
            # For the tick that hands unfinished exports to workers.
            models.Index(fields=["id"], condition=Q(state__in=["queued", "making"]), name="export_owed"),
            # For the tick that deletes files.
            models.Index(fields=["expires_at"], condition=Q(state="done"), name="export_kept"),
            models.Index(fields=["by", "-created_at"], name="export_of_user"),
        ]

    def __str__(self) -> str:
        return self.what

    @property
    def percent(self) -> int:
        """How much of it is made; 100 only when all of it is."""
        if self.state == self.State.DONE:
            return 100
        return min(99, self.rows * 100 // self.expected) if self.expected else 0


class ExportPart(models.Model):
    """A piece of a file, or the next few who are in it: what erasure finds them by. It goes with the file."""

    export = models.ForeignKey(Export, on_delete=models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    content = models.BinaryField()
    people = ArrayField(models.BigIntegerField(), help_text="Keys of supporters.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["export", "number"], name="export_part_unique")]

    def __str__(self) -> str:
        return f"{self.export_id}/{self.number}"
