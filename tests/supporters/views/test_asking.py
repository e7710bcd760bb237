import re

import pytest
from django.core.cache import cache

from supporters import links
from supporters.links import Link
from supporters.models import Signature
from tests.factories import make_organisation, make_petition

pytestmark = pytest.mark.django_db
FORM = re.compile(r'<section class="ask".*?</section>', re.DOTALL)


@pytest.fixture(autouse=True)
def giving(settings, broker):
    cache.clear()
    settings.DONATE_URL = f"{settings.SITE_URL}/give/"
    settings.STRIPE_SECRET_KEY = "sk_test_abc"
    settings.GIVING_AMOUNTS = {"SEK": (100, 250), "EUR": (10, 25), "PLN": (50, 100)}
    make_petition(slug="one-law", target="the Commission")


def asked(client, path, **headers):
    return FORM.search(client.get(path, headers=headers).text)[0]


def hidden(form):
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))


@pytest.mark.parametrize("path", ["/pl/p/one-law/", "/pl/p/one-law/thanks/"])
def test_buttons_lead_to_the_giving_page_with_nothing_chosen_for_anybody(client, path):
    form = asked(client, path)
    assert 'action="/pl/give/"' in form
    assert re.findall(r'<button name="amount" value="(\w+)"', form) == ["50", "100", "other"]
    assert re.search(r'value="once" checked', form)
    assert not re.search(r'value="month" checked', form)
    assert hidden(form) == {"currency": "PLN", "source": "one-law"}
    answer = client.get("/pl/give/", {**hidden(form), "interval": "month", "amount": "100"})
    given = answer.context["form"]
    assert [given[name].value() for name in ("interval", "amount", "source")] == ["month", "100", "one-law"]
    assert given.currency == "PLN"


def test_what_brought_the_reader_goes_along(client):
    make_organisation(source_code="la-strada")
    form = asked(client, "/en/p/one-law/?via=la-strada&source=stall", **{"accept-language": "sv-SE"})
    assert hidden(form) == {"currency": "SEK", "source": "stall", "via": "la-strada"}
    assert "&lt;b&gt;" in asked(client, "/en/p/one-law/?source=%3Cb%3E")


def test_after_confirming_the_ask_is_in_the_signer_s_currency_and_knows_what_brought_them(client):
    make_organisation(source_code="la-strada")
    typed = {"first_name": "Ewa", "email": "ewa@mail.pl", "country": "PL", "agree": "on", "via": "la-strada"}
    client.post("/en/p/one-law/", typed)
    token = links.token(Link.CONFIRM, Signature.objects.get().uuid)
    answer = client.post(f"/en/s/{token}/")
    assert answer["Location"] == "/en/p/one-law/thanks/?source=la-strada&via=la-strada&currency=PLN"
    assert hidden(asked(client, answer["Location"])) == {
        "currency": "PLN", "source": "la-strada", "via": "la-strada",
    }  # fmt: skip


def test_another_giving_page_is_one_plain_link_and_none_is_no_ask(client, settings):
    settings.DONATE_URL = "https://elsewhere.example.org/give"
    assert 'href="https://elsewhere.example.org/give"' in asked(client, "/pl/p/one-law/thanks/")
    settings.DONATE_URL = ""
    assert 'class="ask"' not in client.get("/pl/p/one-law/").text
    settings.DONATE_URL, settings.STRIPE_SECRET_KEY = f"{settings.SITE_URL}/give/", ""
    assert 'class="ask"' not in client.get("/pl/p/one-law/").text


def test_without_cards_there_is_no_monthly_gift_to_ask_for(client, settings):
    settings.STRIPE_SECRET_KEY, settings.SWISH_NUMBER = "", "1234679304"
    form = asked(client, "/sv/p/one-law/")
    assert hidden(form)["currency"] == "SEK"
    assert "interval" not in form
