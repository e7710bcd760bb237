import json
import tracemalloc
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models.functions import Now
from django.urls import reverse

from crm import erasure
from supporters.exporting import making
from supporters.exporting.listings import Asked, Extent, NothingThere, get
from supporters.importing import run as runs
from supporters.merging import joining, parting
from supporters.models import Export, ImportRun, Reference, Supporter, Tag
from supporters.privacy import ledger_open_for
from tests.factories import make_donation, make_supporter

pytestmark = pytest.mark.django_db
State = Export.State


@pytest.fixture(autouse=True)
def many(settings):
    settings.EXPORT_AT_ONCE = 1


def ask(name="supporters", query="", by=None, format="csv", columns=("first_name", "email")) -> Export:
    listing, asked = get(name), Asked(query, by)
    return making.ask(listing, asked, listing.extent(asked), columns=columns, format=format, reason="For the board")


def made(**asked) -> Export:
    export = ask(**asked)
    making.work(export.pk)
    export.refresh_from_db()
    assert export.state == State.DONE, export.error
    return export


def test_a_long_list_is_made_by_a_worker_and_fetched_by_who_asked(staff_client, staff, broker):
    for n in range(3):
        make_supporter(first_name=f"Ann {n}", email=f"ann{n}@mail.se")
    address = reverse("admin:supporters_supporter_export", query={"q": "ann"})
    answer = staff_client.post(address, {"format": "json", "reason": "A letter", "columns": ["first_name", "email"]})
    export = Export.objects.get()
    assert (export.state, export.expected, export.by) == (State.QUEUED, 3, staff)
    page = reverse("admin:supporters_export_change", args=[export.pk])
    assert answer.url == page
    assert "A worker is at it" in staff_client.get(page).content.decode()
    making.work(export.pk)
    text = staff_client.get(page, {"part": 1}).content.decode()
    assert "Ready" in text
    file = staff_client.get(reverse("admin:supporters_export_file", args=[export.pk]))
    assert file["Content-Disposition"] == f'attachment; filename="{making.file_name(export)}"'
    content = file.getvalue()
    assert file["Content-Length"] == str(len(content))
    assert [row["first_name"] for row in json.loads(content)] == ["Ann 2", "Ann 1", "Ann 0"]
    export.refresh_from_db()
    assert (export.rows, export.percent) == (3, 100)


@pytest.mark.parametrize("role", ["Fundraiser", "Data manager"])
def test_nobody_else_gets_the_file(client, django_user_model, staff, role):
    make_supporter()
    export = made(by=staff)
    user = django_user_model.objects.create_user("bo", password="x", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    client.force_login(user)
    assert client.get(reverse("admin:supporters_export_file", args=[export.pk])).status_code == 403
    seen = client.get(reverse("admin:supporters_export_change", args=[export.pk])).status_code
    assert seen == (200 if role == "Data manager" else 404)
    assert client.post(reverse("admin:supporters_export_change", args=[export.pk])).status_code in {403, 404}
    export.refresh_from_db()
    assert export.state == State.DONE


def test_who_may_no_longer_export_gets_neither_file_nor_making(client, django_user_model):
    user = django_user_model.objects.create_user("bo", password="x", is_staff=True)
    user.groups.add(Group.objects.get(name="Fundraiser"))
    make_supporter()
    export, owed = made(by=user), ask(by=user)
    user.groups.clear()
    client.force_login(user)
    assert client.get(reverse("admin:supporters_export_file", args=[export.pk])).status_code == 403
    making.work(owed.pk)
    owed.refresh_from_db()
    assert owed.state == State.FAILED
    assert "may not export this list any more" in owed.error
    assert not owed.parts.exists()


def test_a_worker_that_died_leaves_nothing_of_its_half_behind(monkeypatch):
    monkeypatch.setattr(making, "NOTED", 2)
    for n in range(7):
        make_supporter(email=f"p{n}@mail.se")
    export = ask()

    def dies(*_args):
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(making._Maker, "finish", dies)
        with pytest.raises(SystemExit):
            making.work(export.pk)
    export.refresh_from_db()
    assert (export.state, export.rows, export.tries) == (State.MAKING, 6, 1)
    assert export.parts.exists()
    making.work(export.pk)
    export.refresh_from_db()
    assert (export.state, export.rows, export.tries) == (State.DONE, 7, 2)
    text = b"".join(making.content(export)).decode("utf-8-sig")
    assert len(text.splitlines()) == 8
    assert making.size(export) == export.file_size


def test_an_export_that_kills_every_worker_is_given_up():
    make_supporter()
    export = ask()
    Export.objects.update(state=State.MAKING, tries=making.TRIES)
    making.work(export.pk)
    export.refresh_from_db()
    assert (export.state, export.error[:20]) == (State.FAILED, "It was cut short 5 t")


def test_the_tick_hands_out_what_is_owed_and_deletes_what_is_old(broker):
    make_supporter()
    old, fresh, owed = made(), made(), ask()
    Export.objects.filter(pk=old.pk).update(expires_at=Now() - timedelta(minutes=1))
    assert making.tick() == {"owed": 1, "files": 1}
    states = dict(Export.objects.values_list("pk", "state"))
    assert states == {old.pk: State.EXPIRED, fresh.pk: State.DONE, owed.pk: State.QUEUED}
    assert not old.parts.exists()
    assert fresh.parts.exists()


def test_what_is_cancelled_while_it_is_made_ends(monkeypatch, staff_client, staff):
    monkeypatch.setattr(making, "NOTED", 1)
    for n in range(3):
        make_supporter(email=f"p{n}@mail.se")
    export = ask(by=staff)
    store = making._Maker._store

    def cancels(self, content):
        store(self, content)
        staff_client.post(reverse("admin:supporters_export_change", args=[export.pk]))

    monkeypatch.setattr(making._Maker, "_store", cancels)
    making.work(export.pk)
    export.refresh_from_db()
    assert export.state == State.CANCELLED
    assert not export.parts.exists()


def test_erasing_somebody_takes_away_the_files_they_are_in(staff):
    ann, bo = make_supporter(first_name="Ann"), make_supporter(first_name="Bo", last_name="Ek")
    both, one = made(), made(query=f"q={bo.last_name}")
    erasure.erase(ann, staff)
    both.refresh_from_db()
    one.refresh_from_db()
    assert (both.state, one.state) == (State.WITHDRAWN, State.DONE)
    assert not both.parts.exists()
    assert one.parts.exists()


def test_erasing_somebody_takes_away_files_of_a_record_that_was_merged_into_theirs(staff):
    ann, double = make_supporter(first_name="Ann"), make_supporter(first_name="Anne", last_name="Ek")
    export = made(query=f"q={double.last_name}")
    joining.merge(ann.pk, double.pk, by=staff)
    export.refresh_from_db()
    assert export.state == State.DONE
    erasure.erase(ann, staff)
    export.refresh_from_db()
    assert export.state == State.WITHDRAWN


def test_erasing_somebody_takes_away_files_of_the_time_when_they_were_one_record_with_another(staff):
    ann, double, _bo = (make_supporter(first_name=name, last_name=name) for name in ("Anna", "Eskil", "Bosse"))
    act = joining.merge(ann.pk, double.pk, {"first_name": "away"}, by=staff)
    together, other = made(query="q=eskil"), made(query="q=bosse")
    assert b"Eskil" in b"".join(making.content(together))
    parting.undo(act.pk, by=staff)
    erasure.erase(double, staff)
    together.refresh_from_db()
    other.refresh_from_db()
    assert (together.state, other.state) == (State.WITHDRAWN, State.DONE)


def test_erasing_somebody_takes_away_files_in_which_another_is_reached_through_their_address(staff):
    ann = make_supporter(first_name="Ann", email="ann@mail.se")
    make_supporter(first_name="Bo", last_name="Eskil", email=None, shares_email_with=ann)
    export = made(query="q=eskil", columns=("first_name", "reached_through"))
    assert b"ann@mail.se" in b"".join(making.content(export))
    erasure.erase(ann, staff)
    export.refresh_from_db()
    assert export.state == State.WITHDRAWN


def test_erasing_a_donor_takes_away_the_files_of_their_gifts(staff):
    donor = make_supporter()
    make_donation(donor)
    export = made(name="donations")
    erasure.erase(donor, staff)
    export.refresh_from_db()
    assert export.state == State.WITHDRAWN


def test_somebody_erased_while_a_file_is_made_is_in_no_file(monkeypatch, staff):
    ann, _bo = make_supporter(first_name="Ann"), make_supporter(first_name="Bo")
    export = ask()
    finish = making._Maker.finish

    def erases(self):
        monkeypatch.setattr(making._Maker, "finish", finish)
        erasure.erase(ann, staff)
        finish(self)

    monkeypatch.setattr(making._Maker, "finish", erases)
    making.work(export.pk)
    export.refresh_from_db()
    assert export.state == State.QUEUED
    assert not export.parts.exists()
    making.work(export.pk)
    assert b"Ann" not in b"".join(making.content(export))


@pytest.mark.parametrize("moment", ["add", "finish"])
def test_however_many_are_erased_meanwhile_an_export_is_not_given_up(monkeypatch, staff, moment):
    people = [make_supporter(first_name="Ann") for _n in range(making.TRIES + 2)]
    make_supporter(first_name="Bo")
    export = ask()
    step = getattr(making._Maker, moment)

    def erases(self, *args):
        if people:
            ann = people.pop()
            self._store(b"")
            erasure.erase(ann, staff)
        return step(self, *args)

    monkeypatch.setattr(making._Maker, moment, erases)
    for _time in range(making.TRIES + 2):
        making.work(export.pk)
        export.refresh_from_db()
        assert export.state == State.QUEUED, export.error
    making.work(export.pk)
    export.refresh_from_db()
    assert (export.state, export.rows) == (State.DONE, 1)
    Export.objects.update(state=State.MAKING, tries=export.begun_anew + making.TRIES)
    making.work(export.pk)
    export.refresh_from_db()
    assert export.state == State.FAILED


def test_the_words_of_an_export_forget_an_erased_person(staff):
    ann = make_supporter(first_name="Ann", last_name="Unik", email="unik@mail.se")
    done, owed = made(query="q=unik@mail.se"), ask(query="q=Unik")
    called = making.ask(
        get("supporters"), Asked(), Extent([], 0, "Segment: Unik"), columns=[], format="csv", reason="For Unik"
    )
    erasure.erase(ann, staff)
    rows = {row.pk: row for row in Export.objects.all()}
    assert (rows[called.pk].what, rows[called.pk].reason, rows[called.pk].listing) == ("–", "–", "supporters")
    assert [rows[key].filters for key in (done.pk, owed.pk)] == ["", ""]
    assert [rows[key].query for key in (done.pk, owed.pk)] == ["", ""]
    assert rows[owed.pk].state == State.CANCELLED


@pytest.mark.parametrize(
    "change", [{"reason": "Another"}, {"filters": "none"}, {"columns": ["email"]}, {"people": False}]
)
def test_what_was_asked_for_can_not_be_rewritten(change):
    export = ask()
    with pytest.raises(IntegrityError, match="stays as it is"), transaction.atomic():
        Export.objects.filter(pk=export.pk).update(**change)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Export.objects.filter(pk=export.pk).delete()
    with ledger_open_for("erase"), pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Export.objects.filter(pk=export.pk).delete()


def test_an_export_of_people_says_why_in_the_database_too():
    export = ask()
    export.pk, export.reason = None, " "
    with pytest.raises(IntegrityError, match="export_of_people_says_why"), transaction.atomic():
        export.save(force_insert=True)


def test_a_list_that_is_not_there_is_told():
    with pytest.raises(NothingThere):
        get("nothing")


def load(kind: str, name: str, content) -> ImportRun:
    run = runs.upload(kind, name, content)
    runs.start(run)
    while runs.work(run.pk):
        pass
    run.refresh_from_db()
    assert (run.state, run.failed) == (ImportRun.State.DONE, 0), [row.reason for row in run.failures.all()]
    return run


def test_our_own_file_comes_back_as_it_went():
    organised = make_supporter(
        first_name="-Ann",
        last_name="@Ek",
        email="ann@mail.se",
        phone="+46701234567",
        country="SE",
        language="sv",
        street="-Gatan 1",
        postcode="222 22",
        city="Lund",
        birth_date="1980-02-29",
        source_code="stall",
    )
    organised.tags.add(Tag.objects.create(name="-vip"), Tag.objects.create(name="Åre"))
    postal = make_supporter(first_name="Bo", last_name="O'Neil", email=None)
    Reference.objects.create(supporter=postal, system="donor", identifier="+7")
    before = list(Supporter.objects.order_by("pk").values())
    columns = [column.name for column in get("supporters").columns if not column.fixed]
    for format in ("csv", "xlsx", "ods"):
        export = made(format=format, columns=columns)
        run = load("supporters", f"people.{format}", making.content(export))
        assert (run.created, run.updated, run.unchanged, run.noted) == (0, 0, 2, 0)
        assert list(Supporter.objects.order_by("pk").values()) == before
    assert sorted(organised.tags.values_list("name", flat=True)) == ["-vip", "Åre"]


def test_a_text_that_begins_like_a_formula_comes_back_in_csv():
    make_supporter(first_name="=Ann", last_name="=1+1", email="ann@mail.se")
    run = load("supporters", "people.csv", making.content(made(columns=["first_name", "last_name", "email"])))
    assert (run.created, run.updated, run.unchanged) == (0, 0, 1)


def test_our_own_file_of_gifts_comes_back_as_it_went():
    donor = make_supporter(email="ann@mail.se")
    make_donation(donor, method="card", provider="stripe", provider_id="ch_1", designation="@Legal aid")
    make_donation(donor, method="cash")
    gifts = b"email,date,amount,currency\nann@mail.se,2026-05-01,20.50,EUR\nann@mail.se,2026-05-01,20.50,EUR\n"
    assert load("donations", "gifts.csv", [gifts]).created == 2
    columns = [column.name for column in get("donations").columns if not column.fixed]
    for format in ("csv", "xlsx", "ods"):
        export = made(name="donations", columns=columns, format=format)
        run = load("donations", f"gifts.{format}", making.content(export))
        assert (run.created, run.unchanged) == (0, 4)


def test_a_gift_with_our_number_that_is_not_ours_goes_in_once():
    here = make_donation(make_supporter(email="ann@mail.se"))
    row = f"email,date,amount,currency,provider,transaction_id\nann@mail.se,2026-05-01,7.00,SEK,lodestar,{here.pk}\n"
    assert load("donations", "a.csv", [row.encode()]).created == 1
    assert load("donations", "b.csv", [row.encode()]).unchanged == 1


def peak(rows: int, format: str) -> int:
    """Bytes that Python held at most while a file of so many rows was made."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO supporters_supporter (first_name, last_name, email)"
            " SELECT 'Ann', 'Ek ' || n, n || '@mail.se' FROM generate_series(1, %s) n ON CONFLICT DO NOTHING",
            [rows],
        )
    export = ask(format=format)
    tracemalloc.start()
    making.work(export.pk)
    used = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    export.refresh_from_db()
    assert (export.state, export.rows) == (State.DONE, rows), export.error
    return used


@pytest.mark.parametrize("format", ["csv", "json", "xlsx", "ods"])
def test_ten_times_the_rows_take_no_more_memory(format, monkeypatch):
    monkeypatch.setattr(making, "NOTED", 500)
    monkeypatch.setattr(making, "PART", 1 << 16)
    peak(500, format)  # what is loaded at first use
    small = peak(2_000, format)
    assert peak(20_000, format) < 1.3 * small + (1 << 19)
