from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from supporters.models.importing import ImportRun


def _keys() -> ArrayField:
    return ArrayField(models.BigIntegerField(), default=list, db_default=[])


class ImportTrace(models.Model):
    """What one slice of an import wrote, by which it can be undone. supporters.importing.tracing writes it.

    Keys lead to records that may be gone by now; 0 stands for people who were erased.
    """

    run = models.ForeignKey(ImportRun, on_delete=models.CASCADE, related_name="traces")
    writer = models.BigIntegerField(help_text="The transaction that wrote it, as it stands in xmin of what it wrote.")
    made = _keys()
    made_rows = _keys()
    changed = _keys()
    changed_rows = _keys()
    before = models.JSONField(default=list, db_default=[], help_text="Of those changed: policy.NOTED, as text.")
    after = models.JSONField(default=list, db_default=[])
    references = _keys()
    tag_links = _keys()
    grants = _keys()
    donations = _keys()
    donation_rows = _keys()
    refunds = _keys()
    undone_at = models.DateTimeField(null=True)
    undone_by = models.BigIntegerField(null=True, help_text="The transaction that undid it, as `writer`.")
    counts = models.JSONField(default=dict, db_default={})
    kept = models.JSONField(
        default=list, db_default=[], help_text="What could not be undone: row, kind, key, reasons."
    )

    class Meta:
        indexes = [
            # For the undoing, which begins at the end.
            models.Index(fields=["run", "-id"], condition=Q(undone_at=None), name="import_trace_owed"),
        ]

    def __str__(self) -> str:
        return f"{self.run_id}/{self.pk}"


class ImportUndo(models.Model):
    """That an import is to be undone: what stands in the way, and how it went. supporters.importing.undoing owns its states."""

    class State(models.TextChoices):
        LOOKING = "looking", _("Being looked at")
        LOOKED = "looked", _("Looked at")
        UNDOING = "undoing", _("Being undone")
        UNDONE = "undone", _("Undone")

    run = models.OneToOneField(ImportRun, on_delete=models.CASCADE, related_name="undo")
    state = models.CharField(_("state"), max_length=7, choices=State, default=State.LOOKING)
    turn = models.PositiveIntegerField(default=1, help_text="Who was asked to look again stops what is under way.")
    slices = models.PositiveIntegerField(default=0, help_text="Looked at or undone.")
    counts = models.JSONField(default=dict)
    kept = models.JSONField(default=list, help_text="The first of what can't be undone.")
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("by")
    )
    looked_at = models.DateTimeField(null=True)
    asked_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["looking", "looked", "undoing", "undone"]), name="import_undo_state"
            ),
        ]
        indexes = [
            # For the tick that hands them to workers.
            models.Index(fields=["id"], condition=Q(state__in=["looking", "undoing"]), name="import_undo_owed"),
        ]

    def __str__(self) -> str:
        return str(self.run)
