"""Work done while the one before it is used."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

Item = TypeVar("Item")


def one_ahead(items: Iterator[Item]) -> Iterator[Item]:
    """The same items, the next one made in a thread of its own while the last is used: at most two are there at a time.

    What goes wrong in making one comes when its turn comes. The items must not touch the database, whose connection
    is another thread's. Close the iterator to have the thread end at once.
    """
    end = object()
    # The caller's language and time zone are its context's.
    context = copy_context()
    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as thread:
        coming = thread.submit(context.run, next, items, end)
        while (item := coming.result()) is not end:
            coming = thread.submit(context.run, next, items, end)
            yield item
            del item
