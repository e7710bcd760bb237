from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class Tidying(models.Model):
    """One going over all supporters: how far it is, what it found. supporters.tidying does it."""

    class Kind(models.TextChoices):
        LOOK = "look", _("Look only: nothing is written")
        MARK = "mark", _("Write marks")
        WRITE = "write", _("Write marks, and values in their one form")

    kind = models.CharField(_("what"), max_length=5, choices=Kind)
    asked_at = models.DateTimeField(_("begun"), db_default=Now(), editable=False)
    finished_at = models.DateTimeField(_("finished"), null=True, editable=False)
    checkpoint = models.BigIntegerField(
        default=0, db_default=0, editable=False, help_text="The last supporter that was looked at."
    )
    people = models.BigIntegerField(_("people looked at"), default=0, db_default=0)
    counts = models.JSONField(
        _("found"), default=dict, help_text="How many would be or were changed, by what was changed."
    )
    conflicts = models.JSONField(
        _("addresses of two people"), default=list, help_text="Keys of supporters, pair by pair."
    )

    class Meta:
        verbose_name = _("look through all records")
        verbose_name_plural = _("looks through all records")
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=["look", "mark", "write"]), name="tidying_kind"),
            models.UniqueConstraint("kind", condition=Q(finished_at=None), name="tidying_one_at_a_time"),
        ]

    def __str__(self) -> str:
        return str(self.get_kind_display())
