import uuid
from typing import Self

from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Petition(models.Model):
    """A demand that people sign."""

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        OPEN = "open", _("Open")
        CLOSED = "closed", _("Closed")

    slug = models.SlugField(_("slug"), unique=True, help_text=_("The last part of its address."))
    title = models.CharField(_("title"), max_length=250)
    target = models.CharField(_("target"), max_length=250, blank=True, db_default="", help_text=_("Who is to act."))
    goal = models.PositiveIntegerField(_("goal"), default=1000, help_text=_("How many signatures we aim for."))
    opens_at = models.DateTimeField(_("opens"), null=True, blank=True)
    closes_at = models.DateTimeField(_("closes"), null=True, blank=True)
    state = models.CharField(_("state"), max_length=6, choices=State, default=State.DRAFT)
    asks_postcode = models.BooleanField(
        _("ask for the postcode"), default=False, db_default=False, help_text=_("Only if the demand is a local one.")
    )
    shows_signers = models.BooleanField(
        _("show the latest signers"),
        default=True,
        db_default=True,
        help_text=_("First name and country of those who agreed to be shown."),
    )
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("petition")
        verbose_name_plural = _("petitions")
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=["draft", "open", "closed"]), name="petition_state"),
            models.CheckConstraint(condition=Q(goal__gt=0), name="petition_goal_positive"),
            models.CheckConstraint(
                condition=Q(closes_at__isnull=True) | Q(opens_at__isnull=True) | Q(closes_at__gt=F("opens_at")),
                name="petition_closes_after_opening",
                violation_error_message=_("A petition closes after it opens."),
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def is_open(self) -> bool:
        """Whether it can be signed now."""
        now = timezone.now()
        return (
            self.state == self.State.OPEN
            and not (self.opens_at and self.opens_at > now)
            and not (self.closes_at and self.closes_at <= now)
        )


class PetitionText(models.Model):
    """A petition in one language."""

    petition = models.ForeignKey(Petition, on_delete=models.CASCADE, related_name="texts", verbose_name=_("petition"))
    language = models.CharField(_("language"), max_length=12)
    title = models.CharField(_("title"), max_length=250)
    target = models.CharField(
        _("target"),
        max_length=250,
        blank=True,
        db_default="",
        help_text=_("Who is to act, as this language says it; if empty, as it stands with the petition."),
    )
    body = models.TextField(_("text"), help_text=_("Markdown."))

    class Meta:
        verbose_name = _("petition text")
        verbose_name_plural = _("petition texts")
        constraints = [models.UniqueConstraint(fields=["petition", "language"], name="petition_text_unique")]

    def __str__(self) -> str:
        return f"{self.language}: {self.title}"


class SignatureQuerySet(models.QuerySet):
    def validated(self) -> Self:
        """The ones that count."""
        return self.filter(state=Signature.State.VALIDATED)


class Signature(models.Model):
    """One person under one petition. It counts once its owner has confirmed it from the inbox."""

    class State(models.TextChoices):
        PENDING = "pending", _("Pending")
        VALIDATED = "validated", _("Validated")
        INVALIDATED = "invalidated", _("Invalidated")

    petition = models.ForeignKey(
        Petition,
        on_delete=models.PROTECT,
        db_constraint=False,  # each signature would lock the row of the petition: a trigger keeps it (0009_instead_of_keys)
        related_name="signatures",
        verbose_name=_("petition"),
    )
    supporter = models.ForeignKey(
        "supporters.Supporter",
        on_delete=models.PROTECT,
        null=True,
        db_index=False,  # signature_of_supporter begins with it
        related_name="signatures",
        verbose_name=_("supporter"),
        help_text=_(
            "Empty until the signer has confirmed, and once the person was erased: the signature still counts."
        ),
    )
    state = models.CharField(_("state"), max_length=11, choices=State, default=State.PENDING)
    country = models.CharField(_("country"), max_length=2, blank=True, db_default="")
    language = models.CharField(_("language"), max_length=12, blank=True, db_default="")
    organisation = models.ForeignKey(
        "supporters.Organisation",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        verbose_name=_("organisation"),
    )
    source_code = models.CharField(_("source code"), max_length=64, blank=True, db_default="")
    comment = models.TextField(_("comment"), blank=True, db_default="", max_length=2000)
    shown = models.BooleanField(
        _("shown"), default=False, db_default=False, help_text=_("First name and country may stand on the page.")
    )
    uuid = models.UUIDField(default=uuid.uuid4, db_default=RandomUUID(), unique=True, editable=False)
    email = models.EmailField(
        _("email"),
        max_length=254,
        null=True,
        editable=False,
        help_text=_("As typed by a signer who has yet to confirm: only then does it say who they are."),
    )
    typed = models.JSONField(
        default=dict, db_default={}, editable=False, help_text=_("What else they typed, and the words they ticked.")
    )
    doubled = models.BooleanField(
        default=False,
        db_default=False,
        editable=False,
        help_text="Of somebody who was on file twice and signed twice: it is not the one that counts.",
    )
    created_at = models.DateTimeField(_("signed"), db_default=Now())
    validated_at = models.DateTimeField(_("validated"), null=True, blank=True)
    taken_back_at = models.DateTimeField(
        _("taken back"), null=True, editable=False, help_text=_("By the signer, who may sign again.")
    )

    objects = SignatureQuerySet.as_manager()

    class Meta:
        verbose_name = _("signature")
        verbose_name_plural = _("signatures")
        permissions = [("export_signature", "Can export signatures")]
        constraints = [
            models.UniqueConstraint(
                fields=["petition", "supporter"],
                condition=Q(doubled=False),
                name="signature_once",
                violation_error_message=_("This person has signed already."),
            ),
            models.CheckConstraint(
                condition=Q(state__in=["pending", "validated", "invalidated"]), name="signature_state"
            ),
            models.CheckConstraint(condition=Q(doubled=False) | ~Q(state="validated"), name="signature_counted_once"),
            models.CheckConstraint(
                condition=~Q(state="validated") | Q(validated_at__isnull=False),
                name="signature_validated_when",
                violation_error_message=_("A validated signature says when."),
            ),
            models.CheckConstraint(
                condition=~Q(state="pending") | Q(validated_at__isnull=True),
                name="signature_pending_not_validated",
            ),
            models.CheckConstraint(
                condition=Q(taken_back_at__isnull=True) | Q(state="invalidated"), name="signature_taken_back"
            ),
            models.CheckConstraint(
                condition=Q(country="") | Q(country__regex=r"^[A-Z]{2}$"), name="signature_country_iso"
            ),
            # Somebody who signs again before confirming mends what they typed.
            models.UniqueConstraint(
                fields=["petition", "email"], condition=Q(email__isnull=False), name="signature_typed_once"
            ),
            models.CheckConstraint(
                condition=Q(email__isnull=True) | Q(state="pending", supporter__isnull=True),
                name="signature_typed_while_pending",
            ),
        ]
        indexes = [
            # For the latest signers of a petition.
            models.Index(
                F("petition"),
                F("validated_at").desc(),
                condition=Q(state="validated", shown=True, supporter__isnull=False),
                name="signature_shown",
            ),
            # For what lapses.
            models.Index(fields=["created_at"], condition=Q(email__isnull=False), name="signature_unconfirmed"),
            models.Index(fields=["supporter", "petition"], name="signature_of_supporter"),
            models.Index(fields=["-created_at", "-id"], name="signature_newest"),
            # For what came of an appeal.
            models.Index(
                fields=["source_code"], condition=Q(state="validated") & ~Q(source_code=""), name="signature_source"
            ),
            # For the counts of a petition.
            models.Index(fields=["petition"], condition=Q(state="validated"), name="signature_counted"),
        ]

    def __str__(self) -> str:
        return str(_("Signature %(number)s") % {"number": self.pk})


class SignatureCount(models.Model):
    """How many validated signatures there are of a place, a partner and a day: the sum of its rows.

    A trigger (migration 0004_signature_counts) adds a row for whatever a statement changes, in that statement's transaction, so
    that the sums are right at every moment and no row is fought over. supporters.signing.totals puts the rows together.
    """

    petition = models.ForeignKey(
        Petition, on_delete=models.CASCADE, db_constraint=False, related_name="counts", verbose_name=_("petition")
    )
    country = models.CharField(_("country"), max_length=2, blank=True)
    organisation = models.ForeignKey(
        "supporters.Organisation",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        null=True,
        related_name="+",
        verbose_name=_("organisation"),
    )
    day = models.DateField(_("day"), help_text=_("Of the confirmation, in UTC."))
    number = models.BigIntegerField(_("number"))

    class Meta:
        verbose_name = _("count of signatures")
        verbose_name_plural = _("counts of signatures")

    def __str__(self) -> str:
        return f"{self.country} {self.day}: {self.number}"
