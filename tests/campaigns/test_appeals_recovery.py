"""What a dead worker leaves behind, and what is made of it."""

import os
import resource
import time
from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from campaigns import appeals
from campaigns.appeals import journal, ledger, outgoing, recovery
from campaigns.appeals.journal import Journal
from campaigns.mail.pacing import Permits
from campaigns.mail.transport import Mail
from campaigns.models import Claim, Delivery
from tests.campaigns.conftest import launched, make_people
from tests.processes import wait_for

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("broker", "journals")]
EVERYTHING = Permits(500, {"": 500})
NOTHING = {"released": 0, "recovered": 0, "unknown": 0}


class Worker:
    """A worker's claim on everybody, up to its death."""

    def __init__(self, appeal):
        self.journal = Journal()
        self.hold = ledger.claim(appeal, self.journal.name)
        addressees, _skipped = self.hold.take(EVERYTHING)
        self.pks = [addressee.pk for addressee in addressees]

    def dies(self):
        self.journal.close()


def states(appeal):
    return list(appeal.deliveries.order_by("pk").values_list("state", "reason", "attempts", "claim"))


def test_the_journal_of_a_dead_worker_says_what_became_of_each(server):
    appeal = launched(make_people(5))
    worker = Worker(appeal)
    answered, refused, later, begun, _untouched = worker.pks
    for pk, code in ((answered, 250), (refused, 550), (later, 451)):
        worker.journal.begins(pk)
        worker.journal.answered(pk, code)
    worker.journal.begins(begun)
    worker.dies()
    assert recovery.sweep() == {"released": 1, "recovered": 3, "unknown": 1}
    assert states(appeal) == [
        ("sent", "", 1, None),
        ("failed", "550", 1, None),
        ("queued", "451", 1, None),
        ("unknown", recovery.WORKER_DIED, 1, None),
        ("queued", "", 0, None),
    ]
    assert appeal.deliveries.get(pk=later).not_before > timezone.now() + timedelta(seconds=50)
    assert not Claim.objects.exists()
    assert recovery.sweep() == NOTHING
    assert appeals.work(appeal.pk) == {"sent": 1}


def test_what_is_begun_again_after_an_answer_is_in_doubt(server):
    appeal = launched(make_people(1))
    worker = Worker(appeal)
    worker.journal.begins(worker.pks[0])
    worker.journal.answered(worker.pks[0], 451)
    worker.journal.begins(worker.pks[0])
    worker.dies()
    assert recovery.sweep()["unknown"] == 1


@pytest.mark.parametrize(
    ("tail", "state"),
    [
        (b"", "unknown"),
        (b"<%d 25", "unknown"),
        (b"<%d 250", "unknown"),
        (b"\0\0\0\0", "unknown"),
        (b"<%d 250\n", "sent"),
    ],
)
def test_a_torn_last_line_counts_as_none(server, journals, tail, state):
    appeal = launched(make_people(1))
    worker = Worker(appeal)
    (pk,) = worker.pks
    worker.journal.begins(pk)
    worker.dies()
    with open(journals / worker.journal.name, "ab") as file:
        file.write(tail % pk if b"%" in tail else tail)
    recovery.sweep()
    assert appeal.deliveries.get().state == state


def test_a_living_workers_claim_is_left_alone_even_without_its_database(server):
    appeal = launched(make_people(2))
    worker = Worker(appeal)
    # No session of PostgreSQL's plays a part in this: the worker may have lost its own long ago.
    assert recovery.sweep() == NOTHING
    assert appeals.work(appeal.pk) == {}
    assert {state for state, *_rest in states(appeal)} == {"sending"}
    worker.dies()
    assert appeals.work(appeal.pk) == {"sent": 2}


def test_of_two_who_sweep_at_once_one_does(server):
    appeal = launched(make_people(1))
    worker = Worker(appeal)
    worker.dies()
    with journal.remains(worker.journal.name) as first:
        assert first is not None
        assert recovery.sweep() == NOTHING
        first.discard()
    assert recovery.sweep() == NOTHING


def test_a_journal_that_was_discarded_while_somebody_opened_it_is_no_journal(server, journals):
    dead = Journal()
    dead.close()
    path = journals / dead.name
    with journal.remains(dead.name) as first:
        slow = os.open(path, os.O_RDONLY)
        first.discard()
    try:
        assert os.fstat(slow).st_nlink == 0  # which is how `remains` knows
    finally:
        os.close(slow)
    with journal.remains(dead.name) as second:
        assert second is None


def test_a_sweep_cut_short_is_done_again(server, journals):
    appeal = launched(make_people(1))
    worker = Worker(appeal)
    worker.journal.begins(worker.pks[0])
    worker.dies()
    content = (journals / worker.journal.name).read_bytes()
    recovery.sweep()
    (journals / worker.journal.name).write_bytes(content)  # the ledger knew, the file stayed
    assert recovery.sweep() == NOTHING
    assert appeal.deliveries.get().state == "unknown"


def test_after_a_crash_of_the_machine_only_answers_are_believed(server):
    appeal = launched(make_people(2))
    worker = Worker(appeal)
    worker.journal.begins(worker.pks[0])
    worker.journal.answered(worker.pks[0], 250)
    worker.dies()
    Claim.objects.update(boot="another one")
    assert recovery.sweep() == {"released": 0, "recovered": 1, "unknown": 1}
    assert [row[:2] for row in states(appeal)] == [("sent", ""), ("unknown", recovery.MACHINE_LOST)]
    assert appeals.work(appeal.pk) == {}


class TestAnotherMachine:
    def lose(self, appeal):
        worker = Worker(appeal)
        worker.journal.begins(worker.pks[0])
        worker.journal.answered(worker.pks[0], 250)
        worker.dies()
        here = Claim.objects.get().place
        Claim.objects.update(place="elsewhere")
        return here

    def test_its_claim_is_left_alone_for_an_hour_and_unknown_after(self, server):
        appeal = launched(make_people(2))
        self.lose(appeal)
        assert recovery.sweep() == NOTHING
        Claim.objects.update(taken_at=timezone.now() - timedelta(minutes=59))
        assert recovery.sweep() == NOTHING
        assert appeals.tick()["handed_out"] == 1  # it may be a worker of that machine who hears of it
        Claim.objects.update(taken_at=timezone.now() - timedelta(minutes=61))
        assert recovery.sweep() == {**NOTHING, "unknown": 2}
        assert {row[:2] for row in states(appeal)} == {("unknown", recovery.MACHINE_LOST)}
        assert appeals.work(appeal.pk) == {}
        assert server.taken == []

    def test_coming_back_late_it_still_tells(self, server):
        appeal = launched(make_people(2))
        here = self.lose(appeal)
        Claim.objects.update(taken_at=timezone.now() - timedelta(minutes=61))
        recovery.sweep()
        Claim.objects.update(place=here)
        assert recovery.sweep() == {"released": 1, "recovered": 1, "unknown": 0}
        assert [row[:2] for row in states(appeal)] == [("sent", ""), ("failed", recovery.NEVER_LEFT)]

    def test_a_worker_whose_claim_was_given_up_sends_nothing_more_and_can_still_tell(self, server):
        appeal = launched(make_people(2))
        worker = Worker(appeal)
        Claim.objects.update(taken_at=timezone.now() - timedelta(minutes=61))
        assert recovery.sweep()["unknown"] == 2
        assert worker.hold.look(worker.pks) == {}
        assert worker.hold.take(EVERYTHING) == ([], 0)
        worker.hold.settle([ledger.Outcome(worker.pks[0], Delivery.State.SENT)])
        assert [row[0] for row in states(appeal)] == ["sent", "unknown"]

    def test_a_person_who_sends_again_is_not_overruled_by_a_late_journal(self, server):
        appeal = launched(make_people(2))
        here = self.lose(appeal)
        Claim.objects.update(taken_at=timezone.now() - timedelta(minutes=61))
        recovery.sweep()
        assert ledger.send_again(list(appeal.deliveries.values_list("pk", flat=True))) == 2
        assert appeals.work(appeal.pk) == {"sent": 2}
        Claim.objects.update(place=here)
        recovery.sweep()
        assert [row[0] for row in states(appeal)] == ["sent", "sent"]


def test_what_one_claim_holds_is_nobody_elses(server):
    appeal = launched(make_people(2))
    one = Worker(appeal)
    other = Worker(appeal)
    assert (len(one.pks), other.pks) == (2, [])
    assert other.hold.look(one.pks) == {}
    for state in (Delivery.State.SENT, Delivery.State.QUEUED, Delivery.State.FAILED, Delivery.State.UNKNOWN):
        assert other.hold.settle([ledger.Outcome(one.pks[0], state)]) == 0
    assert {row[0] for row in states(appeal)} == {"sending"}
    other.hold.give_back(one.pks)
    assert {row[3] for row in states(appeal)} == {one.hold.claim.pk}
    one.dies()
    other.dies()


# The journal can't be written -------------------------------------------------------------------


def test_without_a_journal_nothing_is_claimed_and_staff_are_told(server, settings, tmp_path):
    appeal = launched(make_people(2))
    (tmp_path / "file").write_text("")
    settings.MAIL_JOURNAL = tmp_path / "file" / "journal"
    assert appeals.work(appeal.pk) == {}
    appeal.refresh_from_db()
    assert "can't be written: Not a directory" in appeal.trouble
    assert server.taken == []
    assert {row[0] for row in states(appeal)} == {"queued"}


def test_a_full_disk_stops_the_sending_with_nothing_half_done(server, journals):
    appeal = launched(make_people(20))
    journal.place()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (70, hard))
    try:
        done = appeals.work(appeal.pk)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    appeal.refresh_from_db()
    assert "can't be written" in appeal.trouble
    assert 0 < done["sent"] < 20
    assert done == {"sent": len(server.taken)}
    assert appeal.deliveries.filter(state="queued", claim=None, attempts=0).count() == 20 - done["sent"]
    assert not Claim.objects.exists()
    appeals.schedule.try_again(appeal)
    assert appeals.work(appeal.pk) == {"sent": 20 - done["sent"]}
    assert set(server.recipients.values()) == {1}


# Interrupted ------------------------------------------------------------------------------------


class Interrupted(BaseException):
    """As a signal raises it, anywhere."""


@pytest.mark.parametrize(("moment", "unknown"), [("next", 0), ("may_leave", 0), ("done", 1)])
def test_a_transport_cut_short_anywhere_sends_nobody_twice(server, monkeypatch, moment, unknown):
    people = make_people(5)
    appeal = launched(people)
    original = getattr(outgoing.Outgoing, moment)
    calls = []

    def cut_short(outbox, *arguments):
        calls.append(1)
        if len(calls) == 3:
            raise Interrupted
        return original(outbox, *arguments)

    monkeypatch.setattr(outgoing.Outgoing, moment, cut_short)
    with pytest.raises(Interrupted):
        appeals.work(appeal.pk)
    monkeypatch.undo()
    appeals.work(appeal.pk)
    assert appeal.deliveries.filter(state="unknown").count() >= unknown
    assert appeal.deliveries.filter(state__in=["sent", "unknown"]).count() == 5
    assert max(server.recipients.values()) == 1
    assert not Claim.objects.exists()


def test_what_a_provider_gave_back_is_owed_not_unknown(server):
    appeal = launched(make_people(2))
    log = Journal()
    box = outgoing.Outgoing(
        ledger.claim(appeal, log.name),
        log,
        lambda addressee, _bits: Mail(addressee.pk, "a@b.c", addressee.email, b""),
        Counter(),
    )
    box.until = time.monotonic() + 60
    mail = box.next(True)
    assert box.may_leave(mail)
    box.put_back(mail)
    box.close()
    box.settle()
    log.close()
    assert [row[0] for row in states(appeal)] == ["queued", "queued"]


# Cut off from the database ----------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_worker_cut_off_from_the_database_stops_and_loses_nothing(server):
    people = make_people(30)
    appeal = launched(people)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (ours,) = cursor.fetchone()
    cut = iter([ours])

    def answer(verb, who):
        if verb == "END" and len(server.taken) >= 5 and (pid := next(cut, None)):
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
            connection.close()

    server.answer = answer
    server.delay = 0.05

    def all_sent():
        try:
            appeals.work(appeal.pk)
        except Exception:
            connection.close()
        return not appeal.deliveries.exclude(state="sent").exists()

    wait_for(all_sent, "everybody to be written to", 30)
    assert server.recipients == {person.email: 1 for person in people}
