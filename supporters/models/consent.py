from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Subquery
from django.db.models.expressions import Combinable
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class Purpose(models.TextChoices):
    """What somebody allowed us to do."""

    EMAIL = "email", _("News and appeals by email")
    POST = "post", _("Letters by post")
    PHONE = "phone", _("Calls and text messages")
    SIGNATURE = "signature", _("Keeping and counting a signature")
    PARTNER = "partner", _("News from a partner organisation")


class ConsentQuerySet(models.QuerySet):
    def latest_state(self, supporter: Combinable, purpose: str) -> Subquery:
        """The state that decides, as a subquery; null where nothing was ever said.

        Of two rows of one instant the more careful one decides: the states sort that way.
        """
        rows = self.filter(supporter=supporter, purpose=purpose, organisation=None)
        return Subquery(rows.order_by("-happened_at", "-state", "-pk").values("state")[:1])

    def standing_for(self, organisation: object) -> Self:
        """The grants to hear from a partner that are the last word of those who gave them."""
        later = Consent.objects.filter(
            Q(happened_at__gt=OuterRef("happened_at"))
            | Q(happened_at=OuterRef("happened_at"), state__gt=OuterRef("state"))
            | Q(happened_at=OuterRef("happened_at"), state=OuterRef("state"), pk__gt=OuterRef("pk")),
            supporter=OuterRef("supporter"),
            organisation=OuterRef("organisation"),
            purpose=Purpose.PARTNER,
        )
        granted = self.filter(purpose=Purpose.PARTNER, organisation=organisation, state=Consent.State.GRANTED)
        return granted.filter(~Exists(later))


class Consent(models.Model):
    """One line of the consent ledger. Lines are added, never changed; only erasure takes them away.

    A trigger (migration 0003_triggers) holds to that and never lets happened_at lie in the future.
    """

    class State(models.TextChoices):
        REQUESTED = "requested", _("Requested")
        GRANTED = "granted", _("Granted")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    class Method(models.TextChoices):
        FORM = "form", _("A form on our pages")
        CONFIRMED = "confirmed", _("Confirmed from the inbox")
        IMPORT = "import", _("An imported file")
        STAFF = "staff", _("Entered by staff")
        LINK = "link", _("The unsubscribe page")
        ONE_CLICK = "one_click", _("The mail program's unsubscribe button")
        MAILCHIMP = "mailchimp", _("Mailchimp")
        BOUNCE = "bounce", _("A bounced message")
        COMPLAINT = "complaint", _("A spam complaint")
        MERGE = "merge", _("Two records that were merged")

    supporter = models.ForeignKey(
        "supporters.Supporter",
        on_delete=models.PROTECT,
        related_name="consents",
        db_index=False,  # consent_latest begins with it
        verbose_name=_("supporter"),
    )
    purpose = models.CharField(_("purpose"), max_length=20, choices=Purpose)
    organisation = models.ForeignKey(
        "supporters.Organisation",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        verbose_name=_("partner"),
        help_text=_("The partner who may write; empty means ourselves."),
    )
    state = models.CharField(_("state"), max_length=10, choices=State)
    wording = models.TextField(_("wording"), blank=True, db_default="", help_text=_("The words the person saw."))
    wording_version = models.CharField(_("version of the wording"), max_length=64, blank=True, db_default="")
    language = models.CharField(_("language"), max_length=12, blank=True, db_default="")
    method = models.CharField(_("how"), max_length=10, choices=Method)
    source = models.CharField(
        _("source"),
        max_length=250,
        blank=True,
        db_default="",
        help_text=_("The page, file or message it came from."),
    )
    happened_at = models.DateTimeField(_("when"), db_default=Now())
    recorded_at = models.DateTimeField(_("recorded"), db_default=Now(), editable=False)
    address_hash = models.BinaryField(
        null=True, editable=False, help_text=_("Salted hash of the network address it came from.")
    )
    import_run = models.ForeignKey(
        "supporters.ImportRun",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        db_constraint=False,  # runs are kept for good, and looking one up for each line is a twentieth of an import
        related_name="+",
    )
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        db_index=False,
        related_name="+",
    )

    objects = ConsentQuerySet.as_manager()

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["requested", "granted", "withdrawn"]), name="consent_state"
            ),
            models.CheckConstraint(
                condition=Q(purpose__in=["email", "post", "phone", "signature", "partner"]),
                name="consent_purpose",
            ),
            models.CheckConstraint(
                condition=Q(
                    method__in=[
                        "form",
                        "confirmed",
                        "import",
                        "staff",
                        "link",
                        "one_click",
                        "mailchimp",
                        "bounce",
                        "complaint",
                        "merge",
                    ]
                ),
                name="consent_method",
            ),
            models.CheckConstraint(
                condition=~Q(state="granted") | Q(wording__regex=r"\S"),
                name="consent_grant_shows_wording",
                violation_error_message=_("A grant needs the words that the person agreed to."),
            ),
            models.CheckConstraint(
                condition=Q(purpose="partner", organisation__isnull=False)
                | (~Q(purpose="partner") & Q(organisation__isnull=True)),
                name="consent_partner_named",
                violation_error_message=_("Only a consent to hear from a partner names one."),
            ),
        ]
        indexes = [
            # For the list of those who left.
            models.Index(
                fields=["supporter"], name="consent_withdrawn", condition=Q(purpose="email", state="withdrawn")
            ),
            # For latest_state: the claim of a sending, the refresh of a segment.
            models.Index(
                F("supporter"),
                F("purpose"),
                F("happened_at").desc(),
                F("state").desc(),
                F("id").desc(),
                F("organisation"),
                name="consent_latest",
            ),
            # For whom a partner may write to: the grants, the newest first, and whether anything came after.
            models.Index(
                fields=["organisation", "-id"],
                name="consent_to_partner",
                condition=Q(purpose="partner", state="granted"),
            ),
            models.Index(
                F("organisation"),
                F("supporter"),
                F("happened_at").desc(),
                F("state").desc(),
                F("id").desc(),
                name="consent_of_partner",
                condition=Q(purpose="partner"),
            ),
            models.Index(fields=["recorded_by"], name="consent_by", condition=Q(recorded_by__isnull=False)),
            # For who left through the message of an appeal.
            models.Index(fields=["source"], condition=Q(state="withdrawn") & ~Q(source=""), name="consent_left"),
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()}: {self.get_state_display()}"


class Suppression(models.Model):
    """An address that is not written to, kept as a hash so that it can outlive the person's erasure."""

    class Reason(models.TextChoices):
        LEFT = "left", _("Left")
        HARD_BOUNCE = "hard_bounce", _("Hard bounce")
        COMPLAINT = "complaint", _("Spam complaint")
        ERASED = "erased", _("Erased")
        BY_HAND = "by_hand", _("By hand")
        NEVER = "never", _("Never again, by their own word")

    email_hash = models.BinaryField(editable=False)
    reason = models.CharField(_("reason"), max_length=12, choices=Reason)
    created_at = models.DateTimeField(_("since"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("suppression")
        verbose_name_plural = _("suppressions")
        constraints = [
            models.UniqueConstraint(fields=["email_hash", "reason"], name="suppression_unique"),
            models.CheckConstraint(
                condition=Q(reason__in=["left", "hard_bounce", "complaint", "erased", "by_hand", "never"]),
                name="suppression_reason",
            ),
        ]

    def __str__(self) -> str:
        return self.get_reason_display()
