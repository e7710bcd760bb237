import subprocess
import sys

from tests.processes import environment

UNUSED = {
    "babel": "launching",
    "cryptography.hazmat.primitives": "a DKIM key",
    "unfold.admin": "the staff site",
    "dns": "the look at a sender's domain",
    "email_validator": "unusual addresses",
    "idna": "unusual addresses",
    "openpyxl": "spreadsheets",
    "python_calamine": "spreadsheets",
    "urllib3": "Mailchimp and Stripe",
}
"""What a worker may not load to send mail, by what it is for."""


def test_a_worker_that_sends_carries_only_what_it_works_with():
    code = (
        "import sys, config.celery, django; django.setup(); config.celery.app.loader.import_default_modules();"
        "import campaigns.appeals.sending, campaigns.tasks;"
        "print(*sorted(sys.modules))"
    )
    env = environment(DJANGO_SETTINGS_MODULE="config.settings")
    found = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=60, check=True
    )
    loaded = set(found.stdout.split())
    assert "campaigns.mail.compose" in loaded
    assert UNUSED.keys() & loaded == set()
