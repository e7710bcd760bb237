"""Log lines without anybody's data."""

import logging
import traceback
from types import TracebackType


class Discreet(logging.Formatter):
    """Writes where an error happened and of what kind it is, but not its message.

    Messages quote values: PostgreSQL's say which address a key holds already.
    """

    def formatException(self, ei: tuple[type[BaseException], BaseException, TracebackType | None]) -> str:
        kind, error, place = ei
        lines = ["Traceback (most recent call last):\n", *traceback.format_tb(place), kind.__name__]
        cause = getattr(error, "__cause__", None)
        return "".join(lines) + (f" (from {type(cause).__name__})" if cause else "")
