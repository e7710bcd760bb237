from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class Disclosure(models.Model):
    """All that is held of a person, made into a file by a worker because it takes long. crm.disclosing.making owns its states."""

    class State(models.TextChoices):
        QUEUED = "queued", _("Being made")
        DONE = "done", _("Ready")
        FAILED = "failed", _("Failed")
        EXPIRED = "expired", _("Deleted")

    class Form(models.TextChoices):
        PAGE = "html", _("A page to read and to print")
        JSON = "json", _("JSON, for other programs")
        GIVEN = "given", _("JSON of what they gave us, to take elsewhere")

    supporter = models.ForeignKey(
        "supporters.Supporter", on_delete=models.CASCADE, related_name="disclosures", verbose_name=_("supporter")
    )
    form = models.CharField(_("form"), max_length=5, choices=Form)
    language = models.CharField(
        _("language"),
        max_length=10,
        blank=True,
        help_text="In which the person gathers it themselves; empty where staff do, for whom it is in the person's own.",
    )
    reason = models.CharField(_("why"), max_length=200)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("by")
    )
    state = models.CharField(_("state"), max_length=7, choices=State, default=State.QUEUED)
    asked_at = models.DateTimeField(_("asked for"), db_default=Now(), editable=False)
    made_at = models.DateTimeField(_("made"), null=True, editable=False)
    expires_at = models.DateTimeField(_("kept until"), null=True, editable=False)
    content = models.BinaryField(null=True, editable=False, help_text="The file, packed by zlib.")

    class Meta:
        verbose_name = _("disclosure")
        verbose_name_plural = _("disclosures")
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["queued", "done", "failed", "expired"]), name="disclosure_state"
            ),
            models.CheckConstraint(condition=Q(form__in=["html", "json", "given"]), name="disclosure_form"),
            models.CheckConstraint(condition=Q(reason__regex=r"\S"), name="disclosure_says_why"),
            models.CheckConstraint(
                condition=Q(state="done", content__isnull=False, expires_at__isnull=False)
                | (~Q(state="done") & Q(content=None)),
                name="disclosure_file_expires",
            ),
        ]
        indexes = [
            models.Index(fields=["id"], condition=Q(state="queued"), name="disclosure_owed"),
            models.Index(fields=["expires_at"], condition=Q(state="done"), name="disclosure_kept"),
        ]

    def __str__(self) -> str:
        return str(self.get_form_display())
