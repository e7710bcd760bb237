import os
import shutil
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


@pytest.fixture(autouse=True)
def fresh():
    """Nothing kept in this process of petitions that other tests made, nor the language of their last page."""
    from django.utils import translation

    from supporters.signing import shown

    shown.forget()
    translation.deactivate()


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


@pytest.fixture
def chromium():
    """Debian's Chromium, which `make test` installs where it can."""
    found = [
        shutil.which(name)
        for name in (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    ]
    path = next(filter(None, found), None)
    if path is None:
        pytest.skip("No Chromium on this machine: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-quic"])
        yield browser
        browser.close()


@pytest.fixture
def visitor(chromium, live_server, monkeypatch):
    """A page of somebody who has not logged in."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # Playwright runs a loop in this thread
    context = chromium.new_context(base_url=live_server.url)
    yield context.new_page()
    context.close()


@pytest.fixture
def page(visitor, live_server, staff_client):
    """A page of somebody who is logged in as staff."""
    cookie = staff_client.cookies["sessionid"].value
    visitor.context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
    return visitor
