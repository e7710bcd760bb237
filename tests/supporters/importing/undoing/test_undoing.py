from contextlib import contextmanager
from datetime import date, timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm import personal
from supporters import consent, retention
from supporters.holdings import Person
from supporters.importing import doubts, undoing
from supporters.importing import run as runs
from supporters.importing.undoing import footing
from supporters.merging import merge
from supporters.models import (
    Consent,
    Donation,
    ImportRun,
    ImportTrace,
    ImportUndo,
    Reference,
    Refund,
    Supporter,
    Suppression,
)
from tests.campaigns.conftest import make_appeal
from tests.factories import make_consent, make_donation, make_organisation, make_signature, make_supporter

pytestmark = pytest.mark.django_db
STATEMENT = {
    "consent_purpose": "email",
    "consent_wording": "Ja",
    "consent_on": date(2026, 1, 2),
    "consent_how": "Paper",
}


def load(text: str, kind: str = "supporters", **fields) -> ImportRun:
    run = runs.upload(kind, "people.csv", [text.encode()], options=fields.pop("options", {}))
    for field, value in fields.items():
        setattr(run, field, value)
    run.save()
    runs.start(run)
    while runs.work(run.pk):
        pass
    run.refresh_from_db()
    assert run.state == "done", run.error
    return run


def look(run: ImportRun) -> ImportUndo:
    assert undoing.ask(run)
    while undoing.work(run.pk):
        pass
    found = ImportUndo.objects.get(run=run)
    assert found.state == "looked"
    return found


def undo(run: ImportRun) -> ImportUndo:
    look(run)
    assert undoing.start(run)
    while undoing.work(run.pk):
        pass
    run.refresh_from_db()
    assert run.state == "undone"
    return ImportUndo.objects.get(run=run)


def everything() -> dict[str, list]:
    """All that an undone import leaves as it was."""
    tables = {
        "people": Supporter.objects.values_list(
            *("pk", "email", "first_name", "last_name", "language", "country", "birth_date", "phone", "street"),
            *("postcode", "city", "region", "organisation", "source_code", "marks", "shares_email_with"),
            *("how_often", "discreet"),
        ),
        "references": Reference.objects.values_list("supporter", "system", "identifier"),
        "tags": Supporter.tags.through.objects.values_list("supporter", "tag__name"),
        "consents": Consent.objects.exclude(state="withdrawn").values_list("supporter", "purpose", "state"),
        "gifts": Donation.objects.values_list("supporter", "amount", "state", "provider_id"),
        "refunds": Refund.objects.values_list("donation", "amount"),
    }
    return {name: sorted(rows, key=str) for name, rows in tables.items()}


def reasons(found: ImportUndo) -> dict[int, str]:
    return {row: footing.in_words(why) for row, _kind, _key, why in found.kept}


PEOPLE = "id,email,name,city,phone,tags,organisation\n7,asa@mail.se,Åsa Ek,Malmö,070 111 11 11,vip,kf\n,new@mail.se,Nya Ny,Lund,,vip,\n8,,Bo Berg,Ystad,,,\n"


def test_what_was_made_goes_and_what_was_changed_is_as_it_was():
    asa = make_supporter(email="asa@mail.se", first_name="Åsa", last_name="Ek", city="Lund", phone="")
    make_organisation(source_code="kf")
    before = everything()
    run = load(PEOPLE, **STATEMENT)
    assert (run.created, run.updated) == (2, 1)
    seen = look(run)
    assert everything() != before
    done = undo(run)
    assert everything() == before
    assert {name: seen.counts[name] for name in ("person", "change", "kept")} == {"person": 2, "change": 1, "kept": 0}
    assert {name: done.counts[name] for name in ("person", "change", "kept", "grants")} == {
        **{"person": 2, "change": 1, "kept": 0},
        "grants": 1,
    }
    asa.refresh_from_db()
    assert asa.updated_at > asa.created_at
    # The corrected file goes in as if nothing had been.
    assert load(PEOPLE, **STATEMENT).created == 2
    assert Consent.objects.filter(state="granted").count() == 3


@pytest.mark.parametrize(
    ("build", "why"),
    [
        (lambda person: Supporter.objects.filter(pk=person.pk).update(city="Ystad"), "changed since"),
        (make_donation, "has donations since"),
        (lambda person: make_signature(supporter=person), "has signatures since"),
        (lambda person: make_supporter(email=None, shares_email_with=person), "has supporters since"),
        (
            lambda person: Reference.objects.create(supporter=person, system="civi", identifier="1"),
            "has references since",
        ),
        (lambda person: person.tags.create(name="by hand"), "has supporter-tag relationships since"),
        (make_consent, "has consents since"),
        (lambda person: deliver(person), "has deliveries since"),
    ],
)
def test_who_is_built_on_stays_whole_and_is_listed(build, why):
    run = load("id,email,city,tags\n7,new@mail.se,Lund,vip\n8,other@mail.se,Lund,vip\n")
    person = Supporter.objects.get(email="new@mail.se")
    build(person)
    assert reasons(look(run)) == {2: why}
    assert reasons(undo(run)) == {2: why}
    assert not Supporter.objects.filter(email="other@mail.se").exists()
    assert Reference.objects.filter(system="donor").values_list("identifier", flat=True).get() == "7"
    assert person.tags.filter(name="vip").exists()


def deliver(person, **fields):
    from campaigns.models import Delivery

    return (
        Delivery.objects.create(appeal=make_appeal(), supporter=person, email=person.email, **fields)
        if any(field.name == "email" for field in Delivery._meta.fields)
        else Delivery.objects.create(appeal=make_appeal(), supporter=person, **fields)
    )


def test_a_record_that_was_edited_since_keeps_all_of_its_row():
    make_supporter(email="asa@mail.se", city="Lund", phone="070 222 22 22")
    make_supporter(email="bo@mail.se", city="Lund", phone="070 333 33 33")
    run = load("email,city,tags\nasa@mail.se,Malmö,vip\nbo@mail.se,Malmö,vip\n")
    Supporter.objects.filter(email="asa@mail.se").update(city="Ystad")
    Supporter.objects.filter(email="bo@mail.se").update(phone="070 444 44 44")
    assert reasons(undo(run)) == {2: "changed since"}
    # Bo's phone is an edit of something else.
    assert list(Supporter.objects.order_by("email").values_list("city", "phone")) == [
        ("Ystad", "070 222 22 22"),
        ("Lund", "070 444 44 44"),
    ]
    assert Supporter.objects.get(tags__name="vip").email == "asa@mail.se"


def test_a_grant_on_which_something_was_sent_becomes_a_withdrawal():
    sent, unsent, left = (make_supporter(email=f"{name}@mail.se") for name in ("sent", "unsent", "left"))
    run = load("email\nsent@mail.se\nunsent@mail.se\nleft@mail.se\n", **STATEMENT)
    deliver(sent, state="sent", sent_at=timezone.now())
    consent.leave(left, method=Consent.Method.LINK)
    done = undo(run)
    assert (done.counts["grants"], done.counts["withdrawn"]) == (1, 1)
    assert consent.state_of(sent) == "withdrawn"
    assert consent.state_of(unsent) is None
    assert list(left.consents.order_by("pk").values_list("state", flat=True)) == ["granted", "withdrawn"]


def test_who_left_stays_away():
    asa = make_supporter(email="asa@mail.se")
    make_consent(asa, happened_at=timezone.now() - timedelta(days=900))
    header = "Email Address,MEMBER_RATING,LEID,EUID,UNSUB_TIME\n"
    run = load(header + "asa@mail.se,1,1,1,2026-01-02 10:00:00\nnew@mail.se,1,2,2,2026-01-02 10:00:00\n")
    undo(run)
    assert consent.is_suppressed("asa@mail.se")
    assert consent.is_suppressed("new@mail.se")
    assert consent.state_of(asa) == "withdrawn"
    assert not Supporter.objects.filter(email="new@mail.se").exists()


def test_an_address_that_is_somebody_elses_by_now_is_not_taken_back():
    load("id,email\n7,old@mail.se\n")
    run = load("id,email\n7,new@mail.se\n")
    make_supporter(email="old@mail.se")
    assert reasons(look(run)) == {2: "the old address is somebody else's by now"}
    assert reasons(undo(run)) == {2: "the old address is somebody else's by now"}
    assert Reference.objects.get(identifier="7").supporter.email == "new@mail.se"


def test_addresses_that_went_round_go_back(monkeypatch):
    load("id,email\n1,a@mail.se\n2,b@mail.se\n3,c@mail.se\n")
    before = everything()
    monkeypatch.setattr(runs, "SLICE", 1)
    run = load("id,email\n1,free@mail.se\n2,a@mail.se\n3,b@mail.se\n")
    assert run.updated == 3
    undo(run)
    assert everything() == before


def test_who_got_an_address_of_their_own_shares_one_again():
    first = make_supporter(email="home@mail.se")
    second = make_supporter(email=None, shares_email_with=first)
    Reference.objects.create(supporter=second, system="donor", identifier="2")
    run = load("id,email\n2,own@mail.se\n")
    second.refresh_from_db()
    assert second.shares_email_with is None
    undo(run)
    second.refresh_from_db()
    assert (second.email, second.shares_email_with) == (None, first)


def test_gifts_and_their_donors_go_and_refunds_are_taken_back(monkeypatch):
    monkeypatch.setattr(runs, "SLICE", 2)
    make_donation(provider="stripe", provider_id="ch_1", amount=100)
    before = everything()
    run = load(
        "reference,amount,date,currency,transaction id\n7,50,2026-01-02,SEK,t1\n8,60,2026-01-02,SEK,t2\n7,70,2026-01-03,SEK,t3\n",
        "donations",
    )
    assert Donation.objects.count() == 4
    assert look(run).counts["person"] == 2
    done = undo(run)
    assert everything() == before
    assert (done.counts["gift"], done.counts["person"], done.counts["kept"]) == (3, 2, 0)


def test_a_gift_with_a_refund_stays_with_its_donor():
    run = load("reference,amount,date,currency\n7,50,2026-01-02,SEK\n8,60,2026-01-02,SEK\n", "donations")
    gift = Donation.objects.get(amount=50)
    Refund.objects.create(donation=gift, amount=5, refunded_on=date(2026, 2, 1))
    expected = {2: "has refunds since", 3: None}
    seen = look(run)
    assert {(row, kind) for row, kind, _key, _why in seen.kept} == {(2, "gift"), (2, "person")}
    done = undo(run)
    assert {(row, kind) for row, kind, _key, _why in done.kept} == {(2, "gift"), (2, "person")}
    assert Donation.objects.get() == gift
    assert Supporter.objects.get().references.get().identifier == "7"
    assert expected[2] in {footing.in_words(why) for _row, kind, _key, why in done.kept if kind == "gift"}


def test_what_staff_decided_of_doubtful_rows_is_undone_and_what_waits_is_left_out():
    make_supporter(email="home@mail.se", first_name="Anna", last_name="Lind")
    before = everything()
    run = load("email,first name,last name\nhome@mail.se,Erik,Berg\nhome@mail.se,Olle,Svensson\n")
    doubts.decide(run, "second", numbers=[2])
    doubts.settle(run.pk)
    assert Supporter.objects.count() == 2
    undo(run)
    assert everything() == before
    assert set(run.failures.values_list("verdict", flat=True)) == {"second", "left_out"}
    assert not doubts.waiting(run).exists()
    assert run.doubtful == 0


def test_a_failed_import_is_undone_and_not_resumed_then():
    run = load("email\na@mail.se\n")
    ImportRun.objects.filter(pk=run.pk).update(state="failed")
    run.refresh_from_db()
    undo(run)
    assert not runs.resume(run)
    assert not undoing.ask(run)


def test_it_goes_on_where_it_was_cut_short(monkeypatch):
    monkeypatch.setattr(runs, "SLICE", 2)
    before = everything()
    run = load("email\n" + "".join(f"p{n}@mail.se\n" for n in range(7)))
    look(run)
    assert undoing.start(run)
    rounds = 0
    while undoing.work(run.pk, seconds=0):
        rounds += 1
        assert list(undoing.owed()) == [run.undo]
    assert rounds == 4
    run.refresh_from_db()
    assert (run.state, everything()) == ("undone", before)


def test_who_was_merged_away_since_is_counted_and_the_survivor_stays():
    run = load("email,city\na@mail.se,Lund\nb@mail.se,Lund\n")
    first, second = Supporter.objects.order_by("pk")
    merge(first.pk, second.pk)
    seen, done = look(run), undo(run)
    assert (seen.counts["gone"], done.counts["gone"]) == (1, 1)
    assert "merges" in reasons(done)[2]
    assert Supporter.objects.get() == first


def test_nothing_is_undone_that_was_not_looked_at():
    run = load("email\na@mail.se\n")
    assert not undoing.start(run)
    undoing.ask(run)
    assert not undoing.start(run)
    assert Supporter.objects.exists()


def test_what_is_noted_lapses(settings):
    run = load("email\na@mail.se\n")
    ImportRun.objects.filter(pk=run.pk).update(finished_at=timezone.now() - timedelta(days=settings.UNDO_DAYS + 1))
    rule = next(rule for rule in retention.RULES if rule.name == "undo")
    assert list(rule.due()) == list(ImportTrace.objects.all())
    rule.act(rule.due())
    assert not undoing.possible(run)


def test_what_is_noted_goes_with_the_person_and_others_can_still_be_undone():
    asa, bo = (make_supporter(email=f"{name}@mail.se", city="Quistborg") for name in ("asa", "bo"))
    run = load("email,city\nasa@mail.se,Malmö\nbo@mail.se,Malmö\nnew@mail.se,Malmö\n")
    holding = next(one for one in personal.HOLDINGS if one.name == "import_changes")
    assert list(holding.rows(Person.of(asa))) == [
        {"file": "people.csv", "row": 2, "before": {"city": "Quistborg"}, "after": {"city": "Malmö"}}
    ]
    for one in reversed(personal.HOLDINGS):
        one.forget(Person.of(asa))
    trace = ImportTrace.objects.get()
    assert (trace.changed, trace.before[0]) == ([0, bo.pk], None)
    undo(run)
    bo.refresh_from_db()
    assert bo.city == "Quistborg"
    assert Supporter.objects.get() == bo


# What generated files are made of.
ROWS = st.tuples(
    st.sampled_from(["", "1", "2", "3"]),
    st.sampled_from(["", "a@mail.se", "b@mail.se", "c@mail.se", "d@mail.se"]),
    st.sampled_from(["", "Anna Lind", "Maria Ek", "Erik Berg"]),
    st.sampled_from(["", "Lund", "Ystad"]),
    st.sampled_from(["", "vip", "spring"]),
)


@contextmanager
def undisturbed():
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    rows=st.lists(ROWS.filter(any), min_size=1, max_size=8),
    held=st.lists(ROWS.filter(any), max_size=3),
    size=st.integers(1, 4),
    grant=st.booleans(),
)
def test_whatever_a_file_did_is_undone(rows, held, size, grant):
    with undisturbed(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "SLICE", size)
        header = "id,email,name,city,tags\n"
        load(header + "".join(",".join(row) + "\n" for row in held) if held else header + "9,z@mail.se,,,\n")
        before = everything()
        run = load(header + "".join(",".join(row) + "\n" for row in rows), **(STATEMENT if grant else {}))
        if not undoing.possible(run):  # nothing was written
            assert everything() == before
            return
        seen = look(run)
        done = undo(run)
        assert everything() == before
        assert not done.kept
        assert {name: seen.counts.get(name) for name in ("person", "change")} == {
            name: done.counts.get(name) for name in ("person", "change")
        }
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_class WHERE relname IN ('doomed_people', 'reverts', 'mark')")
            assert cursor.fetchone() == (0,)
        assert Suppression.objects.count() == 0


def test_how_somebody_wants_to_be_written_to_is_as_it_was():
    make_supporter(email="bo@mail.se", how_often="week")
    make_supporter(email="cy@mail.se", discreet=True)
    before = everything()
    run = load("email,how_often,discreet\nbo@mail.se,month,yes\ncy@mail.se,month,\n")
    assert everything() != before
    undo(run)
    assert everything() == before
