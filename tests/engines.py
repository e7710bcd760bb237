"""A pytest plugin, loaded before Django: real PostgreSQL and Valkey for the tests, and a clean environment.

The first process starts them; the others of a parallel run find them in their environment.
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from config import engines

_OWN = (
    "EMAIL_URL",
    "MAILCHIMP_API_KEY",
    "MAILCHIMP_API_URL",
    "MAILCHIMP_WEBHOOK_SECRET",
    "STRIPE_SECRET_KEY",
    "STRIPE_WEBHOOK_SECRET",
    "STRIPE_API_URL",
    "DONATE_URL",
    "SWISH_NUMBER",
    "BANKGIRO",
    "BANK_IBAN",
    "BANK_BIC",
    "GIVING_AMOUNTS",
    "SITE_URL",
    "DEBUG",
    "COUNT_CLICKS",
    "COUNT_OPENS",
)
for name in _OWN:
    os.environ.pop(name, None)
os.environ["SECRET_KEY"] = "tests only, and known to everybody: 0123456789 abcdefghij"
os.environ["DEFAULT_FROM_EMAIL"] = "Lodestar <lodestar@example.org>"
os.environ["STATIC_ROOT"] = "/nonexistent"  # no manifest: files are found where they lie
os.environ["SITE_URL"] = "http://localhost:1"  # nobody is there: stand-ins may write to it
os.environ["TIME_ZONE"] = "Europe/Stockholm"

_root: Path | None = None


def _start() -> None:
    global _root
    if os.environ.get("LODESTAR_TEST_ENGINES"):
        return
    os.environ["LODESTAR_TEST_ENGINES"] = "started"
    if os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL"):
        return
    _root = Path(tempfile.mkdtemp(prefix="lodestar-tests-"))
    _root.chmod(0o755)  # PostgreSQL's own user passes through when we are root
    os.environ["MAIL_JOURNAL"] = str(_root / "journal")
    if not os.environ.get("DATABASE_URL"):
        os.environ["DATABASE_URL"] = engines.start_postgres(
            _root, {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
        )
    if not os.environ.get("REDIS_URL"):
        os.environ["REDIS_URL"] = engines.start_valkey(_root, {"appendonly": "no", "save": ""})


def _separate() -> None:
    """Each process of a parallel run has a Valkey database of its own."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if worker.startswith("gw"):
        os.environ["REDIS_URL"] = os.environ["REDIS_URL"].replace("db=0", f"db={int(worker[2:]) + 1}")


_start()
_separate()


def pytest_unconfigure() -> None:
    if _root is not None:
        engines.stop_all(_root)
        shutil.rmtree(_root, ignore_errors=True)
