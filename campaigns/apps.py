from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class CampaignsConfig(AppConfig):
    name = "campaigns"
    verbose_name = _("Campaigns")

    def ready(self) -> None:
        post_migrate.connect(_ensure_receivers, sender=self)


def _ensure_receivers(**_signal: object) -> None:
    from campaigns.mail.pacing import receivers

    receivers.ensure()
