from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class DoubleQuerySet(models.QuerySet):
    def open(self) -> "DoubleQuerySet":
        return self.filter(state=Double.State.OPEN)


class Double(models.Model):
    """Two supporters who may be one person. supporters.matching owns its states.

    A pair is named once, the smaller key first. What staff decided stays: nobody is asked twice.
    """

    class State(models.TextChoices):
        OPEN = "open", _("To be looked at")
        MERGED = "merged", _("Merged")
        DIFFERENT = "different", _("Not the same")

    class FoundBy(models.TextChoices):
        FILE = "file", _("Search of the whole file")
        DOOR = "door", _("On the way in")
        STAFF = "staff", _("Staff")

    first = models.ForeignKey(
        "supporters.Supporter", on_delete=models.CASCADE, related_name="+", verbose_name=_("supporter")
    )
    second = models.ForeignKey(
        "supporters.Supporter", on_delete=models.CASCADE, related_name="+", verbose_name=_("perhaps the same")
    )
    probability = models.FloatField(_("how sure"), help_text=_("From 0 to 1, that they are one person."))
    evidence = models.JSONField(
        _("why"), default=list, help_text=_("Per comparison: what was compared, how it agrees, what that weighs.")
    )
    cluster = models.BigIntegerField(_("group"), help_text=_("The smallest number of its supporters."))
    cluster_size = models.PositiveIntegerField(_("people in the group"), default=2, db_default=2)
    loose = models.BooleanField(
        _("look closely"),
        default=False,
        db_default=False,
        help_text=_("The group is large or held together by little: it may be more than one person."),
    )
    certain = models.BooleanField(
        _("certain"), default=False, db_default=False, help_text=_("Sure enough to be merged without a look.")
    )
    state = models.CharField(_("state"), max_length=9, choices=State, default=State.OPEN, db_default=State.OPEN)
    found_by = models.CharField(
        _("found by"), max_length=5, choices=FoundBy, default=FoundBy.FILE, db_default=FoundBy.FILE
    )
    found_at = models.DateTimeField(_("found"), db_default=Now(), editable=False)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("decided by"),
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True, editable=False)

    objects = DoubleQuerySet.as_manager()

    class Meta:
        verbose_name = _("possible double")
        verbose_name_plural = _("possible doubles")
        permissions = [("decide_double", "Can say whether two supporters are the same")]
        constraints = [
            models.UniqueConstraint(fields=["first", "second"], name="double_unique"),
            models.CheckConstraint(condition=Q(first__lt=F("second")), name="double_ordered"),
            models.CheckConstraint(condition=Q(probability__gte=0, probability__lte=1), name="double_probability"),
            models.CheckConstraint(condition=Q(state__in=["open", "merged", "different"]), name="double_state"),
            models.CheckConstraint(condition=Q(found_by__in=["file", "door", "staff"]), name="double_found_by"),
            models.CheckConstraint(
                condition=Q(state="open", decided_at=None) | (~Q(state="open") & Q(decided_at__isnull=False)),
                name="double_decided",
            ),
        ]
        indexes = [
            # For the list of what is to be looked at, the surest first.
            models.Index(fields=["-probability", "-id"], condition=Q(state="open"), name="double_open"),
            # For the batch merge, group by group.
            models.Index(fields=["cluster"], condition=Q(state="open"), name="double_cluster"),
        ]

    def __str__(self) -> str:
        return f"{self.first_id} = {self.second_id}?"


class DoubleSearch(models.Model):
    """One search of the whole file for doubles: how far it is, what it found."""

    started_at = models.DateTimeField(_("started"), db_default=Now(), editable=False)
    finished_at = models.DateTimeField(_("finished"), null=True, editable=False)
    percent = models.PositiveSmallIntegerField(_("percent done"), default=0, db_default=0)
    people = models.BigIntegerField(_("people looked at"), default=0, db_default=0)
    found = models.BigIntegerField(_("pairs found"), default=0, db_default=0)
    new = models.BigIntegerField(_("of them new"), default=0, db_default=0)
    error = models.TextField(_("error"), blank=True, default="", db_default="")

    class Meta:
        verbose_name = _("search for doubles")
        verbose_name_plural = _("searches for doubles")
        ordering = ["-pk"]

    def __str__(self) -> str:
        return str(self.pk)
