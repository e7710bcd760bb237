"""Signing, in a browser: with and without scripts, by keyboard, and where too many come from one place."""

import re

import pytest
from django.core.cache import cache
from django.test import RequestFactory

from supporters import crowd, links
from supporters.links import Link
from supporters.models import PetitionText, Signature
from tests.factories import make_petition

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def petition(broker):
    cache.clear()
    petition = make_petition(slug="one-law", goal=100)
    PetitionText.objects.create(petition=petition, language="en", title="One law", body="A **common** law.")
    return petition


@pytest.fixture
def signer(visitor):
    """Somebody with an old phone, and what went wrong in the browser."""
    return watched(visitor)


@pytest.fixture
def scriptless(chromium, live_server, monkeypatch):
    """Somebody whose browser runs no scripts."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    context = chromium.new_context(base_url=live_server.url, java_script_enabled=False)
    yield watched(context.new_page())
    context.close()


def watched(page):
    page.troubles = []
    page.on("console", lambda said: said.type == "error" and page.troubles.append(said.text))
    page.on("pageerror", lambda error: page.troubles.append(str(error)))
    page.set_viewport_size({"width": 320, "height": 640})
    return page


def fill(page, **fields):
    for name, text in {"first_name": "Ewa", "email": "ewa@mail.pl", **fields}.items():
        page.locator(f"#id_{name}").fill(text)
    page.locator("#id_country").select_option("PL")
    page.locator("#id_agree").check()


def send(page):
    page.locator("form button[type=submit]").click()


def exhaust(form="sign"):
    """Take every turn that there is for a visitor of this machine."""
    request = RequestFactory().post("/", REMOTE_ADDR="127.0.0.1")
    while not crowd.hold(request, form):
        pass


def test_who_has_to_wait_is_let_through_by_a_puzzle_that_the_browser_solves(signer):
    signer.goto("/en/p/one-law/")
    fill(signer)
    exhaust()
    send(signer)
    signer.get_by_text("Many people are signing from where you are.").wait_for()
    assert signer.locator("#id_first_name").input_value() == "Ewa"
    status = signer.get_by_role("status")
    status.filter(has_text="The puzzle is solved").wait_for()
    assert signer.evaluate("document.documentElement.scrollWidth") <= 320
    exhaust()
    send(signer)
    signer.wait_for_url(re.compile("/signed/"))
    assert Signature.objects.get().email == "ewa@mail.pl"
    assert [trouble for trouble in signer.troubles if "429" not in trouble] == []


@pytest.mark.parametrize(("path", "form"), [("/en/me/", "me"), ("/en/give/", "give")])
def test_every_form_that_anybody_can_send_is_opened_by_a_puzzle(signer, settings, path, form):
    settings.SWISH_NUMBER = "1234679304"
    settings.GIVING_AMOUNTS = {"SEK": (100, 250)}
    signer.goto(path)
    for name in ("first_name", "email"):
        if signer.locator(f"#id_{name}").count():
            signer.locator(f"#id_{name}").fill("ewa@mail.pl" if name == "email" else "Ewa")
    exhaust(form)
    send(signer)
    signer.get_by_role("status").filter(has_text="The puzzle is solved").wait_for()
    exhaust(form)
    send(signer)
    signer.wait_for_url(re.compile("/me/asked/|/give/pay/"))


def test_without_scripts_the_whole_of_signing_works(scriptless):
    scriptless.goto("/en/p/one-law/")
    send(scriptless)
    scriptless.get_by_text("Something is missing").wait_for()
    fill(scriptless)
    exhaust()
    send(scriptless)
    said = scriptless.get_by_role("alert").inner_text()
    scriptless.wait_for_timeout(1000 * int(re.search(r"(\d+) second", said)[1]))
    send(scriptless)
    scriptless.wait_for_url(re.compile("/signed/"))
    scriptless.goto(f"/en/s/{links.token(Link.CONFIRM, Signature.objects.get().uuid)}/")
    send(scriptless)
    scriptless.wait_for_url(re.compile("/thanks/"))
    assert Signature.objects.get().state == "validated"
