from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from supporters.models import Purpose


class Audience(models.Model):
    """A Mailchimp list that we keep in step with some of our segments.

    campaigns.mailchimp does the work: push.py and pull.py.
    """

    name = models.CharField(_("name"), max_length=200)
    list_id = models.CharField(
        _("list id"), max_length=32, unique=True, help_text=_("Mailchimp: Audience, Settings, Audience ID.")
    )
    segments = models.ManyToManyField(
        "campaigns.Segment",
        through="campaigns.AudienceSegment",
        related_name="audiences",
        verbose_name=_("segments"),
    )
    purpose = models.CharField(_("purpose"), max_length=20, choices=Purpose, default=Purpose.EMAIL, editable=False)
    merge_fields = models.JSONField(
        _("merge fields"), default=dict, blank=True, help_text=_("Mailchimp's merge tag to our field.")
    )
    groups = models.JSONField(
        default=dict,
        editable=False,
        help_text="What Mailchimp asks people to choose, to our purpose: i:… an interest, p:… a marketing permission.",
    )
    merge_types = models.JSONField(
        default=dict, editable=False, help_text="Of Mailchimp's merge tags, as it described them last."
    )
    made_tags = models.JSONField(
        default=list,
        editable=False,
        help_text="Ids of all tags there that were ever ours, those too whose segment was taken out since.",
    )
    takes_edits = models.BooleanField(
        _("take changes made in Mailchimp"),
        default=True,
        help_text=_(
            "A name, language or address that is changed in Mailchimp, and only there, changes here too. "
            "Otherwise ours is put back."
        ),
    )
    paused = models.BooleanField(_("paused"), default=False)
    archives = models.BooleanField(
        _("archive who is in no segment any more"),
        default=False,
        db_default=False,
        help_text=_(
            "Otherwise they only lose their tags and stay subscribed. Mailchimp does not bill for archived ones."
        ),
    )
    most_taken = models.PositiveSmallIntegerField(
        _("largest share taken away unasked"),
        default=10,
        db_default=10,
        help_text=_(
            "Per cent. A sync that would untag, archive or unsubscribe more, other than those who left, asks first."
        ),
    )
    signup_url = models.CharField(max_length=300, blank=True, default="", db_default="", editable=False)
    alarmed_at = models.DateTimeField(
        null=True, editable=False, help_text="When staff were told that it has failed for a day."
    )
    sync_requested_at = models.DateTimeField(null=True, editable=False)
    pull_requested_at = models.DateTimeField(
        null=True, editable=False, help_text="Since when Mailchimp has had something to tell that is not read yet."
    )
    changed_since = models.DateTimeField(
        null=True,
        editable=False,
        help_text="How far the read of Mailchimp's own changes has come, by its clock.",
    )
    place = models.JSONField(
        default=dict,
        editable=False,
        help_text="Where a read that was cut short goes on (campaigns.mailchimp.reading).",
    )
    preview = models.JSONField(
        null=True,
        editable=False,
        help_text="What a sync would do, as a worker last found it (campaigns.mailchimp.plan).",
    )
    preview_requested_at = models.DateTimeField(null=True, editable=False)
    webhook_id = models.CharField(max_length=32, blank=True, default="", editable=False)
    webhook_token = models.CharField(max_length=64, blank=True, default="", editable=False)
    webhook_secret = models.CharField(max_length=128, blank=True, default="", editable=False)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("audience")
        verbose_name_plural = _("audiences")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def under_way(self) -> int:
        """Members about whom Mailchimp was handed a call that it has not answered yet."""
        return AudienceMember.objects.filter(handed_in__in=self.handed_in.values("pk")).count()


class AudienceSegment(models.Model):
    """A segment that an audience shows as a tag."""

    audience = models.ForeignKey(Audience, on_delete=models.CASCADE, related_name="links")
    segment = models.ForeignKey(
        "campaigns.Segment", on_delete=models.PROTECT, related_name="links", verbose_name=_("segment")
    )
    tag_id = models.BigIntegerField(
        null=True, editable=False, help_text="Mailchimp's id of the tag (static segment)."
    )

    class Meta:
        verbose_name = _("segment")
        verbose_name_plural = _("segments")
        constraints = [models.UniqueConstraint(fields=["audience", "segment"], name="audience_segment_unique")]

    def __str__(self) -> str:
        return str(self.segment)


class AudienceMember(models.Model):
    """What an audience holds for one address, as far as we know: the shadow that a sync is compared with."""

    class Status(models.TextChoices):
        SUBSCRIBED = "subscribed", _("Subscribed")
        UNSUBSCRIBED = "unsubscribed", _("Unsubscribed")
        CLEANED = "cleaned", _("Cleaned")
        PENDING = "pending", _("Pending")
        ARCHIVED = "archived", _("Archived")
        TRANSACTIONAL = "transactional", _("Transactional")
        FORGOTTEN = "forgotten", _("Deleted for good")
        NONE = "", _("Not there")

    # Without indexes of their own: the unique ones serve both, and each index more is work for every member of a first sync. So is
    # each foreign key; the writer of many (campaigns.mailchimp.newcomers) holds on to the audience with one lock instead.
    audience = models.ForeignKey(
        Audience,
        on_delete=models.CASCADE,
        related_name="members",
        verbose_name=_("audience"),
        db_index=False,
        db_constraint=False,
    )
    supporter = models.ForeignKey(
        "supporters.Supporter",
        on_delete=models.SET_NULL,
        null=True,
        related_name="memberships",
        verbose_name=_("supporter"),
        db_index=False,
        help_text=_("Empty for members that others added, and once the person was erased."),
    )
    retired_from = models.ForeignKey(
        "supporters.Supporter",
        on_delete=models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
        db_index=False,
        help_text="Whose other address this is, who has a member of their own: it is to be archived there.",
    )
    subscriber_hash = models.CharField(
        max_length=32, help_text="MD5 of the address in lower case: Mailchimp's id of a member."
    )
    moving_to = models.CharField(
        max_length=32,
        blank=True,
        db_default="",
        help_text="The id they may have by now: they were given a new address, and no answer came.",
    )
    handed_in = models.ForeignKey(
        "campaigns.HandedIn",
        on_delete=models.SET_NULL,
        null=True,
        editable=False,
        related_name="members",
        db_index=False,
        db_constraint=False,
        help_text="Among which calls one about them is under way: nothing is done with them meanwhile, unless they leave or are erased.",
    )
    sent = models.JSONField(
        null=True, editable=False, help_text="What that call says of them: fields, language and the digest."
    )
    status = models.CharField(_("status"), max_length=13, choices=Status, blank=True, db_default="")
    status_at = models.DateTimeField(
        db_default=Now(), editable=False, help_text="When we learnt of the status, by our clock."
    )
    leaving_applied = models.BooleanField(
        default=False,
        db_default=False,
        editable=False,
        help_text="Whether it being unsubscribed or cleaned holds here too.",
    )
    left_at = models.DateTimeField(
        null=True, editable=False, help_text="The last leaving there that was applied here, by Mailchimp's clock."
    )
    contact = models.CharField(
        max_length=32, blank=True, db_default="", editable=False, help_text="Stays the same when the address changes."
    )
    digest = models.BinaryField(null=True, editable=False, help_text="Of the fields last sent.")
    agreed = models.JSONField(
        null=True,
        editable=False,
        help_text="What both sides had last, by merge tag: the base of a three-way merge (campaigns.mailchimp.merging).",
    )
    tags = models.JSONField(
        default=list,
        db_default=models.Value([], models.JSONField()),
        help_text="Tag ids of ours it has there.",
    )
    ours = models.BooleanField(default=True, db_default=True, help_text="Whether we added it.")
    archived_by_us = models.BooleanField(default=False, db_default=False)
    asked_back_at = models.DateTimeField(null=True, help_text="When Mailchimp was last told to ask them to confirm.")
    to_delete = models.BooleanField(default=False, db_default=False, help_text="Erased here: owed a deletion there.")
    refusal = models.CharField(_("refused because"), max_length=500, blank=True, db_default="")
    refused_at = models.DateTimeField(_("refused"), null=True)
    permissions = models.JSONField(null=True, editable=False, help_text="The marketing permissions it has there.")
    note = models.CharField(
        _("note"),
        max_length=500,
        blank=True,
        db_default="",
        help_text=_("What was decided when both sides differed."),
    )
    differs = models.JSONField(
        _("differs"),
        default=list,
        db_default=models.Value([], models.JSONField()),
        help_text=_("What the last full comparison found to be different there."),
    )
    seen_in = models.BigIntegerField(
        null=True, editable=False, help_text="The last full comparison that met it there."
    )
    last_changed = models.DateTimeField(_("changed there"), null=True)
    updated_at = models.DateTimeField(_("synced"), db_default=Now())

    class Meta:
        verbose_name = _("audience member")
        verbose_name_plural = _("audience members")
        constraints = [
            models.UniqueConstraint(fields=["audience", "subscriber_hash"], name="audience_member_unique"),
            models.UniqueConstraint(fields=["supporter", "audience"], name="audience_member_once"),
            models.CheckConstraint(
                condition=Q(
                    status__in=[
                        "",
                        "subscribed",
                        "unsubscribed",
                        "cleaned",
                        "pending",
                        "archived",
                        "transactional",
                        "forgotten",
                    ]
                ),
                name="audience_member_status",
            ),
        ]
        indexes = [
            models.Index(fields=["audience", "id"], condition=Q(to_delete=True), name="audience_member_to_delete"),
            models.Index(fields=["audience", "id"], condition=~Q(refusal=""), name="audience_member_refused"),
            models.Index(
                fields=["retired_from"], condition=Q(retired_from__isnull=False), name="audience_member_retired"
            ),
            # For a page of the read: who has got another address there.
            models.Index(fields=["audience", "contact"], condition=~Q(contact=""), name="audience_member_contact"),
            models.Index(fields=["audience", "id"], condition=~Q(differs=[]), name="audience_member_differs"),
            models.Index(
                fields=["handed_in"], condition=Q(handed_in__isnull=False), name="audience_member_handed_in"
            ),
        ]

    def __str__(self) -> str:
        return self.get_status_display()


class Addition(models.Model):
    """Newcomers in one call that is about to be made, or whose answer is not written down yet.

    One row for the whole call stands for as many shadows (campaigns.mailchimp.newcomers), so that each of them is written once.
    """

    audience = models.ForeignKey(Audience, on_delete=models.CASCADE, related_name="additions")
    supporters = ArrayField(models.BigIntegerField())
    hashes = ArrayField(models.CharField(max_length=32), help_text="Mailchimp's ids of these, in the same order.")

    class Meta:
        verbose_name = _("addition under way")
        verbose_name_plural = _("additions under way")

    def __str__(self) -> str:
        return str(self.audience)


class HandedIn(models.Model):
    """Calls about single members that Mailchimp works off by and by, and has not answered yet (campaigns.mailchimp.bulk)."""

    audience = models.ForeignKey(Audience, on_delete=models.CASCADE, related_name="handed_in")
    kind = models.CharField(max_length=10, help_text="What they do, such as “archive”.")
    batch = models.CharField(
        max_length=64,
        blank=True,
        db_default="",
        help_text="Mailchimp's id; empty until it is known that it has them.",
    )
    handed_in_at = models.DateTimeField(db_default=Now())
    look_at = models.DateTimeField(db_default=Now(), help_text="When it is asked again whether they are done.")

    class Meta:
        verbose_name = _("calls under way")
        verbose_name_plural = _("calls under way")

    def __str__(self) -> str:
        return self.kind


class SyncRun(models.Model):
    """What one run of a sync did."""

    class Kind(models.TextChoices):
        PUSH = "push", _("To Mailchimp")
        PULL = "pull", _("From Mailchimp")
        COMPARE = "compare", _("Full comparison")

    class State(models.TextChoices):
        RUNNING = "running", _("Running")
        HELD = "held", _("Asks first")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    audience = models.ForeignKey(Audience, on_delete=models.CASCADE, related_name="runs", verbose_name=_("audience"))
    kind = models.CharField(_("direction"), max_length=7, choices=Kind)
    state = models.CharField(_("state"), max_length=7, choices=State, default=State.RUNNING)
    counts = models.JSONField(_("did"), default=dict)
    error = models.TextField(_("error"), blank=True, default="")
    takes = models.PositiveIntegerField(null=True, editable=False, help_text="How many it would take away.")
    approved = models.PositiveIntegerField(null=True, editable=False, help_text="How many staff let it take away.")
    started_at = models.DateTimeField(_("started"), db_default=Now(), editable=False)
    worked_at = models.DateTimeField(db_default=Now(), editable=False, help_text="When a worker last took it up.")
    finished_at = models.DateTimeField(_("finished"), null=True, editable=False)

    class Meta:
        verbose_name = _("sync")
        verbose_name_plural = _("syncs")
        ordering = ["-started_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["running", "held", "done", "failed"]), name="sync_run_state"
            ),
            models.CheckConstraint(condition=Q(kind__in=["push", "pull", "compare"]), name="sync_run_kind"),
        ]
        indexes = [models.Index(fields=["audience", "-started_at"], name="sync_run_newest")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {self.get_state_display()}"

    def count(self, **did: int) -> None:
        """Add to what it did; not yet written down."""
        for name, number in did.items():
            if number:
                self.counts[name] = self.counts.get(name, 0) + number


class WebhookEvent(models.Model):
    """Something Mailchimp told us, stored before it is acted on."""

    audience = models.ForeignKey(
        Audience, on_delete=models.CASCADE, related_name="events", verbose_name=_("audience")
    )
    kind = models.CharField(_("type"), max_length=32)
    data = models.JSONField(default=dict)
    digest = models.BinaryField(null=True, editable=False, help_text="Of the message: told twice, it is kept once.")
    received_at = models.DateTimeField(_("received"), db_default=Now(), editable=False)
    applied_at = models.DateTimeField(_("applied"), null=True, editable=False)
    error = models.TextField(_("error"), blank=True, default="")

    class Meta:
        verbose_name = _("webhook event")
        verbose_name_plural = _("webhook events")
        constraints = [models.UniqueConstraint(fields=["audience", "digest"], name="webhook_event_once")]
        indexes = [models.Index(fields=["id"], condition=Q(applied_at__isnull=True), name="webhook_event_owed")]

    def __str__(self) -> str:
        return self.kind
