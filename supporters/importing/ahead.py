"""Work done while the one before it is used."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar
from zoneinfo import ZoneInfo

from django.utils import timezone, translation

Item = TypeVar("Item")


def one_ahead(items: Iterator[Item]) -> Iterator[Item]:
    """The same items, the next one made in a thread of its own while the last is used: at most two are there at a time.

    What goes wrong in making one comes when its turn comes. The items must not touch the database, whose connection
    is another thread's. Close the iterator to have the thread end at once.
    """
    end = object()
    ours = (translation.get_language(), timezone.get_current_timezone())
    with ThreadPoolExecutor(1, thread_name_prefix="ahead", initializer=_speak_as, initargs=ours) as thread:
        coming = thread.submit(next, items, end)
        while (item := coming.result()) is not end:
            coming = thread.submit(next, items, end)
            yield item
            del item


def _speak_as(language: str | None, zone: ZoneInfo) -> None:
    if language:
        translation.activate(language)
    timezone.activate(zone)
