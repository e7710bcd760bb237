"""Merging while others write the same people: nothing is lost, nobody is left waiting for ever."""

import random
import threading
from collections.abc import Callable
from datetime import date

import pytest
from django.db import close_old_connections, connection, transaction

from campaigns import segments
from campaigns.appeals import ledger
from campaigns.models import Appeal, Delivery, Segment, SegmentMember
from crm.erasure import erase
from supporters import consent, finding, merging, signing
from supporters.locks import in_the_end
from supporters.merging import batches
from supporters.models import (
    Consent,
    Donation,
    Double,
    Merge,
    MergeBatch,
    PaymentEvent,
    Pledge,
    Signature,
    Supporter,
)
from supporters.payments import applying, storing
from supporters.payments.incoming import Incoming
from tests.factories import ask_to_sign, make_donation, make_petition, make_pledge, make_supporter

pytestmark = pytest.mark.django_db(transaction=True)


class Together:
    """Runs things in threads that start at the same moment, each with a connection of its own."""

    def __init__(self, *acts: Callable[[], object]) -> None:
        self.results: list[object] = [None] * len(acts)
        barrier = threading.Barrier(len(acts))

        def run(number: int, act: Callable[[], object]) -> None:
            try:
                barrier.wait(10)
                self.results[number] = act()
            except Exception as failure:
                self.results[number] = failure
            finally:
                connection.close()

        threads = [threading.Thread(target=run, args=(number, act)) for number, act in enumerate(acts)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(40)
        assert not any(thread.is_alive() for thread in threads), "Somebody waits for ever."
        close_old_connections()

    def failures(self) -> list[Exception]:
        return [result for result in self.results if isinstance(result, Exception)]


def people(number: int, **fields) -> list[Supporter]:
    return [make_supporter(consent=True, **fields) for _ in range(number)]


@pytest.mark.parametrize("_round", range(4))
def test_two_who_merge_the_same_people_the_other_way_round(_round):
    one, other = people(2)
    make_donation(one)
    make_donation(other)
    both = Together(lambda: merging.merge(one.pk, other.pk), lambda: merging.merge(other.pk, one.pk))
    (failure,) = both.failures()
    assert isinstance(failure, merging.CannotMerge)
    survivor = Supporter.objects.get()
    assert survivor.donations.count() == 2
    assert Merge.objects.count() == 1


@pytest.mark.parametrize("_round", range(4))
def test_a_chain_at_once_loses_nobody(_round):
    a, b, c = people(3)
    for one in (a, b, c):
        make_donation(one)
        one.references.create(system="x", identifier=str(one.pk))
    both = Together(lambda: merging.merge(b.pk, a.pk), lambda: merging.merge(c.pk, b.pk))
    assert all(isinstance(failure, merging.CannotMerge) for failure in both.failures())
    assert Donation.objects.filter(supporter__isnull=False).count() == 3
    assert Supporter.objects.count() == 1 + len(both.failures())
    for merge in Merge.objects.standing():
        assert Supporter.objects.filter(pk=merge.survivor_id).exists()


@pytest.mark.parametrize("seed", range(3))
def test_many_merges_over_the_same_people(seed):
    chance = random.Random(seed)
    crowd = people(5)
    for one in crowd:
        make_donation(one)
    pairs = [chance.sample([one.pk for one in crowd], 2) for _ in range(8)]
    done = Together(*(lambda pair=pair: merging.merge(*pair) for pair in pairs))
    assert all(isinstance(failure, merging.CannotMerge) for failure in done.failures())
    merged = len(pairs) - len(done.failures())
    assert Supporter.objects.count() == 5 - merged
    assert Donation.objects.filter(supporter__isnull=False).count() == 5


@pytest.mark.parametrize("_round", range(4))
def test_signing_during_a_merge(_round, broker):
    one, other = people(2)
    petition, second = make_petition(), make_petition()
    signatures = [
        ask_to_sign(petition, email=other.email),
        ask_to_sign(second, email=other.email),
        ask_to_sign(petition, email=one.email),
    ]
    acts = [lambda uuid=each.uuid: signing.confirm(uuid) for each in signatures]
    done = Together(lambda: merging.merge(one.pk, other.pk), *acts)
    assert done.failures() == []
    assert done.results[1:] == [True, True, True]
    assert Supporter.objects.get() == one
    counting = Signature.objects.filter(supporter=one, state="validated")
    assert sorted(counting.values_list("petition", flat=True)) == sorted([petition.pk, second.pk])
    assert not Signature.objects.filter(email__isnull=False).exists()


@pytest.mark.parametrize("_round", range(4))
def test_a_payment_that_is_applied_during_a_merge(_round):
    one, other = people(2)
    pledge = make_pledge(method="swish", email=other.email)
    message = paid_by_swish(pledge)
    done = Together(lambda: merging.merge(one.pk, other.pk), lambda: applying.apply(message.pk))
    assert done.failures() == []
    message.refresh_from_db()
    assert message.state == PaymentEvent.State.APPLIED, message.note
    assert Donation.objects.get().supporter == one


@pytest.mark.parametrize("_round", range(4))
def test_leaving_during_a_merge_is_in_force(_round):
    one, other = people(2)

    def leave() -> None:
        def act() -> None:
            consent.leave(finding.by_uuid(other.uuid), method=Consent.Method.LINK)

        in_the_end(act)

    done = Together(lambda: merging.merge(one.pk, other.pk), leave)
    assert done.failures() == []
    assert not Supporter.objects.contactable().exists()


@pytest.mark.parametrize("_round", range(3))
def test_erasing_during_a_merge_leaves_no_trace(_round, staff):
    one, other = people(2)
    emails = one.email, other.email
    for who in (one, other):
        make_pledge(supporter=who, email=who.email)
    done = Together(lambda: merging.merge(one.pk, other.pk), lambda: in_the_end(lambda: erase(other, staff)))
    for failure in done.failures():
        assert isinstance(failure, merging.CannotMerge | Supporter.DoesNotExist), failure
    if not Supporter.objects.filter(merges__isnull=False).exists():
        assert not Supporter.objects.filter(email=emails[1]).exists()
        assert not Merge.objects.filter(other_email=emails[1]).exists()


@pytest.mark.parametrize("_round", range(3))
def test_launching_an_appeal_during_a_merge_sends_it_once(_round):
    one, other = people(2)
    segment = Segment.objects.create(name="All")
    for who in (one, other):
        SegmentMember.objects.create(segment=segment, supporter=who)
    appeal = Appeal.objects.create(name="A", segment=segment, source_code="a", sender_name="R", sender_email="r@r.se")

    def launch() -> int:
        def act() -> int:
            with transaction.atomic():
                return ledger.write(appeal)

        return in_the_end(act)

    done = Together(lambda: merging.merge(one.pk, other.pk), launch)
    assert done.failures() == []
    assert Delivery.objects.filter(state="queued").count() == 1
    assert not Delivery.objects.exclude(supporter=one).exists()


def test_a_batch_does_not_keep_segments_and_appeals_from_being_written(broker):
    crowd = people(24)
    for one, other in zip(crowd[::2], crowd[1::2], strict=True):
        Double.objects.create(first_id=one.pk, second_id=other.pk, probability=0.999, certain=True, cluster=one.pk)
    segment = Segment.objects.create(name="All", rules={"rules": []})
    appeal = Appeal.objects.create(name="A", segment=segment, source_code="a", sender_name="R", sender_email="r@r.se")
    batch = batches.start(0.9)

    def write() -> int:
        refreshed = 0
        while MergeBatch.objects.get().state == MergeBatch.State.RUNNING:
            assert segments.refresh(segment) is not None
            refreshed += 1
            with transaction.atomic():
                ledger.write(appeal)
        return refreshed

    done = Together(lambda: batches.work(batch.pk), write)
    assert done.failures() == []
    assert done.results[1] > 1
    assert Supporter.objects.count() == 12
    assert MergeBatch.objects.get().left_out == {}
    assert Delivery.objects.filter(state="queued").count() == 12
    segment.refresh_from_db()
    assert segment.error == ""


@pytest.mark.parametrize("_round", range(3))
def test_undoing_twice_at_once(_round):
    one, other = people(2)
    act = merging.merge(one.pk, other.pk)
    done = Together(lambda: merging.undo(act.pk), lambda: merging.undo(act.pk))
    (failure,) = done.failures()
    assert isinstance(failure, merging.CannotUndo)
    assert Supporter.objects.count() == 2


def paid_by_swish(pledge: Pledge) -> PaymentEvent:
    """The line of a bank file that says that the money of a pledge came."""
    line = Incoming("line-1", pledge.minor_units, pledge.currency, date(2026, 5, 1), pledge.reference)
    assert storing.keep("swish", [line.told()]) == 1
    return PaymentEvent.objects.get()
