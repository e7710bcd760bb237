"""What the preview shows is what the import does."""

import re
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import supporters.importing
from supporters.importing import preview
from supporters.importing import run as runs
from supporters.importing.preview.shadows import SHADOWED, Shadows
from supporters.models import (
    Consent,
    Donation,
    ImportPreview,
    ImportRun,
    Organisation,
    PreviewSlice,
    Reference,
    Supporter,
    Suppression,
    Tag,
)
from tests.factories import make_consent, make_donation, make_organisation, make_supporter

pytestmark = pytest.mark.django_db
COUNTS = ("created", "updated", "unchanged", "failed", "held_back", "noted", "doubtful", "not_taken")


def upload(text: str, kind: str = "supporters", name: str = "people.csv", **fields) -> ImportRun:
    run = runs.upload(kind, name, [text.encode()], options=fields.pop("options", {}))
    for field, value in fields.items():
        setattr(run, field, value)
    run.save()
    return run


def look(run: ImportRun) -> ImportPreview:
    preview.ask(run)
    preview.work(run.pk)
    found = preview.of(run)
    assert found.state == "done", found.error
    return found


def go(run: ImportRun) -> ImportRun:
    assert runs.start(run)
    while runs.work(run.pk):
        pass
    run.refresh_from_db()
    assert run.state == ImportRun.State.DONE, run.error
    return run


def numbers(run: ImportRun) -> dict[str, int]:
    return {name: getattr(run, name) for name in COUNTS}


def everything() -> dict[str, list]:
    """All that an import may write."""
    tables = (Supporter, Reference, Organisation, Tag, Supporter.tags.through, Consent, Suppression, Donation)
    found = {model.__name__: list(model.objects.order_by("pk").values()) for model in tables}
    return found | {"rows": list(runs.ImportKey.objects.values())}


def test_it_tells_what_becomes_of_each_row_and_changes_nothing():
    asa = make_supporter(email="asa@mail.se", first_name="Åsa", last_name="Ek", city="Lund", country="SE")
    make_supporter(email="bo@mail.se", first_name="Bo", last_name="Berg", city="Ystad")
    make_supporter(email="per@mail.se", first_name="Per", last_name="Berg")
    before = everything()
    run = upload(
        "email,first name,last name,city,phone,tags\n"
        "asa@mail.se,Åsa,Ek,Malmö,070,vip\n"
        "bo@mail.se,Bo,Berg,Ystad,,\n"
        "new@mail.se,Nya,Ny,,,\n"
        "no address,X,Y,,,\n"
        "per@mail.se,Anna,Lind,,,\n"
    )
    found = look(run)
    assert everything() == before
    assert found.counts == {
        **dict.fromkeys(COUNTS, 0),
        **{"created": 1, "updated": 1, "unchanged": 1, "failed": 1, "doubtful": 1},
    }
    assert found.fields == {"city": [0, 1], "phone": [1, 0]}
    assert preview.outcome_of(found, 2) == {
        "outcome": "changed",
        "who": asa.pk,
        "fields": [["phone", "", "070"], ["city", "Lund", "Malmö"]],
        "also": [["tag", "vip"]],
    }
    assert preview.outcome_of(found, 3)["outcome"] == "unchanged"
    assert preview.outcome_of(found, 4) == {
        "outcome": "new",
        "fields": [["email", "", "new@mail.se"], ["first_name", "", "Nya"], ["last_name", "", "Ny"]],
    }
    assert "is no email address" in preview.outcome_of(found, 5)["why"]
    assert preview.outcome_of(found, 6)["outcome"] == "doubtful"
    assert preview.outcome_of(found, 7) is None
    assert preview.examples(found, "changed")[0][0] == 2
    go(run)
    assert numbers(run) == found.counts
    assert not PreviewSlice.objects.exists()


def test_every_table_that_an_import_names_has_a_stand_in():
    folder = Path(supporters.importing.__file__).parent
    files = [folder / "refunds.py", folder / "policy.py", *(folder / "staging").glob("*.py")]
    text = "".join(file.read_text() for file in files)
    named = set(re.findall(r"\b(?:supporters|campaigns|crm)_[a-z_]+\b(?!\()", text))
    assert named
    assert named <= set(SHADOWED)


def test_rows_meet_what_earlier_slices_did(monkeypatch):
    monkeypatch.setattr(runs, "SLICE", 2)
    make_supporter(email="asa@mail.se", city="Lund", first_name="", last_name="")
    text = "id,email,city\n1,asa@mail.se,Ystad\n2,bo@mail.se,Lund\n1,,Malmö\n2,asa@mail.se,\n1,new@mail.se,\n,asa@mail.se,\n2,bo@mail.se,Lund\n"
    run = upload(text)
    found = look(run)
    assert preview.outcome_of(found, 4)["fields"] == [["city", "Ystad", "Malmö"]]
    assert go(run).failed == found.counts["failed"] == 1
    assert numbers(run) == found.counts


def test_consents_and_those_who_left_are_told():
    gone = make_supporter(email="gone@mail.se")
    make_consent(gone, state="withdrawn", wording="")
    statement = {
        "consent_purpose": "email",
        "consent_wording": "Ja",
        "consent_on": date(2026, 1, 2),
        "consent_how": "Paper",
    }
    run = upload("email\ngone@mail.se\nnew@mail.se\n", **statement)
    found = look(run)
    assert found.counts["held_back"] == 1
    assert preview.outcome_of(found, 3)["also"] == [["granted", "email"]]
    assert Consent.objects.count() == 1
    assert numbers(go(run)) == found.counts


def test_other_settings_make_another_preview():
    run = upload("email,city\nasa@mail.se,Lund\n")
    look(run)
    run.options = {"tags": "fair"}
    run.save()
    assert preview.of(run) is None
    assert look(run).turn == 2


def test_one_that_was_asked_again_stops(monkeypatch):
    run = upload("email\n" + "".join(f"p{n}@mail.se\n" for n in range(6)))
    monkeypatch.setattr(runs, "SLICE", 2)
    first = preview.ask(run)
    monkeypatch.setattr(Shadows, "look_at_sizes", lambda _shadows: preview.of(run).turn == 1 and preview.ask(run))
    preview.work(run.pk)
    found = preview.of(run)
    assert (found.state, found.turn, found.checkpoint) == ("done", first.turn + 1, 6)
    assert found.slices.count() == 3


def test_one_that_was_cut_short_is_owed_and_begins_anew():
    run = upload("email\nasa@mail.se\nbo@mail.se\n")
    found = preview.ask(run)
    ImportPreview.objects.filter(pk=found.pk).update(state="running", checkpoint=1)
    PreviewSlice.objects.create(preview=found, first=2, last=2, outcomes={}, people=[])
    assert list(preview.owed()) == [found]
    preview.work(run.pk)
    found.refresh_from_db()
    assert (found.state, found.checkpoint, found.counts["created"]) == ("done", 2, 2)
    assert not preview.owed().exists()


def test_a_started_import_owes_no_preview():
    run = upload("email\nasa@mail.se\n")
    preview.ask(run)
    go(run)
    assert not preview.owed().exists()
    preview.work(run.pk)
    assert not PreviewSlice.objects.exists()


def test_the_session_sees_the_records_again():
    run = upload("email\nasa@mail.se\n")
    look(run)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_class WHERE relname = 'supporters_supporter'")
        assert cursor.fetchone() == (1,)


def test_a_preview_of_gifts_names_the_new_donors_and_leaves_the_books_alone():
    make_donation(provider="stripe", provider_id="ch_1")
    before = everything()
    run = upload(
        "reference,email,name,amount,currency,date,transaction id\n7,new@mail.se,Nya Ny,50,SEK,2026-01-02,ch_2\n,x@mail.se,,100,SEK,2026-05-01,ch_1\n",
        "donations",
        options={"provider": "stripe"},
    )
    found = look(run)
    assert everything() == before
    assert (found.counts["created"], found.counts["unchanged"]) == (1, 1)
    told = preview.outcome_of(found, 2)
    assert ["amount", "", "50.00"] in told["fields"]
    assert told["also"] == [["person", "Nya Ny"]]
    assert numbers(go(run)) == found.counts


# What generated files are made of: few values, so that rows meet people on file and each other.
EMAILS = ["", "a@mail.se", "b@mail.se", "c@mail.se", "d@mail.se", "broken"]
NAMES = ["", "Anna Lind", "Erik Berg", "A. Lind", "Maria Ek"]
ROWS = st.tuples(
    st.sampled_from(["", "1", "2", "3"]),
    st.sampled_from(EMAILS),
    st.sampled_from(NAMES),
    st.sampled_from(["", "Lund", "Ystad"]),
    st.sampled_from(["", "SE", "Atlantis"]),
    st.sampled_from(["", "vip", "vip; spring"]),
    st.sampled_from(["", "Kvinnofronten", "Nobody"]),
)
RECORDS = st.lists(
    st.tuples(st.sampled_from(EMAILS[1:5]), st.sampled_from(NAMES), st.sampled_from(["", "Lund"]), st.booleans()),
    max_size=3,
    unique_by=lambda record: record[0],
)
POLICIES = st.dictionaries(
    st.sampled_from(["email", "first_name", "last_name", "city", "country"]),
    st.sampled_from(["file", "fill", "record"]),
    max_size=3,
)
PEOPLE_HEADER = "id,email,name,city,country,tags,organisation\n"
FIELDS = ["email", "first_name", "last_name", "city", "country"]


@contextmanager
def undisturbed():
    """What an example writes is gone before the next."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def people() -> dict[int, list[str]]:
    rows = Supporter.objects.values_list("pk", *FIELDS)
    return {pk: [value or "" for value in values] for pk, *values in rows}


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    rows=st.lists(ROWS.filter(any), min_size=1, max_size=9),
    records=RECORDS,
    policy=POLICIES,
    size=st.integers(1, 4),
    create=st.booleans(),
    grant=st.booleans(),
)
def test_what_generated_files_of_people_were_said_to_do_they_do(**example):
    with undisturbed():
        people_do_as_was_said(**example)


def people_do_as_was_said(rows, records, policy, size, create, grant):
    make_organisation(name="Kvinnofronten", source_code=f"kf-{Organisation.objects.count()}")
    for place, (email, name, city, left) in enumerate(records):
        first, _space, last = name.partition(" ")
        person = make_supporter(email=email, first_name=first, last_name=last, city=city)
        if place:
            Reference.objects.create(supporter=person, system="donor", identifier=str(place))
        if left:
            make_consent(person, state="withdrawn", wording="")
    fields = {}
    if grant:
        fields = {
            "consent_purpose": "email",
            "consent_wording": "Ja",
            "consent_on": date(2026, 1, 2),
            "consent_how": "Paper",
        }
    text = PEOPLE_HEADER + "".join(",".join(row).replace(";", " ") + "\n" for row in rows)
    run = upload(text, options={"create_organisations": create, "policy": policy}, **fields)
    before, held = everything(), people()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "SLICE", size)
        found = look(run)
        assert everything() == before
        told = {number: preview.outcome_of(found, number) or {} for number in range(2, len(rows) + 3)}
        go(run)
    assert numbers(run) == found.counts
    outcomes = [one["outcome"] for one in told.values() if one]
    assert {name: outcomes.count(name) for name in ("new", "changed", "unchanged", "failed", "doubtful")} == {
        "new": run.created,
        "changed": run.updated,
        "unchanged": run.unchanged,
        "failed": run.failed,
        "doubtful": run.doubtful,
    }
    listed = dict(run.failures.values_list("number", "reason"))
    assert {number: one["why"] for number, one in told.items() if one.get("why")} == listed
    # What was said, put onto what was there, is what is there now.
    for one in told.values():
        if one.get("outcome") == "changed" and one.get("who"):
            for name, old, new in one.get("fields", []):
                if name in FIELDS:
                    assert held[one["who"]][FIELDS.index(name)] == old
                    held[one["who"]][FIELDS.index(name)] = new
    now = people()
    assert {pk: now[pk] for pk in held} == held


GIFTS = st.tuples(
    st.sampled_from(["", "1", "2"]),
    st.sampled_from(EMAILS),
    st.sampled_from(NAMES),
    st.sampled_from(["50", "0", "-1", "x", "75.50"]),
    st.sampled_from(["2026-01-02", "2026-03-04", ""]),
    st.sampled_from(["", "t1", "t2"]),
)


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=st.lists(GIFTS, min_size=1, max_size=8), records=RECORDS, size=st.integers(1, 4))
def test_what_generated_files_of_gifts_were_said_to_do_they_do(**example):
    with undisturbed():
        gifts_do_as_was_said(**example)


def gifts_do_as_was_said(rows, records, size):
    for place, (email, name, _city, gave) in enumerate(records):
        first, _space, last = name.partition(" ")
        person = make_supporter(email=email, first_name=first, last_name=last)
        if place:
            Reference.objects.create(supporter=person, system="donor", identifier=str(place))
        if gave:
            make_donation(person, provider="file", provider_id=f"t{place}")
    text = "reference,email,name,amount,date,transaction id\n" + "".join(",".join(row) + "\n" for row in rows)
    run = upload(text, "donations", options={"currency": "SEK"})
    before = everything()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "SLICE", size)
        found = look(run)
        assert everything() == before
        told = {number: preview.outcome_of(found, number) or {} for number in range(2, len(rows) + 3)}
        go(run)
    assert numbers(run) == found.counts
    promised = sorted(
        Decimal(next(new for name, _old, new in one["fields"] if name == "amount"))
        for one in told.values()
        if one.get("outcome") == "new"
    )
    assert promised == sorted(Donation.objects.filter(import_run=run).values_list("amount", flat=True))
    listed = dict(run.failures.values_list("number", "reason"))
    assert {number: one["why"] for number, one in told.items() if one.get("why")} == listed


def test_how_somebody_wants_to_be_written_to_is_shown_as_a_file_has_it():
    bo = make_supporter(email="bo@mail.se", how_often="week")
    run = upload("email,how_often,discreet\nbo@mail.se,month,yes\nnew@mail.se,week,yes\n")
    look(run)
    rows = {row["outcome"]: row for row in PreviewSlice.objects.get().outcomes.values()}
    assert rows["changed"]["fields"] == [["how_often", "week", "month"], ["discreet", "", "yes"]]
    assert ["discreet", "", "yes"] in rows["new"]["fields"]
    bo.refresh_from_db()
    assert (bo.how_often, bo.discreet) == ("week", False)
