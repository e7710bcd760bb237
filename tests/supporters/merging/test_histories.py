"""Whatever two people did, their merge loses nothing, and undoing it brings everything back."""

import random

import pytest

from campaigns.models import Delivery
from supporters import consent, merging
from supporters.models import Consent, Double, Merge, Signature, SignatureCount, Supporter
from tests.supporters.merging import histories
from tests.supporters.merging.histories import World

pytestmark = pytest.mark.django_db
SEEDS = range(14)
MAY_HAVE_ARRIVED = ["sent", "unknown", "sending", "complained"]


def people(seed: int):
    world = World(random.Random(seed))
    one, other, bystander = world.person(), world.person(), world.person()
    return world, one, other, bystander


@pytest.mark.parametrize("seed", SEEDS)
def test_everything_is_the_survivors_and_the_strictest_word_counts(seed):
    world, one, other, bystander = people(seed)
    both = [one.pk, other.pk]
    money, signed = histories.money(*both), histories.signed(*both)
    noes = histories.noes(one.pk) | histories.noes(other.pk)
    suppressed = histories.suppressed()
    beside = histories.money(bystander.pk), histories.noes(bystander.pk)
    counts = {name: len(rows) for name, rows in histories.everything().items()}
    references = set(one.references.values_list("identifier", flat=True)) | set(
        other.references.values_list("identifier", flat=True)
    )
    tags = set(one.tags.all()) | set(other.tags.all())
    sent = Delivery.objects.filter(supporter__in=both, state="sent").count()
    lines = Consent.objects.count()
    act = merging.merge(one.pk, other.pk)
    assert not Supporter.objects.filter(pk=other.pk).exists()
    assert histories.money(one.pk) == money
    assert histories.signed(one.pk) == signed
    assert Signature.objects.filter(supporter=one, state="validated").count() == len(signed)
    assert noes <= histories.noes(one.pk)
    assert histories.suppressed() >= suppressed
    assert (histories.money(bystander.pk), histories.noes(bystander.pk)) == beside
    assert set(one.references.values_list("identifier", flat=True)) == references
    assert set(one.tags.all()) == tags
    assert Delivery.objects.filter(supporter=one, state="sent").count() == sent
    assert Consent.objects.count() - lines == Consent.objects.filter(source=f"merge {act.pk}").count()
    after = {name: len(rows) for name, rows in histories.everything().items()}
    for name in ("supporters.Donation.supporter", "supporters.Signature.supporter", "campaigns.Delivery.supporter"):
        assert after[name] == counts[name]
    for appeal in world.appeals:
        theirs = Delivery.objects.filter(appeal=appeal, supporter=one)
        owed = theirs.filter(state__in=["queued", "held"]).count()
        arrived = theirs.filter(state__in=MAY_HAVE_ARRIVED).count()
        assert owed == 0 or (owed, arrived) == (1, 0), "They would get it twice."
    assert sum(SignatureCount.objects.values_list("number", flat=True)) == (
        Signature.objects.filter(state="validated").count()
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_undone_both_are_what_they_were(seed):
    _world, one, other, _bystander = people(seed)
    chosen = random.Random(seed).choice([{}, {"email": "away", "address": "away", "first_name": "away"}])
    before = histories.everything()
    act = merging.merge(one.pk, other.pk, chosen)
    assert histories.everything() != before
    merging.undo(act.pk)
    after = histories.everything()
    verdict = Double.objects.get()
    assert verdict.state == Double.State.DIFFERENT
    for name in ("supporters.Double.first", "supporters.Double.second"):
        del before[name], after[name]
    assert after == before
    act.refresh_from_db()
    assert (act.away, act.kept, act.changed, act.other_email) == ({}, {}, {}, None)


@pytest.mark.parametrize("seed", range(5))
def test_a_chain_is_undone_from_its_end(seed):
    _world, one, other, third = people(seed)
    before = histories.everything()
    total = histories.money(one.pk, other.pk, third.pk)
    first = merging.merge(other.pk, one.pk)
    second = merging.merge(third.pk, other.pk)
    assert histories.money(third.pk) == total
    assert set(Merge.objects.standing().values_list("survivor", flat=True)) == {third.pk}
    with pytest.raises(merging.CannotUndo, match="merged again since"):
        merging.undo(first.pk)
    merging.undo(second.pk)
    merging.undo(first.pk)
    after = histories.everything()
    for name in ("supporters.Double.first", "supporters.Double.second"):
        del before[name], after[name]
    assert after == before


@pytest.mark.parametrize("seed", range(100, 110))
def test_who_had_left_as_either_is_not_written_to(seed):
    _world, one, other, _bystander = people(seed)
    left = any(consent.state_of(who) == "withdrawn" for who in (one, other))
    could = any(Supporter.objects.contactable().filter(pk=who.pk).exists() for who in (one, other))
    merging.merge(one.pk, other.pk)
    can = Supporter.objects.contactable().filter(pk=one.pk).exists()
    assert not (can and left)
    assert could or not can or consent.state_of(one) == "granted"
