"""The Celery application: `celery -A config.celery worker -Q mail,sync,default`."""

import os

from celery import Celery

from config import engines

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
engines.start_missing()

app = Celery("lodestar")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
