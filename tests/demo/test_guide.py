"""The page that tells where to click tells the truth: all that it names is there, in a system filled as the demo is."""

from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
from django.core.cache import cache
from django.core.management import call_command

from supporters.models import Petition
from supporters.receipts import sealing
from tests.demo import fill, guide, partner
from tests.demo.petition import SLUG, TEXTS
from tests.factories import make_supporter

SITE = "http://localhost:8000"
ELSEWHERE = guide.Elsewhere(
    "http://127.0.0.1:1/", "http://127.0.0.1:2/", "http://127.0.0.1:3/", "http://127.0.0.1:4/"
)
FOUND = guide.parts(SITE, ELSEWHERE)


@pytest.fixture
def filled(db, broker, settings):
    cache.clear()
    settings.STRIPE_SECRET_KEY = "sk_test_abc"
    settings.GIVING_AMOUNTS = {"SEK": (100,), "EUR": (10,), "PLN": (100,)}
    partners = fill._partners()
    for each in partners[:8]:
        make_supporter(country=each.country, source_code=each.source_code)
    fill._petition(partners)
    partner.fill("lodestar-demo")
    partner.open_site("http://127.0.0.1:4")


def test_every_address_of_ours_answers(filled, staff_client):
    for _heading, _line, stops in FOUND:
        for stop in stops:
            if stop.address.startswith(SITE):
                parts = urlsplit(stop.address)
                answer = staff_client.get(f"{parts.path}?{parts.query}", follow=True)
                assert answer.status_code == 200, stop.address


def test_the_petition_speaks_each_of_its_languages_to_its_target(filled, client):
    assert Petition.objects.get().slug == SLUG
    for language, (title, target, _body) in TEXTS.items():
        answer = client.get(f"/{language}/p/{SLUG}/")
        assert f'<article lang="{language}"' in answer.text
        assert answer.text.count(target) >= 2, f"{language}: above the text and in the words that are agreed to"
        assert title in answer.text
        assert answer.text.count("<ol>") == 1


def test_commands_that_are_told_do_what_is_said(filled, capsys):
    make_supporter(consent=True)
    assert sealing.seal()
    for name, _what in guide.COMMANDS:
        call_command(name)
    assert "All holds." in capsys.readouterr().out


def test_the_page_itself_is_served():
    page = guide.Guide(FOUND, "Log in as <astrid>.")
    with urlopen(page.url, timeout=10) as answer:
        text = answer.read().decode()
    assert "Log in as &lt;astrid&gt;." in text
    assert all(name in text for name, _what in guide.COMMANDS)
    assert all(stop.address.replace("&", "&amp;") in text for _heading, _line, stops in FOUND for stop in stops)


def test_somebody_of_the_partner_logs_in_and_its_site_may_show_the_form(filled, client):
    answer = client.post("/partners/login/", {"email": partner.LOGIN, "password": "lodestar-demo"})
    assert answer["Location"] == "/en/partners/"
    form = client.get(f"/p/{SLUG}/embed/?via={partner.CODE}")
    assert "frame-ancestors http://127.0.0.1:4" in form["Content-Security-Policy"]
    partner.open_site("http://127.0.0.1:5")  # the demo is started again
    form = client.get(f"/p/{SLUG}/embed/?via={partner.CODE}")
    assert "frame-ancestors http://127.0.0.1:5" in form["Content-Security-Policy"]
