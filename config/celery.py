"""The Celery application: `celery -A config.celery worker -Q mail,sync,default`."""

import gc
import os

from celery import Celery
from celery.signals import worker_before_create_process

from config import engines

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# The checks would load every page of the site into the workers; whoever starts the web server runs them.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")
engines.start_missing()

app = Celery("lodestar")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_before_create_process.connect
def settle(**_signal: object) -> None:
    """What is loaded by now stays for good: no collection looks at it again, and no child copies its memory for that."""
    gc.collect()
    gc.freeze()
