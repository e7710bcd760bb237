import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from supporters.models.organisation import Organisation


class PartnerUser(models.Model):
    """Somebody of a partner who may log in to what is the partner's own, and to nothing else. supporters.partners.members owns it."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="partner", verbose_name=_("user")
    )
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="logins", verbose_name=_("organisation")
    )
    key = models.UUIDField(
        default=uuid.uuid4,
        unique=True,
        editable=False,
        help_text="What links to a password are made of: another one ends them all.",
    )
    invited_at = models.DateTimeField(_("invited"), db_default=Now(), editable=False)
    accepted_at = models.DateTimeField(_("first password"), null=True, editable=False)

    class Meta:
        verbose_name = _("partner's login")
        verbose_name_plural = _("partners' logins")

    def __str__(self) -> str:
        return self.user.get_username()


class PartnerEvent(models.Model):
    """A line in the log of what partners' people did here, and what was done with their logins."""

    class Kind(models.TextChoices):
        INVITED = "invited", _("Invited")
        PASSWORD = "password", _("Set a password")
        LOGIN = "login", _("Logged in")
        REFUSED = "refused", _("Wrong password")
        DISABLED = "disabled", _("Login disabled")
        ENABLED = "enabled", _("Login enabled again")
        REMOVED = "removed", _("Said that people who left were removed")
        ERASED = "erased", _("A person whom the partner had got was erased")

    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, related_name="events", verbose_name=_("organisation")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("whose login"),
    )
    kind = models.CharField(_("what"), max_length=8, choices=Kind)
    number = models.PositiveIntegerField(_("people"), default=0, db_default=0)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("by"),
        help_text=_("Who of staff; empty: themselves."),
    )
    happened_at = models.DateTimeField(_("when"), db_default=Now())

    class Meta:
        verbose_name = _("event of a partner")
        verbose_name_plural = _("events of partners")
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    kind__in=[
                        *("invited", "password", "login", "refused"),
                        *("disabled", "enabled", "removed", "erased"),
                    ]
                ),
                name="partner_event_kind",
            ),
            models.CheckConstraint(condition=Q(kind="erased") | Q(user__isnull=False), name="partner_event_whose"),
        ]
        indexes = [models.Index(fields=["organisation", "-id"], name="partner_event_newest")]

    def __str__(self) -> str:
        return self.get_kind_display()


class Handover(models.Model):
    """That a partner got somebody's address in a file, so that it can be told when they take it back (GDPR, article 19)."""

    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="handovers", verbose_name=_("organisation")
    )
    supporter = models.ForeignKey(
        "supporters.Supporter", on_delete=models.PROTECT, related_name="handovers", verbose_name=_("supporter")
    )
    email = models.EmailField(_("email"), max_length=254, help_text=_("As it was handed out."))
    export = models.ForeignKey(
        "supporters.Export", on_delete=models.PROTECT, related_name="handovers", verbose_name=_("last in the export")
    )
    handed_at = models.DateTimeField(_("when"), db_default=Now())

    class Meta:
        verbose_name = _("handover")
        verbose_name_plural = _("handovers")
        constraints = [models.UniqueConstraint(fields=["organisation", "email"], name="handover_once")]

    def __str__(self) -> str:
        return f"{self.organisation_id}/{self.supporter_id}"
