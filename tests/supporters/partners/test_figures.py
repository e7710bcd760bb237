import re
from datetime import date

import pytest

from supporters.models import Petition, PetitionText, Signature, SignatureCount
from supporters.partners import figures
from tests.factories import make_petition, make_signature
from tests.supporters.tallying.batches import counted, make_tally

pytestmark = pytest.mark.django_db


@pytest.fixture
def law():
    petition = make_petition(slug="one-law", title="One law")
    PetitionText.objects.create(petition=petition, language="en", title="One law", body="A common law.")
    return petition


def sign(petition, organisation, country, day="2026-05-04", number=1):
    SignatureCount.objects.create(
        petition=petition, organisation=organisation, country=country, day=date.fromisoformat(day), number=number
    )


def test_signatures_are_told_by_country_and_week(aurora, borealis, law):
    sign(law, aurora, "SE", "2026-05-04", 7)
    sign(law, aurora, "SE", "2026-05-10", 2)
    sign(law, aurora, "PL", "2026-05-11", 5)
    sign(law, borealis, "SE", "2026-05-04", 100)
    sign(law, None, "SE", "2026-05-04", 1000)
    told = figures.of_petition(aurora, law)
    assert (told.signed, told.countries, told.elsewhere) == (14, [("SE", 9), ("PL", 5)], 0)
    assert told.weeks == {date(2026, 5, 4): 9, date(2026, 5, 11): 5}


def test_one_signature_in_a_small_country_is_not_told_apart(aurora, law, ida_client):
    sign(law, aurora, "SE", number=50)
    sign(law, aurora, "MT", number=1)
    sign(law, aurora, "LU", number=4)
    sign(law, aurora, "", number=9)
    told = figures.of_petition(aurora, law)
    assert (told.signed, told.countries, told.elsewhere) == (64, [("SE", 50)], 14)
    text = ida_client.get("/partners/petitions/one-law/").text
    assert "Malta" not in text
    assert "Luxembourg" not in text
    assert "14 signatures came from countries with fewer than 5 each" in text


def test_what_was_taken_back_is_not_there(aurora, law):
    sign(law, aurora, "SE", "2026-05-04", 6)
    sign(law, aurora, "SE", "2026-05-04", -6)
    told = figures.of_petition(aurora, law)
    assert (told.signed, told.countries, told.elsewhere, told.weeks) == (0, [], 0, {})


def test_a_signature_counts_at_once_and_signatures_are_never_counted(
    aurora, law, ida_client, django_assert_max_num_queries
):
    for _number in range(3):
        make_signature(law, state="validated", validated_at="2026-05-04T12:00Z", country="SE", organisation=aurora)
    with django_assert_max_num_queries(12) as queries:
        text = ida_client.get("/partners/").text
    assert re.search(r'one-law.*?<td class="number">3</td>', text, re.S)
    with django_assert_max_num_queries(12) as more:
        ida_client.get("/partners/petitions/one-law/")
    table = Signature._meta.db_table
    assert not [query for query in [*queries, *more] if f'"{table}"' in query["sql"]]


def test_the_overview_takes_as_many_queries_for_many_petitions(
    aurora, ida_client, law, django_assert_num_queries, django_assert_max_num_queries
):
    ida_client.get("/partners/")
    with django_assert_max_num_queries(12) as one:
        ida_client.get("/partners/")
    for number in range(5):
        petition = make_petition()
        sign(petition, aurora, "SE", number=number + 1)
    with django_assert_num_queries(len(one)):
        assert ida_client.get("/partners/").status_code == 200


def test_drafts_are_not_there_and_closed_ones_stay_while_they_have_signatures(aurora, borealis, ida_client, law):
    make_petition(slug="draft", title="Secret plan", state="draft")
    closed = make_petition(slug="old", title="Old demand", state="closed")
    text = ida_client.get("/partners/").text
    assert "Secret plan" not in text
    assert "Old demand" not in text
    assert ida_client.get("/partners/petitions/draft/").status_code == 404
    assert ida_client.get("/partners/petitions/none/").status_code == 404
    sign(closed, aurora, "SE")
    assert "Old demand" in ida_client.get("/partners/").text
    assert "Your links" not in ida_client.get("/partners/petitions/old/").text


def test_a_partner_finds_its_links_and_its_tag(aurora, ida_client, law):
    text = ida_client.get("/partners/petitions/one-law/").text
    assert "http://localhost:1/p/one-law/?via=aurora" in text
    assert "data-petition=&quot;one-law&quot; data-via=&quot;aurora&quot;" in text
    framed = "&lt;iframe src=&quot;http://localhost:1/p/one-law/embed/?via=aurora&quot; title=&quot;"
    assert framed in text
    assert "None of your sites may show it yet" in text


def test_nobody_sees_anothers_figures(aurora, borealis, ida_client, bo, law):
    sign(law, borealis, "SE", number=4321)
    assert Petition.objects.count() == 1
    for path in ("/partners/", "/partners/petitions/one-law/"):
        for query in ("", f"?organisation={borealis.pk}", "?via=borealis", f"?by={bo.user_id}"):
            text = ida_client.get(path + query).text
            assert "4,321" not in text
            assert "4321" not in text


def test_what_a_partner_gathered_elsewhere_is_told_apart(aurora, borealis, ida_client, law):
    counted(petition=law, organisation=aurora, number=120)
    counted(petition=law, organisation=borealis, number=77_077)
    make_tally(petition=law, organisation=aurora, number=5000)  # nobody has checked it
    text = ida_client.get("/partners/petitions/one-law/").text
    assert "<strong>0</strong>" in text
    assert "120 more were gathered by Aurora" in text
    assert "77,077" not in text  # a shorter one may be part of a token
    assert "77077" not in text
