import csv
import signal
from collections import defaultdict
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db import connection
from django.db.models import Sum
from django.db.models.functions import ExtractYear

from supporters import consent
from supporters.importing import readers
from supporters.importing import run as runs
from supporters.importing.problems import FileProblem
from supporters.models import Consent, Donation, ImportKey, ImportRun, Reference, Supporter, Suppression
from supporters.tasks import work_on_import
from tests.factories import make_consent, make_organisation, make_supporter
from tests.processes import Worker, wait_for

pytestmark = pytest.mark.django_db


def load(text: str, kind: str = "supporters", name: str = "people.csv", **fields) -> ImportRun:
    options = fields.pop("options", {})
    run = runs.upload(kind, name, [text.encode()], options=options)
    for field, value in fields.items():
        setattr(run, field, value)
    run.save()
    assert runs.start(run)
    while runs.work(run.pk):
        pass
    run.refresh_from_db()
    assert run.state == ImportRun.State.DONE, run.error
    return run


def counts(run: ImportRun) -> tuple[int, int, int, int, int]:
    return run.rows, run.created, run.updated, run.unchanged, run.failed


def reasons(run: ImportRun) -> list[tuple[int, str]]:
    return list(run.failures.values_list("number", "reason"))


def test_people_are_matched_by_reference_then_address():
    text = "id,email,first name\n7,asa@mail.se,Åsa\n8,,Björn\n"
    assert counts(load(text)) == (2, 2, 0, 0, 0)
    assert counts(load(text)) == (2, 0, 0, 2, 0)
    assert counts(load("id,email,city\n7,asa.ek@mail.se,Lund\n,ASA.EK@mail.se ,Malmö\n")) == (2, 0, 2, 0, 0)
    asa = Supporter.objects.get(email="asa.ek@mail.se")
    assert (asa.first_name, asa.city) == ("Åsa", "Malmö")
    assert Reference.objects.get(system="donor", identifier="7").supporter == asa


def test_an_empty_cell_blanks_nothing():
    make_supporter(email="asa@mail.se", city="Lund")
    assert counts(load("email,city\nasa@mail.se,\n")) == (1, 0, 0, 1, 0)
    assert Supporter.objects.get().city == "Lund"


def test_reference_and_address_of_two_people_are_refused():
    load("id,email\n1,asa@mail.se\n2,bo@mail.se\n")
    run = load("id,email,city\n1,bo@mail.se,Lund\n")
    assert counts(run) == (1, 0, 0, 0, 1)
    assert reasons(run) == [(2, "The reference and the email address belong to two different people on file.")]
    assert not Supporter.objects.filter(city="Lund").exists()


def test_rows_of_one_person_follow_each_other():
    run = load("email,city\nasa@mail.se,Lund\nasa@mail.se,Malmö\nasa@mail.se,Ystad\n")
    assert counts(run) == (3, 1, 2, 0, 0)
    assert Supporter.objects.get().city == "Ystad"


def test_equal_rows_without_any_key_are_several_people_once():
    text = "first name,last name,city\nAnna,Ek,Lund\nAnna,Ek,Lund\nBo,Ek,Lund\n"
    assert counts(load(text)) == (3, 3, 0, 0, 0)
    assert counts(load(text)) == (3, 0, 0, 3, 0)
    assert ImportKey.objects.count() == 0


def test_rows_that_fail_say_why_and_the_rest_goes_in():
    run = load(
        "email,country,birth date\nasa@mail.se,Schweden,1980-02-03\nno address,SE,\nbo@mail.se,Atlantis,\nx@mail.se,,2999-01-01\n,,\n"
    )
    assert counts(run) == (4, 2, 0, 0, 2)
    assert [number for number, _reason in reasons(run)] == [3, 4, 5]
    assert run.failures.get(number=3).values == ["no address", "SE", ""]
    assert Supporter.objects.get(email="asa@mail.se").birth_date == date(1980, 2, 3)


def test_a_row_that_says_whom_it_is_about_goes_in_without_what_can_not_be_read():
    text = "id,email,birth date,city\n1,broken,1980-02-03,Lund\n2,bo@mail.se,soon,Ystad\n"
    run = load(text)
    assert (counts(run), run.noted) == ((2, 2, 0, 0, 0), 2)
    assert [row.went_in for row in run.failures.all()] == [True, True]
    assert "“broken” is no email address" in run.failures.get(number=2).reason
    assert list(Supporter.objects.order_by("city").values_list("email", "city", "birth_date")) == [
        (None, "Lund", date(1980, 2, 3)),
        ("bo@mail.se", "Ystad", None),
    ]
    mended = load(text.replace("broken", "asa@mail.se").replace("soon", "1990-01-01"))
    assert (counts(mended), mended.noted) == ((2, 0, 2, 0, 0), 0)
    assert set(Supporter.objects.values_list("email", flat=True)) == {"asa@mail.se", "bo@mail.se"}


def test_a_gift_goes_in_by_its_reference_when_the_address_is_none():
    run = load("reference,email,date,amount,currency\n1,broken,2026-01-01,5,SEK\n", "donations")
    assert (counts(run), run.noted) == ((1, 1, 0, 0, 0), 1)
    assert Donation.objects.get().supporter.email is None


def test_tags_and_organisations_are_found_or_made():
    partner = make_organisation(name="Kvinnofronten", source_code="kf")
    run = load('email,tags,organisation\nasa@mail.se,"a, B",kf\nbo@mail.se,b,Nobody\n', options={"tags": "spring"})
    assert counts(run) == (2, 1, 0, 0, 1)
    asa = Supporter.objects.get()
    assert sorted(asa.tags.values_list("name", flat=True)) == ["B", "a", "spring"]
    assert asa.organisation == partner
    run = load("email,organisation\nbo@mail.se,Nobody\n", options={"create_organisations": True})
    assert Supporter.objects.get(email="bo@mail.se").organisation.name == "Nobody"


def test_a_file_without_a_statement_grants_nothing():
    load("email\nasa@mail.se\n")
    assert not Consent.objects.exists()


STATEMENT = {
    "consent_purpose": "email",
    "consent_wording": "Ja, skriv till mig.",
    "consent_language": "sv",
    "consent_on": date(2026, 1, 2),
    "consent_how": "Paper list at the spring fair",
}


def test_a_statement_for_the_file_becomes_each_persons_proof_but_brings_nobody_back():
    gone = make_supporter(email="gone@mail.se", consent=True)
    consent.leave(gone, method=Consent.Method.LINK)
    bounced = make_supporter(email="bounced@mail.se")
    consent.suppress("bounced@mail.se", Suppression.Reason.HARD_BOUNCE)
    text = "email\nasa@mail.se\ngone@mail.se\nbounced@mail.se\n"
    run = load(text, **STATEMENT)
    assert run.held_back == 2
    assert [person.email for person in Supporter.objects.contactable()] == ["asa@mail.se"]
    proof = Consent.objects.get(supporter__email="asa@mail.se")
    assert (proof.wording, proof.language, proof.method) == ("Ja, skriv till mig.", "sv", "import")
    assert proof.source == "people.csv: Paper list at the spring fair"
    assert proof.happened_at.date() in {date(2026, 1, 1), date(2026, 1, 2)}
    assert not bounced.consents.exists()
    load(text, **STATEMENT)
    assert Consent.objects.filter(supporter__email="asa@mail.se").count() == 1


MAILCHIMP = (
    "Email Address,First Name,Last Name,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,LAST_CHANGED,LEID,EUID,NOTES,LANGUAGE,TAGS{extra}\n"
    'asa@mail.se,Åsa,Ek,2,2024-03-01 10:00:00,,2024-03-01 10:05:00,,2025-01-01 00:00:00,1,aa,,sv,"""spring"",""a, b"""{value}\n'
)


def test_mailchimps_subscribed_file_is_known_and_grants():
    run = load(MAILCHIMP.format(extra="", value=""), name="subscribed_members_export_1.csv")
    assert counts(run) == (1, 1, 0, 0, 0)
    asa = Supporter.objects.contactable().get()
    assert (asa.first_name, asa.language) == ("Åsa", "sv")
    assert sorted(asa.tags.values_list("name", flat=True)) == ["a, b", "spring"]
    assert asa.consents.get().happened_at == datetime(2024, 3, 1, 10, 5, tzinfo=UTC)


def test_mailchimps_unsubscribed_file_makes_people_leave():
    make_supporter(email="asa@mail.se", consent=False)
    make_consent(Supporter.objects.get(), happened_at=datetime(2023, 1, 1, tzinfo=UTC))
    load(
        MAILCHIMP.format(extra=",UNSUB_TIME,UNSUB_REASON", value=",2025-05-01 00:00:00,no reason"),
        name="unsubscribed_1.csv",
    )
    asa = Supporter.objects.get()
    assert consent.state_of(asa) == Consent.State.WITHDRAWN
    assert Suppression.objects.get().reason == Suppression.Reason.LEFT
    load(MAILCHIMP.format(extra="", value=""), name="subscribed_1.csv")
    assert not Supporter.objects.contactable().exists()


def test_mailchimps_cleaned_file_suppresses_the_address():
    load(MAILCHIMP.format(extra=",CLEAN_TIME", value=",2025-05-01 00:00:00"), name="cleaned_1.csv")
    assert Suppression.objects.get().reason == Suppression.Reason.HARD_BOUNCE
    assert not Supporter.objects.contactable().exists()


def test_donations_make_donors_and_alike_rows_are_separate_gifts_once():
    text = 'donor reference,date,amount,currency\n5,2026-01-02,100,SEK\n5,2026-01-02,100,SEK\n6,2026-01-03,"1.000,50",EUR\n5,2026-01-02,0,SEK\n'
    run = load(text, "donations")
    assert counts(run) == (4, 3, 0, 0, 1)
    assert reasons(run) == [(5, "A payment of 0.00 is no donation.")]
    donor = Reference.objects.get(identifier="5").supporter
    assert donor.email is None
    assert donor.donations.received().aggregate(Sum("amount"))["amount__sum"] == Decimal("200.00")
    assert counts(load(text, "donations")) == (4, 0, 0, 3, 1)
    assert counts(load(text.replace("\n6", "\n5,2026-01-02,100,SEK\n6"), "donations")) == (5, 1, 0, 3, 1)


def test_a_gift_by_address_is_that_of_the_new_donor_beside_it():
    rows = [",asa@mail.se,2026-01-02,100,SEK", "7,asa@mail.se,2026-01-03,200,SEK"]
    for number, order in enumerate((rows, rows[::-1])):
        text = "\n".join(order).replace("asa", f"asa{number}").replace("7,", f"{number + 7},")
        assert counts(load(f"reference,email,date,amount,currency\n{text}\n", "donations")) == (2, 2, 0, 0, 0)
        donor = Supporter.objects.get(email=f"asa{number}@mail.se")
        assert donor.references.get().identifier == str(number + 7)
        assert donor.donations.count() == 2
    assert Supporter.objects.count() == 2


def test_of_a_slice_that_is_on_file_in_part_only_the_rest_is_new():
    rows = [f"{n % 3},2026-01-{n + 1:02},{n + 1},SEK" for n in range(20)]
    text = "reference,date,amount,currency\n"
    load(text + "\n".join(rows[::2]), "donations")
    on_file = set(Donation.objects.values_list("pk", flat=True))
    run = load(text + "\n".join([*rows, rows[0], "1,2026-01-01,no,SEK"]), "donations")
    assert counts(run) == (22, 11, 0, 10, 1)
    trace = run.traces.get()
    assert set(trace.donations) == set(Donation.objects.values_list("pk", flat=True)) - on_file
    assert trace.donation_rows == [*range(3, 23, 2), 22]


def test_equal_gifts_are_told_apart_over_all_slices(monkeypatch):
    monkeypatch.setattr(runs, "SLICE", 3)
    text = "reference,date,amount,currency\n" + "1,2026-01-02,5,SEK\n2,2026-01-01,5,SEK\n" * 5
    assert counts(load(text, "donations")) == (10, 10, 0, 0, 0)
    names = sorted(Donation.objects.values_list("provider_id", flat=True))
    assert [name.rsplit("-", 1)[1] for name in names] == list("12345" * 2)
    assert [name[:8] for name in names] == ["20260101"] * 5 + ["20260102"] * 5
    assert counts(load(text + "1,2026-01-02,5,SEK\n", "donations")) == (11, 1, 0, 10, 0)


def test_a_reference_that_reads_like_somebody_elses_address_is_a_donor_of_its_own():
    rows = ",asa@mail.se,2026-01-02,100,SEK\nasa@mail.se,,2026-01-03,200,SEK"
    assert counts(load(f"reference,email,date,amount,currency\n{rows}\n", "donations")) == (2, 2, 0, 0, 0)
    assert Donation.objects.get(amount=100).supporter == Supporter.objects.get(email="asa@mail.se")
    assert Donation.objects.get(amount=200).supporter == Reference.objects.get(identifier="asa@mail.se").supporter


def test_donations_with_a_transaction_id_are_in_once():
    text = "email,date,amount,currency,transaction id\nasa@mail.se,2026-01-02,100,SEK,tx1\nasa@mail.se,2026-01-02,100,SEK,tx1\n"
    assert counts(load(text, "donations")) == (2, 1, 0, 1, 0)
    assert Donation.objects.get().supporter.email == "asa@mail.se"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",,2026-01-01,5,SEK", "whose donation"),
        ("1,,2026-01-01,,SEK", "no amount"),
        ("1,,,5,SEK", "when the donation came"),
        ("1,,2026-01-01,5,XXQ", "no currency"),
        ("1,,2026-01-01,5,", "names no currency"),
        ("1,,2026-01-01,-5,SEK", "below 0"),
        ("1,,2999-01-01,5,SEK", "in the future"),
        ("1,,2026-01-01,5.5,JPY", "no smaller unit"),
        ("1,,2026-01-01,5.555,SEK", None),
        ("1,,2026-01-01,5,SEK,more", "more cells"),
    ],
)
def test_a_donation_that_can_not_be_is_refused(row, reason):
    run = load(f"reference,email,date,amount,currency\n{row}\n", "donations")
    if reason is None:
        assert Donation.objects.get().amount == 5555
        return
    assert counts(run) == (1, 0, 0, 0, 1)
    assert reason in run.failures.get().reason
    assert not Supporter.objects.exists()


def test_the_real_gift_history_adds_up(shared):
    expected: dict[int, Decimal] = defaultdict(Decimal)
    with (shared / "data" / "gift_history.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            expected[int(row["received_on"][:4])] += Decimal(row["amount"])
    content = (shared / "data" / "gift_history.csv").read_text()
    run = load(content, "donations")
    assert counts(run) == (69_659, 69_579, 0, 0, 80)
    assert set(run.failures.values_list("reason", flat=True)) == {"A payment of 0.00 is no donation."}
    years = Donation.objects.values_list(ExtractYear("received_on")).annotate(Sum("amount"))
    assert dict(years) == dict(expected)
    assert Supporter.objects.count() == 23_570 - len(_only_zero(shared))
    assert counts(load(content, "donations")) == (69_659, 0, 0, 69_579, 80)


def _only_zero(shared) -> set[str]:
    """Donors of whom the log has payments of 0.00 only."""
    with (shared / "data" / "gift_history.csv").open(newline="") as file:
        rows = [(row["donor_reference"], Decimal(row["amount"])) for row in csv.DictReader(file)]
    return {donor for donor, _amount in rows} - {donor for donor, amount in rows if amount}


def test_the_real_people_go_in(shared):
    content = (shared / "data" / "people_with_duplicates.csv").read_text()
    run = load(content)
    assert run.doubtful <= 35  # one person's names, beyond recognition: staff are asked
    assert (run.rows, run.failed, run.created + run.updated + run.unchanged) == (1000, 0, 1000 - run.doubtful)
    assert Reference.objects.filter(system="donor").count() == 1000 - run.doubtful
    born_later = {
        number
        for number, row in enumerate(csv.DictReader(content.splitlines()), start=2)
        if row["dob"] and date.fromisoformat(row["dob"]) > datetime.now(UTC).date()
    }
    listed = dict(run.failures.filter(went_in=True).values_list("number", "reason"))
    bad_address = {number for number, reason in listed.items() if "is no email address" in reason}
    assert len(bad_address) == 30
    waiting = set(run.failures.filter(verdict="waiting").values_list("number", flat=True))
    assert {number for number, reason in listed.items() if "is in the future" in reason} == born_later - waiting
    assert set(listed) == bad_address | born_later - waiting
    assert run.noted == len(listed)
    again = load(content)
    assert (again.created, Supporter.objects.count()) == (0, run.created)


def test_a_slice_needs_as_many_queries_for_many_rows_as_for_one():
    def statements(rows: int) -> int:
        from django.test.utils import CaptureQueriesContext

        text = "email,city,tags\n" + "".join(f"p{rows}-{n}@mail.se,Lund,a\n" for n in range(rows))
        run = runs.upload("supporters", "people.csv", [text.encode()])
        runs.start(run)
        with CaptureQueriesContext(
            connection,
        ) as captured:
            runs.work(run.pk)
        return len(captured)

    assert statements(1) == statements(300)


def test_a_cancelled_run_stops_and_what_is_in_stays_in(monkeypatch):
    monkeypatch.setattr(runs, "SLICE", 2)
    text = "email\n" + "".join(f"p{n}@mail.se\n" for n in range(6))
    run = runs.upload("supporters", "people.csv", [text.encode()])
    runs.start(run)
    assert runs.work(run.pk, seconds=0)
    assert runs.cancel(run)
    assert not runs.work(run.pk)
    run.refresh_from_db()
    assert (run.state, run.checkpoint, run.created) == ("cancelled", 2, 2)
    assert Supporter.objects.count() == 2


def test_a_run_is_started_once_and_only_with_a_mapping_that_says_enough():
    run = runs.upload("donations", "gifts.csv", [b"who,when,what\n1,2,3\n"])
    with pytest.raises(FileProblem, match="No column"):
        runs.start(run)
    run = runs.upload("supporters", "people.csv", [b"email\na@mail.se\n"])
    assert runs.start(run)
    assert not runs.start(run)


def test_a_file_that_breaks_in_the_middle_fails_in_words_and_keeps_what_was_in(monkeypatch):
    monkeypatch.setattr(runs, "SLICE", 1)
    run = runs.upload("supporters", "people.csv", [b"email\na@mail.se\nb@mail.se\n"])
    runs.start(run)
    assert runs.work(run.pk, seconds=0)
    kept = list(run.chunks.all())
    run.chunks.all().delete()
    runs.work(run.pk)
    run.refresh_from_db()
    assert (run.state, run.created) == ("failed", 1)
    assert run.error == "The file has been forgotten. Upload it again."
    run.chunks.bulk_create(kept)
    assert runs.resume(run)
    assert not runs.resume(run)
    runs.work(run.pk)
    run.refresh_from_db()
    assert (run.state, run.created, run.failed, run.error) == ("done", 2, 0, "")


def test_a_fault_of_ours_ends_a_run_in_words(monkeypatch):
    run = runs.upload("supporters", "people.csv", [b"email\na@mail.se\n"])
    runs.start(run)
    monkeypatch.setattr(runs.staging.people, "ADD_REFERENCES", "SELECT 1/0")
    assert not runs.work(run.pk)
    run.refresh_from_db()
    assert run.state == "failed"
    assert "A fault in the program" in run.error
    assert not Supporter.objects.exists()


@pytest.mark.workers
@pytest.mark.django_db(transaction=True)
def test_a_run_whose_worker_is_killed_ends_as_if_nothing_had_happened(broker):
    rows = 60_000
    text = "donor reference,date,amount,currency\n" + "".join(
        f"{n % 7000},2026-01-{n % 28 + 1:02},{n % 3 + 1},SEK\n" for n in range(rows)
    )
    run = runs.upload("donations", "gifts.csv", [text.encode()])
    runs.start(run)
    work_on_import.delay(run.pk)
    for kill in range(3):
        with Worker("default", concurrency=1) as worker:
            before = ImportRun.objects.get(pk=run.pk).checkpoint
            if kill:
                runs.hand_out()
            wait_for(lambda before=before: ImportRun.objects.get(pk=run.pk).checkpoint > before, worker.output())
            worker.process.send_signal(signal.SIGSTOP)
    assert ImportRun.objects.get(pk=run.pk).state == ImportRun.State.RUNNING

    def done() -> bool:
        # The lock of the killed worker is free once PostgreSQL has noticed its death.
        runs.work(run.pk)
        return ImportRun.objects.get(pk=run.pk).state == ImportRun.State.DONE

    wait_for(done, "the run to end")
    run.refresh_from_db()
    assert counts(run) == (rows, rows, 0, 0, 0)
    assert Donation.objects.count() == rows
    assert Donation.objects.aggregate(Sum("amount"))["amount__sum"] == sum(n % 3 + 1 for n in range(rows))


def test_what_is_said_of_a_file_that_somebody_else_has_started_is_not_heard():
    run = runs.upload("supporters", "people.csv", [b"email,city\na@mail.se,Lund\n"])
    late = ImportRun.objects.get(pk=run.pk)
    assert runs.start(run)
    late.mapping["columns"][1]["field"] = "region"
    late.consent_purpose = "email"
    for act in (
        lambda: runs.settle_on(late, ["mapping", "consent_purpose"]),
        lambda: runs.guess_anew(late),
        lambda: runs.reread(late, readers.Layout.from_json(late.layout)),
    ):
        with pytest.raises(FileProblem, match="Somebody has started or cancelled"):
            act()
    run.refresh_from_db()
    assert (run.mapping["columns"][1]["field"], run.consent_purpose) == ("city", "")


def test_rows_of_one_slice_about_one_person_all_go_in_in_their_order():
    """One knows the person by address, the other by reference."""
    anna = make_supporter(email="anna@mail.se")
    anna.references.create(system="donor", identifier="7")
    load("id,email,country,city\n,anna@mail.se,,Lund\n7,,SE,Malmö\n")
    anna.refresh_from_db()
    assert (anna.country, anna.city) == ("SE", "Malmö")
