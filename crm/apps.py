from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class CrmConfig(AppConfig):
    name = "crm"
    verbose_name = _("Lodestar")

    def ready(self) -> None:
        # Django makes the permissions of each app on this signal; sessions is the last app to send it.
        post_migrate.connect(_ensure_roles, sender=apps.get_app_config("sessions"))


def _ensure_roles(**_signal: object) -> None:
    from crm import roles

    roles.ensure()
