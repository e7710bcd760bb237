"""Leaves Mailchimp alone while it is down, and finds out by itself when it is back; one for all workers on all machines.

    closed ──some failures in a row──▶ open ──its time is over──▶ one call tries ──▶ closed
                                         ▲                               │
                                         └──────── twice as long ────────┘

What is known lies in Redis, where it runs out by itself; without Redis there is no circuit, and each call has its own bounds.
"""

import redis
from django.conf import settings

from campaigns.mailchimp.slots import redis_client

FAILURES = 10
"""In a row, over all workers."""
SHORTEST, LONGEST = 30, 600
"""Seconds that it stays open, at first and at most."""
_KEYS = [f"lodestar:mailchimp:circuit:{name}" for name in ("failures", "open", "opened", "trying")]
_MAY = """
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
if redis.call('EXISTS', KEYS[3]) == 0 then return 1 end
return redis.call('SET', KEYS[4], 1, 'NX', 'EX', 60) and 1 or 0
"""
_FAILED = """
if redis.call('EXISTS', KEYS[2]) == 1 then return end
local failures = redis.call('INCR', KEYS[1])
redis.call('EXPIRE', KEYS[1], 300)
if failures < tonumber(ARGV[1]) and redis.call('EXISTS', KEYS[3]) == 0 then return end
local opened = redis.call('INCR', KEYS[3])
redis.call('SET', KEYS[2], 1, 'EX', math.min(ARGV[3], ARGV[2] * 2 ^ math.min(opened - 1, 16)))
redis.call('EXPIRE', KEYS[3], ARGV[3] * 2)
redis.call('DEL', KEYS[1], KEYS[4])
"""


def may_call() -> bool:
    """Whether a call may be made now; after a while of silence it is true for one at a time."""
    try:
        return bool(redis_client(settings.REDIS_URL).eval(_MAY, len(_KEYS), *_KEYS))
    except redis.RedisError:
        return True


def answered() -> None:
    """Mailchimp answered a call, if only with a refusal."""
    try:
        redis_client(settings.REDIS_URL).delete(*_KEYS)
    except redis.RedisError:
        pass


def failed() -> None:
    """A call got no answer, or none that was any."""
    try:
        redis_client(settings.REDIS_URL).eval(_FAILED, len(_KEYS), *_KEYS, FAILURES, SHORTEST, LONGEST)
    except redis.RedisError:
        pass


def seconds_left() -> int | None:
    """Until the next call tries whether Mailchimp is back; None while the circuit is closed."""
    try:
        client = redis_client(settings.REDIS_URL)
        return max(client.ttl(_KEYS[1]), 0) if client.exists(_KEYS[1], _KEYS[2]) else None
    except redis.RedisError:
        return None
