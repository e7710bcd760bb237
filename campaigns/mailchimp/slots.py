"""At most so many calls at once, over all workers on all machines: Mailchimp cuts a key off at ten.

A slot is a lease in Redis that runs out by itself, so one whose holder died comes free. Without Redis each process
makes one call at a time, which is safe with as many processes as we have calls.
"""

import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import redis
from django.conf import settings

AT_ONCE = 8
LEASE = 60
"""Seconds; longer than a call may take."""
PATIENCE = 45
"""Seconds to wait for a slot."""
_KEY = "lodestar:mailchimp:slots"
_TAKE = """
local now = redis.call('TIME')[1]
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[1]) then return 0 end
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[2] * 2)
return 1
"""
_alone = threading.Lock()


class NoSlot(Exception):
    """Every slot stayed taken for as long as we waited."""


@contextmanager
def slot() -> Iterator[None]:
    """Hold one of the slots for the length of the block. Raises NoSlot."""
    token = secrets.token_hex(8)
    try:
        client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2)
        _take(client, token)
    except redis.RedisError:
        with _alone:
            yield
        return
    try:
        yield
    finally:
        try:
            client.zrem(_KEY, token)
            client.close()
        except redis.RedisError:
            pass  # the lease runs out by itself


def _take(client: redis.Redis, token: str) -> None:
    until = time.monotonic() + PATIENCE
    while not client.eval(_TAKE, 1, _KEY, AT_ONCE, LEASE, token):
        if time.monotonic() > until:
            raise NoSlot
        time.sleep(0.05)
