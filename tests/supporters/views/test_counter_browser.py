"""The counter on an open page: fresh while somebody looks, quiet while nobody does."""

import pytest
from django.core.cache import cache

from tests.factories import make_petition, make_signature

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_counter_follows_without_reloading_and_pauses_while_the_page_is_hidden(visitor, broker):
    cache.clear()
    petition = make_petition(slug="one-law")
    asked = []
    visitor.on("request", lambda request: "standing" in request.url and asked.append(request.url))
    visitor.clock.install()
    visitor.goto("/en/p/one-law/")
    counter = visitor.locator(".progress strong")
    assert counter.inner_text() == "0"

    make_signature(petition, state="validated", validated_at="2026-05-01T12:00Z")
    cache.clear()
    visitor.clock.run_for(21_000)
    visitor.get_by_text("1 signature", exact=True).wait_for()

    see(visitor, "hidden")
    before = len(asked)
    assert before > 0
    visitor.clock.run_for(600_000)
    assert len(asked) == before

    make_signature(petition, state="validated", validated_at="2026-05-01T12:00Z")
    cache.clear()
    see(visitor, "visible")
    visitor.get_by_text("2 signatures", exact=True).wait_for()
    assert len(asked) > before


def see(page, state):
    page.evaluate(
        """state => {
            Object.defineProperty(document, "visibilityState", { configurable: true, get: () => state });
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        state,
    )
