import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm.erasure import erase
from supporters import consent
from supporters.importing import doubts
from supporters.importing import run as runs
from supporters.models import Consent, Donation, ImportRow, Reference, Supporter
from tests.factories import make_supporter
from tests.supporters.importing.test_run import counts, load, reasons

pytestmark = pytest.mark.django_db
Verdict = ImportRow.Verdict
COUPLE = "email,first name,last name,city\nberg@home.se,Anna,Berg,Lund\nberg@home.se,Erik,Berg,Lund\n"
SAYS = "The address belongs to somebody of another name."


def decide(run, verdict, numbers=None) -> int:
    decided = doubts.decide(run, verdict, numbers=numbers)
    doubts.settle(run.pk)
    run.refresh_from_db()
    return decided


def people() -> list[tuple]:
    return list(Supporter.objects.order_by("pk").values_list("first_name", "email", "shares_email_with__first_name"))


def test_a_row_with_somebodys_address_and_another_name_waits():
    anna = make_supporter(first_name="Anna", last_name="Berg", email="berg@home.se", city="Ystad")
    run = load("email,first name,last name,city\nberg@home.se,Erik,Berg,Lund\n")
    assert (counts(run), run.doubtful) == ((1, 0, 0, 0, 0), 1)
    row = run.failures.get()
    assert (row.verdict, row.supporter, row.reason) == (Verdict.WAITING, anna, SAYS)
    anna.refresh_from_db()
    assert (anna.first_name, anna.city) == ("Anna", "Ystad")


def test_the_two_may_stand_in_one_file():
    run = load(COUPLE)
    assert (counts(run), run.doubtful, reasons(run)) == ((2, 1, 0, 0, 0), 1, [(3, SAYS)])
    assert people() == [("Anna", "berg@home.se", None)]


def test_a_name_spelt_otherwise_or_missing_does_not_wait():
    make_supporter(first_name="William", last_name="Berg", email="berg@home.se")
    run = load("email,first name,last name\nberg@home.se,Bill,Berg\nberg@home.se,,\nberg@home.se,W.,Berg\n")
    assert (run.doubtful, run.failed) == (0, 0)


def test_the_same_person_is_changed_and_not_asked_about_again():
    run = load(COUPLE)
    assert decide(run, Verdict.SAME) == 1
    assert (counts(run), run.doubtful) == ((2, 1, 1, 0, 0), 0)
    assert people() == [("Erik", "berg@home.se", None)]
    again = load("email,first name,last name,city\nberg@home.se,Erik,Berg,Lund\n")
    assert (counts(again), again.doubtful) == ((1, 0, 0, 1, 0), 0)


def test_a_second_person_is_linked_without_an_address_and_known_from_then_on():
    run = load(COUPLE)
    assert decide(run, Verdict.SECOND) == 1
    assert (counts(run), run.doubtful) == ((2, 2, 0, 0, 0), 0)
    assert people() == [("Anna", "berg@home.se", None), ("Erik", None, "Anna")]
    again = load(COUPLE.replace("Lund", "Ystad"))
    assert (counts(again), again.doubtful) == ((2, 0, 2, 0, 0), 0)
    assert set(Supporter.objects.values_list("first_name", "city")) == {("Anna", "Ystad"), ("Erik", "Ystad")}


def test_a_second_person_with_a_reference_keeps_it():
    text = COUPLE.replace("email,", "id,email,").replace("berg@home.se,A", "1,berg@home.se,A")
    text = text.replace("berg@home.se,E", "2,berg@home.se,E")
    run = load(text)
    decide(run, Verdict.SECOND)
    assert Reference.objects.get(identifier="2").supporter.first_name == "Erik"
    again = load(text.replace("Erik", "Rolf"))
    assert (again.doubtful, again.failed, again.updated) == (0, 0, 1)
    assert people()[1] == ("Rolf", None, "Anna")


def test_rows_of_one_second_person_make_one():
    run = load(COUPLE + "berg@home.se,Erik,Berg,Ystad\n")
    assert decide(run, Verdict.SECOND) == 2
    assert (run.created, run.updated, run.doubtful) == (2, 1, 0)
    assert people()[1:] == [("Erik", None, "Anna")]


def test_what_is_left_out_changes_nothing():
    run = load(COUPLE)
    assert decide(run, Verdict.LEFT_OUT) == 1
    assert people() == [("Anna", "berg@home.se", None)]
    assert (run.doubtful, run.failures.get().values) == (0, [])


def test_deciding_twice_changes_nothing_and_keeps_who_decided():
    user = get_user_model().objects.create(username="eva")
    run = load(COUPLE)
    assert doubts.decide(run, Verdict.SECOND, by=user) == 1
    assert doubts.decide(run, Verdict.SAME) == 0
    doubts.settle(run.pk)
    doubts.settle(run.pk)
    row = run.failures.get()
    assert (row.verdict, row.decided_by, row.values, row.settled_at is not None) == (Verdict.SECOND, user, [], True)
    assert Supporter.objects.count() == 2


def test_rows_are_decided_on_one_by_one():
    run = load(COUPLE + "berg@home.se,Olle,Berg,Lund\n")
    assert decide(run, Verdict.SECOND, [4]) == 1
    assert (run.doubtful, people()[1:]) == (1, [("Olle", None, "Anna")])
    assert doubts.waiting(run).get().number == 3


def test_many_rows_take_as_many_statements_as_one():
    taken = []
    for names in (["Erik"], ["Erik", "Olle", "Karl"]):
        rows = "".join(f"{name}@home.se,Anna,Ek\n" for name in names)
        rows += "".join(f"{name}@home.se,{name},Ek\n" for name in names)
        run = load("email,first name,last name\n" + rows)
        doubts.decide(run, Verdict.LEFT_OUT, numbers=[2])
        with CaptureQueriesContext(connection) as context:
            decide(run, Verdict.SECOND)
        taken.append(len(context))
    assert taken[0] == taken[1]


def test_a_dead_workers_decisions_are_taken_up(broker):
    run = load(COUPLE)
    doubts.decide(run, Verdict.SECOND)
    assert list(doubts.owed().values_list("run", flat=True)) == [run.pk]
    assert runs.hand_out() == {"owed": 1}


def test_consent_of_a_second_person_is_theirs_and_nobody_gets_two_mails():
    run = load(COUPLE, consent_purpose="email", consent_wording="Yes", consent_on="2026-01-01", consent_how="stall")
    decide(run, Verdict.SECOND)
    anna, erik = Supporter.objects.order_by("pk")
    assert (consent.state_of(anna), consent.state_of(erik)) == ("granted", "granted")
    assert list(Supporter.objects.contactable()) == [anna]


def test_who_shares_an_address_and_leaves_is_heard_at_once():
    anna = make_supporter(first_name="Anna", last_name="Berg", email="berg@home.se", city="Lund", consent=True)
    run = load(
        "Email Address,First Name,Last Name,MEMBER_RATING,UNSUB_TIME,LEID,EUID\n"
        "berg@home.se,Erik,Berg,2,2999-01-01 10:00:00,1,a\n",
        name="unsubscribed.csv",
    )
    assert (run.doubtful, run.failed, run.noted) == (0, 0, 1)
    anna.refresh_from_db()
    assert (anna.first_name, consent.state_of(anna)) == ("Anna", Consent.State.WITHDRAWN)
    assert consent.is_suppressed("berg@home.se")
    assert not Supporter.objects.contactable().exists()


def test_a_gift_of_another_name_goes_to_the_owner_of_the_address_with_a_note():
    anna = make_supporter(first_name="Anna", last_name="Berg", email="berg@home.se")
    run = load(
        "email,first name,last name,date,amount,currency\nberg@home.se,Erik,Berg,2026-01-01,5,SEK\n", "donations"
    )
    assert (run.created, run.noted) == (1, 1)
    assert Donation.objects.get().supporter == anna
    assert reasons(run) == [(2, "The gift is entered for whose address it is, who has another name.")]


def test_a_gift_of_a_linked_person_is_theirs():
    run = load(COUPLE)
    decide(run, Verdict.SECOND)
    gift = "email,first name,last name,date,amount,currency\nberg@home.se,Erik,Berg,2026-01-01,5,SEK\n"
    assert load(gift, "donations").noted == 0
    assert load(gift, "donations").unchanged == 1
    assert Donation.objects.get().supporter.first_name == "Erik"


def test_the_link_ends_with_an_address_of_ones_own():
    run = load(
        COUPLE.replace("email,", "id,email,")
        .replace("berg@home.se,A", "1,berg@home.se,A")
        .replace("berg@home.se,E", "2,berg@home.se,E")
    )
    decide(run, Verdict.SECOND)
    load("id,email\n2,erik@work.se\n")
    assert people()[1] == ("Erik", "erik@work.se", None)


def test_the_link_ends_when_the_first_is_erased(staff):
    run = load(COUPLE)
    decide(run, Verdict.SECOND)
    erase(Supporter.objects.get(first_name="Anna"), staff)
    assert people() == [("Erik", None, None)]


def test_what_waits_for_somebody_erased_is_forgotten(staff):
    run = load(COUPLE)
    erase(Supporter.objects.get(first_name="Anna"), staff)
    assert not run.failures.exists()
