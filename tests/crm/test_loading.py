import io
import json

import pytest
from django.core.management import CommandError, call_command

from supporters.models import ImportRun, Supporter
from tests.factories import make_supporter

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(tmp_path):
    make_supporter(email="asa@mail.se", city="Lund", phone="")
    path = tmp_path / "people.csv"
    path.write_text("email,city,phone\nasa@mail.se,Ystad,070\nbo@mail.se,Lund,\nbroken,,\n")
    return str(path)


def test_a_dry_run_tells_what_would_be_and_leaves_nothing_behind(people):
    out = io.StringIO()
    call_command("import_supporters", people, "--dry-run", "--json", stdout=out, stderr=io.StringIO())
    assert json.loads(out.getvalue().splitlines()[-1]) == {
        "dry_run": True,
        **{"rows": 3, "created": 1, "updated": 1, "unchanged": 0, "failed": 1, "doubtful": 0, "held_back": 0},
        "fields": {"city": {"filled": 0, "replaced": 1}, "phone": {"filled": 1, "replaced": 0}},
    }
    assert not ImportRun.objects.exists()
    assert Supporter.objects.get().city == "Lund"


def test_a_dry_run_of_gifts_does_too(tmp_path):
    path = tmp_path / "gifts.csv"
    path.write_text("reference,amount,date\n7,50,2026-01-02\n")
    out = io.StringIO()
    call_command("import_donations", str(path), "--currency", "SEK", "--dry-run", stdout=out)
    assert out.getvalue().startswith("Nothing went in. It would be: 1 rows, 1 created")
    assert not Supporter.objects.exists()


def test_fields_say_who_wins(people):
    winners = ("--record-wins", "city", "--fill-only", "phone")
    call_command("import_supporters", people, *winners, stdout=io.StringIO(), stderr=io.StringIO())
    assert Supporter.objects.values_list("city", "phone").get(email="asa@mail.se") == ("Lund", "070")
    with pytest.raises(CommandError, match="There is no field town"):
        call_command("import_supporters", people, "--fill-only", "town")


def test_a_dry_run_is_not_handed_to_a_worker(people):
    with pytest.raises(CommandError, match="leave out --queue"):
        call_command("import_supporters", people, "--dry-run", "--queue")
    assert not ImportRun.objects.exists()
