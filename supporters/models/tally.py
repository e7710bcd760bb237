from datetime import date

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

MOST = 10_000_000
FIRST_DAY = date(2000, 1, 1)
"""No batch is older: a year before it is a slip of the pen."""


class TallyQuerySet(models.QuerySet):
    def counted(self) -> "TallyQuerySet":
        """Those that the total holds."""
        return self.filter(state=Tally.State.CHECKED)

    def standing(self) -> "TallyQuerySet":
        """Those that were not withdrawn."""
        return self.exclude(state=Tally.State.WITHDRAWN)


class Tally(models.Model):
    """A batch of signatures that were gathered on paper or by a partner's own tool. supporters.tallying owns its states.

    What was entered stays as it was (migration 0006_tallies): whoever finds it wrong withdraws it and enters another.
    """

    class Way(models.TextChoices):
        PAPER = "paper", _("On paper")
        PARTNER = "partner", _("By a partner's own tool")

    class State(models.TextChoices):
        ENTERED = "entered", _("To be checked")
        CHECKED = "checked", _("Counted")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    class ScanType(models.TextChoices):
        PDF = "application/pdf", "PDF"
        JPEG = "image/jpeg", "JPEG"
        PNG = "image/png", "PNG"

    petition = models.ForeignKey(
        "supporters.Petition", on_delete=models.PROTECT, related_name="tallies", verbose_name=_("petition")
    )
    way = models.CharField(_("gathered"), max_length=7, choices=Way)
    organisation = models.ForeignKey(
        "supporters.Organisation",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("organisation"),
        help_text=_("Who gathered them; empty means ourselves."),
    )
    source = models.CharField(
        _("source"),
        max_length=250,
        help_text=_("Where the number comes from: which stall or lists, or which tool and page. Nobody's name."),
    )
    number = models.PositiveIntegerField(_("signatures"), validators=[MinValueValidator(1), MaxValueValidator(MOST)])
    country = models.CharField(_("country"), max_length=2, help_text=_("One batch for each country."))
    place = models.CharField(_("place"), max_length=120, blank=True, db_default="")
    gathered_on = models.DateField(
        _("gathered on"), help_text=_("The last day, if it was several: the total counts them on that day.")
    )
    scan_type = models.CharField(
        _("scan"), max_length=15, choices=ScanType, blank=True, db_default="", editable=False
    )
    scan_size = models.PositiveIntegerField(_("octets of the scan"), null=True, editable=False)
    scan_hash = models.BinaryField(
        _("hash of the scan"), null=True, editable=False, help_text=_("SHA-256; it outlives the scan.")
    )
    no_scan = models.CharField(
        _("why there is no scan"),
        max_length=250,
        blank=True,
        db_default="",
        help_text=_("A scan, or the reason why there can't be one."),
    )
    state = models.CharField(
        _("state"), max_length=9, choices=State, default=State.ENTERED, db_default=State.ENTERED, editable=False
    )
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        editable=False,
        related_name="+",
        verbose_name=_("entered by"),
    )
    entered_at = models.DateTimeField(_("entered"), db_default=Now(), editable=False)
    checked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("checked by"),
    )
    checked_at = models.DateTimeField(_("checked"), null=True, editable=False)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("withdrawn by"),
    )
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True, editable=False)
    withdrawn_because = models.CharField(
        _("why it was withdrawn"), max_length=250, blank=True, db_default="", editable=False
    )

    objects = TallyQuerySet.as_manager()

    class Meta:
        verbose_name = _("batch of signatures")
        verbose_name_plural = _("batches of signatures")
        permissions = [
            ("check_tally", "Can check batches of signatures"),
            ("see_tally_scan", "Can see scans of batches of signatures"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(way__in=["paper", "partner"]), name="tally_way"),
            models.CheckConstraint(condition=Q(number__gte=1, number__lte=MOST), name="tally_number"),
            models.CheckConstraint(condition=Q(gathered_on__gte=FIRST_DAY), name="tally_day"),
            models.CheckConstraint(condition=Q(country__regex=r"^[A-Z]{2}$"), name="tally_country_iso"),
            models.CheckConstraint(
                condition=Q(source__regex=r"\S"),
                name="tally_has_source",
                violation_error_message=_("Say where the number comes from."),
            ),
            models.CheckConstraint(
                condition=Q(way="paper") | Q(organisation__isnull=False),
                name="tally_partner_named",
                violation_error_message=_("A partner's own number names the partner."),
            ),
            models.CheckConstraint(
                condition=Q(scan_hash__isnull=False, scan_size__isnull=False, no_scan="")
                & Q(scan_type__in=["application/pdf", "image/jpeg", "image/png"])
                | Q(scan_hash__isnull=True, scan_size__isnull=True, scan_type="", no_scan__regex=r"\S"),
                name="tally_scan_or_reason",
                violation_error_message=_("A batch has a scan, or a reason why there is none."),
            ),
            models.CheckConstraint(
                condition=Q(state="entered", checked_by__isnull=True, withdrawn_by__isnull=True)
                | Q(state="checked", checked_by__isnull=False, withdrawn_by__isnull=True)
                | Q(state="withdrawn", withdrawn_by__isnull=False, withdrawn_because__regex=r"\S"),
                name="tally_state",
            ),
            models.CheckConstraint(
                condition=Q(checked_by__isnull=True, checked_at__isnull=True)
                | Q(checked_at__isnull=False) & ~Q(checked_by=F("entered_by")),
                name="tally_four_eyes",
                violation_error_message=_("Somebody else checks it than who entered it."),
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_by__isnull=True, withdrawn_at__isnull=True)
                | Q(withdrawn_by__isnull=False, withdrawn_at__isnull=False),
                name="tally_withdrawn_when",
            ),
            models.UniqueConstraint(
                fields=["petition", "scan_hash", "country"],
                condition=~Q(state="withdrawn") & Q(scan_hash__isnull=False),
                name="tally_scan_once",
                violation_error_message=_("This scan was entered for this country before."),
            ),
        ]
        indexes = [
            # For the total of a petition.
            models.Index(
                fields=["petition"],
                include=["way", "country", "gathered_on", "number"],
                condition=Q(state="checked"),
                name="tally_counted",
            ),
            # For what waits to be checked.
            models.Index(fields=["id"], condition=Q(state="entered"), name="tally_waiting"),
        ]

    def __str__(self) -> str:
        return str(_("Batch %(number)s") % {"number": self.pk})


class TallyScan(models.Model):
    """What proves a batch. It holds the names of many people who are not on file, and goes by the rules of retention."""

    tally = models.OneToOneField(Tally, on_delete=models.CASCADE, primary_key=True, related_name="scan")
    content = models.BinaryField()

    class Meta:
        verbose_name = _("scan")
        verbose_name_plural = _("scans")

    def __str__(self) -> str:
        return str(self.pk)
