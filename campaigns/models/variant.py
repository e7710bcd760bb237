from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class AppealVariant(models.Model):
    """Another wording of an appeal in one language, to be tested against its text, which is variant A.

    What is left empty is as in A. campaigns.appeals.variants draws who gets it.
    """

    class Letter(models.TextChoices):
        B = "B", "B"
        C = "C", "C"
        D = "D", "D"

    appeal = models.ForeignKey(
        "campaigns.Appeal", on_delete=models.CASCADE, related_name="variants", verbose_name=_("appeal")
    )
    letter = models.CharField(_("variant"), max_length=1, choices=Letter, default=Letter.B)
    language = models.CharField(_("language"), max_length=12, choices=settings.LANGUAGES)
    subject = models.CharField(
        _("subject"), max_length=200, blank=True, default="", help_text=_("Empty: as in the text itself.")
    )
    preheader = models.CharField(
        _("preview line"), max_length=200, blank=True, default="", help_text=_("Empty: as in the text itself.")
    )
    body = models.TextField(_("text"), blank=True, default="", help_text=_("Empty: as in the text itself."))

    class Meta:
        verbose_name = _("variant to test")
        verbose_name_plural = _("variants to test")
        ordering = ["language", "letter"]
        constraints = [
            models.UniqueConstraint(
                fields=["appeal", "language", "letter"],
                name="appeal_variant_unique",
                violation_error_message=_("This appeal has that variant in that language."),
            ),
            models.CheckConstraint(condition=Q(letter__in=["B", "C", "D"]), name="appeal_variant_letter"),
            models.CheckConstraint(
                condition=~Q(subject="", preheader="", body=""),
                name="appeal_variant_differs",
                violation_error_message=_("A variant differs in its subject, its preview line or its text."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.letter}, {self.language}"
