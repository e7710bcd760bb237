"""Somebody's own page: the link to it, what it shows, and what can be done there."""

import json
import re
from datetime import timedelta

import pytest
from django.core import signing
from django.utils import timezone

from supporters import consent, letters, links, merging, preferences
from supporters.forms import DetailsForm
from supporters.links import Link
from supporters.models import Consent, ErasureRequest, Letter, Purpose, Signature, Supporter, Suppression
from tests.factories import make_consent, make_donation, make_organisation, make_petition, make_supporter

pytestmark = pytest.mark.django_db
ASK = "/en/me/"


@pytest.fixture(autouse=True)
def settled(settings, broker):
    settings.ORGANISATION_NAME = "RealStars"


@pytest.fixture
def eva():
    return make_supporter(
        first_name="Eva", last_name="Ek", email="eva@mail.se", country="SE", language="sv", consent=True
    )


def url(supporter, language="en"):
    return f"/{language}/me/{links.dated_token(Link.PREFERENCES, supporter.uuid)}/"


def text(answer):
    return answer.content.decode()


def sign(supporter, petition, **fields):
    state = {"state": Signature.State.VALIDATED, "validated_at": timezone.now(), **fields}
    return Signature.objects.create(petition=petition, supporter=supporter, country="SE", **state)


def test_the_link_goes_to_who_is_on_file_and_the_answer_tells_nobody(client, eva):
    known, unknown = (client.post(ASK, {"email": email}) for email in (" Eva@Mail.SE", "nobody@mail.se"))
    assert (
        (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"]) == (303, "/en/me/asked/")
    )
    assert [(one.kind, one.supporter, one.language) for one in Letter.objects.all()] == [("preferences", eva, "en")]
    assert "If we know your address" in text(client.get("/en/me/asked/"))


def test_asking_again_owes_another_letter_but_not_at_once(client, eva):
    client.post(ASK, {"email": "eva@mail.se"})
    Letter.objects.update(state="sent", taken_at=timezone.now())
    client.post(ASK, {"email": "eva@mail.se"})
    assert Letter.objects.get().state == "sent"
    Letter.objects.update(taken_at=timezone.now() - preferences.AGAIN_AFTER - timedelta(seconds=1))
    client.post("/sv/me/", {"email": "eva@mail.se"})
    assert (Letter.objects.get().state, Letter.objects.get().language) == ("owed", "sv")


def test_nobody_has_letters_heaped_on_somebody_else(client, eva):
    def asked_after(pause):
        Letter.objects.update(state="sent", taken_at=timezone.now() - pause - timedelta(seconds=1))
        assert client.post(ASK, {"email": "eva@mail.se"}).status_code == 303
        return letters.take(10) != []

    client.post(ASK, {"email": "eva@mail.se"})
    assert letters.take(10)
    for _time in range(preferences.MOST_LETTERS - 1):
        assert asked_after(preferences.AGAIN_AFTER)
    assert not asked_after(preferences.AGAIN_AFTER)
    assert not asked_after(timedelta(days=6))
    for _time in range(preferences.MOST_LETTERS):
        assert asked_after(preferences.LIFE)
    assert asked_after(preferences.AGAIN_AFTER)


@pytest.mark.parametrize("typed", ["", "eva", "a@b@c", "eva@mail.se\nBcc: x@y.z"])
def test_what_is_no_address_is_said_to_be_none(client, typed):
    answer = client.post(ASK, {"email": typed})
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in text(answer)
    assert not Letter.objects.exists()


def test_a_program_gets_the_same_answer_and_no_letter(client, eva):
    answer = client.post(ASK, {"email": "eva@mail.se", "website": "http://spam"})
    assert answer["Location"] == "/en/me/asked/"
    assert not Letter.objects.exists()


def test_the_page_shows_what_is_held_and_reading_it_changes_nothing(client, eva):
    make_consent(eva, purpose=Purpose.PARTNER, organisation=make_organisation(name="Talita"))
    sign(eva, make_petition(title="Stop the trade"))
    make_donation(supporter=eva, amount="250.00", currency="SEK")
    before = Consent.objects.count()
    answer = client.get(url(eva))
    for words in (
        "eva@mail.se",
        "Talita may write to me",
        "Stop the trade",
        "SEK\u00a0250.00",
        "Sweden",
    ):
        assert words in text(answer), words
    assert answer["Cache-Control"] == "no-store"
    assert answer["X-Robots-Tag"] == "noindex"
    assert "unsafe-inline" not in answer["Content-Security-Policy"]
    assert answer.cookies == {}
    assert Consent.objects.count() == before


def test_a_link_that_is_old_forged_or_for_something_else_opens_nothing(client, eva, monkeypatch):
    for token in (
        "x",
        links.token(Link.LEAVE, eva.uuid),
        links.token(Link.NEWS, eva.uuid),
        links.token(Link.PREFERENCES, eva.uuid),
    ):
        for path in (f"/en/me/{token}/", f"/en/me/{token}/data.json"):
            answer = client.get(path)
            assert answer.status_code in {404, 410}
            assert "eva@" not in text(answer)
    old = url(eva)
    now = signing.time.time()
    monkeypatch.setattr(signing.time, "time", lambda: now + preferences.LIFE.total_seconds() + 2)
    answer = client.get(old)
    assert answer.status_code == 410
    assert "Have a new one sent" in text(answer)
    assert client.post(old, {"what": "leave"}).status_code == 410
    assert consent.state_of(eva) == Consent.State.GRANTED


def test_the_link_to_this_page_opens_nothing_else(client, eva):
    token = links.dated_token(Link.PREFERENCES, eva.uuid)
    for path in ("/u/{}/", "/en/give/news/{}/", "/en/s/{}/"):
        assert client.get(path.format(token)).status_code in {404, 410}


def test_choices_are_kept_with_the_words_and_only_what_changed_is_written(client, eva):
    Supporter.objects.filter(pk=eva.pk).update(street="Storgatan 1", phone="+46701234567")
    partner = make_organisation(name="Talita")
    make_consent(eva, purpose=Purpose.PARTNER, organisation=partner)
    before = Consent.objects.count()
    answer = client.post(url(eva, "sv"), {"what": "choose", "allow": ["post", "email"]})
    assert answer.status_code == 303
    assert answer["Location"].endswith("?done=choose")
    new = list(Consent.objects.order_by("pk")[before:])
    assert [(one.purpose, one.state, one.method, one.source) for one in new] == [
        ("post", "granted", "confirmed", "me"),
        ("partner", "withdrawn", "link", "me"),
    ]
    assert new[0].wording.startswith("RealStars")
    assert (new[0].language, len(new[0].wording_version)) == ("sv", 12)
    assert new[1].organisation == partner
    client.post(url(eva), {"what": "choose", "allow": ["post", "email"]})
    assert Consent.objects.count() == before + 2


def test_leaving_here_is_leaving_and_coming_back_here_is_coming_back(client, eva):
    client.post(url(eva), {"what": "leave"})
    assert consent.state_of(eva) == Consent.State.WITHDRAWN
    assert consent.is_suppressed("eva@mail.se")
    assert not Supporter.objects.contactable().exists()
    client.post(url(eva), {"what": "choose", "allow": ["email"]})
    assert Supporter.objects.contactable().get() == eva


def test_a_complaint_is_not_lifted_by_a_tick(client, eva):
    consent.leave(eva, method=Consent.Method.COMPLAINT, reason=Suppression.Reason.COMPLAINT)
    client.post(url(eva), {"what": "choose", "allow": ["email"]})
    assert not Supporter.objects.contactable().exists()


def test_nobody_can_allow_a_partner_that_they_never_met(client, eva):
    partner = make_organisation(name="Talita")
    client.post(url(eva), {"what": "choose", "allow": ["email", f"partner:{partner.pk}", "signature"]})
    assert not Consent.objects.exclude(purpose="email").exists()


def test_details_are_corrected_as_every_door_reads_them(client, eva):
    typed = {
        "what": "correct",
        "first_name": " Éva\u202e ",
        "last_name": "O'Ek",
        "language": "pl",
        "country": "PL",
        "street": "ul. Długa 5",
        "postcode": "00950",
        "city": "Warszawa",
        "phone": "601 234 567",
    }
    assert client.post(url(eva), typed).status_code == 303
    eva.refresh_from_db()
    assert (eva.first_name, eva.last_name, eva.language, eva.country) == ("Éva", "O'Ek", "pl", "PL")
    assert (eva.postcode, eva.phone, eva.email) == ("00-950", "+48601234567", "eva@mail.se")


def test_what_somebody_corrects_while_they_are_merged_is_not_lost(eva):
    """Their page was opened before, and is sent off after."""
    other = make_supporter(first_name="Eva", last_name="Ek", email="eva@work.se")
    form = DetailsForm(eva, {"first_name": "Eva", "last_name": "Berg", "language": "sv", "country": "SE"})
    assert form.is_valid()
    merging.merge(other.pk, eva.pk)
    form.save()
    assert Supporter.objects.get().last_name == "Berg"


def test_what_can_not_be_read_is_said_and_nothing_is_written(client, eva):
    answer = client.post(
        url(eva), {"what": "correct", "first_name": "http://x.com", "language": "xx", "country": "SE"}
    )
    assert answer.status_code == 422
    assert text(answer).count('class="error" id=') == 2
    eva.refresh_from_db()
    assert (eva.first_name, eva.language) == ("Eva", "sv")


def test_a_language_that_we_do_not_speak_stays_where_it_was(client, eva):
    Supporter.objects.filter(pk=eva.pk).update(language="pt-br")
    client.post(
        url(eva), {"what": "correct", "first_name": "Eva", "last_name": "Ek", "language": "pt-br", "country": ""}
    )
    eva.refresh_from_db()
    assert (eva.language, eva.country) == ("pt-br", "")


def test_a_signature_is_taken_back_out_of_the_count(client, eva):
    petition = make_petition()
    mine, others = sign(eva, petition), sign(make_supporter(), petition)
    make_consent(eva, purpose=Purpose.SIGNATURE)
    for which in (others.pk, "x", "9" * 30, ""):
        client.post(url(eva), {"what": "take_back", "which": which})
    assert Signature.objects.filter(state="validated").count() == 2
    client.post(url(eva), {"what": "take_back", "which": mine.pk})
    assert list(Signature.objects.filter(state="validated")) == [others]
    assert consent.state_of(eva, Purpose.SIGNATURE) == Consent.State.WITHDRAWN


def test_who_let_their_name_be_shown_can_take_that_back(client, eva, django_capture_on_commit_callbacks):
    petition = make_petition()
    mine, others = sign(eva, petition, shown=True), sign(make_supporter(first_name="Bo"), petition, shown=True)
    assert "Eva" in client.get(f"/en/p/{petition.slug}/").text
    assert re.search(rf'id="shown_{mine.pk}" checked', client.get(url(eva)).text)
    with django_capture_on_commit_callbacks(execute=True):
        for which in (mine.pk, others.pk, "x"):
            assert client.post(url(eva), {"what": "show", "which": which})["Location"].endswith("done=show")
    assert list(Signature.objects.order_by("pk").values_list("shown", flat=True)) == [False, True]
    page = client.get(f"/en/p/{petition.slug}/").text
    assert "Eva" not in page
    assert "Bo" in page
    client.post(url(eva), {"what": "show", "which": mine.pk, "shown": "on"})
    mine.refresh_from_db()
    assert (mine.shown, mine.state) == (True, "validated")


def test_a_petition_that_shows_nobody_does_not_ask(client, eva):
    sign(eva, make_petition(shows_signers=False))
    assert 'name="shown"' not in client.get(url(eva)).text


def test_asking_to_be_erased_is_a_request_with_a_deadline_and_asking_twice_is_one(client, eva):
    for _time in range(2):
        client.post(url(eva), {"what": "erase"})
    request = ErasureRequest.objects.get()
    assert (request.supporter, request.door, request.identified, request.state) == (eva, "page", "link", "received")
    assert "You have asked to be erased." in text(client.get(url(eva)))


def test_all_that_is_held_is_handed_out_as_json(client, eva):
    answer = client.get(url(eva) + "data.json")
    assert answer["Content-Disposition"].startswith('attachment; filename="my-data-')
    told = json.loads(b"".join(answer.streaming_content))
    assert (told["format"], told["person"]["email"]) == ("lodestar-person", "eva@mail.se")


def test_an_unknown_act_changes_nothing(client, eva):
    before = Consent.objects.count()
    assert client.post(url(eva), {"what": "delete"}).status_code == 400
    assert Consent.objects.count() == before


def test_who_was_erased_has_no_page(client, eva, staff):
    from crm.erasure import erase

    link = url(eva)
    erase(eva, by=staff)
    assert client.get(link).status_code == 410
    assert not Letter.objects.exists()


def test_how_often_and_how_discreetly_is_asked_and_kept(client, eva):
    page = client.get(url(eva))
    assert 'name="how_often"' in text(page)
    assert 'name="discreet"' in text(page)
    answer = client.post(url(eva), {"what": "how", "how_often": "month", "discreet": "on"})
    assert answer["Location"].endswith("?done=how")
    eva.refresh_from_db()
    assert (eva.how_often, eva.discreet) == ("month", True)
    chosen = re.findall(r"<input[^>]*checked[^>]*>", text(client.get(url(eva))))
    assert any('value="month"' in each for each in chosen)
    assert any('name="discreet"' in each for each in chosen)
    client.post(url(eva), {"what": "how", "how_often": ""})
    eva.refresh_from_db()
    assert (eva.how_often, eva.discreet) == ("", False)


def test_another_answer_than_those_offered_changes_nothing(client, eva):
    client.post(url(eva), {"what": "how", "how_often": "week", "discreet": "on"})
    client.post(url(eva), {"what": "how", "how_often": "hourly"})
    eva.refresh_from_db()
    assert (eva.how_often, eva.discreet) == ("week", True)
    assert consent.state_of(eva) == Consent.State.GRANTED


def test_who_has_no_address_is_not_asked_how(client, eva):
    Supporter.objects.filter(pk=eva.pk).update(email=None)
    assert 'name="how_often"' not in text(client.get(url(eva)))
