import pytest

from supporters import limiter
from supporters.limiter import Bucket

SLOW = 1 / 3600
"""So slow that no test sees a token come."""


def test_a_bucket_gives_what_it_holds_and_no_more(broker):
    bucket = Bucket("a", SLOW, 10)
    assert [limiter.take(7, [], [bucket]).by[bucket] for _each in range(3)] == [7, 3, 0]


def test_the_least_of_the_shared_limits_counts_for_all(broker):
    minute, hour, own = Bucket("minute", SLOW, 50), Bucket("hour", SLOW, 8), Bucket("own", SLOW, 5)
    first = limiter.take(20, [minute, hour], [own])
    assert (first.total, dict(first.by)) == (8, {minute: 8, hour: 8, own: 5})
    again = limiter.take(20, [minute, hour], [own])
    assert (again.total, dict(again.by)) == (0, {minute: 0, hour: 0, own: 0})


def test_what_is_given_back_can_be_taken_again(broker):
    bucket = Bucket("a", SLOW, 10)
    limiter.take(10, [], [bucket])
    limiter.give_back({bucket: 4})
    assert limiter.take(10, [], [bucket]).by[bucket] == 4


def test_giving_back_never_fills_a_bucket_beyond_its_burst(broker):
    bucket = Bucket("a", SLOW, 10)
    limiter.take(2, [], [bucket])
    limiter.give_back({bucket: 100})
    assert limiter.take(50, [], [bucket]).by[bucket] == 10


def test_an_empty_bucket_says_how_long_to_wait(broker):
    bucket = Bucket("a", 0.5, 3)
    left = limiter.take(3, [], [bucket]).left[bucket]
    assert bucket.wait(left) == pytest.approx(2, abs=0.1)


def test_a_bucket_fills_with_time(broker):
    bucket = Bucket("a", 2.0, 10)
    limiter.take(10, [], [bucket])
    # A minute passes: the moment of the last count lies further back.
    broker.hincrbyfloat("lodestar:pace:a", "at", -3)
    assert limiter.take(10, [], [bucket]).by[bucket] == 6


def test_without_redis_each_process_goes_at_a_small_share(settings, monkeypatch):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    now = [1000.0]
    monkeypatch.setattr(limiter.time, "monotonic", lambda: now[0])
    bucket = Bucket("alone", 10.0, 100)
    assert limiter.take(50, [], [bucket]).by[bucket] == 0
    now[0] += 5
    assert limiter.take(50, [], [bucket]).by[bucket] == 5
    limiter.give_back({bucket: 2})
    assert limiter.take(50, [], [bucket]).by[bucket] == 2
    now[0] += 10_000
    assert limiter.take(50, [], [bucket]).by[bucket] == 10


def test_no_limit_is_no_limit_even_without_redis(settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert limiter.take(500, [], []).total == 500


def test_a_redis_that_forgets_gives_a_burst_at_most(broker):
    bucket = Bucket("a", SLOW, 10)
    limiter.take(10, [], [bucket])
    broker.flushdb()
    assert limiter.take(500, [], [bucket]).by[bucket] == 10


def test_a_redis_that_was_started_anew_is_asked_again(broker):
    bucket = Bucket("a", SLOW, 10)
    limiter.take(1, [bucket], [])
    broker.script_flush()
    broker.client_kill_filter(_type="normal", skipme=True)
    taken = limiter.take(1, [bucket], [])
    assert (taken.total, taken.together, taken.left[bucket]) == (1, True, pytest.approx(8, abs=0.1))
