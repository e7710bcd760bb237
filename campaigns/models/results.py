from django.db import models
from django.utils.translation import gettext_lazy as _


class DeliveryCount(models.Model):
    """How many deliveries of an appeal are in a state: the sum of its rows.

    A trigger (migration 0002_counts) adds a row for whatever a statement changes, in that statement's transaction, so the
    sums are right at every moment, no row is fought over, and nobody ever counts a million deliveries.
    campaigns.appeals.results puts the rows together.
    """

    appeal = models.ForeignKey(
        "campaigns.Appeal",
        on_delete=models.CASCADE,
        db_constraint=False,
        related_name="counts",
        verbose_name=_("appeal"),
    )
    language = models.CharField(_("language"), max_length=12)
    variant = models.CharField(_("variant"), max_length=1)
    state = models.CharField(_("state"), max_length=10)
    number = models.BigIntegerField(_("number"))

    class Meta:
        verbose_name = _("count of deliveries")
        verbose_name_plural = _("counts of deliveries")

    def __str__(self) -> str:
        return f"{self.state}: {self.number}"


class AppealResult(models.Model):
    """What came of an appeal among the readers of one text, as of Appeal.counted_at: campaigns.appeals.results."""

    appeal = models.ForeignKey(
        "campaigns.Appeal", on_delete=models.CASCADE, related_name="results", verbose_name=_("appeal")
    )
    language = models.CharField(_("language"), max_length=12, help_text=_("Empty where it can't be told."))
    variant = models.CharField(_("variant"), max_length=1)
    clicked = models.PositiveIntegerField(_("people who clicked"), default=0)
    clicks = models.PositiveIntegerField(_("clicks"), default=0)
    opened = models.PositiveIntegerField(_("people who opened it"), default=0)
    by_programs = models.PositiveIntegerField(
        _("clicked by programs"), default=0, help_text=_("Messages whose links were followed, but not by a person.")
    )
    left = models.PositiveIntegerField(_("unsubscribed"), default=0)
    signatures = models.PositiveIntegerField(_("signatures"), default=0)

    class Meta:
        verbose_name = _("result of an appeal")
        verbose_name_plural = _("results of appeals")
        constraints = [models.UniqueConstraint(fields=["appeal", "language", "variant"], name="appeal_result_unique")]

    def __str__(self) -> str:
        return f"{self.language} {self.variant}".strip()


class AppealIncome(models.Model):
    """The gifts that an appeal brought in, per text and currency: refunds taken off, currencies never added up."""

    appeal = models.ForeignKey(
        "campaigns.Appeal", on_delete=models.CASCADE, related_name="income", verbose_name=_("appeal")
    )
    language = models.CharField(_("language"), max_length=12, help_text=_("Empty where it can't be told."))
    variant = models.CharField(_("variant"), max_length=1)
    currency = models.CharField(_("currency"), max_length=3)
    gifts = models.PositiveIntegerField(_("gifts"))
    amount = models.DecimalField(_("amount"), max_digits=16, decimal_places=2)

    class Meta:
        verbose_name = _("income of an appeal")
        verbose_name_plural = _("income of appeals")
        constraints = [
            models.UniqueConstraint(fields=["appeal", "language", "variant", "currency"], name="appeal_income_unique")
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"


class AppealHour(models.Model):
    """What came of an appeal in one of the first hours after its launch."""

    appeal = models.ForeignKey(
        "campaigns.Appeal", on_delete=models.CASCADE, related_name="hours", verbose_name=_("appeal")
    )
    hour = models.PositiveSmallIntegerField(_("hour"))
    clicked = models.PositiveIntegerField(_("people who clicked"), default=0)
    gifts = models.PositiveIntegerField(_("gifts"), default=0)

    class Meta:
        verbose_name = _("hour of an appeal")
        verbose_name_plural = _("hours of appeals")
        constraints = [models.UniqueConstraint(fields=["appeal", "hour"], name="appeal_hour_unique")]

    def __str__(self) -> str:
        return str(self.hour)
