from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower, Now
from django.utils.translation import gettext_lazy as _

from supporters.models.donation import amount_constraint


class Campaign(models.Model):
    """An effort with a goal, such as a spring drive: never one email."""

    name = models.CharField(_("name"), max_length=200)
    source_code = models.SlugField(
        _("source code"), max_length=64, help_text=_("Marks what this campaign brings in.")
    )
    description = models.TextField(_("description"), blank=True, default="")
    goal_amount = models.DecimalField(_("goal"), max_digits=14, decimal_places=2, null=True, blank=True)
    goal_currency = models.CharField(_("currency"), max_length=3, default="SEK")
    starts_on = models.DateField(_("starts"), null=True, blank=True)
    ends_on = models.DateField(_("ends"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                Lower("source_code"),
                name="campaign_source_unique",
                violation_error_message=_("This source code is taken."),
            ),
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(starts_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
                name="campaign_ends_after_start",
                violation_error_message=_("A campaign ends after it starts."),
            ),
            amount_constraint("campaign", "goal_amount"),
            models.CheckConstraint(
                condition=Q(goal_currency__regex=r"^[A-Z]{3}$"),
                name="campaign_currency_iso",
                violation_error_message=_("A currency is three capital letters, such as SEK."),
            ),
        ]

    def __str__(self) -> str:
        return self.name
