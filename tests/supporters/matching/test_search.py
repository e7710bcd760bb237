"""The search of the whole file, on a real PostgreSQL and with the engine as a real process."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model

from supporters.matching import deciding, search
from supporters.models import Double, DoubleSearch, Supporter
from tests.supporters.matching.people import make

pytestmark = pytest.mark.django_db


def fill(persons=120, seed=5):
    """People with doubles; returns the truth, by primary key."""
    truth = {}
    for row in make(persons, seed):
        one = Supporter.objects.create(
            **{name: row[name] for name in ("first_name", "last_name", "phone", "street", "postcode", "city")},
            birth_date=row["birth_date"] if _is_date(row["birth_date"]) else None,
            email=f"{row['id']}.{row['email']}" if row["email"] else None,
        )
        truth[one.pk] = row["person"]
    return truth


def _is_date(text):
    from datetime import date

    try:
        return bool(text) and bool(date.fromisoformat(text))
    except ValueError:
        return False


@pytest.fixture(autouse=True)
def _room(monkeypatch, tmp_path):
    """A directory for temporary files of one's own: other tests search at the same time."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@pytest.fixture
def staff():
    return get_user_model().objects.create_user("kim", password="x", is_staff=True)


def test_run_finds_doubles_and_explains_them():
    truth = fill()
    one = Supporter.objects.create(
        first_name="Märta",
        last_name="Öhrngren",
        birth_date="1961-04-09",
        street="Storgatan 9",
        postcode="41101",
        city="Göteborg",
        phone="031123456",
    )
    two = Supporter.objects.create(
        first_name="Marta",
        last_name="Ohrngren",
        birth_date="1961-04-09",
        street="Storg. 9",
        postcode="411 01",
        city="Goteborg",
        phone="+46 31 123456",
    )
    counts = search.run()
    pair = Double.objects.get(first=one, second=two)
    how = {each["what"]: each["how"] for each in pair.evidence}
    assert (how["first_name"], how["last_name"], how["birth_date"], how["phone"]) == ("same", "same", "same", "same")
    assert pair.state == "open"
    assert pair.probability > 0.99
    assert (pair.cluster, pair.cluster_size, pair.found_by) == (one.pk, 2, "file")
    run = DoubleSearch.objects.get()
    assert (run.people, run.percent, run.error) == (len(truth) + 2, 100, "")
    assert counts == {"supporters": len(truth) + 2, "doubles": Double.objects.count()}
    assert run.found == run.new == Double.objects.count() > 1
    assert list(Path(tempfile.gettempdir()).glob("lodestar-doubles-*/people.csv")) == []


def test_run_again_proposes_nothing_twice_and_keeps_what_staff_said(staff):
    fill()
    search.run()
    told_apart = Double.objects.filter(cluster_size=2, loose=False).first()
    before = set(Double.objects.values_list("first_id", "second_id"))
    assert deciding.keep_apart([told_apart.pk], staff) == 1
    assert search.run()["doubles"] == 0
    told_apart.refresh_from_db()
    assert (told_apart.state, told_apart.decided_by) == ("different", staff)
    assert set(Double.objects.values_list("first_id", "second_id")) == before


def test_two_told_apart_are_in_no_group_together(staff):
    fill()
    search.run()
    pair = Double.objects.filter(cluster_size=3).first()
    deciding.keep_apart([pair.pk], staff)
    search.run()
    groups = {}
    for first, second, cluster, loose in Double.objects.open().values_list(
        "first_id", "second_id", "cluster", "loose"
    ):
        if not loose:
            groups.setdefault(cluster, set()).update((first, second))
    assert groups
    assert not any({pair.first_id, pair.second_id} <= group for group in groups.values())


def test_what_is_no_double_any_more_is_taken_back():
    fill()
    search.run()
    pair = Double.objects.filter(cluster_size=2).first()
    Supporter.objects.filter(pk=pair.second_id).update(
        first_name="Xenophon",
        last_name="Papadiamantis",
        birth_date="1920-01-31",
        email="xp@other.gr",
        phone="",
        street="Odos Ermou 1",
        postcode="99999",
        city="Volos",
    )
    search.run()
    assert not Double.objects.filter(pk=pair.pk).exists()


def test_run_due_waits_for_somebody_new():
    fill(20)
    assert search.run_due()["supporters"] > 20
    assert search.run_due() == {}
    Supporter.objects.create(first_name="New", last_name="Person")
    assert search.run_due()["supporters"] > 21


def test_empty_file_and_a_single_person_are_searched():
    assert search.run_due() == {}
    Supporter.objects.create(first_name="Only", last_name="One")
    assert search.run() == {"supporters": 1, "doubles": 0}


def test_hostile_values_are_only_values():
    for text in ("'; DROP TABLE people; --", 'quo"te, and\nnewline', "\\.", "%s {0} $1", "💥" * 20, "ﷺ"):
        Supporter.objects.create(first_name=text, last_name=text, city=text, street=text)
        Supporter.objects.create(first_name=text, last_name=text, city=text, street=text)
    fill(30)
    assert search.run()["supporters"] > 42
    assert DoubleSearch.objects.get().error == ""


def test_failed_engine_changes_nothing_and_says_so(monkeypatch):
    fill(20)
    search.run()
    before = list(Double.objects.order_by("pk").values())
    monkeypatch.setattr(search, "MEMORY", "no memory")
    with pytest.raises(search.SearchFailed):
        search.run()
    assert list(Double.objects.order_by("pk").values()) == before
    failed = DoubleSearch.objects.first()
    assert failed.finished_at is not None
    assert "stopped with an error" in failed.error


def test_room_of_a_killed_search_is_swept():
    left = Path(tempfile.mkdtemp(prefix="lodestar-doubles-"))
    (left / "lock").touch()
    (left / "people.csv").write_text("1,Ann,Andersson")
    Supporter.objects.create(first_name="Only", last_name="One")
    search.run()
    assert not left.exists()


def test_web_and_mail_workers_load_neither_splink_nor_duckdb():
    code = (
        "import django, sys; django.setup();"
        "import config.urls, config.celery, crm.tasks, supporters.tasks, campaigns.tasks, supporters.matching.search;"
        "print(sorted({'splink', 'duckdb', 'pyarrow', 'sqlglot'} & set(sys.modules)))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert shown.stdout.strip() == "[]"
