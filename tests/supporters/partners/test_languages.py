"""Partners' pages and letters in the language of whoever reads them: by the address, else by the browser, and the same from page to page."""

import re

import pytest
from django.core import mail

from campaigns.letters.partners import password as letter_of
from supporters.models import Letter, PetitionText
from supporters.partners import members
from tests.factories import make_petition
from tests.supporters.partners.conftest import PASSWORD, allow

pytestmark = pytest.mark.django_db
PAGES = ("", "people/", "people/left/", "files/", "files/new/partner-people/", "files/new/partner-left/")


@pytest.mark.parametrize(
    ("path", "browser", "language", "direction"),
    [
        ("/partners/login/", "pl,en;q=0.5", "pl", "ltr"),
        ("/partners/login/", "tlh", "en", "ltr"),
        ("/el/partners/login/", "pl", "el", "ltr"),
        ("/ar/partners/password/", "pl", "ar", "rtl"),
        ("/mt/partners/password/x/", "pl", "mt", "ltr"),
    ],
)
def test_the_address_decides_and_else_the_browser(client, path, browser, language, direction):
    answer = client.get(path, HTTP_ACCEPT_LANGUAGE=browser)
    assert f'<html lang="{language}" dir="{direction}">' in answer.text
    assert answer["Content-Language"] == language


@pytest.mark.parametrize("page", PAGES)
def test_every_page_can_be_read_in_every_language_and_leads_on_in_the_same_one(ida_client, aurora, page):
    allow(aurora)
    text = ida_client.get(f"/sv/partners/{page}").text
    assert '<html lang="sv" dir="ltr">' in text
    assert f'href="/ar/partners/{page}" lang="ar" hreflang="ar" dir="rtl"' in text
    own = re.sub(r"<nav class=.languages.*?</nav>", "", text, flags=re.DOTALL)
    assert set(re.findall(r'(?:href|action)="/(\w*/?)partners/', own)) == {"sv/"}


def test_who_logs_in_stays_in_the_language_of_the_door(client, ida):
    said = {"email": "ida@aurora.example", "password": PASSWORD}
    assert client.post("/lv/partners/login/", said)["Location"] == "/lv/partners/"
    assert client.get("/lv/partners/login/")["Location"] == "/lv/partners/"
    assert client.post("/lv/partners/logout/")["Location"] == "/lv/partners/login/"
    assert client.get("/lv/partners/people/")["Location"] == "/lv/partners/login/"


def test_a_petition_is_shown_in_the_language_of_the_page(ida_client):
    law = make_petition(slug="one-law", title="One law")
    for language in ("en", "sv"):
        PetitionText.objects.create(petition=law, language=language, title=f"Law in {language}", body="Text.")
    assert '<bdi lang="sv">Law in sv</bdi>' in ida_client.get("/sv/partners/").text
    assert '<h1 lang="en" dir="auto">Law in en</h1>' in ida_client.get("/el/partners/petitions/one-law/").text
    assert ida_client.get("/el/partners/petitions/none/").status_code == 404


def test_the_letter_comes_in_the_language_in_which_it_was_asked_for(client, ida):
    client.post("/pl/partners/password/", {"email": "ida@aurora.example"})
    letter = Letter.objects.select_related("partner__user", "partner__organisation").get()
    assert letter.language == "pl"
    Letter.objects.update(state="sent", taken_at="2026-01-01T00:00Z")
    client.post("/ar/partners/password/", {"email": "ida@aurora.example"})
    letter.refresh_from_db()
    assert (letter.state, letter.language) == ("owed", "ar")
    assert mail.outbox == []


def test_the_link_in_a_letter_leads_to_a_page_in_its_language(aurora, rf):
    from django.utils.translation import override

    letter = Letter.objects.get(partner=members.invite(aurora, "eva@aurora.example", None, "uk"))
    with override(letter.language):
        note = letter_of.write(letter)
    assert any("/uk/partners/password/" in getattr(block, "href", "") for block in note.blocks)


def test_the_log_of_staff_names_files_in_english_whoever_took_them(ida_client, aurora):
    from supporters.models import Export

    allow(aurora)
    ida_client.post("/sv/partners/files/new/partner-people/", {"format": "csv", "reason": "Brev"}).getvalue()
    assert Export.objects.get().what == "People who allowed Aurora to write"
    assert "People who allowed Aurora" in ida_client.get("/en/partners/files/").text
