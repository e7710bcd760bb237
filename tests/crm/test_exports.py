import csv
import io
import json
from datetime import date
from decimal import Decimal

import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.urls import reverse

from supporters.giving import refund
from supporters.models import Export
from tests.factories import make_donation, make_petition, make_signature, make_supporter
from tests.supporters.tallying.batches import counted

pytestmark = pytest.mark.django_db


def rows(text: str) -> list[dict]:
    return list(csv.DictReader(io.StringIO(text)))


def run(path, *args, **options) -> tuple[list[dict], dict]:
    said = io.StringIO()
    call_command("export", *args, output=path, json=True, stdout=said, **options)
    return rows(path.read_text("utf-8-sig")), json.loads(said.getvalue().splitlines()[-1])


def test_the_command_writes_what_the_list_shows_and_says_how_much(tmp_path):
    make_supporter(email="ann@mail.se", country="SE")
    make_supporter(email="finn@mail.fi", country="FI")
    path = tmp_path / "people.csv"
    found, counts = run(path, "supporters", filter=["country=SE"], columns="email", why="A move")
    assert [row["email"] for row in found] == ["ann@mail.se"]
    assert counts == {"rows": 1, "bytes": path.stat().st_size}
    assert path.stat().st_mode & 0o077 == 0
    log = Export.objects.get()
    assert (log.by, log.reason, log.filters, log.rows) == (None, "A move", "country: Sweden", 1)


@pytest.mark.parametrize(
    ("args", "options", "said"),
    [
        (["nothing"], {}, "There is no list"),
        (["supporters"], {}, "say --why"),
        (["supporters"], {"why": "x", "columns": "shoe"}, "There is no column “shoe”"),
        (["supporters"], {"why": "x", "filter": ["shoe=1"]}, "no such filter"),
        (["supporters"], {"why": "x", "filter": ["shoe"]}, "NAME=VALUE"),
        (["supporters"], {"why": "x", "by": "nobody"}, "There is no user"),
        (["segment"], {"why": "x", "filter": ["segment=9"]}, "There is no such thing"),
    ],
)
def test_the_command_says_what_is_wrong_and_writes_nothing(tmp_path, args, options, said):
    path = tmp_path / "file.csv"
    with pytest.raises(CommandError, match=said):
        run(path, *args, **options)
    assert not list(tmp_path.iterdir())


def test_the_command_knows_the_rights_of_a_user(tmp_path, django_user_model):
    user = django_user_model.objects.create_user("bo", password="x", is_staff=True)
    user.groups.add(Group.objects.get(name="Fundraiser"))
    make_signature()
    with pytest.raises(CommandError, match="may not export"):
        run(tmp_path / "s.csv", "signatures", why="x", by="bo")
    make_donation()
    found, _counts = run(tmp_path / "d.csv", "donations", why="x", by="bo", columns="amount")
    assert found[0]["amount"] == "100.00"
    assert Export.objects.get().by == user


def test_a_file_that_can_not_be_written_is_told(tmp_path):
    with pytest.raises(CommandError, match="can't be written"):
        run(tmp_path / "no" / "file.csv", "giving")


def test_totals_of_a_petition_by_country_and_week(tmp_path):
    petition = make_petition(slug="law")
    for country, moment in (("SE", "2026-05-04"), ("SE", "2026-05-10"), ("SE", "2026-05-11"), ("NO", "2026-05-05")):
        make_signature(petition, state="validated", validated_at=f"{moment}T12:00Z", country=country)
    make_signature(petition, country="DE")
    counted(petition=petition, gathered_on=date(2026, 11, 4))
    found, _counts = run(tmp_path / "t.csv", "petition-totals", filter=[f"petition={petition.pk}"])
    assert [tuple(row.values()) for row in found] == [
        ("law", "NO", "Norway", "no", "2026-05-04", "1", "online"),
        ("law", "SE", "Sweden", "yes", "2026-05-04", "2", "online"),
        ("law", "SE", "Sweden", "yes", "2026-05-11", "1", "online"),
        ("law", "SE", "Sweden", "yes", "2026-11-02", "40", "paper"),
    ]
    assert not Export.objects.get().people


def test_giving_by_month_currency_and_method(tmp_path):
    donor = make_supporter()
    first = make_donation(donor, amount=Decimal("100.00"), received_on=date(2026, 5, 1), method="card")
    make_donation(donor, amount=Decimal("50.50"), received_on=date(2026, 5, 31), method="card")
    make_donation(amount=Decimal("700"), currency="JPY", received_on=date(2026, 5, 3), method="bank")
    make_donation(amount=Decimal("9.00"), received_on=date(2025, 12, 31), method="card")
    make_donation(state="failed", received_on=None)
    refund(first, amount=Decimal("20.00"), refunded_on=date(2026, 6, 1), reason="")
    found, _counts = run(tmp_path / "g.csv", "giving", filter=["year=2026"])
    assert [tuple(row.values()) for row in found] == [
        ("2026-05-01", "JPY", "bank", "1", "1", "0", "700", "0", "700"),
        ("2026-05-01", "SEK", "card", "2", "1", "0", "150.50", "20.00", "130.50"),
    ]
    found, _counts = run(tmp_path / "g.csv", "giving")
    assert [row["month"] for row in found] == ["2025-12-01", "2026-05-01", "2026-05-01"]


@pytest.mark.parametrize(("role", "status"), [("Viewer", 200), ("Fundraiser", 200)])
def test_sums_may_go_out_by_whoever_sees_them(client, django_user_model, role, status):
    user = django_user_model.objects.create_user(role, password="x", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    client.force_login(user)
    address = reverse("admin:supporters_export_new", args=["giving"])
    assert client.get(address).status_code == status
    answer = client.post(address, {"format": "json", "columns": ["month"], "reason": ""})
    assert answer.getvalue() == b"[]\n"
    assert [export.by for export in Export.objects.all()] == [user]
    listed = client.get(reverse("admin:supporters_export_changelist"))
    assert "Giving by month" in listed.content.decode()
    user.groups.clear()
    assert client.get(address).status_code == 403
