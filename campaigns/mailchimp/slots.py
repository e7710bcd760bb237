"""At most so many calls at once, over all workers on all machines: Mailchimp cuts a key off at ten.

A slot is a lease in Redis that runs out by itself, so one whose holder died comes free; so does that of a call which we gave up
waiting for, and which may well be under way at Mailchimp still. Without Redis each process
makes one call at a time, which is safe with as many processes as we have calls.
"""

import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import redis
from django.conf import settings

AT_ONCE = 8
LEASE = 60
"""Seconds; longer than a call may take."""
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


class Slot:
    """One of them, held."""

    kept = False

    def keep(self) -> None:
        """Leave it taken for the rest of its lease."""
        self.kept = True


class NoSlot(Exception):
    """Every slot stayed taken for as long as we waited."""


@contextmanager
def slot(patience: float) -> Iterator[Slot]:
    """Hold one of the slots for the length of the block; waits so many seconds for it. Raises NoSlot."""
    token = secrets.token_hex(8)
    client = redis_client(settings.REDIS_URL)
    held = Slot()
    try:
        _take(client, token, patience)
    except redis.RedisError:
        with _alone:
            yield held
        return
    try:
        yield held
    finally:
        if not held.kept:
            try:
                client.zrem(_KEY, token)
            except redis.RedisError:
                pass  # the lease runs out by itself


@cache
def redis_client(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_timeout=2)


def _take(client: redis.Redis, token: str, patience: float) -> None:
    until = time.monotonic() + patience
    while not client.eval(_TAKE, 1, _KEY, AT_ONCE, LEASE, token):
        if time.monotonic() > until:
            raise NoSlot
        time.sleep(0.05)
