from datetime import date

import pytest
from django.db import DataError, connection
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from supporters import merging
from supporters.merging import batches
from supporters.models import Donation, Double, Merge, MergeBatch, Supporter
from supporters.tasks import work_on_merges
from tests.factories import make_donation, make_supporter
from tests.processes import Worker, wait_for

pytestmark = pytest.mark.django_db
State = MergeBatch.State


def pair(one: Supporter | None = None, other: Supporter | None = None, **fields) -> Double:
    """Two who are certain to be one, each with a gift."""
    people = [one or make_supporter(), other or make_supporter()]
    for who in people:
        make_donation(who, amount=10)
    first, second = sorted(who.pk for who in people)
    fields = {"probability": 0.995, "certain": True, "cluster": first, **fields}
    return Double.objects.create(first_id=first, second_id=second, **fields)


def total() -> object:
    return Donation.objects.filter(supporter__isnull=False).aggregate(sum=Sum("amount"))["sum"]


def finish(batch: MergeBatch) -> MergeBatch:
    while batches.work(batch.pk):
        pass
    batch.refresh_from_db()
    return batch


def test_the_certain_ones_are_merged_and_each_is_logged(staff):
    pairs = [pair() for _ in range(3)]
    left = [pair(certain=False), pair(loose=True), pair(probability=0.98)]
    apart = pair(state="different", decided_at=timezone.now())
    before = total()
    batch = finish(batches.start(0.99, staff))
    assert (batch.state, batch.pairs, batch.left_out) == (State.DONE, 3, {})
    assert batch.finished_at
    assert set(Double.objects.values_list("pk", flat=True)) == {each.pk for each in [*left, apart]}
    assert set(Merge.objects.values_list("batch", "probability", "merged_by")) == {(batch.pk, 0.995, staff.pk)}
    assert Supporter.objects.count() == 14 - len(pairs)
    assert total() == before


def test_a_group_becomes_one_whatever_comes_first():
    a, b, c = (make_supporter() for _ in range(3))
    pair(a, b)
    pair(b, c, probability=0.999)
    batch = finish(batches.start(0.99))
    assert Supporter.objects.count() == 1
    assert batch.merges.count() == 2
    assert Supporter.objects.get().donations.count() == 4


def test_who_was_said_to_be_another_is_not_merged_by_way_of_a_third():
    a, b, c = (make_supporter() for _ in range(3))
    pair(a, b)
    pair(b, c)
    pair(a, c, state="different", decided_at=timezone.now(), certain=False)
    finish(batches.start(0.99))
    assert Supporter.objects.count() == 2


def test_what_speaks_against_it_is_left_for_a_person():
    one = make_supporter(birth_date=date(1970, 1, 1))
    pair(one, make_supporter(birth_date=date(1971, 1, 1)))
    shared = make_supporter()
    pair(shared, make_supporter(email=None, shares_email_with=shared))
    batch = finish(batches.start(0.99))
    assert sorted(batch.left_out.values()) == [
        "Their birth dates differ.",
        "They are kept as two people who share an address.",
    ]
    assert Supporter.objects.count() == 4
    assert batch.state == State.DONE


def test_what_is_found_later_is_not_this_batchs():
    pair()
    batch = batches.start(0.99)
    pair()
    finish(batch)
    assert Double.objects.open().count() == 1


def test_it_stops_and_goes_on():
    for _ in range(3):
        pair()
    batch = batches.start(0.99)
    assert batches.work(batch.pk, seconds=-1)
    assert batches.stop(batch)
    assert not batches.stop(batch)
    assert not batches.work(batch.pk)
    assert Supporter.objects.count() == 5
    assert batches.hand_out() == {"owed": 0}
    assert batches.go_on(batch)
    assert finish(batch).state == State.DONE
    assert Supporter.objects.count() == 3


def test_one_merge_of_it_or_all_of_it_is_undone(staff):
    for _ in range(3):
        pair()
    before = set(Supporter.objects.values_list("pk", "email"))
    batch = finish(batches.start(0.99))
    merging.undo(batch.merges.first().pk)
    assert Supporter.objects.count() == 4
    assert batches.take_back(batch, staff)
    assert not batches.take_back(batch, staff)
    assert finish(batch).state == State.UNDONE
    assert set(Supporter.objects.values_list("pk", "email")) == before
    assert set(Donation.objects.values_list("supporter").distinct()) == {(pk,) for pk, _email in before}
    assert not Double.objects.open().exists(), "Nobody is proposed again."


def test_a_chain_within_a_batch_is_undone_as_well():
    a, b, c = (make_supporter() for _ in range(3))
    pair(a, b)
    pair(b, c)
    batch = finish(batches.start(0.99))
    batches.take_back(batch)
    assert finish(batch).state == State.UNDONE
    assert batch.left_out == {}
    assert Supporter.objects.count() == 3
    assert [who.donations.count() for who in (a, b, c)] == [1, 2, 1]


def test_what_cannot_be_undone_is_left_out_and_said():
    pair()
    batch = finish(batches.start(0.99))
    act = batch.merges.get()
    make_supporter(email=act.other_email)
    batches.take_back(batch)
    finish(batch)
    assert batch.state == State.UNDONE
    assert "another record's" in batch.left_out[f"undo {act.pk}"]


@pytest.mark.parametrize("fault", [RuntimeError, KeyError, DataError])
def test_one_pair_that_the_program_fails_on_keeps_nobody_else(monkeypatch, fault):
    pair(probability=0.999)
    pair()
    real, failed = batches.merge, []

    def fail_once(*args, **fields):
        if not failed:
            failed.append(args)
            raise fault
        return real(*args, **fields)

    monkeypatch.setattr(batches, "merge", fail_once)
    batch = finish(batches.start(0.99))
    assert batch.merges.count() == 1
    assert list(batch.left_out.values()) == ["The program failed on this pair; the log says where."]


@pytest.mark.django_db(transaction=True)
def test_killed_at_any_time_it_goes_on_and_loses_nothing(broker):
    for _ in range(40):
        pair()
    before = total()
    batch = batches.start(0.99)
    with Worker(concurrency=1) as worker:
        for merged in (3, 12, 25):
            work_on_merges.delay(batch.pk)
            wait_for(lambda merged=merged: batch.merges.count() >= merged, "some to be merged")
            worker.kill()
            broker.flushdb()
            assert total() == before
            assert Supporter.objects.count() == 80 - batch.merges.count()
            worker.start()
        assert batches.hand_out() == {"owed": 1}
        wait_for(lambda: MergeBatch.objects.get().state == State.DONE, "the batch to be done")
    assert Supporter.objects.count() == 40
    assert total() == before
    assert Double.objects.count() == 0


# On the staff site ------------------------------------------------------------------------------


def test_staff_see_how_many_and_which_before_it_begins(staff_client, broker):
    pair(make_supporter(first_name="Öhrn"))
    pair(probability=0.96)
    start = reverse("admin:supporters_mergebatch_start")
    text = staff_client.get(start).text
    assert "1 pair is at least 99 % sure" in text
    assert "Öhrn" in text
    assert "2 pairs are at least 95 % sure" in staff_client.get(start, {"threshold": "95"}).text
    assert not MergeBatch.objects.exists()
    answer = staff_client.post(start, {"threshold": "95"})
    batch = MergeBatch.objects.get()
    assert (batch.pairs, batch.threshold) == (2, 0.95)
    assert answer.url == reverse("admin:supporters_mergebatch_change", args=[batch.pk])


@pytest.mark.parametrize("threshold", ["", "x", "101", "-5", "NaN"])
def test_a_threshold_that_is_none_begins_nothing(staff_client, broker, threshold):
    pair()
    assert (
        staff_client.post(reverse("admin:supporters_mergebatch_start"), {"threshold": threshold}).status_code == 200
    )
    assert not MergeBatch.objects.exists()


def test_the_page_of_a_batch_shows_how_far_it_is_and_acts(staff_client, broker):
    pair()
    pair(make_supporter(birth_date=date(1970, 1, 1)), make_supporter(birth_date=date(1971, 1, 1)))
    batch = batches.start(0.99)
    page = reverse("admin:supporters_mergebatch_change", args=[batch.pk])
    assert "data-refresh" in staff_client.get(page).text
    finish(batch)
    text = staff_client.get(page).text
    for said in ("1 of 2 pairs merged, 0 undone, 1 left out.", "Their birth dates differ.", "Undo all of it"):
        assert said in text, said
    assert "<html" not in staff_client.get(page, {"part": "1"}).text
    take_back = reverse("admin:supporters_mergebatch_act", args=[batch.pk, "take-back"])
    staff_client.get(take_back)
    batch.refresh_from_db()
    assert batch.state == State.DONE, "Looking must not act."
    staff_client.post(take_back)
    finish(batch)
    assert "1 undone" in staff_client.get(page).text
    assert "somebody else was quicker" in staff_client.post(take_back, follow=True).text


def test_a_batch_takes_its_permission(client, django_user_model, broker):
    from django.contrib.auth.models import Permission

    pair()
    user = django_user_model.objects.create_user("eva", is_staff=True)
    names = ["view_double", "view_mergebatch", "merge_supporter", "view_supporter"]
    user.user_permissions.add(*Permission.objects.filter(codename__in=names))
    client.force_login(user)
    start = reverse("admin:supporters_mergebatch_start")
    assert (client.get(start).status_code, client.post(start, {"threshold": "90"}).status_code) == (403, 403)
    batch = batches.start(0.99)
    assert client.post(reverse("admin:supporters_mergebatch_act", args=[batch.pk, "stop"])).status_code == 403
    assert "Stop</button>" not in client.get(reverse("admin:supporters_mergebatch_change", args=[batch.pk])).text


def test_the_list_of_batches_takes_as_many_queries_for_many_as_for_one(staff_client):
    address = reverse("admin:supporters_mergebatch_changelist")

    def queries() -> int:
        with CaptureQueriesContext(connection) as context:
            assert "99 %" in staff_client.get(address).text
        return len(context)

    pair()
    finish(batches.start(0.99))
    queries()
    one = queries()
    for _ in range(3):
        pair()
        finish(batches.start(0.99))
    assert queries() == one
