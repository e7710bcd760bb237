"""Limits that all processes on all machines share: token buckets in Redis.

A bucket holds up to `burst` tokens and fills again at its rate. Tokens are taken before work is begun; what was not
needed is given back. Should Redis be away or forget, each process keeps buckets of its own at a small share of every
rate: slower than allowed, never faster.
"""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

_KEY = "lodestar:pace:"
_KEPT = 7200
"""Seconds that Redis keeps a bucket nobody uses: by then it is full again."""
ALONE_SHARE = 10
"""Without Redis a process takes a tenth of each rate: as many may be at it."""

# Redis's own clock counts, so that all agree. ARGV: how many are wanted, how many of the keys are shared by all
# messages, then rate a second and burst of each key. Returns, in one line, the total and, for each key, what it gave and
# has left.
_TAKE = """
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local total, shared, tokens = tonumber(ARGV[1]), tonumber(ARGV[2]), {}
for i, key in ipairs(KEYS) do
  local rate, burst = tonumber(ARGV[2 * i + 1]), tonumber(ARGV[2 * i + 2])
  local held = redis.call('HMGET', key, 'tokens', 'at')
  local had, at = tonumber(held[1]) or burst, tonumber(held[2]) or now
  tokens[i] = math.min(burst, had + math.max(0, now - at) * rate)
  if i <= shared then total = math.min(total, math.max(0, math.floor(tokens[i]))) end
end
local answer = {tostring(total)}
for i, key in ipairs(KEYS) do
  local gives = math.min(total, math.max(0, math.floor(tokens[i])))
  redis.call('HSET', key, 'tokens', tostring(tokens[i] - gives), 'at', tostring(now))
  redis.call('EXPIRE', key, KEPT)
  answer[#answer + 1] = tostring(gives)
  answer[#answer + 1] = tostring(tokens[i] - gives)
end
return table.concat(answer, ' ')
""".replace("KEPT)", f"{_KEPT})")


class Bucket(NamedTuple):
    """A limit: so many a second, so many at once."""

    name: str
    rate: float
    burst: int

    def wait(self, tokens: float) -> float:
        """Seconds until it gives one more."""
        return max(0.0, (1 - tokens) / self.rate)


@dataclass(frozen=True)
class Taken:
    """What was given: in all, by the shared limits, and by each of the others."""

    total: int
    by: Mapping[Bucket, int]
    left: Mapping[Bucket, float]
    together: bool = True
    """False where Redis is away, and this process had to decide alone."""


def take(wanted: int, shared: Sequence[Bucket], own: Sequence[Bucket]) -> Taken:
    """Take up to so many from all the shared buckets alike, and up to what they gave from each of the others."""
    buckets = [*shared, *own]
    if not buckets:
        return Taken(wanted, {}, {})
    together = True
    try:
        total, *numbers = _from_redis(wanted, len(shared), buckets)
    except redis.RedisError:
        together = False
        total, *numbers = _alone.take(wanted, len(shared), buckets)
    return Taken(
        int(total),
        {bucket: int(number) for bucket, number in zip(buckets, numbers[::2], strict=True)},
        dict(zip(buckets, numbers[1::2], strict=True)),
        together,
    )


def give_back(numbers: Mapping[Bucket, int]) -> None:
    """What was taken and is not needed. Should it get lost, time fills the buckets all the same."""
    numbers = {bucket: number for bucket, number in numbers.items() if number > 0}
    if not numbers:
        return
    _alone.give_back(numbers)
    try:
        with _connections.to(settings.REDIS_URL).redis.pipeline(transaction=False) as pipe:
            for bucket, number in numbers.items():
                pipe.hincrbyfloat(_KEY + bucket.name, "tokens", number)
            pipe.execute()
    except redis.RedisError:
        pass


def _from_redis(wanted: int, shared: int, buckets: Sequence[Bucket]) -> list[float]:
    keys = [_KEY + bucket.name for bucket in buckets]
    rules = [number for bucket in buckets for number in (bucket.rate, bucket.burst)]
    answer = _connections.to(settings.REDIS_URL).take(keys, [wanted, shared, *rules])
    return [float(number) for number in answer.split()]


class _Connection:
    """Redis, with the script known by its digest. A connection that was closed at the other end is opened anew, once."""

    def __init__(self, url: str) -> None:
        again = Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,))
        self.redis = redis.Redis.from_url(
            url, single_connection_client=True, retry=again, socket_timeout=2, socket_connect_timeout=2
        )
        self.take = self.redis.register_script(_TAKE)


class _Connections(threading.local):
    """Each thread has its own: the bookkeeping of a pool takes as long as the answer."""

    def __init__(self) -> None:
        self.to = cache(_Connection)


_connections = _Connections()


class _Alone:
    """This process's own buckets while Redis is away. They start empty."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[str, tuple[float, float]] = {}

    def take(self, wanted: int, shared: int, buckets: Sequence[Bucket]) -> list[float]:
        now = time.monotonic()
        with self._lock:
            tokens = [self._tokens(bucket, now) for bucket in buckets]
            total = min([wanted, *(int(number) for number in tokens[:shared])])
            answer: list[float] = [total]
            for bucket, number in zip(buckets, tokens, strict=True):
                gives = min(total, int(number))
                self._held[bucket.name] = (number - gives, now)
                answer += [gives, number - gives]
            return answer

    def give_back(self, numbers: Mapping[Bucket, int]) -> None:
        with self._lock:
            for bucket, number in numbers.items():
                if bucket.name in self._held:
                    tokens, at = self._held[bucket.name]
                    self._held[bucket.name] = (tokens + number, at)

    def _tokens(self, bucket: Bucket, now: float) -> float:
        tokens, at = self._held.get(bucket.name, (0.0, now))
        return min(max(1.0, bucket.burst / ALONE_SHARE), tokens + (now - at) * bucket.rate / ALONE_SHARE)


_alone = _Alone()
