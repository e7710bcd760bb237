from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from supporters.addresses import AddressError, normalise_email


def _plan() -> list[int]:
    return [50, 100, 200, 400, 800, 1_500, 3_000, 6_000, 12_000, 25_000, 50_000, 100_000, 200_000]


def normalise_domain(text: str) -> str:
    """The domain of an address as it is stored: lower case, ASCII. Raises AddressError."""
    return normalise_email(f"somebody@{text.strip().lstrip('@')}").partition("@")[2]


class DomainField(models.CharField):
    """A mail domain, lower case and in ASCII."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **{"max_length": 253, **kwargs})

    def to_python(self, value: object) -> str | None:
        text = super().to_python(value)
        if not text:
            return text
        try:
            return normalise_domain(text)
        except AddressError as error:
            raise ValidationError(str(error)) from None


class SendingControl(models.Model):
    """The one row that holds for all our own mail: the stop button, and how much may go out at most."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, db_default=1, editable=False)
    stopped_at = models.DateTimeField(null=True, editable=False)
    stopped_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+"
    )
    per_minute = models.PositiveIntegerField(
        _("messages a minute"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("All appeals together. Empty: as fast as the mail server takes them."),
    )
    per_hour = models.PositiveIntegerField(
        _("messages an hour"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("All appeals together. Empty: no limit."),
    )

    class Meta:
        verbose_name = _("limits of sending")
        verbose_name_plural = _("limits of sending")
        constraints = [models.CheckConstraint(condition=Q(id=1), name="sending_control_single")]

    def __str__(self) -> str:
        return str(_("Sending"))

    @property
    def stopped(self) -> bool:
        return self.stopped_at is not None


class Receiver(models.Model):
    """A mail host that many supporters use, and how much of our mail it bears.

    What belongs to none is not limited on its own account.
    """

    code = models.CharField(max_length=253, unique=True, editable=False, help_text="What deliveries are marked with.")
    name = models.CharField(_("name"), max_length=100)
    per_minute = models.PositiveIntegerField(
        _("messages a minute"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("All appeals together. Empty: no limit."),
    )
    burst = models.PositiveIntegerField(
        _("at once"),
        default=100,
        validators=[MinValueValidator(1)],
        help_text=_("Messages that may leave in one go after a pause."),
    )
    slowed_until = models.DateTimeField(_("slowed until"), null=True, editable=False)
    slowed_because = models.CharField(_("because"), max_length=250, blank=True, default="", editable=False)

    class Meta:
        verbose_name = _("receiver")
        verbose_name_plural = _("receivers")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(per_minute__isnull=True) | Q(per_minute__gt=0), name="receiver_per_minute"
            ),
            models.CheckConstraint(condition=Q(burst__gt=0), name="receiver_burst"),
        ]

    def __str__(self) -> str:
        return self.name


class ReceiverDomain(models.Model):
    """A domain whose mail a receiver takes."""

    domain = DomainField(_("domain"), primary_key=True)
    receiver = models.ForeignKey(
        Receiver, on_delete=models.CASCADE, related_name="domains", verbose_name=_("receiver")
    )

    class Meta:
        verbose_name = _("domain")
        verbose_name_plural = _("domains")
        ordering = ["domain"]

    def __str__(self) -> str:
        return self.domain


class WarmUp(models.Model):
    """A sender's domain that is new to the receivers: so many messages a day at most, more each day.

    After the last day of the plan there is no limit.
    """

    domain = DomainField(_("sender's domain"), unique=True)
    starts_on = models.DateField(_("starts"))
    plan = ArrayField(
        models.PositiveIntegerField(validators=[MinValueValidator(1)]),
        verbose_name=_("messages a day"),
        default=_plan,
        size=120,
        help_text=_("One number for each day from the first on, with commas between."),
    )
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("warm-up")
        verbose_name_plural = _("warm-ups")
        ordering = ["domain"]

    def __str__(self) -> str:
        return self.domain


class WarmUpDay(models.Model):
    """How much of a day's share of a warm-up is used: what was taken from it to be sent."""

    warm_up = models.ForeignKey(WarmUp, on_delete=models.CASCADE, related_name="days")
    day = models.DateField()
    taken = models.PositiveIntegerField(default=0, db_default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["warm_up", "day"], name="warm_up_day_unique")]

    def __str__(self) -> str:
        return str(self.day)
