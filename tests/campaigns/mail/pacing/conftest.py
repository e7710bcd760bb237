import pytest
import redis


@pytest.fixture
def buckets(settings):
    """Redis without anybody's tokens in it."""
    client = redis.Redis.from_url(settings.REDIS_URL)
    client.delete(*client.keys("lodestar:pace:*"), "lodestar:pace:none")
    return client
