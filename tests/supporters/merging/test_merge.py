from datetime import timedelta

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.utils import timezone

from campaigns.models import Appeal, Audience, AudienceMember, Delivery, Segment, WebhookEvent
from crm.erasure import erase
from supporters import consent, merging
from supporters.models import Consent, Double, Merge, MergeMoved, Signature, Supporter, Suppression
from tests.crm.test_erasure import everything
from tests.factories import make_consent, make_donation, make_petition, make_signature, make_supporter

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna():
    return make_supporter(first_name="Anna", last_name="Ek", email="anna@mail.se", phone="070 1", consent=True)


@pytest.fixture
def old():
    return make_supporter(
        first_name="Annika", last_name="Ek", email="annika@old.se", street="Storgatan 1", city="Lund", consent=True
    )


def test_the_survivors_values_stay_and_are_filled_from_the_other(anna, old):
    act = merging.merge(anna.pk, old.pk)
    anna.refresh_from_db()
    assert (anna.first_name, anna.email, anna.phone) == ("Anna", "anna@mail.se", "070 1")
    assert (anna.street, anna.city) == ("Storgatan 1", "Lund")
    assert (act.away_uuid, act.other_email) == (old.uuid, "annika@old.se")


def test_staff_choose_otherwise(anna, old):
    act = merging.merge(anna.pk, old.pk, {"first_name": "away", "email": "away"})
    anna.refresh_from_db()
    assert (anna.first_name, anna.email) == ("Annika", "annika@old.se")
    assert act.other_email == "anna@mail.se"
    merging.undo(act.pk)
    anna.refresh_from_db()
    assert (anna.first_name, anna.email) == ("Anna", "anna@mail.se")
    assert Supporter.objects.get(pk=old.pk).email == "annika@old.se"


def test_a_withdrawal_beats_a_later_grant_and_says_where_it_comes_from(anna, old):
    make_consent(old, "withdrawn")
    make_consent(anna)
    assert consent.state_of(anna) == "granted"
    act = merging.merge(anna.pk, old.pk)
    last = anna.consents.order_by("-happened_at").first()
    assert (last.state, last.method, last.source) == ("withdrawn", "merge", f"merge {act.pk}")
    assert not Supporter.objects.contactable().exists()
    merging.undo(act.pk)
    assert consent.state_of(anna) == "granted"


def test_an_address_under_which_somebody_left_stays_unwritten_to(anna, old):
    make_consent(old, "withdrawn")
    merging.merge(anna.pk, old.pk)
    assert consent.is_suppressed("annika@old.se")
    assert not consent.is_suppressed("anna@mail.se")


def test_who_complained_under_the_address_that_is_given_up_is_not_written_to(anna, old):
    consent.suppress("annika@old.se", Suppression.Reason.COMPLAINT)
    merging.merge(anna.pk, old.pk)
    assert consent.state_of(anna) == "withdrawn"


def test_a_dead_address_that_is_given_up_keeps_nobody_from_the_other(anna, old):
    consent.suppress("annika@old.se", Suppression.Reason.HARD_BOUNCE)
    merging.merge(anna.pk, old.pk)
    assert Supporter.objects.contactable().get() == anna


def test_who_leaves_after_the_merge_has_left_as_both_once_it_is_undone(anna, old):
    act = merging.merge(anna.pk, old.pk)
    consent.leave(anna, method=Consent.Method.LINK)
    merging.undo(act.pk)
    assert not Supporter.objects.contactable().exists()
    assert consent.state_of(Supporter.objects.get(pk=old.pk)) == "withdrawn"


def test_of_two_signatures_the_first_that_was_validated_counts(anna, old):
    petition = make_petition()
    now = timezone.now()
    later = make_signature(petition, anna, state="validated", validated_at=now)
    first = make_signature(petition, old, state="validated", validated_at=now - timedelta(days=9))
    act = merging.merge(anna.pk, old.pk)
    assert Signature.objects.get(state="validated").pk == first.pk
    assert Signature.objects.filter(supporter=anna).count() == 2
    merging.undo(act.pk)
    assert Signature.objects.filter(state="validated").count() == 2
    later.refresh_from_db()
    assert (later.supporter, later.doubled) == (anna, False)


def test_couples_that_shared_an_address_and_are_one_person_share_it_no_more(anna):
    same = make_supporter(email=None, shares_email_with=anna)
    child = make_supporter(email=None, shares_email_with=anna)
    act = merging.merge(same.pk, anna.pk)
    same.refresh_from_db()
    assert (same.email, same.shares_email_with) == ("anna@mail.se", None)
    child.refresh_from_db()
    assert child.shares_email_with == same
    merging.undo(act.pk)
    for one in (same, child):
        one.refresh_from_db()
        assert one.shares_email_with == anna


def test_what_was_found_of_the_other_is_the_survivors_and_a_verdict_is_not_forgotten(anna, old, staff):
    third, fourth = make_supporter(), make_supporter()

    def pair(one, other, **fields):
        first, second = sorted((one.pk, other.pk))
        return Double.objects.create(first_id=first, second_id=second, probability=0.9, cluster=first, **fields)

    pair(anna, old)
    pair(old, third, state="different", decided_by=staff, decided_at=timezone.now())
    pair(anna, third)
    pair(old, fourth)
    before = sorted(Double.objects.values_list("first", "second", "state"))
    act = merging.merge(anna.pk, old.pk)
    now = {frozenset(row[:2]): row[2] for row in Double.objects.values_list("first", "second", "state")}
    assert now == {frozenset((anna.pk, third.pk)): "different", frozenset((anna.pk, fourth.pk)): "open"}
    merging.undo(act.pk)
    again = [(a, b, "open" if {a, b} == {anna.pk, old.pk} else state) for a, b, state in before]
    assert sorted(
        Double.objects.exclude(first__in=[anna.pk], second=old.pk).values_list("first", "second", "state")
    ) == [row for row in again if set(row[:2]) != {anna.pk, old.pk}]


def test_the_log_of_changes_follows_the_survivor(anna, old, staff):
    LogEntry.objects.create(
        user=staff,
        content_type=ContentType.objects.get_for_model(Supporter),
        object_id=str(old.pk),
        object_repr="Annika",
        action_flag=CHANGE,
        change_message="moved",
    )
    act = merging.merge(anna.pk, old.pk, by=staff)
    assert set(LogEntry.objects.values_list("object_id", flat=True)) == {str(anna.pk)}
    assert LogEntry.objects.count() == 2
    merging.undo(act.pk, by=staff)
    assert LogEntry.objects.filter(object_id=str(old.pk), change_message="moved").exists()


def test_what_cannot_be_merged_says_why_and_changes_nothing(anna, old):
    with pytest.raises(merging.CannotMerge, match="one record, not two"):
        merging.merge(anna.pk, anna.pk)
    merging.merge(anna.pk, old.pk)
    with pytest.raises(merging.CannotMerge, match="not on file any more"):
        merging.merge(anna.pk, old.pk)
    assert Merge.objects.count() == 1


def test_what_staff_changed_since_stays_when_it_is_undone(anna, old):
    act = merging.merge(anna.pk, old.pk)
    Supporter.objects.filter(pk=anna.pk).update(city="Umeå")
    make_donation(anna)
    merging.undo(act.pk)
    anna.refresh_from_db()
    assert (anna.street, anna.city) == ("", "Umeå")
    assert anna.donations.count() == 1


def test_a_merge_whose_address_is_taken_meanwhile_is_not_undone(anna, old):
    act = merging.merge(anna.pk, old.pk)
    make_supporter(email="annika@old.se")
    with pytest.raises(merging.CannotUndo, match="another record's"):
        merging.undo(act.pk)
    assert Merge.objects.standing().exists()


def test_undone_twice_is_undone_once(anna, old):
    act = merging.merge(anna.pk, old.pk)
    merging.undo(act.pk)
    with pytest.raises(merging.CannotUndo, match="undone before"):
        merging.undo(act.pk)
    assert not MergeMoved.objects.exists()


def test_erasing_a_merged_person_finds_what_was_known_of_either_record(staff):
    who = make_supporter(first_name="Zebulon", last_name="Quist", email="zebulon@mail.se", consent=True)
    old = make_supporter(
        first_name="Xerxes", last_name="Yllner", email="xerxes@old.se", phone="070 777", consent=True
    )
    segment = Segment.objects.create(name="All")
    appeal = Appeal.objects.create(name="A", segment=segment, source_code="a", sender_name="R", sender_email="r@r.se")
    for one in (who, old):
        Delivery.objects.create(appeal=appeal, supporter=one, state="failed", reason=f"550 <{one.email}>")
    audience = Audience.objects.create(name="List", list_id="abc")
    for one, key in ((who, "0"), (old, "1")):
        AudienceMember.objects.create(audience=audience, supporter=one, subscriber_hash=key * 32, status="subscribed")
    WebhookEvent.objects.create(audience=audience, kind="unsubscribe", data={"email": "Xerxes@old.se"})
    merging.merge(who.pk, old.pk, by=staff)
    assert AudienceMember.objects.get(supporter=None).retired_from == who
    erase(who, by=staff)
    left = everything().lower()
    for trace in ("zebulon", "quist", "xerxes", "yllner", "070 777"):
        assert trace not in left, [line for line in left.splitlines() if trace in line]
    assert set(AudienceMember.objects.values_list("to_delete", "supporter", "retired_from")) == {(True, None, None)}
    for address in ("zebulon@mail.se", "xerxes@old.se"):
        assert consent.suppressions_of(address).filter(reason="erased").exists()


def test_a_merge_takes_so_many_statements(anna, old, django_assert_max_num_queries):
    for one in (anna, old):
        for _ in range(20):
            make_donation(one)
    with django_assert_max_num_queries(70):
        merging.merge(anna.pk, old.pk)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM supporters_donation WHERE supporter_id = %s", [anna.pk])
        assert cursor.fetchone() == (40,)
