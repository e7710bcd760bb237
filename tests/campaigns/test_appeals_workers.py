"""Promise 1 on real workers: SIGKILL in the middle of a sending."""

import pytest
from django.db.models import Max, Min

from campaigns import appeals
from campaigns.appeals import schedule
from campaigns.models import Appeal, Delivery
from tests.campaigns.conftest import make_appeal, make_people
from tests.processes import Worker, wait_for

pytestmark = [pytest.mark.workers, pytest.mark.django_db(transaction=True)]
PEOPLE, KILLS, WORKERS, CONNECTIONS = 240, 3, 2, 2


def test_killed_workers_send_nobody_twice_and_lose_nobody(server, broker):
    appeal = make_appeal(make_people(PEOPLE))
    schedule.send_now(appeal)
    server.delay = 0.02
    with Worker("mail", WORKERS, EMAIL_URL=server.url, MAIL_CONNECTIONS=str(CONNECTIONS)) as worker:
        appeals.tick()
        for kill in range(KILLS):
            goal = (kill + 1) * PEOPLE // (KILLS + 2)
            wait_for(lambda goal=goal: len(server.taken) >= goal, "the sending to get on")
            worker.kill()
            broker.flushdb()  # the broker forgets too: the database knows what is owed
            appeals.tick()
            worker.start()
        wait_for(lambda: _kept_going(appeal), "the appeal to be sent")
    states = dict(appeal.deliveries.values_list("supporter__email", "state"))
    unknown = {email for email, state in states.items() if state == Delivery.State.UNKNOWN}
    assert set(states.values()) <= {Delivery.State.SENT, Delivery.State.UNKNOWN}
    assert max(server.recipients.values()) == 1
    assert set(states) - unknown <= set(server.recipients)
    assert len(unknown) <= KILLS * WORKERS * CONNECTIONS


def _kept_going(appeal):
    appeals.tick()
    return Appeal.objects.get(pk=appeal.pk).state == Appeal.State.SENT


def test_two_appeals_take_turns_with_one_worker(server, broker):
    people = make_people(600)
    first, second = (make_appeal(people) for _each in range(2))
    for appeal in (first, second):
        schedule.send_now(appeal)
    server.delay = 0.2  # five connections at five a second: either alone would take 24 seconds, longer than two turns
    with Worker("mail", 1, EMAIL_URL=server.url, MAIL_WORKERS="1", MAIL_CONNECTIONS="5"):
        appeals.tick()
        wait_for(lambda: _kept_going(first) and _kept_going(second), "both to be sent", 300)
    begun, ended = zip(*(_span(appeal) for appeal in (first, second)), strict=True)
    assert max(begun) < min(ended)
    assert set(server.recipients.values()) == {2}
    assert len({mail["Message-ID"] for mail in server.mails}) == len(server.mails) == 1200


def _span(appeal):
    """When its first and its last message were written down as sent."""
    return tuple(appeal.deliveries.aggregate(first=Min("sent_at"), last=Max("sent_at")).values())
