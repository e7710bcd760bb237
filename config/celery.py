"""The Celery application: `celery -A config.celery worker -Q mail,sync,default`."""

import os

from celery import Celery

from config import engines

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# The checks would load every page of the site into the workers; whoever starts the web server runs them.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")
engines.start_missing()

app = Celery("lodestar")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
