from decimal import Decimal
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now, Round
from django.utils.translation import gettext_lazy as _

from supporters.money import WHOLE_CURRENCIES


def amount_constraint(name: str, field: str = "amount") -> models.CheckConstraint:
    """An amount is a number above nothing. PostgreSQL's numeric also knows NaN, which it holds to be the greatest."""
    return models.CheckConstraint(
        condition=Q(**{f"{field}__gt": 0, f"{field}__lt": Decimal("1e12")}) | Q(**{f"{field}__isnull": True}),
        name=f"{name}_{field}_positive",
        violation_error_message=_("An amount is above 0."),
    )


def money_constraints(name: str) -> list[models.CheckConstraint]:
    """What holds of every amount: above nothing, in a currency's own units."""
    return [
        amount_constraint(name),
        models.CheckConstraint(
            condition=Q(currency__regex=r"^[A-Z]{3}$"),
            name=f"{name}_currency_iso",
            violation_error_message=_("A currency is three capital letters, such as SEK."),
        ),
        models.CheckConstraint(
            condition=~Q(currency__in=WHOLE_CURRENCIES) | Q(amount=Round("amount")),
            name=f"{name}_whole_units",
            violation_error_message=_("This currency has no smaller unit."),
        ),
    ]


def provider_constraints(name: str) -> list[models.BaseConstraint]:
    """A payment event that arrives twice makes one record."""
    return [
        models.UniqueConstraint(
            fields=["provider", "provider_id"],
            condition=~Q(provider_id=""),
            name=f"{name}_provider_unique",
            violation_error_message=_("This payment is on file already."),
        ),
        models.CheckConstraint(
            condition=Q(provider_id="") | ~Q(provider=""),
            name=f"{name}_provider_named",
            violation_error_message=_("A provider's id needs its provider."),
        ),
    ]


class RecurringDonation(models.Model):
    """A standing agreement to give."""

    class Interval(models.TextChoices):
        MONTH = "month", _("Monthly")
        QUARTER = "quarter", _("Quarterly")
        YEAR = "year", _("Yearly")

    class State(models.TextChoices):
        PENDING = "pending", _("Pending")
        ACTIVE = "active", _("Active")
        FAILING = "failing", _("Payment fails")
        PAUSED = "paused", _("Paused")
        ENDED = "ended", _("Ended")

    supporter = models.ForeignKey(
        "supporters.Supporter",
        on_delete=models.PROTECT,
        null=True,
        related_name="recurring_donations",
        verbose_name=_("supporter"),
        help_text=_("Empty once the person was erased."),
    )
    amount = models.DecimalField(_("amount"), max_digits=14, decimal_places=2)
    currency = models.CharField(_("currency"), max_length=3)
    interval = models.CharField(_("interval"), max_length=7, choices=Interval, default=Interval.MONTH)
    state = models.CharField(_("state"), max_length=7, choices=State, default=State.PENDING)
    provider = models.CharField(_("provider"), max_length=32, blank=True, db_default="")
    provider_id = models.CharField(_("provider's id"), max_length=190, blank=True, db_default="")
    started_on = models.DateField(_("since"), null=True, blank=True)
    next_due_on = models.DateField(_("next due"), null=True, blank=True)
    ended_on = models.DateField(_("ended"), null=True, blank=True)
    source_code = models.CharField(_("source code"), max_length=64, blank=True, db_default="")
    told_at = models.DateTimeField(
        null=True,
        editable=False,
        help_text="When the provider, by its clock, last told its state: older news is no news.",
    )
    ending_key = models.UUIDField(
        null=True, editable=False, help_text="Stored before the provider is asked to end it: it is owed from then on."
    )

    class Meta:
        verbose_name = _("recurring donation")
        verbose_name_plural = _("recurring donations")
        constraints = [
            *money_constraints("recurring"),
            *provider_constraints("recurring"),
            models.CheckConstraint(
                condition=Q(ended_on__isnull=True) | Q(started_on__isnull=True) | Q(ended_on__gte=F("started_on")),
                name="recurring_ends_after_start",
                violation_error_message=_("An agreement ends after it starts."),
            ),
            models.CheckConstraint(condition=Q(interval__in=["month", "quarter", "year"]), name="recurring_interval"),
            models.CheckConstraint(
                condition=Q(state__in=["pending", "active", "failing", "paused", "ended"]), name="recurring_state"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}, {self.get_interval_display()}"


class DonationQuerySet(models.QuerySet):
    def received(self) -> Self:
        """Money that came and was not wholly given back."""
        return self.filter(state=Donation.State.RECEIVED)

    def in_year(self, year: int) -> Self:
        return self.filter(received_on__year=year)


class Donation(models.Model):
    """One gift. What was given back stands in Refund, never in a changed amount."""

    class State(models.TextChoices):
        PENDING = "pending", _("Pending")
        RECEIVED = "received", _("Received")
        REFUNDED = "refunded", _("Refunded")
        FAILED = "failed", _("Failed")

    class Method(models.TextChoices):
        CARD = "card", _("Card")
        SWISH = "swish", _("Swish")
        BANK = "bank", _("Bank transfer")
        DIRECT_DEBIT = "debit", _("Direct debit")
        PAYPAL = "paypal", _("PayPal")
        CASH = "cash", _("Cash")
        CHEQUE = "cheque", _("Cheque")
        OTHER = "other", _("Other")

    supporter = models.ForeignKey(
        "supporters.Supporter",
        on_delete=models.PROTECT,
        null=True,
        related_name="donations",
        verbose_name=_("supporter"),
        help_text=_("Empty once the person was erased: the books keep the gift."),
    )
    amount = models.DecimalField(_("amount"), max_digits=14, decimal_places=2)
    currency = models.CharField(_("currency"), max_length=3)
    method = models.CharField(
        _("method"), max_length=7, choices=Method, default=Method.OTHER, db_default=Method.OTHER
    )
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.RECEIVED)
    received_on = models.DateField(_("received"), null=True, blank=True)
    provider = models.CharField(_("provider"), max_length=32, blank=True, db_default="")
    provider_id = models.CharField(_("provider's id"), max_length=190, blank=True, db_default="")
    other_ids = ArrayField(
        models.CharField(max_length=190),
        verbose_name=_("other ids"),
        default=list,
        db_default=[],
        editable=False,
        help_text=_("What else the provider calls this payment, such as its charge."),
    )
    source_code = models.CharField(_("source code"), max_length=64, blank=True, db_default="")
    designation = models.CharField(
        _("designation"), max_length=120, blank=True, db_default="", help_text=_("What the donor gave for.")
    )
    recurring = models.ForeignKey(
        RecurringDonation,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="donations",
        verbose_name=_("agreement"),
    )
    import_run = models.ForeignKey(
        "supporters.ImportRun",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        db_constraint=False,  # as of Consent
        related_name="+",
    )
    created_at = models.DateTimeField(_("recorded"), db_default=Now(), editable=False)

    objects = DonationQuerySet.as_manager()

    class Meta:
        verbose_name = _("donation")
        verbose_name_plural = _("donations")
        permissions = [("export_donation", "Can export donations")]
        constraints = [
            *money_constraints("donation"),
            *provider_constraints("donation"),
            models.CheckConstraint(
                condition=Q(method__in=["card", "swish", "bank", "debit", "paypal", "cash", "cheque", "other"]),
                name="donation_method",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["pending", "received", "refunded", "failed"]), name="donation_state"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["received", "refunded"]) | Q(received_on__isnull=False),
                name="donation_received_when",
                violation_error_message=_("A received donation says when."),
            ),
        ]
        indexes = [
            # For segments (what somebody gave) and a person's own page.
            models.Index(
                fields=["supporter", "received_on"],
                include=["amount", "currency", "recurring"],
                condition=Q(state="received"),
                name="donation_given",
            ),
            models.Index(fields=["recurring"], condition=Q(recurring__isnull=False), name="donation_recurring"),
            models.Index(fields=["-received_on", "-id"], name="donation_newest"),
            # For imports that name a payment otherwise than its record does.
            GinIndex(fields=["other_ids"], condition=~Q(other_ids=[]), name="donation_other_ids"),
            models.Index(fields=["-amount", "-id"], name="donation_largest"),
            models.Index(fields=["source_code"], name="donation_source", condition=~Q(source_code="")),
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"

    @property
    def receipt_number(self) -> str:
        """As in 2026-000123; empty until the money came. It is the donation's for good."""
        return f"{self.received_on.year}-{self.pk:06d}" if self.received_on else ""


class Refund(models.Model):
    """Money given back: a fact of its own beside the donation."""

    donation = models.ForeignKey(
        Donation, on_delete=models.PROTECT, related_name="refunds", verbose_name=_("donation")
    )
    amount = models.DecimalField(_("amount"), max_digits=14, decimal_places=2)
    refunded_on = models.DateField(_("refunded"))
    provider = models.CharField(_("provider"), max_length=32, blank=True, db_default="")
    provider_id = models.CharField(_("provider's id"), max_length=190, blank=True, db_default="")
    reason = models.CharField(_("reason"), max_length=250, blank=True, db_default="")

    class Meta:
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        constraints = [
            amount_constraint("refund"),
            *provider_constraints("refund"),
        ]

    def __str__(self) -> str:
        return str(self.amount)
