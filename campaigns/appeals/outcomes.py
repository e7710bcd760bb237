"""What becomes of a delivery, by what the mail server said."""

from datetime import timedelta
from typing import NamedTuple

from django.utils.translation import gettext_noop

from campaigns.models import Delivery

State = Delivery.State
PAUSES = [timedelta(minutes=minutes) for minutes in (1, 5, 20, 60)]
"""After each refusal for now; the one after the last is for good."""
WORKER_DIED = gettext_noop("The program ended before it knew whether the message had left.")


class Outcome(NamedTuple):
    """What became of a delivery that was being sent."""

    pk: int
    state: str
    reason: str = ""
    retry_in: timedelta | None = None
    counts: bool = True
    """Whether this was an attempt; it wasn't where the message never got to the server."""


def of_answer(pk: int, code: int, reason: str, attempts: int) -> Outcome:
    """`attempts` counts this one."""
    if code < 400:
        return Outcome(pk, State.SENT)
    if code < 500 and attempts <= len(PAUSES):
        return Outcome(pk, State.QUEUED, reason, PAUSES[attempts - 1])
    return Outcome(pk, State.FAILED, reason)
