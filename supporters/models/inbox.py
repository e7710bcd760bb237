import uuid

from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class InboxRequest(models.Model):
    """What somebody asked of an address that they typed, till its owner confirms it from the inbox.

    It goes once it is done, or after some days. supporters.never and supporters.moving own the two kinds.
    """

    class Kind(models.TextChoices):
        NEVER = "never", _("Never to be written to again")
        MOVE = "move", _("A new address")

    uuid = models.UUIDField(default=uuid.uuid4, db_default=RandomUUID(), unique=True, editable=False)
    kind = models.CharField(_("kind"), max_length=5, choices=Kind)
    email = models.CharField(_("email"), max_length=254)
    supporter = models.ForeignKey(
        "supporters.Supporter",
        on_delete=models.CASCADE,
        null=True,
        related_name="inbox_requests",
        verbose_name=_("supporter"),
        help_text=_("Who wants to be reached there."),
    )
    asked_at = models.DateTimeField(_("asked"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("request to an inbox")
        verbose_name_plural = _("requests to inboxes")
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="move", supporter__isnull=False) | Q(kind="never", supporter=None),
                name="inbox_request_kind",
            ),
            models.UniqueConstraint(fields=["email"], condition=Q(kind="never"), name="inbox_request_never_once"),
        ]
        indexes = [
            # For what is forgotten each night.
            models.Index(fields=["asked_at"], name="inbox_request_asked"),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()
