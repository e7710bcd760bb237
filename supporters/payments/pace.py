"""How often payments may be started from one network address: who tries stolen cards, or floods the books, is slowed."""

import hmac
import logging
from hashlib import sha256

import redis
from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest

logger = logging.getLogger(__name__)
MOST = 12
WITHIN = 600
"""Seconds."""


def allowed(request: HttpRequest) -> bool:
    """Count this one; False once there were too many. Should Redis be away, nobody is kept from giving."""
    key = f"give:{_caller(request)}"
    try:
        cache.add(key, 0, WITHIN)
        return cache.incr(key) <= MOST
    except ValueError:
        return True  # it expired between the two
    except redis.RedisError as error:
        logger.warning("Payments can't be paced (%s)", type(error).__name__)
        return True


def _caller(request: HttpRequest) -> str:
    """A keyed hash of the address, for Redis needs no addresses. Behind a proxy it is what the proxy says last."""
    address = request.META.get("REMOTE_ADDR", "")
    if settings.SECURE_PROXY_SSL_HEADER:
        address = request.headers.get("X-Forwarded-For", address).rpartition(",")[2].strip()
    return hmac.new(settings.SECRET_KEY.encode(), address.encode(), sha256).hexdigest()[:32]
