from datetime import date

import pytest
from django.core.cache import cache
from django.test import Client

from supporters import places
from supporters.models import SignatureCount
from supporters.views import tiles
from tests.factories import make_organisation, make_petition

pytestmark = pytest.mark.django_db


@pytest.fixture
def petition(broker):
    cache.clear()
    petition = make_petition(slug="one-law", goal=1000)
    partner = make_organisation()
    for country, day, number, organisation in (
        ("SE", date(2026, 11, 2), 1200, None),
        ("SE", date(2026, 11, 4), 34, partner),
        ("SE", date(2026, 11, 18), -4, None),
        ("US", date(2026, 11, 18), 5, None),
        ("", date(2026, 11, 18), 2, None),
    ):
        SignatureCount.objects.create(
            petition=petition, country=country, day=day, number=number, organisation=organisation
        )
    return petition


def test_json_adds_up_countries_and_weeks(client, petition, settings):
    answer = client.get("/p/one-law/totals.json")
    assert answer.json() == {
        "petition": "one-law",
        "signatures": 1237,
        "online": 1237,
        "goal": 1000,
        "countries": {"SE": 1230, "US": 5, "unknown": 2},
        "weeks": [{"week": "2026-11-02", "signatures": 1234}, {"week": "2026-11-16", "signatures": 3}],
        "on_paper": {"signatures": 0, "countries": {}, "weeks": []},
        "by_partners": {"signatures": 0, "countries": {}, "weeks": []},
        "page": f"{settings.SITE_URL}/p/one-law/",
    }
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert answer["Cache-Control"] == "public, max-age=60"


def test_the_page_reads_as_a_table_in_the_readers_language(client, petition):
    page = client.get("/sv/p/one-law/totals/").text
    assert "Sverige" in page
    assert "1\xa0230" in page
    assert page.partition('class="bars"')[2].count("<rect") == 3  # the week without signatures too
    assert "2 november 2026" in page


def test_totals_never_touch_the_signatures(client, petition, django_assert_num_queries):
    client.get("/p/one-law/totals.json")
    with django_assert_num_queries(0):
        client.get("/p/one-law/totals.json")


def test_a_petition_without_signatures_has_its_page(client, broker):
    cache.clear()
    make_petition(slug="new")
    assert client.get("/en/p/new/totals/").status_code == 200
    assert client.get("/p/new/totals.json").json()["countries"] == {}


def test_drafts_have_no_totals(client, broker):
    make_petition(slug="draft", state="draft")
    assert client.get("/p/draft/totals.json").status_code == 404


def test_the_map_has_a_tile_for_each_member_state_and_is_no_news_to_who_hears_the_table(client, petition):
    drawn = tiles.tiles({"SE": 100, "PL": 25, "NO": 900, "DE": 1_234_567})
    assert sorted(tile["code"] for tile in drawn) == sorted(places.EU)
    assert len({(tile["x"], tile["y"]) for tile in drawn}) == len(drawn)
    strength = {tile["code"]: float(tile["strength"]) for tile in drawn}
    assert strength["DE"] == tiles.DARKEST > strength["SE"] > strength["PL"] > strength["FR"] == tiles.LIGHTEST
    assert next(tile["short"] for tile in drawn if tile["code"] == "DE") == "1.2M"
    text = client.get("/en/p/one-law/totals/").text
    assert text.count("<rect") >= len(places.EU)
    assert '<svg class="map" viewBox="0 0 384 512" aria-hidden="true">' in text


def test_json_may_be_kept_and_is_read_by_any_site(client, petition):
    answer = client.get("/p/one-law/totals.json")
    assert answer["Cache-Control"] == "public, max-age=60"
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert answer.cookies == {}
    assert client.post("/p/one-law/totals.json").status_code == 405
    assert client.get("/p/unknown/totals.json").status_code == 404


def test_who_has_the_numbers_already_is_told_that_they_are_right(client, petition):
    known = client.get("/p/one-law/totals.json")["ETag"]
    again = client.get("/p/one-law/totals.json", headers={"if-none-match": known})
    assert (again.status_code, again.content) == (304, b"")
    assert again["Access-Control-Allow-Origin"] == "*"
    assert again["Cache-Control"] == "public, max-age=60"
    SignatureCount.objects.create(petition=petition, country="SE", day=date(2026, 11, 18), number=1)
    cache.clear()
    news = client.get("/p/one-law/totals.json", headers={"if-none-match": known})
    assert news.json()["signatures"] == 1238
    assert news["ETag"] != known


@pytest.mark.parametrize("path", ["/p/{}/totals.json", "/embed.js", "/p/{}/standing/", "/en/p/{}/totals/"])
def test_who_does_more_than_read_is_told_that_it_is_not_allowed(petition, path):
    for method in ("post", "put", "delete", "options"):
        answer = getattr(Client(enforce_csrf_checks=True), method)(path.format(petition.slug))
        assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD")
