"""The web door: `gunicorn config.wsgi`."""

import os
import sys

from config import engines

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
engines.start_missing()

# A request waits several times for a database: it need not wait again, for the usual 5 ms, behind each other thread.
sys.setswitchinterval(0.0005)
from django.core.wsgi import get_wsgi_application  # noqa: E402

application = get_wsgi_application()
