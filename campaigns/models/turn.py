from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class Turn(models.Model):
    """The last appeal of somebody who asked for fewer than all. campaigns.appeals.turns owns it."""

    # No key in the database: a claim that takes a turn must not wait for whoever merges or erases the person.
    supporter = models.OneToOneField(
        "supporters.Supporter",
        on_delete=models.DO_NOTHING,
        related_name="turn",
        db_constraint=False,
        verbose_name=_("supporter"),
    )
    delivery = models.BigIntegerField(help_text="What it was taken for: the number of a delivery.")
    taken_at = models.DateTimeField(_("taken"), db_default=Now())

    class Meta:
        verbose_name = _("turn")
        verbose_name_plural = _("turns")

    def __str__(self) -> str:
        return f"{self.supporter_id}"
