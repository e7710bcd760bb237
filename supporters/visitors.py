"""From where somebody visits, for those who slow down too much from one place."""

import hmac

from django.conf import settings
from django.http import HttpRequest


def address(request: HttpRequest) -> str:
    """The visitor's network address. Behind our own proxy it is the last one named: those before it are anybody's claim."""
    said = request.META.get("REMOTE_ADDR", "")
    if settings.BEHIND_PROXY:
        said = request.META.get("HTTP_X_FORWARDED_FOR", said).rpartition(",")[2]
    return said.strip()


def hidden(place: str) -> str:
    """A keyed hash, so that no address stands in Redis."""
    return hmac.digest(settings.SECRET_KEY.encode(), place.encode(), "sha256").hex()[:24]
