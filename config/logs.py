"""Log lines without anybody's data."""

import logging
import traceback
from copy import copy
from types import TracebackType

from django.http import HttpRequest


class Discreet(logging.Formatter):
    """Writes where an error happened and of what kind it is, but not its message.

    Messages quote values: PostgreSQL's say which address a key holds already. Of a request it names the route, for the
    path may be somebody's way in: a signed link, or the token of a webhook.
    """

    def format(self, record: logging.LogRecord) -> str:
        request = getattr(record, "request", None)
        if isinstance(request, HttpRequest) and isinstance(record.args, tuple):
            record = copy(record)
            record.args = tuple(_route(request) if arg == request.path else arg for arg in record.args)
        return super().format(record)

    def formatException(self, ei: tuple[type[BaseException], BaseException, TracebackType | None]) -> str:
        kind, error, place = ei
        lines = ["Traceback (most recent call last):\n", *traceback.format_tb(place), kind.__name__]
        cause = getattr(error, "__cause__", None)
        return "".join(lines) + (f" (from {type(cause).__name__})" if cause else "")


def _route(request: HttpRequest) -> str:
    match = request.resolver_match
    return f"/{match.route}" if match else "an address that leads nowhere"
