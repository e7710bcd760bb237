import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campaigns.models import Appeal, Campaign, Segment
from supporters import consent
from tests.factories import make_donation, make_petition, make_supporter

pytestmark = pytest.mark.django_db
RULES = {"match": "all", "rules": [{"field": "country", "op": "in", "value": ["SE"]}]}


@pytest.fixture(autouse=True)
def empty_broker(broker):
    """Saving a segment sends a message."""


def count(client, rules, **more):
    return client.post(
        reverse("admin:campaigns_segment_count"),
        json.dumps({"rules": rules, **more}),
        content_type="application/json",
    )


def save(client, segment=None, **fields):
    address = (
        reverse("admin:campaigns_segment_change", args=[segment.pk])
        if segment
        else reverse("admin:campaigns_segment_add")
    )
    return client.post(address, {"name": "Swedes", "description": "", **fields})


def test_a_segment_is_saved_and_asks_for_its_refresh(staff_client, staff):
    assert save(staff_client, rules=json.dumps(RULES)).status_code == 302
    segment = Segment.objects.get()
    assert (segment.rules, segment.created_by) == (RULES, staff)
    assert segment.refresh_requested_at is not None


@pytest.mark.parametrize("rules", ["{", '{"rules": [{"field": "nothing", "op": "is"}]}', '"x"', "[[[[1]]]]"])
def test_rules_that_can_not_be_used_are_said_at_the_field(staff_client, rules):
    answer = save(staff_client, rules=rules)
    assert answer.status_code == 200
    assert answer.context["adminform"].form.errors["rules"]
    assert not Segment.objects.exists()


def test_the_live_count_shows_people_and_words(staff_client):
    ann = make_supporter(first_name="Ann", country="SE", language="sv", consent=True)
    make_supporter(country="SE")
    answer = count(staff_client, RULES).json()
    assert (answer["count"], answer["problems"]) == (1, [])
    assert answer["words"] == "People who may be written to and: Country is Sweden."
    assert answer["sample"] == [
        {"name": str(ann), "place": "SE sv", "link": reverse("admin:supporters_supporter_change", args=[ann.pk])}
    ]


def test_the_live_count_names_the_rule_that_is_wrong(staff_client):
    petition = make_petition()
    rules = {
        "rules": [
            RULES["rules"][0],
            {"match": "any", "rules": [{"field": "signed", "op": "has", "value": [petition.pk]}]},
        ]
    }
    petition.delete()
    assert count(staff_client, rules).json()["problems"] == [
        ["1.0", "Signed: the petition it names has been deleted."]
    ]


@pytest.mark.parametrize("body", ["", "[]", "x", '{"rules": 5}', "[" * 100_000])
def test_the_live_count_survives_anything(staff_client, body):
    answer = staff_client.post(reverse("admin:campaigns_segment_count"), body, content_type="application/json")
    assert answer.status_code in {200, 400}
    assert body == "" or answer.json()["problems"]


def test_the_builder_finds_things_by_name(staff_client):
    petition = make_petition(title="A common law")
    make_petition(title="Other")
    things = reverse("admin:campaigns_segment_things", args=["signed"])
    expected = [{"value": petition.pk, "label": "A common law"}]
    assert staff_client.get(things, {"q": "COMMON"}).json()["things"] == expected
    assert staff_client.get(things, {"keys": str(petition.pk)}).json()["things"] == expected
    assert staff_client.get(reverse("admin:campaigns_segment_things", args=["country"])).status_code == 403


def test_counting_is_for_staff_only(client):
    assert count(client, RULES).status_code == 302


def test_a_segment_in_use_is_not_deleted(staff_client):
    segment = Segment.objects.create(name="Used")
    Appeal.objects.create(name="A", segment=segment, source_code="a", sender_name="R", sender_email="r@r.se")
    page = staff_client.post(reverse("admin:campaigns_segment_delete", args=[segment.pk]), {"post": "yes"})
    assert page.status_code in {200, 302}
    assert Segment.objects.filter(pk=segment.pk).exists()


def test_lists_take_as_many_queries_for_three_as_for_one(staff_client):
    def fill(number: int) -> None:
        for index in range(number):
            code = f"c{number}{index}"
            Campaign.objects.create(name=code, source_code=code)
            Segment.objects.create(name=code, rules=RULES)
            make_donation(source_code=code)

    for name in ("campaign", "segment"):
        address = reverse(f"admin:campaigns_{name}_changelist")
        staff_client.get(address)
    fill(1)
    first = {}
    for name in ("campaign", "segment"):
        with CaptureQueriesContext(connection) as captured:
            staff_client.get(reverse(f"admin:campaigns_{name}_changelist"))
        first[name] = len(captured)
    fill(2)
    for name in ("campaign", "segment"):
        with CaptureQueriesContext(connection) as captured:
            answer = staff_client.get(reverse(f"admin:campaigns_{name}_changelist"))
        assert len(captured) == first[name]
        assert answer.status_code == 200
    assert "SEK" in staff_client.get(reverse("admin:campaigns_campaign_changelist")).content.decode()


def test_members_are_listed(staff_client):
    segment = Segment.objects.create(name="S", rules=RULES)
    ann = make_supporter(first_name="Ann", country="SE", consent=True)
    from campaigns.segments import refresh

    bo = make_supporter(first_name="Bo", country="SE", consent=True)
    refresh(segment)
    consent.leave(bo, method="link")
    page = staff_client.get(reverse("admin:campaigns_segment_members", args=[segment.pk])).content.decode()
    assert str(ann) in page
    assert str(bo) not in page
