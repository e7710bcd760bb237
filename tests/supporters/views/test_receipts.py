import json

import pytest

from supporters import links
from supporters.links import Link
from supporters.receipts import reading, sealing
from tests.factories import make_consent, make_organisation, make_supporter

pytestmark = pytest.mark.django_db


def url(supporter, rest="receipts/", language="en"):
    return f"/{language}/me/{links.dated_token(Link.PREFERENCES, supporter.uuid)}/{rest}"


@pytest.fixture
def eva():
    eva = make_supporter(first_name="Eva", last_name="Ek", email="eva@mail.se")
    partner = make_organisation(name="Les Étoiles")
    make_consent(
        eva,
        purpose="partner",
        organisation=partner,
        method="confirmed",
        wording="<b>Oui</b>, écrivez-moi.",
        language="fr",
        wording_version="12ab",
        source="petition a-law",
    )
    make_consent(eva, "withdrawn", purpose="partner", organisation=partner, method="link", source="me", wording="")
    sealing.seal()
    return eva


def test_a_person_reads_their_receipts(client, eva):
    make_supporter(consent=True)
    sealing.seal()
    answer = client.get(url(eva))
    page = answer.content.decode()
    assert '<blockquote lang="fr" dir="auto">&lt;b&gt;Oui&lt;/b&gt;, écrivez-moi.</blockquote>' in page
    assert page.count("<blockquote") == 2
    assert page.index("Taken back") < page.index("Allowed")
    for words in ("Les Étoiles", "12ab · fr", "/p/a-law/", "Confirmed from your inbox"):
        assert words in page
    assert answer["Cache-Control"] == "no-store"
    assert answer["X-Robots-Tag"] == "noindex"
    assert 'href="receipts/"' in client.get(url(eva, "")).content.decode()


def test_a_person_takes_them_along_to_be_checked(client, eva):
    answer = client.get(url(eva, "receipts.json"))
    given = reading.receipts_in(b"".join(answer.streaming_content).decode())
    assert [each["receipt"]["state"] for each in given] == ["granted", "withdrawn"]
    assert [reading.troubles(each) for each in given] == [[], []]
    assert answer["Content-Disposition"].startswith("attachment;")


def test_what_is_yet_to_be_sealed_is_said_to_come(client):
    eva = make_supporter(consent=True)
    assert "will be here soon" in client.get(url(eva)).content.decode()
    assert json.loads(b"".join(client.get(url(eva, "receipts.json")).streaming_content)) == {"receipts": []}


@pytest.mark.parametrize("rest", ["receipts/", "receipts.json"])
def test_no_other_link_leads_there(client, eva, rest):
    for token in ("x", links.token(Link.LEAVE, eva.uuid), links.dated_token(Link.NEWS, eva.uuid)):
        assert client.get(f"/en/me/{token}/{rest}").status_code == 410
    assert client.post(url(eva, rest)).status_code == 405


@pytest.mark.parametrize("rest", ["", "receipts/"])
def test_a_name_of_one_word_leaves_no_gap_to_the_wrong_side(client, broker, rest):
    ewa = make_supporter(first_name="Ewa", last_name="", email="ewa@mail.pl")
    assert "<bdi>Ewa</bdi> <span" in client.get(url(ewa, rest, language="ar")).text
