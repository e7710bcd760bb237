"""Our settings, and django-post_office beside."""

from config.settings import *  # noqa: F403
from config.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "post_office"]
POST_OFFICE = {
    "BACKENDS": {"default": "django.core.mail.backends.smtp.EmailBackend"},
    "BATCH_SIZE": 1000,
    "LOG_LEVEL": 2,  # its default: a log row for each message, as our ledger keeps one
}
CELERY_TASK_ROUTES = {}
