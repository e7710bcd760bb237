from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """Wires the Celery application in, so that web and commands enqueue through it."""

    name = "config"

    def ready(self) -> None:
        import config.celery  # noqa: F401
