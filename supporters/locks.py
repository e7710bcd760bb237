"""One at a time, over all processes and machines."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from django.db import IntegrityError, OperationalError, connection
from psycopg.errors import DeadlockDetected

T = TypeVar("T")


@contextmanager
def advisory_lock(name: str) -> Iterator[bool]:
    """Try for the lock of this name; yields whether we have it.

    PostgreSQL frees it when our session ends, however it ends: who holds the lock is alive.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [name])
        ours = cursor.fetchone()[0]
    try:
        yield ours
    finally:
        if ours and connection.connection is not None and not connection.connection.closed:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [name])


def nobody_goes() -> None:
    """Till the end of the transaction, nobody is merged away or erased.

    For statements about everybody: one of many people who goes meanwhile would fail all of it on a foreign key.
    """
    _lock("pg_advisory_xact_lock_shared", "people")


def somebody_goes() -> None:
    """Till the end of the transaction, nobody else may say that nobody goes, and nobody else goes."""
    take_turn("people")


def take_turn(name: str) -> None:
    """Wait until nobody else has this turn, and have it till the end of the transaction."""
    _lock("pg_advisory_xact_lock", name)


def _lock(function: str, name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(hashtextextended(%s, 0))", [name])


ATTEMPTS = 5


def in_the_end(act: Callable[[], T]) -> T:
    """Do what is one transaction, again where somebody else wrote, merged or locked the same person at the same moment.

    Within a transaction of the caller's it is done once: that is the one to be done again.
    """
    for attempt in range(ATTEMPTS):
        try:
            return act()
        except (IntegrityError, OperationalError) as failure:
            passing = isinstance(failure, IntegrityError) or isinstance(failure.__cause__, DeadlockDetected)
            if not passing or connection.in_atomic_block or attempt == ATTEMPTS - 1:
                raise
    raise AssertionError  # the loop ends with a return or a raise
