"""The web door: `gunicorn config.wsgi`."""

import gc
import os

from config import engines

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
engines.start_missing()

from django.core.wsgi import get_wsgi_application  # noqa: E402

application = get_wsgi_application()
# What is loaded by now stays: the collector, which stops every thread of a process, need not go through it, nor come several times a request.
gc.collect()
gc.freeze()
gc.set_threshold(10_000)
