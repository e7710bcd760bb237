"""How money is promised, and what payment providers tell us of it. supporters.payments draws the states."""

from decimal import Decimal
from typing import Self
from uuid import uuid4

from django.conf import settings
from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from supporters import money
from supporters.models.donation import Donation, RecurringDonation, amount_constraint, provider_constraints


class Pledge(models.Model):
    """What somebody said on the giving page they would give. No money came by it: that is for a provider to tell."""

    class Method(models.TextChoices):
        CARD = "card", _("Card or wallet")
        SWISH = "swish", _("Swish")
        BANK = "bank", _("Bank transfer")

    class Interval(models.TextChoices):
        ONCE = "once", _("Once")
        MONTH = "month", _("Monthly")

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting for the money")
        PAID = "paid", _("Paid")
        FAILED = "failed", _("Payment failed")
        LAPSED = "lapsed", _("Lapsed")

    uuid = models.UUIDField(default=uuid4, db_default=RandomUUID(), unique=True, editable=False)
    method = models.CharField(_("method"), max_length=5, choices=Method)
    minor_units = models.BigIntegerField(
        _("amount in minor units"), help_text=_("As in 10000 for 100 SEK; in the currency's own units, ISO 4217.")
    )
    currency = models.CharField(_("currency"), max_length=3)
    interval = models.CharField(_("how often"), max_length=5, choices=Interval, default=Interval.ONCE)
    state = models.CharField(_("state"), max_length=7, choices=State, default=State.WAITING, db_default=State.WAITING)
    reference = models.CharField(
        _("reference"), max_length=25, unique=True, help_text=_("What the payer writes with the money.")
    )
    email = models.EmailField(_("email"), max_length=254, blank=True, db_default="")
    first_name = models.CharField(_("first name"), max_length=150, blank=True, db_default="")
    last_name = models.CharField(_("last name"), max_length=150, blank=True, db_default="")
    language = models.CharField(_("language"), max_length=12, blank=True, db_default="")
    source_code = models.CharField(_("source code"), max_length=64, blank=True, db_default="")
    organisation = models.ForeignKey(
        "supporters.Organisation",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("organisation"),
    )
    news = models.JSONField(
        null=True, editable=False, help_text="The words of the box for news, if it was ticked; see Wording.as_json."
    )
    idempotency_key = models.UUIDField(
        default=uuid4, editable=False, help_text="Stored before the provider is asked, so that asking twice is once."
    )
    session_id = models.CharField(_("provider's session"), max_length=190, blank=True, db_default="")
    supporter = models.ForeignKey(
        "supporters.Supporter",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("supporter"),
    )
    donation = models.OneToOneField(
        Donation,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="pledge",
        verbose_name=_("donation"),
    )
    recurring = models.OneToOneField(
        RecurringDonation,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="pledge",
        verbose_name=_("agreement"),
    )
    created_at = models.DateTimeField(_("pledged"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("pledge")
        verbose_name_plural = _("pledges")
        constraints = [
            models.CheckConstraint(condition=Q(minor_units__gt=0), name="pledge_amount_positive"),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="pledge_currency_iso"),
            models.CheckConstraint(condition=Q(method__in=["card", "swish", "bank"]), name="pledge_method"),
            models.CheckConstraint(condition=Q(interval__in=["once", "month"]), name="pledge_interval"),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "paid", "failed", "lapsed"]), name="pledge_state"
            ),
        ]
        indexes = [
            models.Index(fields=["-created_at"], name="pledge_newest"),
            # For the nightly job that forgets those that came to nothing.
            models.Index(fields=["created_at"], condition=~Q(state="paid") & ~Q(email=""), name="pledge_to_forget"),
            models.Index(fields=["email"], condition=~Q(email=""), name="pledge_email"),
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"

    @property
    def amount(self) -> Decimal:
        return money.from_minor(self.minor_units, self.currency)

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


class PaymentEventQuerySet(models.QuerySet):
    def owed(self) -> Self:
        """Those whose hour to be applied has come, the oldest first."""
        return self.filter(state=PaymentEvent.State.RECEIVED, due_at__lte=Now()).order_by("pk")


class PaymentEvent(models.Model):
    """Something a payment provider told us, stored as it came before it is acted on."""

    class Provider(models.TextChoices):
        STRIPE = "stripe", "Stripe"
        SWISH = "swish", "Swish"
        BANK = "bank", _("Bank")

    class State(models.TextChoices):
        RECEIVED = "received", _("Received")
        APPLIED = "applied", _("Applied")
        IGNORED = "ignored", _("Nothing to do")
        REVIEW = "review", _("Needs a decision")
        REFUSED = "refused", _("Refused by staff")

    class Doubt(models.TextChoices):
        AMOUNT = "amount", _("The amount is not the one that was pledged.")
        CURRENCY = "currency", _("The currency is not the one that was pledged.")
        UNKNOWN = "unknown", _("It belongs to nothing that we know.")
        PAID_BEFORE = "paid_before", _("This pledge was paid before, by another payment.")
        TOO_MUCH = "too_much", _("More would go back than came.")
        REFUND_FAILED = "refund_failed", _("A refund did not reach the donor: the money is with us again.")
        UNREADABLE = "unreadable", _("It is in no form that we know.")

    provider = models.CharField(_("provider"), max_length=6, choices=Provider)
    event_id = models.CharField(_("provider's id"), max_length=190)
    kind = models.CharField(_("type"), max_length=64)
    payload = models.TextField(_("as it came"), help_text=_("Emptied 90 days after it was dealt with."))
    happened_at = models.DateTimeField(_("happened"), null=True, help_text=_("By the provider's clock."))
    received_at = models.DateTimeField(_("received"), db_default=Now(), editable=False)
    state = models.CharField(
        _("state"), max_length=8, choices=State, default=State.RECEIVED, db_default=State.RECEIVED
    )
    doubt = models.CharField(_("reason"), max_length=13, choices=Doubt, blank=True, db_default="")
    note = models.CharField(_("note"), max_length=250, blank=True, db_default="")
    waits_for = models.CharField(
        _("waits for"),
        max_length=190,
        blank=True,
        db_default="",
        help_text=_("The payment or agreement it is about."),
    )
    due_at = models.DateTimeField(db_default=Now(), editable=False, help_text="When it is looked at next.")
    done_at = models.DateTimeField(_("dealt with"), null=True, editable=False)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+"
    )
    donation = models.ForeignKey(
        Donation,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="payment_events",
        verbose_name=_("donation"),
    )

    objects = PaymentEventQuerySet.as_manager()

    class Meta:
        verbose_name = _("payment event")
        verbose_name_plural = _("payment events")
        permissions = [("settle_paymentevent", "Can decide on payments in doubt")]
        constraints = [
            models.UniqueConstraint(fields=["provider", "event_id"], name="payment_event_once"),
            models.CheckConstraint(
                condition=Q(provider__in=["stripe", "swish", "bank"]), name="payment_event_provider"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["received", "applied", "ignored", "review", "refused"]),
                name="payment_event_state",
            ),
            models.CheckConstraint(condition=~Q(state="review") | ~Q(doubt=""), name="payment_event_review_says_why"),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(state="received"), name="payment_event_owed"),
            models.Index(
                fields=["waits_for"], condition=Q(state="received") & ~Q(waits_for=""), name="payment_event_waiting"
            ),
            models.Index(fields=["id"], condition=Q(state="review"), name="payment_event_in_doubt"),
            # For the nightly job that empties them.
            models.Index(fields=["done_at"], condition=~Q(payload=""), name="payment_event_to_forget"),
        ]

    def __str__(self) -> str:
        return f"{self.get_provider_display()}: {self.kind}"


class Dispute(models.Model):
    """A payment that the donor's bank takes back unless it is defended."""

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        WON = "won", _("Won")
        LOST = "lost", _("Lost")

    donation = models.ForeignKey(
        Donation, on_delete=models.PROTECT, related_name="disputes", verbose_name=_("donation")
    )
    amount = models.DecimalField(_("amount"), max_digits=14, decimal_places=2)
    state = models.CharField(_("state"), max_length=4, choices=State, default=State.OPEN)
    reason = models.CharField(_("reason"), max_length=64, blank=True, db_default="")
    provider = models.CharField(_("provider"), max_length=32)
    provider_id = models.CharField(_("provider's id"), max_length=190)
    opened_on = models.DateField(_("opened"))
    closed_on = models.DateField(_("closed"), null=True, blank=True)

    class Meta:
        verbose_name = _("dispute")
        verbose_name_plural = _("disputes")
        constraints = [
            amount_constraint("dispute"),
            *provider_constraints("dispute"),
            models.CheckConstraint(condition=Q(state__in=["open", "won", "lost"]), name="dispute_state"),
        ]

    def __str__(self) -> str:
        return f"{self.amount}, {self.get_state_display()}"
