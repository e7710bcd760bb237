import re
from datetime import timedelta
from urllib.parse import unquote

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.urls import reverse
from django.utils import timezone

from config.logs import Discreet
from supporters import codes, links
from supporters.links import Link
from supporters.models import Letter, Petition, PetitionText, Signature, Supporter
from supporters.signing import shown
from supporters.signing.confirming import confirm
from tests.factories import make_organisation, make_petition, make_signature, make_supporter

pytestmark = pytest.mark.django_db


@pytest.fixture
def petition():
    petition = make_petition(slug="one-law", target="the Commission", goal=100)
    PetitionText.objects.create(petition=petition, language="en", title="One law", body="A **common** law.")
    PetitionText.objects.create(petition=petition, language="pl", title="Jedno prawo", body="Wspólne prawo.")
    return petition


@pytest.fixture(autouse=True)
def quiet(monkeypatch, broker):
    cache.clear()


def typed(**fields):
    return {
        "first_name": "Ewa",
        "last_name": "Nowak",
        "email": "Ewa@Mail.pl",
        "country": "PL",
        "agree": "on",
        **fields,
    }


def pending():
    return Signature.objects.get(email__isnull=False)


def test_the_page_shows_text_target_and_progress_in_the_language_of_the_browser(client, petition):
    answer = client.get("/p/one-law/")
    assert answer.status_code == 200
    assert "A <strong>common</strong> law." in answer.text
    assert "the Commission" in answer.text
    assert '<progress max="100" value="0"' in answer.text
    answer = client.get("/p/one-law/", headers={"accept-language": "pl"})
    assert "Jedno prawo" in answer.text
    assert answer["Content-Language"] == "pl"


def test_the_target_is_named_in_the_words_of_the_reader_s_language(client, petition):
    petition.texts.filter(language="pl").update(target="Komisja Europejska")
    polish = client.get("/pl/p/one-law/").text
    assert polish.count("Komisja Europejska") == 2
    assert "the Commission" not in polish
    assert "the Commission" in client.get("/sv/p/one-law/").text
    client.post("/pl/p/one-law/", typed())
    assert "Komisja Europejska" in pending().typed["agreed"][0]["text"]


def test_the_language_of_the_address_beats_the_browser(client, petition):
    answer = client.get("/pl/p/one-law/", headers={"accept-language": "en"})
    assert '<html lang="pl"' in answer.text
    assert "Jedno prawo" in answer.text
    answer = client.get("/ar/p/one-law/")
    assert '<html lang="ar" dir="rtl">' in answer.text
    assert '<article lang="en" dir="ltr">' in answer.text


@pytest.mark.parametrize("path", ["/p/no-such/", "/xx/p/one-law/", "/p/draft/"])
def test_unknown_petitions_languages_and_drafts_are_not_found(client, petition, path):
    make_petition(slug="draft", state="draft")
    assert client.get(path).status_code == 404


def test_the_page_asks_no_third_party_and_sets_no_cookie(client, petition):
    answer = client.get("/p/one-law/?source=leaflet")
    assert not answer.cookies
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert "unsafe-inline" not in answer["Content-Security-Policy"]
    assert 'style="' not in answer.text
    assert "<script>" not in answer.text
    assert answer["Referrer-Policy"] == "no-referrer"


def test_signing_is_pending_belongs_to_nobody_and_owes_a_letter(client, petition):
    answer = client.post("/pl/p/one-law/", typed(shown="on", source="leaflet"))
    assert (answer.status_code, answer["Location"]) == (303, "/pl/p/one-law/signed/")
    signature = pending()
    assert (signature.email, signature.state, signature.supporter_id) == ("ewa@mail.pl", "pending", None)
    assert (signature.country, signature.language, signature.source_code, signature.shown) == (
        "PL",
        "pl",
        "leaflet",
        True,
    )
    assert signature.typed["first_name"] == "Ewa"
    assert [each["purpose"] for each in signature.typed["agreed"]] == ["signature"]
    assert signature.typed["agreed"][0]["language"] == "pl"
    assert not Supporter.objects.exists()
    assert list(Letter.objects.values_list("kind", "state", "language")) == [("confirm", "owed", "pl")]


def test_consents_are_separate_and_unticked(client, petition):
    make_organisation(name="Kvinnohuset", source_code="huset")
    page = client.get("/p/one-law/?via=HUSET").text
    assert "Kvinnohuset may write to me" in page
    assert "checked" not in page
    client.post("/p/one-law/", typed(via="huset", partner_news="on"))
    signature = pending()
    assert [each["purpose"] for each in signature.typed["agreed"]] == ["signature", "partner"]
    assert signature.organisation.name == "Kvinnohuset"
    assert signature.source_code == "huset"


def test_nobody_consents_to_a_partner_who_did_not_bring_them(client, petition):
    client.post("/p/one-law/", typed(partner_news="on", via="unknown"))
    assert [each["purpose"] for each in pending().typed["agreed"]] == ["signature"]


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("email", "no address", "This is no email address"),
        ("email", "", "Please fill this in."),
        ("country", "XX", "Please choose one of the list."),
        ("agree", "", "Without this we can&#x27;t keep your signature."),
        ("first_name", "", "Please fill this in."),
        ("first_name", "\u200f\u202e", "Please fill this in."),
        ("first_name", "see http://evil.example", "A name has no web or email address in it."),
        ("last_name", "x" * 5000, "This is longer than fits here"),
        ("first_name", "Ewa\0", "characters that can&#x27;t be kept"),
    ],
)
def test_bad_input_is_told_and_nothing_is_kept(client, petition, field, value, words):
    answer = client.post("/p/one-law/", typed(**{field: value}))
    assert answer.status_code == 422
    assert words in answer.text
    assert 'value="Nowak"' in answer.text or field == "last_name"
    assert not Signature.objects.exists()
    assert not Letter.objects.exists()


@pytest.mark.parametrize("code", ["a b", "x" * 5000, "<script>", "źródło"])
def test_a_garbled_code_of_a_link_keeps_nobody_from_signing(client, petition, code):
    page = client.get("/en/p/one-law/", {"source": code, "via": code})
    assert page.status_code == 200
    assert "<script>" not in page.text
    assert client.post("/en/p/one-law/?via=%00", typed(source=code, via=code)).status_code == 303
    assert (pending().source_code, pending().organisation) == ("", None)


@pytest.mark.parametrize("path", ["/en/p/no-such/", "/xx/p/one-law/", "/en/p/draft/", "/en/p/one-law\0/"])
def test_what_is_not_there_is_not_signed(client, petition, path):
    make_petition(slug="draft", state="draft")
    assert client.post(path, typed()).status_code == 404
    assert not Signature.objects.exists()


def test_no_mark_of_direction_in_a_name_turns_the_page_or_the_letter_round(client, petition):
    turned = "\u202eEwa\u202c \u2066x\u2069\u200f"
    client.post("/en/p/one-law/", typed(first_name=turned, last_name="\u200fنوفاك\u2067", shown="on"))
    kept = pending()
    assert (kept.typed["first_name"], kept.typed["last_name"]) == ("Ewa x", "نوفاك")
    assert '<span dir="auto">Ewa x نوفاك</span>' in client.get(f"/en/s/{links.token(Link.CONFIRM, kept.uuid)}/").text
    confirm(kept.uuid)
    cache.clear()
    assert "<bdi>Ewa x</bdi>" in client.get("/en/p/one-law/").text
    person = Supporter.objects.get()
    shown_to_them = client.get(f"/en/me/{links.dated_token(Link.PREFERENCES, person.uuid)}/").text
    assert "<bdi>Ewa x نوفاك</bdi>" in shown_to_them
    assert not set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069") & set(shown_to_them)


def test_a_form_that_is_far_too_large_is_refused_whole(client, petition, settings):
    assert client.post("/en/p/one-law/", typed(last_name="x" * 3_000_000)).status_code == 413
    for path in ("/en/p/one-law/", "/en/give/", "/u/x/", "/en/nowhere/", "/webhooks/stripe/"):
        answer = client.post(path, {**typed(), "file": SimpleUploadedFile("a", b"x" * 3_000_000)})
        assert (answer.status_code, answer["Connection"]) == (413, "close")
    answer = client.post(
        "/pl/p/one-law/", {**typed(), **{f"f{n}": "x" for n in range(11_000)}}, headers={"accept-language": "pl"}
    )
    assert answer.status_code == 400
    assert '<html lang="pl"' in answer.text
    assert "supporters/public" in answer.text
    assert not Signature.objects.exists()


def test_a_fault_tells_nobody_anything_of_who_signed(client, petition, caplog):
    client.raise_request_exception = False
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE supporters_letter ADD CONSTRAINT none CHECK (false) NOT VALID")
    with transaction.atomic():
        answer = client.post("/pl/p/one-law/", typed(first_name="Zofia", email="zofia@mail.pl"))
        transaction.set_rollback(True)
    assert answer.status_code == 500
    assert "public.css" in answer.text
    said = answer.text + "".join(Discreet().format(record) for record in caplog.records)
    assert "IntegrityError" in said
    assert [word for word in ("Zofia", "zofia", "Nowak") if word in said] == []


def test_names_are_kept_as_written_but_in_one_line(client, petition):
    client.post("/p/one-law/", typed(first_name="Zoë\r\nBcc: x", last_name=" عبد‌الله  🎈"))
    assert pending().typed["first_name"] == "Zoë Bcc: x"
    assert pending().typed["last_name"] == "عبد‌الله 🎈"


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "This address will soon be gone, and with it our email to you. Please use one that you keep."),
        ("sv", "Den här adressen är snart borta"),
        ("de", "Diese Adresse gibt es bald nicht mehr"),
        ("fr", "Cette adresse disparaîtra bientôt"),
        ("es", "Esta dirección dejará pronto de existir"),
        ("pl", "Ten adres wkrótce zniknie"),
    ],
)
def test_an_address_of_a_few_minutes_is_refused_kindly(client, petition, language, words):
    answer = client.post(f"/{language}/p/one-law/", typed(email="ewa@box.mailinator.com"))
    assert answer.status_code == 422
    assert words in answer.text
    assert not Signature.objects.exists()


@pytest.mark.parametrize("email", ["ewa", "ewa@mail", "ewa @mail.pl", "ewa@mail.pl, ola@mail.pl", "ewa@localhost"])
def test_what_is_no_address_is_refused(client, petition, email):
    answer = client.post("/en/p/one-law/", typed(email=email))
    assert answer.status_code == 422
    assert "This is no email address. An example: anna@example.org" in answer.text
    assert not Signature.objects.exists()


def test_who_signs_is_kept_in_one_form_and_marked(client, petition):
    Petition.objects.update(asks_postcode=True)
    client.post("/p/one-law/", typed(email="Info@BÜCHER.example", country="PL", postcode="00950"))
    confirm(pending().uuid)
    signed = Supporter.objects.get()
    assert (signed.email, signed.postcode, signed.marks) == ("info@xn--bcher-kva.example", "00-950", ["role"])


def test_a_postcode_that_fits_no_form_is_no_reason_not_to_sign(client, petition):
    Petition.objects.update(asks_postcode=True)
    client.post("/p/one-law/", typed(country="PL", postcode="Kraków"))
    confirm(pending().uuid)
    assert Supporter.objects.values_list("postcode", "marks").get() == ("Kraków", ["postcode"])


def test_a_program_that_fills_in_the_hidden_field_is_answered_alike_and_forgotten(client, petition):
    answer = client.post("/en/p/one-law/", typed(website="http://spam.example"))
    assert (answer.status_code, answer["Location"]) == (303, "/en/p/one-law/signed/")
    assert not Signature.objects.exists()


def test_who_has_signed_is_answered_like_anybody_else(client, petition):
    make_signature(petition, make_supporter(email="ewa@mail.pl"), state="validated", validated_at="2026-01-01T00:00Z")
    known = client.post("/en/p/one-law/", typed())
    stranger = client.post("/en/p/one-law/", typed(email="new@mail.pl"))
    assert (known.status_code, known.headers, known.content) == (
        stranger.status_code,
        stranger.headers,
        stranger.content,
    )
    assert Letter.objects.count() == 2


def test_signing_again_mends_what_was_typed_and_heaps_no_letters(client, petition):
    client.post("/p/one-law/", typed())
    client.post("/p/one-law/", typed(first_name="Eva"))
    assert pending().typed["first_name"] == "Eva"
    assert Letter.objects.count() == 1


def test_a_closed_petition_is_shown_and_not_signed(client, petition):
    petition.state = "closed"
    petition.save()
    assert "This petition is closed." in client.get("/p/one-law/").text
    answer = client.post("/p/one-law/", typed())
    assert answer.status_code == 409
    assert not Signature.objects.exists()


def test_signing_is_one_statement_whoever_signs(client, petition, django_assert_num_queries):
    make_signature(petition, make_supporter(email="ewa@mail.pl"), state="validated", validated_at="2026-01-01T00:00Z")
    client.get("/en/p/one-law/")
    for email in ("first@mail.pl", "ewa@mail.pl", "first@mail.pl"):
        with django_assert_num_queries(1):
            assert client.post("/en/p/one-law/", typed(email=email)).status_code == 303


def test_the_page_is_two_statements_and_counts_nothing(client, petition, django_assert_num_queries):
    client.get("/en/p/one-law/")
    with django_assert_num_queries(1) as told:
        client.get("/en/p/one-law/")
    assert "petitiontext" in told[0]["sql"]
    cache.clear()
    shown.forget()
    with django_assert_num_queries(5) as told:
        client.get("/en/p/one-law/")
    assert not [each for each in told if "count(" in each["sql"].lower()]


def test_a_petition_that_was_closed_this_moment_is_not_signed_though_its_page_is_older(client, petition):
    client.get("/en/p/one-law/")
    Petition.objects.update(state="closed")
    answer = client.post("/en/p/one-law/", typed())
    assert answer.status_code == 409
    assert "This petition is closed." in answer.text
    assert not Signature.objects.exists()
    shown.forget()
    Petition.objects.update(state="open", closes_at=timezone.now() + timedelta(seconds=1))
    client.get("/en/p/one-law/")
    Petition.objects.update(closes_at=timezone.now())
    assert client.post("/en/p/one-law/", typed()).status_code == 409


def test_latest_signers_are_those_who_agreed(client, petition):
    for name, agreed in (("Anna", True), ("Berta", False)):
        person = make_supporter(first_name=name)
        make_signature(
            petition, person, state="validated", validated_at="2026-01-01T00:00Z", shown=agreed, country="SE"
        )
    page = client.get("/p/one-law/").text
    assert "Anna" in page
    assert "Sweden" in page
    assert "Berta" not in page
    assert '<progress max="100" value="2"' in page


def test_every_language_has_its_address(client, petition, settings):
    page = client.get("/p/one-law/?via=huset").text
    for code, _name in settings.LANGUAGES:
        assert f'href="/{code}/p/one-law/?via=huset"' in page
    assert reverse("supporters:petition", kwargs={"slug": "one-law"}) == "/p/one-law/"


def test_who_comes_too_often_is_asked_to_wait_and_loses_nothing(client, petition):
    answers = [client.post("/p/one-law/", typed(email=f"p{n}@mail.pl")) for n in range(25)]
    slowed = [answer for answer in answers if answer.status_code == 429]
    assert len(slowed) in range(2, 6)
    assert int(slowed[0]["Retry-After"]) in {1, 2}
    assert "Please wait for" in slowed[0].text
    assert 'value="Ewa"' in slowed[0].text
    assert Signature.objects.count() == 25 - len(slowed)


def test_the_poster_leads_phones_to_the_petition_in_their_own_language(client, petition, settings):
    make_organisation(name="Talita", source_code="talita")
    settings.SITE_URL = "https://realstars.eu"
    answer = client.get("/pl/p/one-law/poster/?via=TALITA&source=stall-7")
    assert "Jedno prawo" in answer.text
    assert "realstars.eu/p/one-law<" in answer.text
    assert "Talita" in answer.text
    code = codes.of_text("https://realstars.eu/p/one-law/?source=stall-7&via=talita")
    assert code in answer.text
    assert code not in client.get("/pl/p/one-law/poster/").text
    assert client.get("/pl/p/none/poster/").status_code == 404


@pytest.mark.parametrize(
    ("language", "signed", "words"),
    [
        ("en", 1, "<strong>1</strong> signature"),
        ("ro", 20, "<strong>20</strong> de semnături"),
        ("mt", 12, "<strong>12</strong>-il firma"),
        ("ar", 1, "توقيع <strong>واحد</strong>"),
        ("ar", 2, "<strong>توقيعان</strong>"),
        ("ar", 3, "<strong>3</strong> توقيعات"),
    ],
)
def test_the_counter_is_worded_as_each_language_counts(client, petition, language, signed, words):
    for _number in range(signed):
        make_signature(petition, state="validated", validated_at="2026-05-01T12:00Z")
    assert f'<p class="signed">{words}</p>' in client.get(f"/{language}/p/one-law/standing/").text


def test_the_counter_alone_can_be_asked_for_and_kept_for_seconds(client, petition, django_assert_num_queries):
    for _number in range(3):
        make_signature(petition, state="validated", validated_at="2026-05-01T12:00Z")
    page = client.get("/pl/p/one-law/").text
    assert 'data-live="/pl/p/one-law/standing/"' in page
    with django_assert_num_queries(0):
        answer = client.get("/pl/p/one-law/standing/")
    assert answer.text.startswith('<div class="progress">')
    assert "<strong>3</strong> podpisy" in answer.text
    assert answer.text in page
    assert answer["Cache-Control"] == "public, max-age=5"
    petition.state = Petition.State.DRAFT
    petition.save()
    shown.forget()
    assert client.get("/pl/p/one-law/standing/").status_code == 404


def test_shared_links_show_title_words_and_picture_in_the_language_of_the_text(client, petition, settings):
    settings.ORGANISATION_NAME = "RealStars"
    settings.SHARE_PICTURE_URL = "https://example.org/one-law.jpg"
    petition.texts.filter(language="pl").update(body='Wspólne *prawo* & "zasady".\n\n1. Dla całej Unii.')
    tags = dict(
        re.findall(r'<meta (?:property|name)="([\w:]+)" content="([^"]*)">', client.get("/pl/p/one-law/").text)
    )
    assert tags["og:title"] == "Jedno prawo"
    assert tags["og:description"] == tags["description"] == "Wspólne prawo &amp; &quot;zasady&quot;. Dla całej Unii."
    assert tags["og:url"] == f"{settings.SITE_URL}/pl/p/one-law/"
    assert (tags["og:locale"], tags["og:type"], tags["og:site_name"]) == ("pl", "website", "RealStars")
    assert (tags["og:image"], tags["twitter:card"]) == ("https://example.org/one-law.jpg", "summary_large_image")
    settings.SHARE_PICTURE_URL = ""
    assert "og:image" not in client.get("/pl/p/one-law/").text


def test_links_to_share_carry_a_source_code_each_and_keep_the_language(client, petition, settings):
    shares = client.get("/pl/p/one-law/?source=stall").context["shares"]
    addresses = [shares["copy"], *(unquote(share.href) for share in shares["links"])]
    sources = [re.search(r"/pl/p/one-law/\?source=([\w-]+)", address)[1] for address in addresses]
    assert sources == [
        "share-link", "share-mail", "share-whatsapp", "share-telegram", "share-facebook", "share-x",
    ]  # fmt: skip
    assert "stall" not in " ".join(addresses)
    client.post("/pl/p/one-law/", typed(source=sources[2]))
    assert pending().source_code == "share-whatsapp"


def test_the_wish_for_discreet_mail_is_asked_unticked_and_waits_with_the_rest(client, petition):
    assert 'name="discreet"' in client.get("/p/one-law/").text
    client.post("/p/one-law/", typed())
    assert "discreet" not in pending().typed
    client.post("/p/one-law/", typed(discreet="on"))
    assert pending().typed["discreet"] is True
