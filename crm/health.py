"""Whether the parts that Lodestar is made of are alive."""

import time
from datetime import timedelta

import redis
from celery import current_app
from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.models.functions import Now
from kombu.exceptions import OperationalError

from crm.jobs import HEARTBEAT
from crm.models import Job

WORKER_SILENCE = 150
"""Seconds without a sign from any worker after which none counts as alive; they show one each minute."""
BEAT_SILENCE = 180
"""Seconds without a tick after which the beat counts as dead."""
_WORKER_KEY = "worker-seen"


def note_worker() -> None:
    """A worker shows that it is working."""
    try:
        cache.set(_WORKER_KEY, time.time(), timeout=WORKER_SILENCE)
    except redis.RedisError:
        pass


def check() -> dict[str, bool]:
    """Part to whether it is alive."""
    database = _database_alive()
    return {
        "database": database,
        "broker": _broker_alive(),
        "worker": _worker_alive(),
        "beat": database and _beat_alive(),
    }


def queue_lengths() -> dict[str, int] | None:
    """Messages waiting per queue; None when the broker does not answer."""
    try:
        with _broker() as client:
            return {queue: client.llen(queue) for queue in ("mail", "sync", "default")}
    except redis.RedisError:
        return None


def _broker() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2)


def _database_alive() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            return True
    except DatabaseError:
        return False


def _broker_alive() -> bool:
    try:
        with _broker() as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def _worker_alive() -> bool:
    try:
        if cache.get(_WORKER_KEY):
            return True
        # Nothing seen lately: perhaps all are busy with long work. Ask them.
        return bool(current_app.control.ping(timeout=1, limit=1))
    except (redis.RedisError, OSError, OperationalError):
        return False


def _beat_alive() -> bool:
    silence = timedelta(seconds=BEAT_SILENCE)
    return Job.objects.filter(name=HEARTBEAT, succeeded_at__gt=Now() - silence).exists()
