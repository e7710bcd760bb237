import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class Mailing(models.Model):
    """An appeal in one language as Mailchimp sends it: what Mailchimp calls a campaign.

    campaigns.mailchimp.mailing owns its states.
    """

    class State(models.TextChoices):
        PLANNED = "planned", _("Being prepared")
        MADE = "made", _("Ready in Mailchimp")
        ASKED = "asked", _("Handed over")
        SCHEDULED = "scheduled", _("Scheduled in Mailchimp")
        SENDING = "sending", _("Mailchimp is sending it")
        SENT = "sent", _("Sent")
        CANCELLED = "cancelled", _("Cancelled")

    appeal = models.ForeignKey(
        "campaigns.Appeal", on_delete=models.CASCADE, related_name="mailings", verbose_name=_("appeal")
    )
    language = models.CharField(_("language"), max_length=12, choices=settings.LANGUAGES)
    uuid = models.UUIDField(
        default=uuid.uuid4, editable=False, help_text="In its title there, by which it is found again."
    )
    state = models.CharField(_("state"), max_length=9, choices=State, default=State.PLANNED, db_default=State.PLANNED)
    list_id = models.CharField(max_length=32, blank=True, default="", editable=False)
    tag_id = models.BigIntegerField(
        null=True, editable=False, help_text="Mailchimp's id of the tag of its recipients."
    )
    campaign_id = models.CharField(max_length=32, blank=True, default="", editable=False)
    asked_at = models.DateTimeField(
        null=True, editable=False, help_text="When it was last asked for what can't be asked twice."
    )
    checked = models.BooleanField(
        default=False, editable=False, help_text="Whether the recipients there were read and compared."
    )
    cursor = models.JSONField(default=dict, editable=False, help_text="How far a reading in pages has come.")
    results = models.JSONField(_("results"), default=dict, editable=False, help_text="Sums from Mailchimp's report.")
    sent_at = models.DateTimeField(_("sent"), null=True, editable=False)
    results_at = models.DateTimeField(_("results read"), null=True, editable=False)
    next_results_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("mailing")
        verbose_name_plural = _("mailings")
        ordering = ["language"]
        constraints = [
            models.UniqueConstraint(fields=["appeal", "language"], name="mailing_unique"),
            models.UniqueConstraint(fields=["uuid"], name="mailing_uuid_unique"),
            models.CheckConstraint(
                condition=Q(
                    state__in=["planned", "made", "asked", "scheduled", "sending", "sent", "cancelled"],
                ),
                name="mailing_state",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["planned", "cancelled"]) | ~Q(campaign_id=""), name="mailing_made_has_id"
            ),
        ]
        indexes = [
            # For the minute's job that reads results.
            models.Index(
                fields=["next_results_at"], condition=Q(next_results_at__isnull=False), name="mailing_results_due"
            )
        ]

    def __str__(self) -> str:
        return f"{self.language}: {self.get_state_display()}"
