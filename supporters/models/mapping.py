from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from supporters.models.importing import ImportRun


class SavedMapping(models.Model):
    """What staff said that the columns of a file are, for the next file that has them. See supporters.importing.remembering."""

    name = models.CharField(_("name"), max_length=250)
    kind = models.CharField(_("kind"), max_length=10, choices=ImportRun.Kind)
    fingerprint = models.BinaryField(editable=False, help_text="SHA-256 of the names of the columns, in any order.")
    columns = models.JSONField(_("columns"), help_text="As in ImportRun.mapping, with the names as they were.")
    options = models.JSONField(
        _("options"), default=dict, help_text=_("What holds for every row: country, currency, who wins …")
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("by"),
    )
    created_at = models.DateTimeField(_("saved"), db_default=Now(), editable=False)
    used_at = models.DateTimeField(_("last used"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("saved mapping")
        verbose_name_plural = _("saved mappings")
        ordering = ["-used_at"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "fingerprint"], name="saved_mapping_unique"),
            models.CheckConstraint(condition=Q(kind__in=["supporters", "donations"]), name="saved_mapping_kind"),
        ]

    def __str__(self) -> str:
        return self.name
