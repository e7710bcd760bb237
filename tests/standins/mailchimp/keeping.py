"""An account on disk, so that the demo goes on where it was."""

import os
import pickle
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from tests.standins.mailchimp.state import Account

if TYPE_CHECKING:
    from tests.standins.mailchimp.standin import MailchimpStandIn

EVERY = 2  # seconds


def load(path: Path) -> Account | None:
    """What was kept; None if nothing was, or by another version of this program."""
    try:
        kept = pickle.loads(path.read_bytes())
    except (OSError, EOFError, pickle.UnpicklingError, AttributeError, ImportError, TypeError):
        return None
    return kept if isinstance(kept, Account) else None


def keep(mailchimp: "MailchimpStandIn", path: Path, done: threading.Event) -> None:
    """Write it down after changes, until done."""
    kept = -1
    while True:
        last = done.wait(EVERY)
        if mailchimp.changes != kept:
            kept = mailchimp.changes
            with mailchimp.lock:
                for audience in mailchimp.account.audiences.values():
                    audience.view = None
                packed = pickle.dumps(mailchimp.account)
            fresh = path.with_name(path.name + ".new")
            fresh.write_bytes(packed)
            os.replace(fresh, path)
        if last:
            return
