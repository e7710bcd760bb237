"""Who makes or changes a record by hand is told who is probably the same person."""

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from supporters import merging
from supporters.matching import door
from supporters.models import Double, Supporter
from tests.factories import make_supporter

pytestmark = pytest.mark.django_db
ADD = "admin:supporters_supporter_add"
TABS = ["references", "consents", "donations", "signatures"]


def typed(**fields):
    data = {"first_name": "Åsa", "last_name": "Öberg", **fields}
    for tab in TABS:
        data |= {f"{tab}-TOTAL_FORMS": 0, f"{tab}-INITIAL_FORMS": 0}
    return data


def told(response):
    return [str(message) for message in get_messages(response.wsgi_request)]


def add(staff_client, **fields):
    response = staff_client.post(reverse(ADD), typed(**fields))
    assert response.status_code == 302, response.context["adminform"].form.errors
    return told(response)


@pytest.mark.parametrize(
    ("known", "new", "why"),
    [
        ({"phone": "031-12 34 56"}, {"phone": "031123456"}, "same phone number"),
        ({"postcode": "41101"}, {"postcode": "411 01"}, "same postcode"),
        ({"email": "asa.oberg@gmail.com"}, {"email": "asaoberg@gmail.com"}, "almost the same"),
        ({"birth_date": "1970-02-03"}, {"birth_date": "1970-02-03"}, "same birth date"),
        ({"city": "Lund"}, {"city": "lund"}, "nothing there tells them apart"),
        ({"phone": "031123456"}, {}, "nothing there tells them apart"),
    ],
)
def test_who_adds_a_record_is_told_of_whoever_is_probably_the_same(staff_client, known, new, why):
    other = make_supporter(**{"first_name": "Åsa", "last_name": "Oberg", "email": None, **known})
    messages = add(staff_client, **new)
    assert Supporter.objects.count() == 2
    [hint] = [message for message in messages if "probably the same person" in message]
    assert why in hint
    assert reverse("admin:supporters_supporter_change", args=[other.pk]) in hint


@pytest.mark.parametrize(
    ("known", "new"),
    [
        ({"city": "Lund"}, {"city": "Ystad"}),
        ({"phone": "031123456"}, {"phone": "040123456"}),
        ({"first_name": "Erik", "phone": "031123456"}, {"phone": "031123456"}),
    ],
)
def test_who_adds_somebody_else_is_not_bothered(staff_client, known, new):
    make_supporter(**{"first_name": "Åsa", "last_name": "Öberg", "email": None, **known})
    assert not any("probably" in message for message in add(staff_client, **new))


def test_who_changes_a_record_is_told_if_the_change_makes_it_like_another(staff_client):
    make_supporter(first_name="Åsa", last_name="Öberg", email=None, phone="031123456")
    one = make_supporter(first_name="Åsa", last_name="Öberg", email=None, phone="040123456")
    page = reverse("admin:supporters_supporter_change", args=[one.pk])
    unlike = staff_client.post(page, typed(phone="040123456", source_code="stall"))
    assert not any("probably" in message for message in told(unlike))
    alike = staff_client.post(page, typed(phone="031-123456", source_code="stall"))
    assert any("probably" in message for message in told(alike))


def test_whom_staff_told_apart_nobody_is_told_of(staff):
    one, two = (
        make_supporter(first_name="Åsa", last_name="Öberg", email=None, phone="031123456") for _turn in range(2)
    )
    assert door.probably_the_same(two) == [(one, "Somebody whose name fits has the same phone number.")]
    Double.objects.create(
        first=one,
        second=two,
        probability=0.9,
        cluster=one.pk,
        state="different",
        decided_by=staff,
        decided_at="2026-01-01T00:00Z",
    )
    assert door.probably_the_same(two) == door.probably_the_same(one) == []


def test_the_same_reference_in_another_system_is_told_of():
    one, two = (make_supporter(first_name="Åsa", last_name="Öberg") for _turn in range(2))
    one.references.create(system="donor", identifier="17")
    assert door.probably_the_same(two) == []
    two.references.create(system="civicrm", identifier="17")
    assert [other for other, _why in door.probably_the_same(two)] == [one]


def test_the_hint_takes_two_queries_however_many_are_like():
    one = make_supporter(first_name="Åsa", last_name="Öberg", phone="031123456")
    for _turn in range(7):
        make_supporter(first_name="Åsa", last_name="Öberg", phone="031123456")
    with CaptureQueriesContext(connection) as context:
        assert len(door.probably_the_same(one)) == 5
    assert len(context) == 2


def test_names_with_signs_of_patterns_are_only_names():
    one, two = (make_supporter(first_name="%_\\", last_name="100%", email=None) for _turn in range(2))
    make_supporter(first_name="Bo", last_name="Ek")
    assert {other for other, _why in door.probably_the_same(one)} <= {two}


def test_who_gives_a_record_the_other_address_of_somebody_is_told_so(staff_client):
    one, other = make_supporter(first_name="Bo", last_name="Ek"), make_supporter(first_name="Bosse", last_name="Ek")
    merging.merge(one.pk, other.pk)
    assert not any("known as" in message for message in add(staff_client, email="eva@mail.se"))
    [hint] = [
        message for message in add(staff_client, email=other.email.upper()) if "known as the other one" in message
    ]
    assert reverse("admin:supporters_supporter_change", args=[one.pk]) in hint
