"""How often payments may be started from one network address: who tries stolen cards, or floods the books, is slowed."""

import logging

import redis
from django.core.cache import cache
from django.http import HttpRequest

from supporters import visitors

logger = logging.getLogger(__name__)
MOST = 12
WITHIN = 600
"""Seconds."""


def allowed(request: HttpRequest) -> bool:
    """Count this one; False once there were too many. Should Redis be away, nobody is kept from giving."""
    key = f"give:{visitors.hidden(visitors.address(request))}"
    try:
        cache.add(key, 0, WITHIN)
        return cache.incr(key) <= MOST
    except ValueError:
        return True  # it expired between the two
    except redis.RedisError as error:
        logger.warning("Payments can't be paced (%s)", type(error).__name__)
        return True
