"""From where somebody visits, for those who slow down too much from one place."""

import hmac
from hashlib import sha256

from django.conf import settings
from django.http import HttpRequest


def address(request: HttpRequest) -> str:
    """The visitor's network address. Behind our own proxy it is the last one named: those before it are anybody's claim."""
    said = request.META.get("REMOTE_ADDR", "")
    if settings.BEHIND_PROXY:
        said = request.headers.get("X-Forwarded-For", said).rpartition(",")[2]
    return said.strip()


def hidden(place: str) -> str:
    """A keyed hash, so that no address stands in Redis."""
    return hmac.new(settings.SECRET_KEY.encode(), place.encode(), sha256).hexdigest()[:24]
