from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from campaigns.mail.returns.words import MEANINGS


class ReturnedMessage(models.Model):
    """Something that came back, stored before it is acted on: a message, or what a provider told us.

    campaigns.mail.returns owns what becomes of it.
    """

    class Channel(models.TextChoices):
        MAILBOX = "mailbox", _("Mailbox")
        PIPE = "pipe", _("Piped message")
        PROVIDER = "provider", _("Mail provider")

    channel = models.CharField(_("came by"), max_length=8, choices=Channel)
    provider = models.CharField(_("provider"), max_length=32, blank=True, db_default="")
    digest = models.BinaryField(editable=False, help_text="Of what came: the same thing twice is kept once.")
    raw = models.BinaryField(null=True, editable=False, help_text="The message, until it is forgotten.")
    event = models.JSONField(null=True, editable=False, help_text="What the provider told, in anymail's words.")
    received_at = models.DateTimeField(_("received"), db_default=Now(), editable=False)
    applied_at = models.DateTimeField(_("applied"), null=True, editable=False)
    error = models.CharField(_("error"), max_length=250, blank=True, db_default="")

    class Meta:
        verbose_name = _("returned message")
        verbose_name_plural = _("returned messages")
        constraints = [
            models.UniqueConstraint(fields=["digest"], name="returned_message_unique"),
            models.CheckConstraint(
                condition=Q(channel__in=["mailbox", "pipe", "provider"]), name="returned_message_channel"
            ),
        ]
        indexes = [
            # For the worker, and for the nightly forgetting.
            models.Index(fields=["id"], condition=Q(applied_at__isnull=True), name="returned_message_owed"),
            models.Index(
                fields=["received_at"],
                condition=Q(raw__isnull=False) | Q(event__isnull=False),
                name="returned_message_kept",
            ),
        ]

    def __str__(self) -> str:
        return self.get_channel_display()


class Return(models.Model):
    """What one returned message means for one address, and what was done about it."""

    class Kind(models.TextChoices):
        HARD = "hard", _("Bounced for good")
        SOFT = "soft", _("Bounced for now")
        COMPLAINT = "complaint", _("Spam complaint")
        OPT_OUT = "opt_out", _("Wish to leave")
        ALERT = "alert", _("Failed authentication")
        DELAYED = "delayed", _("Delayed")
        OTHER = "other", _("Nothing to do")

    class Match(models.TextChoices):
        VERP = "verp", _("Address it came back to")
        MESSAGE_ID = "message_id", _("Message number")
        PROVIDER = "provider", _("Provider's word")
        ADDRESS = "address", _("Address only")
        NONE = "", _("Not matched")

    class Done(models.TextChoices):
        SUPPRESSED = "suppressed", _("No more mail to this address")
        NOTED = "noted", _("Noted on the delivery")
        LOOK = "look", _("Waits for a person")
        DISMISSED = "dismissed", _("Looked at, nothing done")
        NOTHING = "nothing", _("Nothing")

    message = models.ForeignKey(
        ReturnedMessage, on_delete=models.CASCADE, related_name="returns", verbose_name=_("message")
    )
    kind = models.CharField(_("what"), max_length=9, choices=Kind)
    reason = models.CharField(
        _("reason"), max_length=16, choices=[(reason.value, meaning) for reason, meaning in MEANINGS.items()]
    )
    status = models.CharField(_("status code"), max_length=12, blank=True, db_default="")
    said = models.CharField(_("the server's words"), max_length=500, blank=True, db_default="")
    address = models.CharField(_("address"), max_length=320, blank=True, db_default="")
    supporter = models.ForeignKey(
        "supporters.Supporter",
        on_delete=models.SET_NULL,
        null=True,
        related_name="returns",
        verbose_name=_("supporter"),
    )
    delivery = models.ForeignKey(
        "campaigns.Delivery", on_delete=models.CASCADE, null=True, related_name="returns", verbose_name=_("delivery")
    )
    match = models.CharField(_("matched by"), max_length=10, choices=Match, blank=True, db_default="")
    done = models.CharField(_("done"), max_length=10, choices=Done, db_default=Done.NOTHING)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("settled by"),
    )
    happened_at = models.DateTimeField(_("when"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("return")
        verbose_name_plural = _("returns")
        permissions = [("settle_return", _("Can decide on returns that wait for a person"))]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["hard", "soft", "complaint", "opt_out", "alert", "delayed", "other"]),
                name="return_kind",
            ),
            models.CheckConstraint(
                condition=Q(match__in=["verp", "message_id", "provider", "address", ""]), name="return_match"
            ),
            models.CheckConstraint(
                condition=Q(done__in=["suppressed", "noted", "look", "dismissed", "nothing"]), name="return_done"
            ),
            # Who is suppressed on somebody's word is known for sure, or was looked at by a person.
            models.CheckConstraint(
                condition=~Q(done="suppressed")
                | Q(match__in=["verp", "message_id", "provider"])
                | Q(settled_by__isnull=False),
                name="return_suppressed_for_sure",
            ),
        ]
        indexes = [
            # For a person's timeline and erasure, for the list, and for what waits.
            models.Index(F("supporter"), F("happened_at").desc(), name="return_of_supporter"),
            models.Index(fields=["address"], name="return_address"),
            models.Index(fields=["-happened_at"], name="return_newest"),
            models.Index(fields=["id"], condition=Q(done="look"), name="return_waiting"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.get_reason_display()}"
