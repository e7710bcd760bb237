"""Who asked for fewer appeals gets no more than that, from however many appeals at once."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from campaigns import appeals
from campaigns.appeals import ledger, turns
from campaigns.mail.pacing import Permits
from campaigns.models import Delivery, Turn
from supporters import merging
from supporters.models import Supporter
from tests.campaigns.conftest import launched, make_appeal, make_people
from tests.supporters.merging.test_at_once import Together

pytestmark = pytest.mark.django_db
WEEK, MONTH = "week", "month"


@pytest.fixture(autouse=True)
def _no_workers(broker):
    """What is handed out waits in an empty broker."""


def ago(**span):
    return timezone.now() - timedelta(**span)


def send(people):
    appeal = launched(people)
    return appeal, appeals.work(appeal.pk)


def came_back(appeal):
    return list(appeal.deliveries.values_list("state", "reason"))


def past(**span):
    """As if all that was sent had been sent so long before."""
    Delivery.objects.filter(sent_at__isnull=False).update(sent_at=ago(**span))
    Turn.objects.update(taken_at=ago(**span))


@pytest.mark.parametrize(
    ("how_often", "span", "gets"),
    [
        ("", {"minutes": 1}, True),
        (WEEK, {"days": 6}, False),
        (WEEK, {"days": 6, "hours": 13}, True),
        (MONTH, {"days": 7}, False),
        (MONTH, {"days": 27}, False),
        (MONTH, {"days": 27, "hours": 13}, True),
    ],
)
def test_the_next_appeal_goes_once_the_time_is_over(server, how_often, span, gets):
    people = make_people(1, how_often=how_often)
    assert send(people)[1] == {"sent": 1}
    past(**span)
    appeal, counts = send(people)
    assert counts == ({"sent": 1} if gets else {"skipped": 1})
    assert came_back(appeal) == [("sent", "") if gets else ("skipped", turns.TOO_OFTEN)]


def test_what_came_before_they_asked_for_less_counts(server):
    people = make_people(1)
    send(people)
    Supporter.objects.update(how_often=WEEK)
    assert not Turn.objects.exists()
    assert send(people)[1] == {"skipped": 1}
    past(days=7)
    assert send(people)[1] == {"sent": 1}


def test_who_wants_every_appeal_has_no_turn_and_others_are_not_held_up(server):
    every, weekly = make_people(1)[0], make_people(1, how_often=WEEK)[0]
    send([every, weekly])
    assert list(Turn.objects.values_list("supporter", flat=True)) == [weekly.pk]
    appeal, counts = send([every, weekly])
    assert counts == {"sent": 1, "skipped": 1}
    assert appeal.deliveries.get(state="sent").supporter == every


def test_an_appeal_that_failed_gives_its_turn_back(server):
    people = make_people(1, how_often=WEEK)
    first, _counts = send(people)
    first.deliveries.update(state="failed", sent_at=None)
    assert send(people)[1] == {"sent": 1}
    assert send(people)[1] == {"skipped": 1}


def test_one_that_is_tried_again_has_its_own_turn(server):
    people = make_people(1, how_often=WEEK)
    appeal, _counts = send(people)
    appeal.deliveries.update(state="unknown", sent_at=None)
    assert ledger.send_again([appeal.deliveries.get().pk]) == 1
    assert appeals.work(appeal.pk) == {"sent": 1}


def test_who_may_not_be_written_to_takes_no_turn(server):
    people = make_people(1, how_often=WEEK)
    appeal = launched(people)
    Supporter.objects.update(email=None)
    assert appeals.work(appeal.pk) == {"skipped": 1}
    assert came_back(appeal) == [("skipped", ledger.NO_ADDRESS)]
    assert not Turn.objects.exists()


def test_merged_the_later_turn_counts_and_the_stricter_wish(server):
    one, other = make_people(1, how_often=WEEK)[0], make_people(1, how_often=MONTH)[0]
    Turn.objects.create(supporter=one, delivery=1, taken_at=ago(days=1))
    Turn.objects.create(supporter=other, delivery=2, taken_at=ago(days=9))
    merge = merging.merge(one.pk, other.pk)
    assert Turn.objects.get().delivery == 1
    assert Supporter.objects.get().how_often == MONTH
    merging.undo(merge.pk)
    assert set(Turn.objects.values_list("supporter", "delivery")) == {(one.pk, 1), (other.pk, 2)}
    assert Supporter.objects.get(pk=one.pk).how_often == WEEK


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("how_often", [WEEK, MONTH])
def test_of_two_appeals_at_once_everybody_gets_one(journals, how_often):
    people = make_people(40, how_often=how_often)
    holds = [ledger.claim(launched(people), str(number) * 32) for number in range(4)]
    taken = Together(*(lambda hold=hold: hold.take(Permits(40, {"": 40})) for hold in holds)).results
    assert sum(len(addressees) for addressees, _skipped in taken) == 40
    assert sum(skipped for _addressees, skipped in taken) == 120
    sending = Delivery.objects.filter(state="sending")
    assert set(sending.values_list("pk", flat=True)) == set(Turn.objects.values_list("delivery", flat=True))


@pytest.mark.parametrize("number", [1, 30])
def test_a_claim_is_one_statement_whatever_people_want(journals, number, django_assert_num_queries):
    people = [*make_people(number), *make_people(number, how_often=WEEK)]
    hold = ledger.claim(launched(people), "0" * 32)
    with django_assert_num_queries(1):
        taken, skipped = hold.take(Permits(100, {"": 100}))
    assert (len(taken), skipped) == (2 * number, 0)


def test_turns_are_looked_up_by_their_keys(journals):
    appeal = make_appeal()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO supporters_supporter (email, how_often)
            SELECT 'p' || n || '@mail.example', CASE WHEN n %% 10 = 0 THEN 'week' ELSE '' END FROM generate_series(1, 5000) n;
            INSERT INTO campaigns_delivery (appeal_id, supporter_id, state, sent_at)
            SELECT %s, id, 'sent', now() - interval '1 year' FROM supporters_supporter;
            """,
            [appeal.pk],
        )
        cursor.execute("ANALYZE supporters_supporter, campaigns_delivery")
        asked = "(SELECT d.id, d.supporter_id, s.how_often FROM campaigns_delivery d JOIN supporters_supporter s ON s.id = d.supporter_id WHERE d.id = ANY(ARRAY[1, 2]))"
        cursor.execute("EXPLAIN " + turns.TAKE.format(asked=asked, appeal="%s"), [appeal.pk])
        plan = "\n".join(row for (row,) in cursor.fetchall())
    assert "Seq Scan on campaigns_delivery" not in plan
    assert "Seq Scan on supporters_supporter" not in plan
