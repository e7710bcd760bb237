import csv
import io
import json

import openpyxl
import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from supporters.models import Reference, Tag
from tests.factories import make_donation, make_signature, make_supporter

pytestmark = pytest.mark.django_db
FORMATS = {"csv": "0", "xlsx": "1", "ods": "2", "json": "3"}


def export(client, name: str, kind: str = "csv", **query):
    address = reverse(f"admin:supporters_{name}_export")
    return client.post(address + (f"?q={query['q']}" if query else ""), {"format": FORMATS[kind], "resource": ""})


def rows(answer) -> list[dict]:
    return list(csv.DictReader(io.StringIO(answer.content.decode())))


def test_people_go_out_without_formulas_and_on_record(staff_client, staff):
    who = make_supporter(first_name="=1+1", last_name="@Ek", email="asa@mail.se", phone="+46 70 123", consent=True)
    who.tags.add(Tag.objects.create(name="-vip"))
    Reference.objects.create(supporter=who, system="donor", identifier="7")
    (row,) = rows(export(staff_client, "supporter"))
    assert (row["first_name"], row["last_name"], row["phone"]) == ("'=1+1", "'@Ek", "+46 70 123")
    assert (row["tags"], row["references"], row["email_consent"]) == ("'-vip", "donor: 7", "granted")
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_repr, entry.get_change_message()) == (staff, "Export as csv", "1 rows")


def test_every_format_is_what_it_says(staff_client):
    make_donation(make_supporter(first_name="Åsa", last_name="Ek", email="asa@mail.se"))
    book = openpyxl.load_workbook(io.BytesIO(export(staff_client, "donation", "xlsx").content))
    assert [cell.value for cell in book.active[2]][:4] == ["Åsa Ek", "asa@mail.se", 100, "SEK"]
    assert json.loads(export(staff_client, "donation", "json").content)[0]["amount"] == "100.00"
    assert export(staff_client, "donation", "ods").content[:2] == b"PK"


def test_an_export_takes_what_the_list_shows(staff_client):
    make_supporter(first_name="Ann", email="ann@mail.se")
    make_supporter(first_name="Bo", email="bo@mail.se")
    assert [row["email"] for row in rows(export(staff_client, "supporter", q="ann"))] == ["ann@mail.se"]


@pytest.mark.parametrize("name", ["supporter", "donation", "signature"])
def test_an_export_takes_as_many_queries_for_three_as_for_one(staff_client, name):
    def fill() -> None:
        who = make_supporter()
        make_donation(who)
        make_signature(supporter=who)

    export(staff_client, name)
    fill()
    with CaptureQueriesContext(connection) as one:
        assert len(rows(export(staff_client, name))) == 1
    fill()
    fill()
    with CaptureQueriesContext(connection) as three:
        assert len(rows(export(staff_client, name))) == 3
    assert len(three) == len(one)


@pytest.mark.parametrize(
    ("role", "allowed"), [("Viewer", False), ("Campaigner", False), ("Fundraiser", True), ("Data manager", True)]
)
def test_only_some_roles_export_people(client, django_user_model, role, allowed):
    user = django_user_model.objects.create_user(role, password="x", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    client.force_login(user)
    assert export(client, "supporter").status_code == (200 if allowed else 403)
