import os
from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real input beside the checkout."""
    if SHARED.is_dir():
        return SHARED
    if os.environ.get("CI") == "true":
        pytest.fail(f"{SHARED} is missing")
    pytest.skip(f"{SHARED} is missing")


@pytest.fixture
def broker():
    """An empty Valkey, before and after."""
    import redis
    from django.conf import settings

    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()
        yield client
        client.flushdb()


@pytest.fixture
def staff(django_user_model):
    """A superuser."""
    return django_user_model.objects.create_superuser("astrid", "astrid@realstars.test", "a long password")


@pytest.fixture
def staff_client(client, staff):
    client.force_login(staff)
    return client
