from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class MergeBatch(models.Model):
    """The certain doubles merged by a worker, one after the other. supporters.merging.batches owns its states."""

    class State(models.TextChoices):
        RUNNING = "running", _("Running")
        STOPPED = "stopped", _("Stopped")
        DONE = "done", _("Done")
        UNDOING = "undoing", _("Being undone")
        UNDONE = "undone", _("Undone")

    state = models.CharField(_("state"), max_length=7, choices=State, default=State.RUNNING, db_default=State.RUNNING)
    threshold = models.FloatField(_("at least this sure"), help_text=_("From 0 to 1."))
    pairs = models.BigIntegerField(_("pairs at the start"), default=0, db_default=0)
    left_out = models.JSONField(
        _("left out"), default=dict, db_default={}, help_text=_("Pairs by number, each with the reason.")
    )
    newest_double = models.BigIntegerField(
        default=0, db_default=0, editable=False, help_text="Pairs found later are not this batch's."
    )
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("started by"),
    )
    taken_back_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("taken back by"),
    )
    started_at = models.DateTimeField(_("started"), db_default=Now(), editable=False)
    finished_at = models.DateTimeField(_("finished"), null=True, editable=False)

    class Meta:
        verbose_name = _("batch of merges")
        verbose_name_plural = _("batches of merges")
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["running", "stopped", "done", "undoing", "undone"]), name="merge_batch_state"
            ),
            models.CheckConstraint(condition=Q(threshold__gte=0, threshold__lte=1), name="merge_batch_threshold"),
        ]
        indexes = [
            # For the tick: what is owed.
            models.Index(fields=["id"], condition=Q(state__in=["running", "undoing"]), name="merge_batch_owed"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class MergeQuerySet(models.QuerySet):
    def standing(self) -> "MergeQuerySet":
        """Those that hold: not undone."""
        return self.filter(undone_at=None)


class Merge(models.Model):
    """That a record was merged into another one: by what the old record was known, and all that undoing it takes.

    supporters.merging writes it, supporters.finding follows it. Once undone it says who did what when, and nothing more; once
    settled, by what the person was known.
    """

    survivor = models.ForeignKey(
        "supporters.Supporter",
        on_delete=models.CASCADE,
        related_name="merges",
        verbose_name=_("person"),
        help_text=_("Whoever they are by now: a merge of the survivor takes it along."),
    )
    away_pk = models.BigIntegerField(_("number of the record merged away"), editable=False)
    away_uuid = models.UUIDField(editable=False)
    other_email = models.EmailField(
        _("other address"),
        max_length=254,
        null=True,
        editable=False,
        help_text=_("Known as theirs, and never written to."),
    )
    away = models.JSONField(
        default=dict, db_default={}, editable=False, help_text="The record merged away, column by column."
    )
    changed = models.JSONField(
        default=dict, db_default={}, editable=False, help_text="Columns of the survivor: what was and what came."
    )
    kept = models.JSONField(
        default=dict, db_default={}, editable=False, help_text="By table, what there could only be one of."
    )
    numbers = models.JSONField(
        default=dict, db_default={}, editable=False, help_text="By table, how many rows went over."
    )
    probability = models.FloatField(_("how sure"), null=True, editable=False)
    batch = models.ForeignKey(
        MergeBatch,
        on_delete=models.SET_NULL,
        null=True,
        editable=False,
        related_name="merges",
        verbose_name=_("batch"),
    )
    merged_at = models.DateTimeField(_("merged"), db_default=Now(), editable=False)
    merged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("merged by"),
    )
    settled_at = models.DateTimeField(
        _("stands for good since"), null=True, editable=False, help_text="What undoing takes is gone."
    )
    undone_at = models.DateTimeField(_("undone"), null=True, editable=False)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("undone by"),
    )

    objects = MergeQuerySet.as_manager()

    class Meta:
        verbose_name = _("merge")
        verbose_name_plural = _("merges")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["away_pk"], condition=Q(undone_at=None), name="merge_once"),
            models.CheckConstraint(
                condition=Q(undone_at=None) | Q(other_email=None, away={}, changed={}, kept={}),
                name="merge_undone_emptied",
            ),
            models.CheckConstraint(
                condition=Q(settled_at=None) | Q(undone_at=None, changed={}, kept={}), name="merge_settled_emptied"
            ),
        ]
        indexes = [
            # For whoever comes by an old link or address.
            models.Index(fields=["away_uuid"], condition=Q(undone_at=None), name="merge_away_uuid"),
            models.Index(
                fields=["other_email"],
                condition=Q(undone_at=None) & Q(other_email__isnull=False),
                name="merge_other_email",
            ),
            models.Index(fields=["batch", "-id"], condition=Q(batch__isnull=False), name="merge_of_batch"),
        ]

    def __str__(self) -> str:
        return str(_("Record %(number)s merged") % {"number": self.away_pk})


class MergeMoved(models.Model):
    """The rows of one table that a merge gave to the survivor: undone, they go back in one statement."""

    merge = models.ForeignKey(Merge, on_delete=models.CASCADE, related_name="moved")
    table = models.CharField(max_length=100, help_text="Model and field: supporters.moves.")
    keys = ArrayField(models.BigIntegerField())

    class Meta:
        verbose_name = _("rows that went over")
        verbose_name_plural = _("rows that went over")
        constraints = [models.UniqueConstraint(fields=["merge", "table"], name="merge_moved_once")]

    def __str__(self) -> str:
        return self.table
