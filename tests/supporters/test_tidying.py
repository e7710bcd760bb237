"""Going over what is on file: a look first, values only when asked, marks each day, and nobody merged."""

import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import Value
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from supporters import consent, tidying
from supporters.models import Supporter, Suppression, Tidying
from supporters.models.functions import AddressHash
from tests.factories import make_supporter

pytestmark = pytest.mark.django_db
Kind = Tidying.Kind


@pytest.fixture
def old_file():
    """As records were written before they were read as they are today."""
    return [
        make_supporter(
            first_name="Anna\u200b", last_name="Berg", email="anna@mail.se", phone="070-123 45 67", country="SE"
        ),
        make_supporter(first_name="Office", email="info@verein.de", country="DE", postcode="D-10115", phone="ask me"),
        make_supporter(first_name="Twin", email="anna@mail.se.", country="UK", postcode="sw1a1aa"),
        make_supporter(first_name="Odd", email="odd@mail.test"),
        make_supporter(first_name="Same", email="same@mail.se"),
        make_supporter(first_name="Mo", email="a\u0308@mail.se", language="pt-pt"),
        make_supporter(first_name="Postal", email=None),
    ]


def go_over(kind: str) -> Tidying:
    run = tidying.ask(kind)
    while tidying.work(run.pk):
        pass
    run.refresh_from_db()
    assert run.finished_at
    return run


def state() -> list[tuple]:
    fields = ("first_name", "email", "phone", "postcode", "country", "language")
    return [(*row[:-1], sorted(row[-1])) for row in Supporter.objects.order_by("pk").values_list(*fields, "marks")]


FOUND = {
    **{"first_name": 1, "phone": 1, "postcode": 2, "country": 1, "email": 1, "language": 1},
    **{"marks": 3, "conflicts": 1},
}


def test_a_look_says_what_would_change_and_writes_nothing(old_file):
    before = state()
    run = go_over(Kind.LOOK)
    assert (run.people, run.counts) == (7, FOUND)
    assert run.conflicts == [[old_file[2].pk, old_file[0].pk]]
    assert state() == before


def test_values_are_written_in_their_one_form_when_asked(old_file):
    assert go_over(Kind.WRITE).counts == FOUND
    assert state() == [
        ("Anna", "anna@mail.se", "+46701234567", "", "SE", "", []),
        ("Office", "info@verein.de", "ask me", "10115", "DE", "", ["phone", "role"]),
        ("Twin", "anna@mail.se.", "", "SW1A 1AA", "GB", "", ["taken"]),
        ("Odd", "odd@mail.test", "", "", "", "", ["malformed"]),
        ("Same", "same@mail.se", "", "", "", "", []),
        ("Mo", "ä@mail.se", "", "", "", "pt", []),
        ("Postal", None, "", "", "", "", []),
    ]
    again = go_over(Kind.WRITE)
    assert again.counts == {"conflicts": 1}
    assert again.people == 7


def test_marks_alone_change_no_value_and_go_when_they_are_true_no_more(old_file):
    values = [row[:-1] for row in state()]
    assert go_over(Kind.MARK).counts == {"marks": 3, "conflicts": 1}
    assert [row[:-1] for row in state()] == values
    assert [row[-1] for row in state()] == [[], ["phone", "role"], ["taken"], ["malformed"], [], [], []]
    Supporter.objects.filter(first_name="Twin").update(email="twin@mail.se")
    Supporter.objects.filter(first_name="Office").update(phone="030 901820")
    assert go_over(Kind.MARK).counts == {"marks": 2}
    assert [row[-1] for row in state()][:3] == [[], ["role"], []]


def test_of_two_whose_addresses_become_one_the_first_has_it():
    make_supporter(first_name="One", email="a\u0308@mail.se")
    make_supporter(first_name="Two", email="ä@mail.se.")
    assert go_over(Kind.WRITE).counts == {"email": 1, "marks": 1, "conflicts": 1}
    assert [(row[0], row[1], row[-1]) for row in state()] == [
        ("One", "ä@mail.se", []),
        ("Two", "ä@mail.se.", ["taken"]),
    ]


def test_who_left_stays_away_under_the_new_spelling():
    gone = make_supporter(email="gone@mail.se.", consent=True)
    consent.leave(gone, method="link")
    go_over(Kind.WRITE)
    gone.refresh_from_db()
    assert gone.email == "gone@mail.se"
    assert Suppression.objects.filter(email_hash=AddressHash(Value("gone@mail.se"))).exists()
    assert not Supporter.objects.contactable().exists()


def test_cut_short_anywhere_it_ends_alike(old_file, monkeypatch):
    monkeypatch.setattr(tidying, "SLICE", 2)
    run = tidying.ask(Kind.WRITE)
    steps = 0
    while tidying.work(run.pk, seconds=0):
        assert tidying.ask(Kind.WRITE).pk == run.pk  # asking again goes on
        steps += 1
    run.refresh_from_db()
    assert steps == 4
    assert (run.people, run.counts) == (7, FOUND)


def test_what_somebody_changes_meanwhile_is_left_alone(old_file, monkeypatch):
    real = tidying._write

    def meanwhile(changes):
        Supporter.objects.filter(first_name="Office").update(phone="030 901820")
        real(changes)

    monkeypatch.setattr(tidying, "_write", meanwhile)
    go_over(Kind.WRITE)
    office = Supporter.objects.get(first_name="Office")
    assert (office.phone, office.postcode, office.marks) == ("030 901820", "D-10115", [])


def test_statements_do_not_grow_with_what_changes(old_file):
    def statements() -> int:
        with CaptureQueriesContext(connection) as found:
            go_over(Kind.WRITE)
        return len(found)

    few = statements()
    Supporter.objects.all().delete()
    for number in range(30):
        make_supporter(phone=f"070-123 45 {number + 10}", country="SE", email=f"u{number}@mail.se.")
    assert statements() == few


def test_the_daily_job_marks_once_a_day_and_tells_what_it_found(old_file):
    assert tidying.tick() == {"people": 7, "marks": 3, "conflicts": 1}
    assert tidying.tick() == {"people": 7, "marks": 3, "conflicts": 1}
    assert Tidying.objects.get().kind == Kind.MARK
    asked = tidying.ask(Kind.WRITE)
    assert tidying.tick()["phone"] == 1
    asked.refresh_from_db()
    assert asked.finished_at


def test_the_command_looks_unless_it_is_told_to_write(old_file):
    out, errors = StringIO(), StringIO()
    call_command("tidy_records", "--json", stdout=out, stderr=errors)
    assert json.loads(out.getvalue()) == {"dry_run": True, "people": 7, **FOUND}
    assert errors.getvalue() == f"Supporter {old_file[2].pk} would get the address of supporter {old_file[0].pk}.\n"
    assert Supporter.objects.filter(phone="070-123 45 67").exists()
    call_command("tidy_records", "--apply", "--queue", stdout=StringIO(), stderr=StringIO())
    assert Supporter.objects.filter(phone="070-123 45 67").exists()
    call_command("tidy_records", "--apply", stdout=StringIO(), stderr=StringIO())
    assert Supporter.objects.filter(phone="+46701234567").exists()


def test_staff_ask_for_it_and_see_what_it_found(staff_client, old_file, broker):
    go_over(Kind.MARK)
    add = reverse("admin:supporters_tidying_add")
    assert "Look first" in staff_client.get(add).text
    staff_client.post(add, {"kind": "look"})
    run = Tidying.objects.get(kind=Kind.LOOK)
    while tidying.work(run.pk):
        pass
    assert "postcode: 2" in staff_client.get(reverse("admin:supporters_tidying_changelist")).text
    page = staff_client.get(reverse("admin:supporters_tidying_change", args=[run.pk])).text
    assert "(anna@mail.se.)" in page
    assert reverse("admin:supporters_supporter_change", args=[old_file[0].pk]) in page
    background = staff_client.get(reverse("crm:background")).text
    assert "Addresses that two people have" in background
    assert "?mark=taken" in background
