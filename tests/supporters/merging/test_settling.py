"""Merges that have stood for long enough: what undoing takes is given up, what the person is known by is not."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from crm import retention
from crm.erasure import erase
from supporters import finding, merging
from supporters.models import Double, Merge, MergeMoved, Supporter
from tests.crm.test_erasure import everything
from tests.factories import make_donation, make_supporter

pytestmark = pytest.mark.django_db


@pytest.fixture
def act(settings):
    settings.KEEP_MERGES_DAYS = 100
    who = make_supporter(first_name="Anna", last_name="Ek", email="anna@mail.se")
    old = make_supporter(
        first_name="Annika", last_name="Yllner", email="annika@old.se", phone="070 777", street="Storgatan 1"
    )
    make_donation(old)
    return merging.merge(who.pk, old.pk, {"phone": "survivor", "street": "survivor"})


def aged(act: Merge, days: int = 101) -> Merge:
    Merge.objects.filter(pk=act.pk).update(merged_at=timezone.now() - timedelta(days=days))
    return act


def test_what_the_other_record_held_goes_and_what_the_person_is_known_by_stays(act):
    survivor = Supporter.objects.get()
    uuid = act.away_uuid
    assert retention.apply() == {}
    aged(act)
    assert {each.rule.name: each.number for each in retention.due() if each.number} == {"merges": 1}
    assert retention.apply() == {"merges": 1}
    act.refresh_from_db()
    assert act.away == {"first_name": "Annika", "last_name": "Yllner"}
    assert (act.changed, act.kept, act.other_email) == ({}, {}, "annika@old.se")
    assert act.numbers["supporters.Donation.supporter"] == 1
    assert not MergeMoved.objects.exists()
    assert finding.by_pk(act.away_pk) == finding.by_uuid(uuid) == finding.by_email("annika@old.se") == survivor
    assert retention.apply() == {}


def test_it_can_be_undone_to_the_last_day_and_not_after(act, staff_client):
    aged(act, 99)
    retention.apply()
    undo = reverse("admin:supporters_merge_undo", args=[act.pk])
    person = reverse("admin:supporters_supporter_change", args=[act.survivor_id])
    log = reverse("admin:supporters_merge_changelist")
    for page in (person, log):
        assert undo in staff_client.get(page).content.decode()
    aged(act)
    retention.apply()
    for page in (person, log):
        text = staff_client.get(page).content.decode()
        assert undo not in text
        assert str(act.away_pk) in text
    assert "Merged for good" in text
    answer = staff_client.post(undo, follow=True).content.decode()
    assert "too old to be undone" in answer
    assert Supporter.objects.count() == 1
    assert not Double.objects.exists()


def test_nothing_goes_where_the_rule_is_off_or_the_merge_was_undone(act, settings):
    aged(act)
    settings.KEEP_MERGES_DAYS = 0
    assert retention.apply() == {}
    settings.KEEP_MERGES_DAYS = 100
    merging.undo(act.pk)
    assert retention.apply() == {}


def test_a_merge_that_took_a_settled_one_along_can_still_be_undone(act, settings):
    aged(act)
    retention.apply()
    third = make_supporter(email="third@mail.se")
    later = merging.merge(third.pk, act.survivor_id)
    assert finding.by_email("annika@old.se") == third
    merging.undo(later.pk)
    assert finding.by_email("annika@old.se").pk == act.survivor_id


def test_the_database_keeps_nothing_in_a_settled_merge(act):
    with pytest.raises(IntegrityError), transaction.atomic():
        Merge.objects.update(settled_at=timezone.now(), changed={"phone": ["1", "2"]})


def test_erasing_somebody_still_finds_the_old_name(act, staff):
    aged(act)
    retention.apply()
    erase(Supporter.objects.get(), by=staff)
    assert "yllner" not in everything().lower()
