from functools import reduce
from operator import or_

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

ABOUT = {
    "signature": ("confirm", "remind"),
    "donation": ("receipt",),
    "supporter": ("preferences", "moving"),
    "inbox_request": ("never", "move"),
    "partner": ("invitation", "password"),
}
"""What each kind of letter is about: that, and nothing else."""


def _about_one_thing() -> Q:
    each = (
        Q(kind__in=kinds, **{f"{other}__isnull": other != name for other in ABOUT}) for name, kinds in ABOUT.items()
    )
    return reduce(or_, each)


def _once(about: str) -> models.UniqueConstraint:
    """Other letters have no entry in its index: signatures, of which there are by far the most, would write one into each."""
    condition = Q(**{f"{about}__isnull": False})
    return models.UniqueConstraint(fields=[about, "kind"], condition=condition, name=f"letter_once_for_{about}")


class Letter(models.Model):
    """A message to one person that is owed because of something they did: to confirm a signature, a receipt.

    Written in the transaction of the act, so that the two are or are not together. supporters.letters owns its states;
    the words and the sending are those of campaigns.letters.
    """

    class Kind(models.TextChoices):
        CONFIRM = "confirm", _("Confirm a signature")
        REMIND = "remind", _("Reminder to confirm a signature")
        RECEIPT = "receipt", _("Receipt for a donation")
        PREFERENCES = "preferences", _("Link to one's own choices")
        NEVER = "never", _("Confirm never to be written to")
        MOVE = "move", _("Confirm a new address")
        MOVING = "moving", _("Word of a new address, to the old one")
        INVITATION = "invitation", _("Invitation to log in")
        PASSWORD = "password", _("Link to a new password")

    class State(models.TextChoices):
        OWED = "owed", _("Owed")
        SENDING = "sending", _("Sending")
        SENT = "sent", _("Sent")
        FAILED = "failed", _("Failed")
        UNKNOWN = "unknown", _("Unknown")

    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    signature = models.ForeignKey(
        "supporters.Signature",
        on_delete=models.CASCADE,
        db_constraint=False,  # they go with it by a trigger (0009_instead_of_keys)
        null=True,
        db_index=False,  # letter_once begins with it, and the next ones with theirs
        related_name="letters",
        verbose_name=_("signature"),
    )
    donation = models.ForeignKey(
        "supporters.Donation",
        on_delete=models.CASCADE,
        null=True,
        db_index=False,
        related_name="letters",
        verbose_name=_("donation"),
    )
    supporter = models.ForeignKey(
        "supporters.Supporter",
        on_delete=models.CASCADE,
        null=True,
        db_index=False,
        related_name="letters",
        verbose_name=_("supporter"),
    )
    inbox_request = models.ForeignKey(
        "supporters.InboxRequest",
        on_delete=models.CASCADE,
        null=True,
        db_index=False,
        related_name="letters",
        verbose_name=_("request to an inbox"),
    )
    partner = models.ForeignKey(
        "supporters.PartnerUser",
        on_delete=models.CASCADE,
        null=True,
        db_index=False,
        related_name="letters",
        verbose_name=_("partner's login"),
    )
    language = models.CharField(_("language"), max_length=12)
    state = models.CharField(_("state"), max_length=7, choices=State, default=State.OWED, db_default=State.OWED)
    due_at = models.DateTimeField(_("due"), db_default=Now())
    taken_at = models.DateTimeField(_("last taken up"), null=True, editable=False)
    times = models.PositiveSmallIntegerField(_("times sent"), default=0, db_default=0)
    error = models.CharField(_("what the mail server said"), max_length=250, blank=True, db_default="")

    class Meta:
        verbose_name = _("letter")
        verbose_name_plural = _("letters")
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=[kind for kinds in ABOUT.values() for kind in kinds]), name="letter_kind"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["owed", "sending", "sent", "failed", "unknown"]), name="letter_state"
            ),
            models.CheckConstraint(condition=_about_one_thing(), name="letter_about_something"),
            models.UniqueConstraint(fields=["signature", "kind"], name="letter_once"),
            _once("donation"),
            _once("supporter"),
            _once("inbox_request"),
            _once("partner"),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(state="owed"), name="letter_owed"),
            models.Index(fields=["taken_at"], condition=Q(state="sending"), name="letter_under_way"),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()
