import csv
import io
import json

import openpyxl
import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from supporters import consent, merging
from supporters.models import Export, Reference, Tag
from tests.factories import make_donation, make_organisation, make_signature, make_supporter

pytestmark = pytest.mark.django_db
COLUMNS = {
    "supporter": ["first_name", "last_name", "email", "phone", "tags", "reference", "created_at"],
    "donation": ["first_name", "email", "amount", "currency", "received_on"],
    "signature": ["petition", "email", "state", "created_at"],
}


def export(client, name: str, kind: str = "csv", *, columns=None, reason="For the board", **query):
    address = reverse(f"admin:supporters_{name}_export", query=query)
    told = {"format": kind, "reason": reason, "columns": columns or COLUMNS.get(name, [])}
    return client.post(address, told)


def content(answer) -> bytes:
    assert answer.status_code == 200, answer
    assert answer.streaming, answer.content.decode()
    return answer.getvalue()


def rows(answer) -> list[dict]:
    return list(csv.DictReader(io.StringIO(content(answer).decode("utf-8-sig"))))


def test_people_go_out_without_formulas_and_on_record(staff_client, staff):
    who = make_supporter(first_name="=1+1", last_name="@Ek", email="asa@mail.se", phone="+46 70 123", consent=True)
    who.tags.add(Tag.objects.create(name="-vip"), Tag.objects.create(name="Åre"))
    Reference.objects.create(supporter=who, system="donor", identifier="7")
    (row,) = rows(export(staff_client, "supporter"))
    assert (row["first_name"], row["last_name"], row["phone"]) == ("'=1+1", "'@Ek", "'+46 70 123")
    assert (row["tags"], row["reference"], row["email_consent"]) == ("'-vip, Åre", "7", "granted")
    log = Export.objects.get()
    assert (log.by, log.what, log.reason, log.format) == (staff, "Supporters", "For the board", "csv")
    assert (log.state, log.rows, log.people) == ("streamed", 1, True)
    assert log.columns[:2] == ["first_name", "last_name"]


def test_what_people_allow_goes_along_unasked(staff_client):
    make_supporter(first_name="Ann", email="ann@mail.se", consent=True)
    make_supporter(first_name="Bo", email="bo@mail.se")
    found = rows(export(staff_client, "supporter", columns=["first_name"]))
    assert [list(row.values()) for row in found] == [
        ["Bo", "no", "", "", ""],
        ["Ann", "yes", "granted", "", ""],
    ]
    assert list(found[0]) == ["first_name", "may_be_emailed", "email_consent", "post_consent", "phone_consent"]


def test_partners_and_signatures_that_people_allowed_are_columns_too(staff_client, staff):
    a, b = make_organisation(name="Alfa"), make_organisation(name="Beta")
    who = make_supporter(email="ann@mail.se")
    for partner in (a, b):
        consent.grant(who, "partner", organisation=partner, wording="Yes", method="form")
    consent.withdraw(who, "partner", organisation=a, method="link")
    consent.grant(who, "signature", wording="Count me", method="form")
    make_supporter(email="bo@mail.se")
    columns = ["email", "partner_consents", "signature_consent"]
    found = {row["email"]: row for row in rows(export(staff_client, "supporter", columns=columns))}
    assert found["ann@mail.se"]["partner_consents"] == "Alfa: withdrawn; Beta: granted"
    assert found["ann@mail.se"]["signature_consent"] == "granted"
    assert (found["bo@mail.se"]["partner_consents"], found["bo@mail.se"]["signature_consent"]) == ("", "")


def test_that_somebody_signed_is_no_column_for_whoever_may_not_export_it(client, django_user_model):
    fundraiser = django_user_model.objects.create_user("eva", is_staff=True)
    fundraiser.groups.add(Group.objects.get(name="Fundraiser"))
    client.force_login(fundraiser)
    make_supporter(email="ann@mail.se")
    offered = client.get(reverse("admin:supporters_supporter_export")).context["form"].boxes()
    names = {box["column"].name for box in offered}
    assert "partner_consents" in names
    assert "signature_consent" not in names
    answer = export(client, "supporter", columns=["email", "signature_consent"])
    assert not answer.streaming
    assert not Export.objects.exists()


def test_people_leave_the_house_for_a_reason(staff_client):
    answer = export(staff_client, "supporter", reason="  ")
    assert "say why it leaves the house" in answer.content.decode()
    assert not Export.objects.exists()


def test_organisations_need_a_reason_only_with_their_contacts(staff_client):
    partner = make_organisation(name="Partner", country="PL")
    partner.contacts.add(make_supporter(first_name="Ewa", last_name="Nowak", email="ewa@mail.pl"))
    (row,) = rows(export(staff_client, "organisation", columns=["name", "country"], reason=""))
    assert row == {"name": "Partner", "country": "PL"}
    answer = export(staff_client, "organisation", columns=["name", "contacts"], reason="")
    assert "say why it leaves the house" in answer.content.decode()
    (row,) = rows(export(staff_client, "organisation", columns=["name", "contacts"]))
    assert row["contacts"] == "Ewa Nowak <ewa@mail.pl>"


def test_every_format_is_what_it_says(staff_client):
    make_donation(make_supporter(first_name="Åsa", last_name="Ek", email="asa@mail.se"))
    book = openpyxl.load_workbook(io.BytesIO(content(export(staff_client, "donation", "xlsx"))))
    assert [cell.value for cell in book.active[2]][:4] == ["Åsa", "asa@mail.se", 100, "SEK"]
    assert json.loads(content(export(staff_client, "donation", "json")))[0]["amount"] == 100
    assert content(export(staff_client, "donation", "ods"))[:2] == b"PK"


def test_an_export_takes_what_the_list_shows_and_says_so(staff_client):
    make_supporter(first_name="Ann", email="ann@mail.se", country="SE")
    make_supporter(first_name="Anna", email="anna@mail.se", country="FI")
    make_supporter(first_name="Bo", email="bo@mail.se", country="SE")
    found = rows(export(staff_client, "supporter", q="ann", country="SE", p="1"))
    assert [row["email"] for row in found] == ["ann@mail.se"]
    assert Export.objects.get().filters == "search: “ann”; country: Sweden"


def test_ticked_rows_go_to_the_same_page(staff_client):
    make_supporter(first_name="Ann", email="ann@mail.se")
    bo = make_supporter(first_name="Bo", email="bo@mail.se")
    changelist = reverse("admin:supporters_supporter_changelist")
    answer = staff_client.post(changelist, {"action": "export_chosen", "_selected_action": [bo.pk]})
    assert answer.url == reverse("admin:supporters_supporter_export") + f"?pk__in={bo.pk}"
    assert "1 chosen row" in staff_client.get(answer.url).content.decode()
    assert [row["email"] for row in rows(export(staff_client, "supporter", pk__in=bo.pk))] == ["bo@mail.se"]


def test_a_filter_that_no_list_knows_is_not_found(staff_client):
    assert staff_client.get(reverse("admin:supporters_supporter_export"), {"password": "1"}).status_code == 404


@pytest.mark.parametrize("name", ["supporter", "donation", "signature", "recurringdonation", "organisation"])
def test_an_export_takes_as_many_queries_for_three_as_for_one(staff_client, name):
    def fill() -> None:
        who = make_supporter()
        make_donation(who)
        make_signature(supporter=who)
        make_organisation()

    columns = COLUMNS.get(name) or ["country", "amount", "currency"]
    export(staff_client, name, columns=columns)
    fill()
    with CaptureQueriesContext(connection) as one:
        first = export(staff_client, name, columns=columns)
        content(first) if first.streaming else None
    fill()
    fill()
    with CaptureQueriesContext(connection) as three:
        then = export(staff_client, name, columns=columns)
        content(then) if then.streaming else None
    assert len(three) == len(one)


@pytest.mark.parametrize(
    ("role", "lists"),
    [
        ("Viewer", {"organisation"}),
        ("Campaigner", {"organisation"}),
        ("Fundraiser", {"organisation", "supporter", "donation", "recurringdonation", "double", "merge"}),
        (
            "Data manager",
            {"organisation", "supporter", "donation", "recurringdonation", "double", "merge", "signature"},
        ),
    ],
)
def test_only_some_roles_export_people(client, django_user_model, role, lists):
    user = django_user_model.objects.create_user(role, password="x", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    client.force_login(user)
    every = ["supporter", "donation", "recurringdonation", "signature", "organisation", "double", "merge"]
    allowed = {name for name in every if client.get(reverse(f"admin:supporters_{name}_export")).status_code == 200}
    assert allowed == lists
    shown = {
        name
        for name in every
        if f"/{name}/export/" in client.get(reverse(f"admin:supporters_{name}_changelist")).content.decode()
    }
    assert shown == lists


def test_the_log_of_merges_goes_out_too(staff_client, staff):
    ann, again = make_supporter(email="ann@mail.se"), make_supporter(email="again@mail.se")
    merging.merge(ann.pk, again.pk, by=staff)
    (row,) = rows(export(staff_client, "merge", columns=["record", "email", "merged_by", "undone_at"]))
    assert [row[name] for name in ("record", "email", "merged_by", "undone_at")] == [
        *(str(again.pk), "ann@mail.se", "astrid", ""),
    ]
