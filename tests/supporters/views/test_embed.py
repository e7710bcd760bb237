import re

import pytest

from supporters import crowd, embedding
from supporters.crowd import Limit
from supporters.models import Letter, OrganisationSite, Petition, PetitionText, Signature
from supporters.signing import shown
from tests.factories import make_organisation, make_petition

pytestmark = pytest.mark.django_db
EMBED = "/p/one-law/embed/?via=aurora"


@pytest.fixture
def petition():
    petition = make_petition(slug="one-law", target="the Commission", goal=100)
    PetitionText.objects.create(petition=petition, language="en", title="One law", body="A **common** law.")
    return petition


@pytest.fixture
def aurora():
    partner = make_organisation(name="Aurora", source_code="aurora")
    OrganisationSite.objects.create(organisation=partner, origin="https://aurora.example")
    OrganisationSite.objects.create(organisation=partner, origin="https://www.aurora.example:8443")
    return partner


@pytest.fixture(autouse=True)
def quiet(broker):
    from django.core.cache import cache

    cache.clear()


def typed(client, address=EMBED, **fields):
    """What a browser posts of the form as it was shown."""
    shown = client.get(address).text
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', shown))
    return {
        **hidden,
        "first_name": "Ewa",
        "last_name": "Nowak",
        "email": "ewa@mail.pl",
        "country": "PL",
        "agree": "on",
        **fields,
    }


def ancestors(answer):
    return re.search(r"frame-ancestors ([^;]+)", answer["Content-Security-Policy"])[1]


def test_only_the_partners_sites_may_frame_its_form(client, petition, aurora):
    answer = client.get(EMBED)
    assert answer.status_code == 200
    assert ancestors(answer) == "https://aurora.example https://www.aurora.example:8443"
    assert "X-Frame-Options" not in answer
    assert 'data-sites="https://aurora.example https://www.aurora.example:8443"' in answer.text
    assert answer["Cache-Control"] == "no-store"
    assert not answer.cookies


@pytest.mark.parametrize("query", ["", "?via=", "?via=nobody", "?via=other"])
def test_nobody_frames_a_form_without_sites(client, petition, aurora, query):
    make_organisation(name="Other", source_code="other")
    answer = client.get(f"/p/one-law/embed/{query}")
    assert answer.status_code == 200
    assert ancestors(answer) == "'none'"
    assert answer["X-Frame-Options"] == "SAMEORIGIN"


def test_partners_do_not_get_each_others_headers(client, petition, aurora):
    borealis = make_organisation(name="Borealis", source_code="borealis")
    OrganisationSite.objects.create(organisation=borealis, origin="https://borealis.example")
    for _time in range(2):
        assert "aurora.example" in ancestors(client.get(EMBED))
        answer = client.get("/p/one-law/embed/?via=borealis")
        assert ancestors(answer) == "https://borealis.example"
        assert "aurora" not in answer.text.lower()


@pytest.mark.parametrize(
    "path",
    ["/p/one-law/", "/p/one-law/signed/", "/p/one-law/thanks/", "/p/one-law/totals/", "/p/one-law/poster/", "/me/"],
)
def test_all_other_pages_are_framed_by_nobody(client, petition, aurora, path):
    assert ancestors(client.get(f"{path}?via=aurora")) == "'none'"


def test_signing_in_the_frame_stays_there_and_counts_for_the_partner(client, petition, aurora):
    answer = client.post(f"/pl{EMBED}", typed(client, f"/pl{EMBED}", partner_news="on"))
    assert (answer.status_code, answer["Location"]) == (303, "/pl/p/one-law/embed/signed/?via=aurora")
    signature = Signature.objects.get()
    assert (signature.organisation, signature.source_code, signature.language) == (aurora, "aurora", "pl")
    assert "partner" in {each["purpose"] for each in signature.typed["agreed"]}
    assert Letter.objects.get().signature == signature
    after = client.get(answer["Location"])
    assert after.status_code == 200
    assert ancestors(after).startswith("https://aurora.example")
    assert not after.cookies


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_form_on_a_foreign_page_posts_nothing(client, petition, aurora, site):
    form = typed(client)
    answer = client.post(EMBED, form, headers={"sec-fetch-site": site})
    assert answer.status_code == 422
    assert not Signature.objects.exists()
    assert 'value="ewa@mail.pl"' in answer.text
    assert client.post(EMBED, form, headers={"sec-fetch-site": "same-origin"}).status_code == 303


@pytest.mark.parametrize("token", ["", "x", "1.1~1~forged"])
def test_a_post_without_our_token_is_asked_again_and_nothing_is_lost(client, petition, aurora, token):
    answer = client.post(EMBED, typed(client, form=token))
    assert answer.status_code == 422
    assert "press the button once more" in answer.text
    assert 'value="ewa@mail.pl"' in answer.text
    assert not Signature.objects.exists()


def test_a_token_is_of_one_petition_and_partner_and_of_one_day(client, petition, aurora, monkeypatch):
    other = make_petition(slug="other")
    borealis = make_organisation(source_code="borealis")
    for token in (
        embedding.token(other, aurora),
        embedding.token(petition, borealis),
        embedding.token(petition, None),
    ):
        assert client.post(EMBED, typed(client, form=token)).status_code == 422
    with monkeypatch.context() as patch:
        patch.setattr("django.core.signing.time.time", lambda: 1_000_000_000)
        old = embedding.token(petition, aurora)
    assert client.post(EMBED, typed(client, form=old)).status_code == 422
    assert not Signature.objects.exists()


def test_who_fills_the_trap_is_thanked_and_forgotten(client, petition, aurora):
    answer = client.post(EMBED, typed(client, website="https://spam.example"))
    assert answer.status_code == 303
    assert not Signature.objects.exists()


def test_the_limits_of_the_page_hold_in_the_frame_too(client, petition, aurora, monkeypatch):
    monkeypatch.setitem(crowd.LIMITS, "sign", Limit(address=(0.01, 1), network=(0.01, 1)))
    assert client.post(EMBED, typed(client)).status_code == 303
    answer = client.post("/p/one-law/", typed(client, "/p/one-law/", email="eva@mail.pl"))
    assert answer.status_code == 429
    answer = client.post(EMBED, typed(client, email="eva@mail.pl"))
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0
    assert ancestors(answer).startswith("https://aurora.example")


def test_what_is_wrong_is_said_within_the_frame(client, petition, aurora):
    answer = client.post(EMBED, typed(client, email="nothing", agree=""))
    assert answer.status_code == 422
    assert answer.text.count('class="error"') == 3
    assert ancestors(answer).startswith("https://aurora.example")


def test_a_closed_petition_says_so(client, petition, aurora):
    form = typed(client)
    Petition.objects.update(state="closed")
    shown.forget()
    assert "<form" not in client.get(EMBED).text
    assert client.post(EMBED, form).status_code == 409


def test_drafts_and_unknown_petitions_have_no_form(client):
    make_petition(slug="draft", state="draft")
    for slug in ("draft", "none"):
        assert client.get(f"/p/{slug}/embed/").status_code == 404
        assert client.get(f"/p/{slug}/embed/signed/").status_code == 404


@pytest.mark.parametrize(
    ("asked", "language"),
    [("pl", "pl"), ("pl-PL", "pl"), ("de-AT", "de"), ("xx", "en"), ("../..", "en"), ("PT-BR", "pt")],
)
def test_it_speaks_the_language_of_the_page_round_it(client, petition, aurora, asked, language):
    answer = client.get("/p/one-law/embed/", {"via": "aurora", "language": asked})
    assert (answer.status_code, answer["Location"]) == (302, f"/{language}/p/one-law/embed/?via=aurora")


def test_the_script_is_ours_and_may_be_kept_by_anybody(client):
    answer = client.get("/embed.js")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/javascript")
    assert answer["Cache-Control"] == "public, max-age=3600"
    assert not answer.cookies
    assert "event.origin !== ours" in answer.text


def test_a_form_in_a_frame_costs_as_few_queries_as_the_page(client, petition, aurora, django_assert_max_num_queries):
    client.get(EMBED)
    with django_assert_max_num_queries(4):  # petition, partner, its sites, texts
        client.get(EMBED)
