from datetime import date
from decimal import Decimal

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from supporters import consent
from supporters.admin import base
from supporters.admin.base import EstimatingPaginator
from supporters.giving import refund
from supporters.models import ImportRun, RecurringDonation, Reference, Supporter, Tag
from tests.factories import make_donation, make_organisation, make_petition, make_signature, make_supporter

pytestmark = pytest.mark.django_db


def fill(number: int) -> None:
    """So many of everything, each with its relations."""
    for index in range(number):
        who = make_supporter(consent=True, organisation=make_organisation())
        who.tags.add(Tag.objects.create(name=f"tag {number} {index}"))
        Reference.objects.create(supporter=who, system="donor", identifier=f"{number}-{index}")
        refund(make_donation(who), Decimal(10), timezone.localdate())
        RecurringDonation.objects.create(supporter=who, amount=5, currency="EUR")
        make_signature(make_petition(), who, organisation=who.organisation)
        ImportRun.objects.create(kind="supporters", file_name="a.csv")


LISTS = [
    "supporter",
    "tag",
    "consent",
    "suppression",
    "organisation",
    "petition",
    "signature",
    "donation",
    "recurringdonation",
    "refund",
    "importrun",
]


@pytest.mark.parametrize("name", LISTS)
def test_a_list_takes_as_many_queries_for_three_as_for_one(staff_client, name):
    address = reverse(f"admin:supporters_{name}_changelist")
    staff_client.get(address)  # content types and the like are remembered after the first time
    fill(1)
    with CaptureQueriesContext(connection) as one:
        assert staff_client.get(address).status_code == 200
    fill(2)
    with CaptureQueriesContext(connection) as three:
        assert staff_client.get(address).status_code == 200
    assert len(three) == len(one)


def test_a_persons_page_takes_as_many_queries_for_three_of_each_as_for_one(staff_client):
    who = make_supporter()

    def fill_person() -> None:
        make_donation(who)
        make_signature(make_petition(), who)

    address = reverse("admin:supporters_supporter_change", args=[who.pk])
    staff_client.get(address)
    fill_person()
    with CaptureQueriesContext(connection) as one:
        staff_client.get(address)
    fill_person()
    fill_person()
    with CaptureQueriesContext(connection) as three:
        staff_client.get(address)
    assert len(three) == len(one)


def test_no_list_counts_a_whole_table(staff_client, monkeypatch):
    monkeypatch.setattr(base, "COUNT_LIMIT", 2)
    for _person in range(4):
        make_supporter()
    with CaptureQueriesContext(connection) as captured:
        answer = staff_client.get(reverse("admin:supporters_supporter_changelist"))
    assert answer.status_code == 200
    counting = [
        query["sql"] for query in captured if "COUNT(*)" in query["sql"] and "supporters_supporter" in query["sql"]
    ]
    assert counting
    assert all("LIMIT 3" in sql for sql in counting)


def test_the_paginator_is_exact_while_that_is_cheap(monkeypatch):
    for _person in range(3):
        make_supporter()
    assert EstimatingPaginator(Supporter.objects.order_by("pk"), 2).count == 3
    monkeypatch.setattr(base, "COUNT_LIMIT", 2)
    assert EstimatingPaginator(Supporter.objects.filter(country="").order_by("pk"), 2).count == 2


@pytest.mark.parametrize(
    ("text", "found"), [("asa", 1), ("ÅSA öberg", 1), ("ASA@mail", 1), ("D-77", 1), ("nobody", 0), ("%", 0), ("'", 0)]
)
def test_people_are_found_by_any_spelling_and_by_reference(staff_client, text, found):
    who = make_supporter(first_name="Åsa", last_name="Öberg", email="asa@mail.se")
    Reference.objects.create(supporter=who, system="donor", identifier="D-77")
    make_supporter(first_name="Bo")
    answer = staff_client.get(reverse("admin:supporters_supporter_changelist"), {"q": text})
    assert len(answer.context["cl"].result_list) == found


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"country": "SE"}, "Ann"),
        ({"contact": "yes"}, "Ann"),
        ({"contact": "no_email"}, "Bo"),
        ({"contact": "left"}, "Cia"),
        ({"giving": "donor"}, "Cia Bo"),
        ({"giving": "never"}, "Ann"),
        ({"giving": "monthly"}, ""),
        ({"language": "sv"}, "Ann"),
    ],
)
def test_people_are_filtered(staff_client, query, names):
    make_supporter(first_name="Ann", country="SE", language="sv", consent=True)
    make_donation(make_supporter(first_name="Bo", email=None), received_on=date(2026, 1, 1))
    gone = make_supporter(first_name="Cia", consent=True)
    make_donation(gone)
    consent.leave(gone, method="link")
    answer = staff_client.get(reverse("admin:supporters_supporter_changelist"), query)
    assert " ".join(person.first_name for person in answer.context["cl"].result_list) == names


def found(client, name: str, text: str) -> list[str]:
    answer = client.get(reverse(f"admin:supporters_{name}_changelist"), {"q": text})
    return [str(row) for row in answer.context["cl"].result_list]


def test_a_search_that_finds_many_walks_the_list_and_shows_an_exact_reference_alone(staff_client, monkeypatch):
    monkeypatch.setattr(base, "FEW", 1)
    for name in ("Ann 77", "Bo 77", "Cia"):
        make_supporter(first_name=name, last_name="", email=None)
    assert found(staff_client, "supporter", "77") == ["Bo 77", "Ann 77"]
    Reference.objects.create(supporter=Supporter.objects.get(first_name="Cia"), system="donor", identifier="77")
    assert found(staff_client, "supporter", "77") == ["Cia"]


@pytest.mark.parametrize("few", [1, 1000])
def test_gifts_are_found_by_donor_source_and_transaction(staff_client, monkeypatch, few):
    monkeypatch.setattr(base, "FEW", few)
    ann, bo = make_supporter(first_name="Ånn"), make_supporter(first_name="Bo", email="bo@mail.se")
    make_donation(ann, amount=1, source_code="spring", provider="stripe", provider_id="ch_1")
    make_donation(ann, amount=2, source_code="spring")
    make_donation(bo, amount=3, source_code="autumn")
    assert found(staff_client, "donation", "ann ANDERSSON") == ["2.00 SEK", "1.00 SEK"]
    assert found(staff_client, "donation", "spring") == ["2.00 SEK", "1.00 SEK"]
    assert found(staff_client, "donation", "ch_1") == ["1.00 SEK"]
    assert found(staff_client, "donation", "ann bo") == []


def test_only_a_list_that_shows_a_part_offers_to_show_all(staff_client):
    make_supporter(country="SE")
    address = reverse("admin:supporters_supporter_changelist")
    assert "Show all" not in staff_client.get(address).content.decode()
    assert "Show all" in staff_client.get(address, {"country": "SE"}).content.decode()
    assert "Show all" in staff_client.get(address, {"q": "Andersson"}).content.decode()


MANY = ["supporters.supporter", "supporters.consent", "supporters.signature", "supporters.donation"]
MANY += ["supporters.recurringdonation", "campaigns.delivery", "campaigns.audiencemember"]


@pytest.mark.parametrize("name", MANY)
def test_a_list_of_very_many_is_sorted_only_by_what_an_index_orders(rf, staff, name):
    model = apps.get_model(name)
    request = rf.get("/")
    request.user = staff
    listed = admin.site.get_model_admin(model)
    ordered = {index.fields_orders[0][0] for index in model._meta.indexes if index.fields and not index.condition}
    ordered |= {
        constraint.expressions[0].name
        for constraint in model._meta.constraints
        if getattr(constraint, "expressions", ())
    }
    for column in listed.get_sortable_by(request):
        assert label_for(listed, column) in ordered


def label_for(listed, column: str) -> str:
    return getattr(getattr(listed, column, None), "admin_order_field", None) or column


@pytest.mark.parametrize("few", [1, 1000])
@pytest.mark.parametrize("name", ["consent", "signature", "recurringdonation", "refund"])
def test_what_belongs_to_a_person_is_found_by_them(staff_client, monkeypatch, name, few):
    monkeypatch.setattr(base, "FEW", few)
    fill(2)
    who = Supporter.objects.order_by("pk").first()
    Supporter.objects.filter(pk=who.pk).update(first_name="Åsa", email="asa@mail.se")
    for text in ("asa", "ASA@mail", f"{who.references.get().identifier}"):
        assert len(found(staff_client, name, text)) == 1
    assert found(staff_client, name, "nobody") == []
