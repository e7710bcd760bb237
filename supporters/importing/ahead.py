"""Work done while the one before it is used."""

import gc
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, Self, TypeVar
from zoneinfo import ZoneInfo

from django.utils import timezone, translation

Item = TypeVar("Item")
_END = object()
TURN = 0.0005
"""Seconds after which the thread that makes things gives way to the one that waits for the database; Python's own would be ten times as long."""
FULL = 100
"""How many times Python looks for cycles among what is a moment old before it looks through all there is. Ten is its own, and was a quarter
of the reading: rows have none, and those of an exception are found at once."""


class OneAhead(Generic[Item]):
    """The same items, each made in a thread of its own, at the latest when it is asked for: at most two are there at a time.

    What goes wrong in making one comes when its turn comes. The items must not touch the database, whose connection
    is another thread's. A context manager: leave it to have the thread end.
    """

    def __init__(self, items: Iterator[Item]) -> None:
        self._items = items
        self._coming: Future | None = None
        ours = (translation.get_language(), timezone.get_current_timezone())
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ahead", initializer=_speak_as, initargs=ours)

    def __enter__(self) -> Self:
        self._turn_before = sys.getswitchinterval()
        sys.setswitchinterval(TURN)
        self._gc_before = gc.get_threshold()
        gc.set_threshold(*self._gc_before[:2], FULL)
        return self

    def __exit__(self, *exc: object) -> None:
        sys.setswitchinterval(self._turn_before)
        gc.set_threshold(*self._gc_before)
        self._thread.shutdown()

    def __iter__(self) -> Iterator[Item]:
        while (item := self._next()) is not _END:
            yield item
            del item

    def begin(self) -> None:
        """Have the next one made from now on. Python runs one thread at a time: call it when what follows is mostly waiting."""
        if self._coming is None:
            self._coming = self._thread.submit(next, self._items, _END)

    def _next(self) -> Item | object:
        self.begin()
        try:
            return self._coming.result()
        finally:
            self._coming = None


def _speak_as(language: str | None, zone: ZoneInfo) -> None:
    if language:
        translation.activate(language)
    timezone.activate(zone)
