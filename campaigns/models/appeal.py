import uuid

from django.conf import settings
from django.contrib.postgres.functions import RandomUUID
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower, Now
from django.utils.translation import gettext_lazy as _

from supporters.models import Purpose


class Appeal(models.Model):
    """One ask by email to one segment, in as many languages as it has texts.

    campaigns.appeals owns its states.
    """

    class Channel(models.TextChoices):
        MAIL = "mail", _("Our own mail")
        MAILCHIMP = "mailchimp", _("Mailchimp")

    class TestBy(models.TextChoices):
        CLICKS = "clicks", _("Clicks")
        GIFTS = "gifts", _("Gifts")

    class Verdict(models.TextChoices):
        BETTER = "better", _("It did best.")
        EVEN = "even", _("Several did equally well, and it is the first of them.")
        TOO_FEW = "too_few", _("Too few reacted to tell them apart, so A it was.")
        BY_HAND = "by_hand", _("It was chosen by hand.")

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        SCHEDULED = "scheduled", _("Scheduled")
        SENDING = "sending", _("Sending")
        PAUSED = "paused", _("Paused")
        SENT = "sent", _("Sent")
        CANCELLED = "cancelled", _("Cancelled")

    name = models.CharField(_("name"), max_length=200, help_text=_("For staff; supporters don't see it."))
    campaign = models.ForeignKey(
        "campaigns.Campaign",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="appeals",
        verbose_name=_("campaign"),
    )
    segment = models.ForeignKey(
        "campaigns.Segment", on_delete=models.PROTECT, related_name="appeals", verbose_name=_("segment")
    )
    channel = models.CharField(_("channel"), max_length=9, choices=Channel, default=Channel.MAIL)
    audience = models.ForeignKey(
        "campaigns.Audience",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="appeals",
        verbose_name=_("audience in Mailchimp"),
        help_text=_("For the channel Mailchimp: the audience that the segment goes to."),
    )
    purpose = models.CharField(_("purpose"), max_length=20, choices=Purpose, default=Purpose.EMAIL, editable=False)
    source_code = models.SlugField(_("source code"), max_length=64, help_text=_("Marks what this appeal brings in."))
    default_language = models.CharField(
        _("main language"),
        max_length=12,
        choices=settings.LANGUAGES,
        default="en",
        help_text=_("Translations follow this text, and it goes to people whose language has none."),
    )
    sender_name = models.CharField(_("sender's name"), max_length=120)
    sender_email = models.EmailField(_("sender's address"))
    reply_to = models.EmailField(_("replies to"), blank=True, default="")
    count_clicks = models.BooleanField(
        _("count clicks"),
        default=True,
        help_text=_(
            "Links lead through this site, which counts them. Without it they lead straight to their targets."
        ),
    )
    test_share = models.PositiveSmallIntegerField(
        _("share of the test, in %"),
        default=20,
        validators=[MinValueValidator(1), MaxValueValidator(90)],
        help_text=_("So many of the readers get one of the variants at once; the others wait for the best."),
    )
    test_hours = models.PositiveSmallIntegerField(
        _("hours of the test"),
        default=4,
        validators=[MinValueValidator(1), MaxValueValidator(168)],
        help_text=_("After which the best goes to those who wait."),
    )
    test_by = models.CharField(_("best by"), max_length=6, choices=TestBy, default=TestBy.CLICKS)
    winner = models.CharField(max_length=1, blank=True, default="", editable=False)
    verdict = models.CharField(max_length=7, choices=Verdict, blank=True, default="", editable=False)
    decided_at = models.DateTimeField(null=True, editable=False)
    counted_at = models.DateTimeField(_("results counted"), null=True, editable=False)
    clicks_forgotten_at = models.DateTimeField(
        null=True, editable=False, help_text="Since when only the sums are kept."
    )
    scheduled_at = models.DateTimeField(_("goes out"), null=True, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=64, default="Europe/Stockholm")
    hours_from = models.TimeField(
        _("not before"),
        null=True,
        blank=True,
        help_text=_("Of the day where each person lives. Empty: at any hour."),
    )
    hours_until = models.TimeField(_("not after"), null=True, blank=True)
    state = models.CharField(_("state"), max_length=9, choices=State, default=State.DRAFT, editable=False)
    pause_reason = models.CharField(max_length=250, blank=True, default="", editable=False)
    send_anyway = models.BooleanField(
        default=False, editable=False, help_text="Staff know of missing or outdated translations."
    )
    trouble = models.CharField(
        max_length=400, blank=True, default="", editable=False, help_text="Why nothing goes out just now."
    )
    trouble_since = models.DateTimeField(null=True, editable=False)
    retry_at = models.DateTimeField(
        null=True, editable=False, help_text="Nobody tries again before, while there is trouble."
    )
    recipients = models.BigIntegerField(_("recipients"), null=True, editable=False)
    launched_at = models.DateTimeField(_("launched"), null=True, editable=False)
    finished_at = models.DateTimeField(_("finished"), null=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
    )
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("appeal")
        verbose_name_plural = _("appeals")
        ordering = ["-created_at"]
        permissions = [("schedule_appeal", _("Can schedule and send appeals"))]
        constraints = [
            models.UniqueConstraint(
                Lower("source_code"),
                name="appeal_source_unique",
                violation_error_message=_("This source code is taken."),
            ),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "scheduled", "sending", "paused", "sent", "cancelled"]),
                name="appeal_state",
            ),
            models.CheckConstraint(
                condition=Q(test_share__range=(1, 90), test_hours__range=(1, 168), test_by__in=["clicks", "gifts"]),
                name="appeal_test",
                violation_error_message=_("A test takes 1 to 90 % and 1 to 168 hours."),
            ),
            models.CheckConstraint(condition=Q(winner__in=["", *"ABCD"]), name="appeal_winner"),
            models.CheckConstraint(condition=Q(channel__in=["mail", "mailchimp"]), name="appeal_channel"),
            models.CheckConstraint(
                condition=~Q(channel="mailchimp") | Q(audience__isnull=False),
                name="appeal_mailchimp_audience",
                violation_error_message=_("For the channel Mailchimp, choose an audience there."),
            ),
            models.CheckConstraint(
                condition=~Q(state="scheduled") | Q(scheduled_at__isnull=False),
                name="appeal_scheduled_when",
                violation_error_message=_("A scheduled appeal says when it goes out."),
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["sending", "sent"]) | Q(launched_at__isnull=False),
                name="appeal_sending_launched",
            ),
            models.CheckConstraint(
                condition=Q(hours_from__isnull=True, hours_until__isnull=True)
                | Q(hours_from__isnull=False, hours_until__isnull=False, hours_from__lt=F("hours_until")),
                name="appeal_hours",
                violation_error_message=_("Sending hours begin before they end, on the same day."),
            ),
        ]
        indexes = [
            # For the tick: what is due, and what is still going out.
            models.Index(fields=["scheduled_at"], condition=Q(state="scheduled"), name="appeal_due"),
            models.Index(fields=["id"], condition=Q(state="sending"), name="appeal_sending"),
        ]

    def __str__(self) -> str:
        return self.name


class AppealText(models.Model):
    """An appeal in one language.

    `revision` counts the changes of the main text; a translation says which revision of it it follows, and is
    outdated when the main text has moved on.
    """

    appeal = models.ForeignKey(Appeal, on_delete=models.CASCADE, related_name="texts", verbose_name=_("appeal"))
    language = models.CharField(_("language"), max_length=12, choices=settings.LANGUAGES)
    subject = models.CharField(_("subject"), max_length=200)
    preheader = models.CharField(
        _("preview line"),
        max_length=200,
        blank=True,
        default="",
        help_text=_("What the inbox shows beside the subject."),
    )
    body = models.TextField(_("text"), help_text=_("Markdown, with merge fields such as {{ first_name }}."))
    revision = models.PositiveIntegerField(default=1, editable=False)
    follows = models.PositiveIntegerField(
        default=1, editable=False, help_text="Revision of the main text it translates."
    )
    updated_at = models.DateTimeField(_("changed"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("text")
        verbose_name_plural = _("texts")
        constraints = [
            models.UniqueConstraint(
                fields=["appeal", "language"],
                name="appeal_text_unique",
                violation_error_message=_("This appeal has a text in that language."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.language}: {self.subject}"


class Claim(models.Model):
    """A worker's hold on deliveries of one appeal, and where its journal lies. campaigns.appeals.recovery ends it.

    Deliveries carry its number. It is gone once everything it held is settled.
    """

    appeal = models.ForeignKey(Appeal, on_delete=models.CASCADE, related_name="claims", verbose_name=_("appeal"))
    place = models.CharField(max_length=32, help_text="The folder of journals on the worker's machine.")
    journal = models.CharField(max_length=32, help_text="The file in it.")
    boot = models.CharField(
        max_length=36, help_text="The running of that machine; another one since, and it crashed."
    )
    taken_at = models.DateTimeField(db_default=Now())
    given_up_at = models.DateTimeField(null=True, help_text="Its machine did not come back in time.")

    class Meta:
        verbose_name = _("claim")
        verbose_name_plural = _("claims")

    def __str__(self) -> str:
        return f"{self.pk}"


class Delivery(models.Model):
    """One appeal to one supporter: the ledger that makes a second sending impossible.

    No address is kept here: it is read from the supporter at the moment of sending.
    """

    class State(models.TextChoices):
        HELD = "held", _("Waiting for the test")
        QUEUED = "queued", _("Waiting")
        SENDING = "sending", _("Being sent")
        SENT = "sent", _("Sent")
        BOUNCED = "bounced", _("Bounced")
        COMPLAINED = "complained", _("Complained")
        FAILED = "failed", _("Failed")
        SKIPPED = "skipped", _("Skipped")
        UNKNOWN = "unknown", _("Not known")

    uuid = models.UUIDField(default=uuid.uuid4, db_default=RandomUUID(), editable=False)
    # Each index costs every sending; those below serve both keys.
    appeal = models.ForeignKey(
        Appeal, on_delete=models.PROTECT, related_name="deliveries", db_index=False, verbose_name=_("appeal")
    )
    supporter = models.ForeignKey(
        "supporters.Supporter",
        on_delete=models.PROTECT,
        null=True,
        related_name="deliveries",
        db_index=False,
        verbose_name=_("supporter"),
    )
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.QUEUED, db_default=State.QUEUED)
    language = models.CharField(_("language"), max_length=12, db_default="")
    variant = models.CharField(
        _("variant"), max_length=1, blank=True, db_default="", editable=False, help_text="campaigns.appeals.variants."
    )
    receiver = models.CharField(
        max_length=253,
        db_default="",
        editable=False,
        help_text="The mark of who takes this mail: campaigns.mail.pacing.",
    )
    claim = models.BigIntegerField(null=True, editable=False, help_text="The claim that holds it: campaigns.appeals.")
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0, db_default=0)
    doubled = models.BooleanField(
        default=False,
        db_default=False,
        editable=False,
        help_text="Of somebody who was on file twice and had another one: nothing more is sent by it.",
    )
    not_before = models.DateTimeField(db_default=Now(), editable=False, help_text="It is owed from then on.")
    reason = models.CharField(
        _("reason"),
        max_length=250,
        blank=True,
        db_default="",
        help_text=_("Why it was not sent, or what came back."),
    )
    sent_at = models.DateTimeField(_("sent"), null=True)
    updated_at = models.DateTimeField(_("changed"), db_default=Now())

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        constraints = [
            models.UniqueConstraint(fields=["appeal", "supporter"], condition=Q(doubled=False), name="delivery_once"),
            models.UniqueConstraint(fields=["uuid"], name="delivery_uuid_unique"),
            models.CheckConstraint(
                condition=Q(
                    state__in=[
                        "held",
                        "queued",
                        "sending",
                        "sent",
                        "bounced",
                        "complained",
                        "failed",
                        "skipped",
                        "unknown",
                    ]
                ),
                name="delivery_state",
            ),
            models.CheckConstraint(
                condition=~Q(state="sending") | Q(claim__isnull=False), name="delivery_sending_claimed"
            ),
        ]
        indexes = [
            # For the workers: what is owed, what somebody holds.
            models.Index(
                fields=["appeal", "receiver", "not_before", "id"],
                condition=Q(state="queued"),
                name="delivery_queued",
            ),
            models.Index(fields=["claim"], condition=Q(claim__isnull=False), name="delivery_claimed"),
            # For an appeal's page and a person's.
            models.Index(fields=["appeal", "state"], name="delivery_outcome"),
            models.Index(F("supporter"), F("sent_at").desc(), name="delivery_of_supporter"),
        ]

    def __str__(self) -> str:
        return self.get_state_display()
