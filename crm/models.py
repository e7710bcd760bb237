from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class Job(models.Model):
    """A piece of background work that comes round: when it last went well, and when it is next due.

    crm.jobs declares the jobs; the beat's tick takes what is due by a conditional UPDATE of next_run_at.
    """

    name = models.CharField(_("name"), max_length=64, unique=True)
    next_run_at = models.DateTimeField(_("next run"), db_default=Now())
    queued_at = models.DateTimeField(_("handed to a worker"), null=True)
    started_at = models.DateTimeField(_("started"), null=True)
    succeeded_at = models.DateTimeField(_("last good run"), null=True)
    failed_at = models.DateTimeField(_("last failed run"), null=True)
    counts = models.JSONField(_("did"), default=dict)
    error = models.TextField(_("error"), blank=True, default="")

    class Meta:
        verbose_name = _("background job")
        verbose_name_plural = _("background jobs")
        ordering = ["name"]
        permissions = [("run_job", "Can start background jobs by hand")]

    def __str__(self) -> str:
        return self.name


class RetentionRun(models.Model):
    """How much a rule of retention took in one night: the log of what was forgotten, without a word of whom."""

    rule = models.CharField(_("rule"), max_length=40)
    taken = models.BigIntegerField(_("taken"))
    more = models.BooleanField(_("more is left for the next night"), default=False)
    ran_at = models.DateTimeField(_("when"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("run of a retention rule")
        verbose_name_plural = _("runs of retention rules")
        indexes = [models.Index(fields=["-ran_at"], name="retention_newest")]

    def __str__(self) -> str:
        return f"{self.rule}: {self.taken}"
