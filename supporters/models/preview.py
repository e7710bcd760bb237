from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from supporters.models.importing import ImportRun


class ImportPreview(models.Model):
    """What an import would do, as worked out before it runs. supporters.importing.preview owns its states."""

    class State(models.TextChoices):
        OWED = "owed", _("Waiting")
        RUNNING = "running", _("Being worked out")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    run = models.OneToOneField(ImportRun, on_delete=models.CASCADE, related_name="preview")
    state = models.CharField(_("state"), max_length=7, choices=State, default=State.OWED)
    turn = models.PositiveIntegerField(default=1, help_text="Who was asked again stops what is under way.")
    basis = models.BinaryField(help_text="SHA-256 of the settings that it goes by.")
    checkpoint = models.BigIntegerField(_("rows done"), default=0)
    counts = models.JSONField(default=dict, help_text="Rows by what would become of them.")
    fields = models.JSONField(
        default=dict, help_text="By field: records in which it would be filled in, and in which it would be replaced."
    )
    error = models.TextField(_("error"), blank=True, default="")
    asked_at = models.DateTimeField(db_default=Now())
    made_at = models.DateTimeField(_("worked out"), null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["owed", "running", "done", "failed"]), name="import_preview_state"
            ),
        ]
        indexes = [
            # For the tick that hands them to workers.
            models.Index(fields=["id"], condition=Q(state__in=["owed", "running"]), name="import_preview_owed"),
        ]

    def __str__(self) -> str:
        return str(self.run)

    @property
    def percent(self) -> int:
        return min(99, self.checkpoint * 100 // self.run.rows) if self.run.rows else 0


class PreviewSlice(models.Model):
    """What would become of some consecutive rows. It goes when the import starts, and with whom it mentions."""

    preview = models.ForeignKey(ImportPreview, on_delete=models.CASCADE, related_name="slices")
    first = models.BigIntegerField(help_text="Number of a row.")
    last = models.BigIntegerField()
    outcomes = models.JSONField(help_text="By number of the row.")
    examples = models.JSONField(default=dict, help_text="Numbers of the first rows of each outcome.")
    people = ArrayField(models.BigIntegerField(), help_text="Who of the file of people is mentioned.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["preview", "first"], name="import_preview_slice_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.first}–{self.last}"
