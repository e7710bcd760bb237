import json
import time
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from campaigns import appeals
from campaigns.appeals import ledger, outgoing, schedule, sending
from campaigns.models import Appeal, Delivery
from supporters.consent import leave, suppress
from supporters.models import Supporter
from tests.campaigns.conftest import launched, make_appeal, make_people
from tests.processes import wait_for

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_workers(broker):
    """What is handed out waits in an empty broker."""


def outcomes(appeal):
    return dict(appeal.deliveries.values_list("supporter__email", "state"))


def state(appeal):
    return Appeal.objects.values_list("state", flat=True).get(pk=appeal.pk)


def test_everybody_gets_it_once_over_one_connection(server):
    people = make_people(3)
    appeal = launched(people)
    assert appeals.work(appeal.pk) == {"sent": 3}
    assert appeals.work(appeal.pk) == {}
    assert server.recipients == {person.email: 1 for person in people}
    assert server.connections == 1
    assert state(appeal) == "sent"
    assert not appeal.deliveries.exclude(state="sent", claim=None, sent_at__isnull=False, attempts=1).exists()


def test_the_message_is_the_persons_own(server):
    person = make_people(1, first_name="Åsa", language="sv")[0]
    appeal = launched([person], languages=["en", "sv"])
    appeals.work(appeal.pk)
    (mail,) = server.mails
    delivery = appeal.deliveries.get()
    assert mail["Subject"] == "Hello Åsa"
    assert mail["To"].addresses[0].addr_spec == person.email
    assert mail["Message-ID"] == f"<{delivery.uuid.hex}@realstars.example>"
    assert mail["Content-Language"] == "sv"
    assert "Dear Åsa" in mail.get_body(("plain",)).get_content()


@pytest.mark.parametrize("people", [1, 3])
def test_sending_costs_no_statement_more_for_more_messages(server, people, django_assert_num_queries, monkeypatch):
    monkeypatch.setattr(outgoing, "FRESH", 60)  # a busy machine would need another look
    appeal = launched(make_people(people))
    with django_assert_num_queries(37):
        appeals.work(appeal.pk)


# Promises 2 and 3 -------------------------------------------------------------------------------


def _leave(person):
    leave(person, method="one_click")


def _bounce(person):
    suppress(person.email, "hard_bounce")


def _lose_address(person):
    Supporter.objects.filter(pk=person.pk).update(email=None)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("happens", "reason"),
    [
        (_leave, "The person may not be written to any more."),
        (_bounce, "The person may not be written to any more."),
        (_lose_address, "The person has no address any more."),
    ],
)
def test_who_leaves_after_the_claim_is_not_written_to(server, happens, reason):
    appeal = launched(make_people(2))
    first, second = in_order(appeal)
    after_the_first(server, lambda: happens(second))
    assert appeals.work(appeal.pk) == {"sent": 1, "skipped": 1}
    assert list(server.recipients) == [first.email]
    delivery = appeal.deliveries.get(supporter=second)
    assert (delivery.reason, delivery.attempts, delivery.claim) == (reason, 0, None)
    assert state(appeal) == "sent"


@pytest.mark.django_db(transaction=True)
def test_a_new_address_is_used_even_when_it_comes_after_the_claim(server):
    appeal = launched(make_people(2))
    first, second = in_order(appeal)
    after_the_first(server, lambda: Supporter.objects.filter(pk=second.pk).update(email="new@mail.example"))
    assert appeals.work(appeal.pk) == {"sent": 2}
    assert server.recipients == {first.email: 1, "new@mail.example": 1}


def in_order(appeal):
    """Its people in the order in which they get it."""
    return [delivery.supporter for delivery in appeal.deliveries.select_related("supporter").order_by("pk")]


def after_the_first(server, happens):
    """Something happens elsewhere while the server thinks about the first message for longer than a look is good."""
    once = iter([happens])

    def answer(verb, who):
        if verb == "END" and (act := next(once, None)):
            act()
            connection.close()
            time.sleep(outgoing.FRESH + 0.05)

    server.answer = answer


def test_the_address_is_read_at_the_moment_of_sending(server):
    person = make_people(1)[0]
    appeal = launched([person])
    Supporter.objects.filter(pk=person.pk).update(email="new@mail.example")
    appeals.work(appeal.pk)
    assert list(server.recipients) == ["new@mail.example"]


def test_somebody_erased_is_skipped(server):
    appeal = launched(make_people(1))
    appeal.deliveries.update(supporter=None)
    assert appeals.work(appeal.pk) == {"skipped": 1}
    assert appeal.deliveries.get().reason == "The person was erased."


# Pause, resume, cancel --------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("act", "left_behind"), [(schedule.pause, "queued"), (schedule.cancel, "skipped")])
def test_pause_and_cancel_work_at_the_next_message(server, act, left_behind):
    appeal = launched(make_people(3))
    after_the_first(server, lambda: act(appeal))
    assert appeals.work(appeal.pk) == {"sent": 1}
    assert len(server.taken) == 1
    assert sorted(outcomes(appeal).values()) == sorted([left_behind] * 2 + ["sent"])
    assert not appeal.deliveries.filter(claim__isnull=False).exists()
    assert sorted(appeal.deliveries.values_list("attempts", flat=True)) == [0, 0, 1]


def test_resume_sends_the_rest(server):
    people = make_people(2)
    appeal = launched(people)
    schedule.pause(appeal)
    assert appeals.work(appeal.pk) == {}
    assert server.taken == []
    schedule.resume(appeal)
    assert appeals.work(appeal.pk) == {"sent": 2}


# Refusals and trouble ---------------------------------------------------------------------------


def test_one_refused_address_fails_alone(server):
    bad, good = make_people(2)
    appeal = launched([bad, good])
    server.answer = lambda verb, who: "550 no such user" if (verb, who) == ("RCPT", bad.email) else None
    assert appeals.work(appeal.pk) == {"failed": 1, "sent": 1}
    assert appeal.deliveries.get(supporter=bad).reason == "550 no such user"
    assert state(appeal) == "sent"


def test_a_refusal_for_now_is_tried_again_later_and_at_last_given_up(server):
    (person,) = make_people(1)
    appeal = launched([person])
    server.answer = lambda verb, who: "451 greylisted" if verb == "RCPT" else None
    for minutes in (1, 5, 20, 60):
        assert appeals.work(appeal.pk) == {"queued": 1}
        delivery = appeal.deliveries.get()
        assert (delivery.state, delivery.reason, delivery.claim) == ("queued", "451 greylisted", None)
        waits = delivery.not_before - timezone.now()
        assert timedelta(minutes=minutes - 1) < waits <= timedelta(minutes=minutes)
        assert appeals.work(appeal.pk) == {}
        assert state(appeal) == "sending"
        appeal.deliveries.update(not_before=timezone.now() - timedelta(hours=1))
    assert appeals.work(appeal.pk) == {"failed": 1}
    assert state(appeal) == "sent"


def test_a_text_that_fails_for_one_person_fails_alone(server):
    bad, good = make_people(2)
    appeal = launched([bad, good])
    # No form lets such a text in; should one get there all the same, it costs one person, not the appeal.
    appeal.texts.update(body="{{ first_name }} {{ 'x' if first_name != 'Bad' else nothing }}")
    Supporter.objects.filter(pk=bad.pk).update(first_name="Bad")
    assert appeals.work(appeal.pk) == {"failed": 1, "sent": 1}
    assert "nothing" in appeal.deliveries.get(supporter=bad).reason
    assert list(server.recipients) == [good.email]


def test_a_broken_connection_after_the_body_is_unknown_and_not_sent_again(server):
    first, second = make_people(2)
    appeal = launched([first, second])
    drops = iter(["take and drop"])
    server.answer = lambda verb, who: next(drops, None) if verb == "END" else None
    assert appeals.work(appeal.pk) == {"unknown": 1, "sent": 1}
    assert appeals.work(appeal.pk) == {}
    appeals.tick()
    assert server.recipients == {first.email: 1, second.email: 1}
    assert appeal.deliveries.get(state="unknown").reason.startswith("The connection broke")


def test_a_server_that_is_not_there_costs_nothing_but_time(server, settings):
    appeal = launched(make_people(2))
    settings.EMAIL_PORT = 1
    assert appeals.work(appeal.pk) == {}
    appeal.refresh_from_db()
    assert "Nothing answers" in appeal.trouble
    assert appeal.state == "sending"
    assert set(outcomes(appeal).values()) == {"queued"}
    assert appeals.tick()["handed_out"] == 0
    settings.EMAIL_PORT = server.port
    assert appeals.work(appeal.pk) == {}
    schedule.try_again(appeal)
    assert appeals.work(appeal.pk) == {"sent": 2}
    appeal.refresh_from_db()
    assert (appeal.trouble, appeal.retry_at, appeal.state) == ("", None, "sent")


def test_trouble_in_the_middle_leaves_the_rest_owed(server):
    appeal = launched(make_people(3))
    server.answer = lambda verb, who: "530 sign in first" if verb == "MAIL" and server.taken else None
    assert appeals.work(appeal.pk) == {"sent": 1}
    assert sorted(appeal.deliveries.values_list("state", "attempts", "claim")) == [
        ("queued", 0, None),
        ("queued", 0, None),
        ("sent", 1, None),
    ]


def test_the_pause_before_the_next_try_grows_with_the_trouble(server, settings):
    appeal = launched(make_people(1))
    settings.EMAIL_PORT = 1
    for lasted, least, most in ((0, 10, 16), (200, 195, 205), (9999, 595, 601)):
        since = timezone.now() - timedelta(seconds=lasted) if lasted else None
        Appeal.objects.filter(pk=appeal.pk).update(trouble_since=since, retry_at=None)
        appeals.work(appeal.pk)
        appeal.refresh_from_db()
        assert least < (appeal.retry_at - timezone.now()).total_seconds() < most


# Places -----------------------------------------------------------------------------------------


def test_unknown_ones_go_out_again_on_a_persons_word_only(server):
    appeal = launched(make_people(2))
    appeals.work(appeal.pk)
    first, second = appeal.deliveries.order_by("pk")
    Delivery.objects.filter(pk=first.pk).update(state="unknown", claim=7)
    assert ledger.send_again([first.pk, second.pk]) == 1
    assert state(appeal) == "sending"
    assert appeals.work(appeal.pk) == {"sent": 1}
    assert server.recipients[first.supporter.email] == 2
    assert server.recipients[second.supporter.email] == 1


def test_places_bound_the_workers_of_one_appeal(server, settings, transactional_db):
    settings.MAIL_WORKERS = 1
    appeal = launched(make_people(1))
    other = connection.copy()
    with other.cursor() as cursor:
        name = f"appeal-slot:{appeal.pk}:0"
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [name])
        assert appeals.work(appeal.pk) == {}
    other.close()
    wait_for(lambda: appeals.work(appeal.pk) == {"sent": 1}, "PostgreSQL to see that it is gone", 10)


def test_the_more_appeals_are_under_way_the_shorter_is_each_ones_turn():
    assert sending.turn() == 10
    for _each in range(8):
        make_appeal(state="sending", launched_at=timezone.now())
    assert sending.turn() == 5
    Appeal.objects.bulk_create(
        Appeal(
            source_code=f"many-{n}",
            segment_id=Appeal.objects.first().segment_id,
            state="sending",
            launched_at=timezone.now(),
        )
        for n in range(92)
    )
    assert sending.turn() == 1


# The command ------------------------------------------------------------------------------------


def test_the_command_sends_all_there_is_before_it_returns(server, capsys):
    appeal = make_appeal(make_people(3))
    schedule.send_now(appeal)
    call_command("send_due_appeals", "--json")
    counts = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (counts["launched"], counts["sent"]) == (1, 3)
    assert state(appeal) == "sent"


def test_the_command_fails_where_mail_could_not_go(server, settings, capsys):
    settings.EMAIL_PORT = 1
    appeal = make_appeal(make_people(1))
    schedule.send_now(appeal)
    with pytest.raises(CommandError, match="Nothing answers"):
        call_command("send_due_appeals", "--json")
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["launched"] == 1


def test_the_command_can_leave_it_to_a_worker(server, broker, capsys):
    appeal = make_appeal(make_people(1))
    schedule.send_now(appeal)
    call_command("send_due_appeals", "--queue", "--json")
    assert server.taken == []
    assert broker.llen("mail") == 2
