from django.conf import settings
from django.db import models
from django.db.models.functions import Lower, Now
from django.utils.translation import gettext_lazy as _


class Segment(models.Model):
    """Saved rules, and who met them when they were last refreshed. campaigns.segments makes the query."""

    name = models.CharField(_("name"), max_length=200)
    description = models.TextField(_("description"), blank=True, default="")
    rules = models.JSONField(_("rules"), default=dict)
    size = models.BigIntegerField(_("people"), null=True, editable=False)
    languages = models.JSONField(
        null=True, editable=False, help_text="Language to how many speak it, as of the last refresh."
    )
    refreshed_at = models.DateTimeField(_("refreshed"), null=True, editable=False)
    refresh_requested_at = models.DateTimeField(null=True, editable=False)
    error = models.TextField(_("error"), blank=True, default="", editable=False)
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
        verbose_name = _("segment")
        verbose_name_plural = _("segments")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                Lower("name"),
                name="segment_name_unique",
                violation_error_message=_("There is a segment of this name."),
            )
        ]

    def __str__(self) -> str:
        return self.name


class SegmentMember(models.Model):
    """A supporter in a segment as of its last refresh."""

    pk = models.CompositePrimaryKey("segment_id", "supporter_id")
    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="members")
    supporter = models.ForeignKey("supporters.Supporter", on_delete=models.CASCADE, related_name="+")

    def __str__(self) -> str:
        return f"{self.segment_id}/{self.supporter_id}"
