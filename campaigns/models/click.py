import secrets

from django.db import models
from django.db.models import F
from django.db.models.functions import MD5, Now
from django.utils.translation import gettext_lazy as _


def _code() -> str:
    return secrets.token_urlsafe(9)


class AppealLink(models.Model):
    """An address that an appeal's texts lead to. Its clicks come to `/c/<code>/…` and are sent on to the target.

    The picture that tells of opening has no target.
    """

    appeal = models.ForeignKey(
        "campaigns.Appeal", on_delete=models.CASCADE, related_name="links", verbose_name=_("appeal")
    )
    code = models.CharField(max_length=16, default=_code, unique=True, editable=False)
    target = models.TextField(_("leads to"), blank=True, db_default="")
    people = models.PositiveIntegerField(_("people"), db_default=0, editable=False)
    clicks = models.PositiveIntegerField(_("clicks"), db_default=0, editable=False)

    class Meta:
        verbose_name = _("link of an appeal")
        verbose_name_plural = _("links of appeals")
        constraints = [models.UniqueConstraint(F("appeal"), MD5("target"), name="appeal_link_unique")]

    def __str__(self) -> str:
        return self.target or str(_("Opened"))


class Click(models.Model):
    """That a link was followed from the message of one delivery. Kept only until it is counted for good.

    No network address, no browser, and no page that shows it: campaigns.retention.
    """

    link = models.ForeignKey(AppealLink, on_delete=models.CASCADE, related_name="+", verbose_name=_("link"))
    delivery = models.ForeignKey(
        "campaigns.Delivery", on_delete=models.CASCADE, related_name="clicks", verbose_name=_("delivery")
    )
    times = models.PositiveSmallIntegerField(_("times"), db_default=1)
    first_at = models.DateTimeField(_("first"), db_default=Now())
    last_at = models.DateTimeField(_("last"), db_default=Now())

    class Meta:
        verbose_name = _("click")
        verbose_name_plural = _("clicks")
        constraints = [models.UniqueConstraint(fields=["link", "delivery"], name="click_once")]

    def __str__(self) -> str:
        return str(self.times)
