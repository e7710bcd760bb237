"""Pages for people who are being watched: nothing is asked of anybody else, nothing is left behind, and the way out is quick."""

import pytest
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone

from campaigns.models import Delivery
from supporters import links, moving, never
from supporters.links import Link
from supporters.models import InboxRequest, Signature
from supporters.urls import pages
from tests.campaigns.conftest import make_appeal
from tests.factories import ask_to_sign, make_donation, make_organisation, make_petition, make_pledge, make_supporter

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PUBLIC = {"petition", "embed", "totals", "poster", "give", "embed_signed"}
"""Pages that are the same for everybody, and may be kept by a browser."""


@pytest.fixture
def everything(settings, broker, live_server):
    """The addresses of all pages, by name."""
    cache.clear()
    settings.SITE_URL = live_server.url
    settings.SWISH_NUMBER, settings.BANK_IBAN, settings.BANK_BIC = (
        "1234679304",
        "SE4550000000058398257466",
        "ESSESESS",
    )
    petition = make_petition(slug="one-law", shows_signers=True)
    eva = make_supporter(first_name="Eva", email="eva@mail.se", country="SE", language="en", consent=True)
    signed = {"petition": petition, "supporter": eva, "country": "SE", "state": "validated", "shown": True}
    Signature.objects.create(validated_at=timezone.now(), **signed)
    make_donation(supporter=eva)
    make_organisation(name="Talita", source_code="talita")
    signature = ask_to_sign(petition, email="bo@mail.se")
    pledge = make_pledge(method="bank")
    moving.ask(eva.uuid, "eva@home.se", "en")
    never.ask("nobody@mail.se", "en")
    request = {one.kind: one.uuid for one in InboxRequest.objects.all()}
    tokens = {
        "confirm": links.token(Link.CONFIRM, signature.uuid),
        "me": (own := links.dated_token(Link.PREFERENCES, eva.uuid)),
        "receipts": own,
        "receipts_json": own,
        "move": links.token(Link.MOVE, request["move"]),
        "never_confirm": links.token(Link.NEVER, request["never"]),
        "news": links.token(Link.NEWS, eva.uuid),
        **dict.fromkeys(["pay", "given", "cancelled"], links.token(Link.GIVE, pledge.uuid)),
    }
    found = {}
    for each in pages:
        named = set(each.pattern.converters)
        values = {"slug": petition.slug, "language": "en", "token": tokens.get(each.name)}
        found[each.name] = reverse(
            f"supporters:{each.name}", kwargs={key: values[key] for key in named | {"language"}}
        )
    delivery = Delivery.objects.create(appeal=make_appeal(), supporter=eva, language="en")
    leaving = reverse("campaigns:unsubscribe", args=[links.unsubscribe_token(delivery.uuid)])
    return found | {"unsubscribe": leaving, "choose": f"{leaving}choices/"}


def test_no_page_asks_anything_of_anybody_else_or_leaves_a_cookie(visitor, everything, live_server):
    asked, troubles = [], []
    visitor.context.on("request", lambda request: asked.append(request.url))
    visitor.on("console", lambda said: "Security Policy" in said.text and troubles.append(said.text))
    for name, path in everything.items():
        if name.endswith("_json") or name == "standing":  # no pages: figures, and a part of one
            continue
        answer = visitor.goto(path)
        visitor.wait_for_load_state("networkidle")
        assert answer.status == 200, name
        assert answer.headers["referrer-policy"] == "no-referrer", name
        assert "default-src 'none'" in answer.headers["content-security-policy"], name
        if name not in PUBLIC:
            assert "no-store" in answer.headers["cache-control"], name
        assert visitor.locator("[data-exit]").count() == 1, name
        assert visitor.context.cookies() == [], name
        stored = visitor.evaluate("localStorage.length + sessionStorage.length")
        assert stored == 0, name
    assert len(asked) > len(everything)
    assert [url for url in asked if not url.startswith((live_server.url, "data:"))] == []
    assert troubles == []


@pytest.fixture
def way_out(settings, live_server):
    settings.QUICK_EXIT_URL = f"{live_server.url}/embed.js"  # somewhere that is there
    return settings.QUICK_EXIT_URL


def three_escapes(page):
    for _time in range(3):
        page.keyboard.press("Escape")


@pytest.mark.parametrize("how", [three_escapes, lambda page: page.locator("[data-exit]").click()])
def test_leaving_quickly_takes_the_pages_place_in_the_history(visitor, everything, way_out, how):
    visitor.goto(everything["totals"])
    before = visitor.evaluate("history.length")
    visitor.goto(everything["me"])
    how(visitor)
    visitor.wait_for_url(way_out)
    assert visitor.evaluate("history.length") == before + 1
    visitor.go_back()
    visitor.wait_for_url("**/totals/")  # not to the page of one's own
    visitor.go_forward()
    visitor.wait_for_url(way_out)


def test_other_keys_in_between_and_slow_ones_stay(visitor, everything, way_out):
    visitor.goto(everything["me"])
    for key in ("Escape", "Escape", "a", "Escape", "Escape", "Tab"):
        visitor.keyboard.press(key)
    visitor.wait_for_timeout(200)
    assert visitor.url.endswith(everything["me"])


def test_without_javascript_it_is_a_link(visitor, everything, way_out, live_server):
    context = visitor.context.browser.new_context(base_url=live_server.url, java_script_enabled=False)
    page = context.new_page()
    page.goto(everything["petition"])
    page.locator("[data-exit]").click()
    page.wait_for_url(way_out)
    context.close()
