"""Letters that are owed because of what somebody did.

    owed ──take──▶ sending ──sent────▶ sent
      ▲               │  └───refused─▶ failed
      │               ├──put_back────▶ owed
      │               └──worker lost─▶ unknown
      └── asked for again (supporters.signing.asking)

What is owed stands in the database. `wake` is a nudge that may get lost: the minute's job finds what is owed anyway.
A letter whose worker died may have left or not. It is not sent again by itself; a reminder follows for those that ask
for something.
"""

import time
from datetime import timedelta

from django.db import connection
from django.db.models import F
from django.db.models.functions import Now

from supporters.models import Letter
from supporters.nudging import nudge

State = Letter.State
NUDGE_EVERY = 1.0
"""Seconds between two nudges of one process: whoever sends goes on looking for longer than that."""
LOST = timedelta(minutes=10)
"""A letter on its way for longer has lost its worker: a task ends after five minutes."""
AGAIN = timedelta(minutes=5)
_SEND = "campaigns.tasks.send_letters"  # by name: they are above us
_nudged = 0.0


def wake() -> None:
    """Tell those who send that something is owed."""
    global _nudged
    now = time.monotonic()
    if now - _nudged < NUDGE_EVERY:
        return
    _nudged = now
    nudge(_SEND)


_TAKE = """
UPDATE supporters_letter SET state = 'sending', taken_at = statement_timestamp(), times = times + 1
WHERE id IN (SELECT id FROM supporters_letter WHERE state = 'owed' AND due_at <= statement_timestamp()
             ORDER BY due_at, id LIMIT %s FOR UPDATE SKIP LOCKED)
RETURNING id
"""


def take(most: int) -> list[int]:
    """The keys of letters that are now ours to send, the longest owed first."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [most])
        return sorted(pk for (pk,) in cursor.fetchall())


def owed() -> bool:
    return Letter.objects.filter(state=State.OWED, due_at__lte=Now()).exists()


def sent(pk: int) -> None:
    _end(pk, state=State.SENT, error="")


def failed(pk: int, error: str) -> None:
    """The mail server won't have it."""
    _end(pk, state=State.FAILED, error=error[:250])


def unknown(pk: int) -> None:
    _end(pk, state=State.UNKNOWN)


def put_back(pks: list[int]) -> None:
    """They did not leave: the mail server could not be reached."""
    taken = Letter.objects.filter(pk__in=pks, state=State.SENDING)
    taken.update(state=State.OWED, due_at=Now() + AGAIN, times=F("times") - 1)


def give_up_lost() -> int:
    """Mark what a dead worker had taken; returns how many there were."""
    return Letter.objects.filter(state=State.SENDING, taken_at__lt=Now() - LOST).update(state=State.UNKNOWN)


def _end(pk: int, **fields: object) -> None:
    Letter.objects.filter(pk=pk, state=State.SENDING).update(**fields)
