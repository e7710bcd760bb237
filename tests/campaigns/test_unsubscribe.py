from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from campaigns.models import Appeal, Delivery, Segment
from supporters import links
from supporters.consent import is_suppressed, state_of
from supporters.links import Link
from supporters.models import Consent, Letter, Supporter
from tests.factories import make_supporter

pytestmark = pytest.mark.django_db


@pytest.fixture
def person():
    return make_supporter(consent=True, language="sv")


@pytest.fixture
def page(person):
    appeal = Appeal.objects.create(
        name="Spring",
        segment=Segment.objects.create(name="All"),
        source_code="spring",
        sender_name="RealStars",
        sender_email="hej@realstars.example",
    )
    delivery = Delivery.objects.create(appeal=appeal, supporter=person, language="sv")
    return reverse("campaigns:unsubscribe", args=[links.unsubscribe_token(delivery.uuid)])


def last_line(person):
    return person.consents.order_by("-pk").first()


def test_get_and_head_change_nothing(client, person, page):
    answer = client.get(page)
    assert answer.status_code == 200
    assert "<button" in answer.text
    assert client.head(page).status_code == 200
    assert client.options(page).status_code == 405
    assert state_of(person) == Consent.State.GRANTED
    assert not is_suppressed(person.email)


@pytest.mark.parametrize("more", ["", "choices/"])
def test_the_page_is_in_the_language_of_the_message_and_can_be_read_in_another(client, page, more):
    text = client.get(page + more).text
    assert '<html lang="sv" dir="ltr">' in text
    assert f'href="/ar{page}{more}" lang="ar"' in text
    assert '<html lang="ar" dir="rtl">' in client.get(f"/ar{page}{more}").text
    assert '<html lang="pl"' in client.get(f"/pl/{links.LEAVING}nonsense/{more}").text


def test_whoever_chose_a_language_leaves_in_it_and_is_not_asked_anew(client, person, page):
    text = client.post(f"/pl{page}").text
    assert '<html lang="pl"' in text
    assert 'class="languages"' not in text
    assert state_of(person) == Consent.State.WITHDRAWN
    assert client.post(f"/pl{page}choices/")["Location"] == "/pl/me/asked/"
    assert Letter.objects.get().language == "pl"


def test_the_button_leaves_at_once(client, person, page):
    answer = client.post(page)
    assert answer.status_code == 200
    assert "Du är avanmäld" in answer.text
    assert state_of(person) == Consent.State.WITHDRAWN
    assert is_suppressed(person.email)
    assert not Supporter.objects.contactable().filter(pk=person.pk).exists()
    line = last_line(person)
    assert (line.method, line.source) == (Consent.Method.LINK, "appeal spring")


def test_one_click_needs_no_cookie_and_may_come_twice(person, page):
    client = Client(enforce_csrf_checks=True)
    for _time in range(2):
        answer = client.post(page, {"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 200
    assert last_line(person).method == Consent.Method.ONE_CLICK
    assert person.consents.filter(state=Consent.State.WITHDRAWN).count() == 1


def test_the_page_speaks_the_persons_language(client, page):
    answer = client.get(page, headers={"accept-language": "de"})
    assert '<html lang="sv" dir="ltr">' in answer.text
    assert "Avsluta utskick?" in answer.text


def test_the_page_is_kept_by_nobody(client, page):
    answer = client.get(page)
    assert "no-store" in answer["Cache-Control"]
    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["X-Robots-Tag"] == "noindex"
    assert not answer.cookies


def test_the_page_shows_nothing_of_the_person(client, person, page):
    for answer in (client.get(page), client.post(page)):
        assert person.email not in answer.text
        assert person.last_name not in answer.text


@pytest.mark.parametrize("token", ["x", "abc.def", "%2e%2e", "é"])
def test_a_forged_link_reveals_and_does_nothing(client, person, token):
    for answer in (client.get(f"/u/{token}/"), client.post(f"/u/{token}/")):
        assert answer.status_code == 404
        assert "This link doesn&#x27;t work." in answer.text or "This link doesn't work." in answer.text
    assert state_of(person) == Consent.State.GRANTED


def test_a_link_of_a_person_works_without_a_delivery(client, person):
    page = reverse("campaigns:unsubscribe", args=[links.token(Link.LEAVE, person.uuid)])
    assert "Avsluta utskick?" in client.get(page).text
    client.post(page)
    assert state_of(person) == Consent.State.WITHDRAWN


def test_somebody_erased_gets_the_same_kind_answer(client):
    page = reverse("campaigns:unsubscribe", args=[links.unsubscribe_token(uuid4())])
    assert client.get(page).status_code == 200
    assert "You have left." in client.post(page).text


def test_the_foots_other_link_only_has_the_own_page_sent_to_the_inbox(client, broker, person, page):
    choices = f"{page}choices/"
    answer = client.get(choices)
    assert person.email not in answer.text
    assert "no-store" in answer["Cache-Control"]
    assert not Letter.objects.exists()
    answer = client.post(choices)
    assert (answer.status_code, answer["Location"]) == (303, "/sv/me/asked/")
    assert [(one.kind, one.supporter, one.language) for one in Letter.objects.all()] == [
        ("preferences", person, "sv")
    ]
    assert state_of(person) == Consent.State.GRANTED


def test_the_foots_other_link_says_the_same_to_nobody(client, broker, person, page):
    Delivery.objects.update(supporter=None)
    answer = client.post(f"{page}choices/")
    assert answer.status_code == 303
    assert not Letter.objects.exists()
    assert client.get(f"{page[:-4]}xyz/choices/").status_code == 404
