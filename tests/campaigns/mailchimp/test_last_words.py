"""Whose word counts: statuses there, consent here, and the ways back."""

import pytest
from django.utils import timezone

from campaigns.mailchimp import difference
from campaigns.mailchimp import push as pushing
from campaigns.mailchimp.pull import pull
from campaigns.models import Audience, AudienceMember, SyncRun
from crm.erasure import erase
from supporters import consent
from supporters.models import Consent, Purpose, Supporter
from tests.campaigns.mailchimp.test_push import person
from tests.factories import make_supporter

pytestmark = pytest.mark.django_db


def say_yes(who: Supporter, method: str = Consent.Method.CONFIRMED) -> None:
    consent.grant(who, Purpose.EMAIL, wording="Yes, again.", method=method)


def asked(mailchimp) -> int:
    """How often somebody was asked to confirm."""
    return sum((request.body or {}).get("status") == "pending" for request in mailchimp.writes())


def test_the_forgotten_stay_so_and_staff_see_the_way_back(mailchimp, push, audience):
    ann = person("Ann")
    push()
    mailchimp.staff_delete(audience.list_id, "ann@mail.se")
    AudienceMember.objects.all().delete()
    push()
    shadow = AudienceMember.objects.get(supporter=ann)
    assert shadow.status == "forgotten"
    assert shadow.refusal.endswith(f"themselves can come back. http://eepurl.test/{audience.list_id}")
    Supporter.objects.filter(pk=ann.pk).update(last_name="Berg")
    say_yes(ann)
    push()
    assert mailchimp.writes() == []
    mailchimp.member_subscribes(audience.list_id, "ann@mail.se")
    pull(audience.pk)
    push()
    assert mailchimp.member("ann@mail.se")["merge_fields"]["LNAME"] == "Berg"


def test_somebody_forgotten_may_come_with_another_address(mailchimp, push, audience):
    ann = person("Ann")
    push()
    mailchimp.staff_delete(audience.list_id, "ann@mail.se")
    AudienceMember.objects.all().delete()
    push()
    Supporter.objects.filter(pk=ann.pk).update(email="ann.berg@mail.se")
    push()
    assert mailchimp.member("ann.berg@mail.se")["status"] == "subscribed"
    assert AudienceMember.objects.get().refusal == ""


def test_in_a_compliance_state_one_question_is_asked_and_only_after_a_proven_yes(mailchimp, push, audience):
    ann = person("Ann")
    push()
    mailchimp.member_unsubscribes(audience.list_id, "ann@mail.se")
    pull(audience.pk)
    assert consent.state_of(ann) == Consent.State.WITHDRAWN
    push()
    assert mailchimp.writes() == []
    say_yes(ann)
    assert push().counts == {"asked_back": 1}
    assert asked(mailchimp) == 1
    push()
    assert mailchimp.writes() == []
    # They don't confirm, and leave once more; only a newer yes makes another question.
    mailchimp.member_unsubscribes(audience.list_id, "ann@mail.se")
    pull(audience.pk)
    push()
    assert mailchimp.writes() == []
    say_yes(ann)
    push()
    assert asked(mailchimp) == 1
    assert all((request.body or {}).get("status") != "subscribed" for request in mailchimp.writes())


def test_who_leaves_after_an_addition_without_an_answer_and_a_comparison_is_not_sent(push, audience):
    ann, bo = person("Ann"), person("Bo")
    push()
    AudienceMember.objects.update(status="", digest=None)
    assert difference.compare(audience) == {"add": 2}
    consent.withdraw(ann, Purpose.EMAIL, method=Consent.Method.LINK)
    [rows] = difference.additions(audience, difference.ADD)
    assert [(row.supporter, row.member) for row in rows] == [(bo.pk, AudienceMember.objects.get(supporter=bo).pk)]


def test_a_question_whose_answer_was_lost_is_not_asked_again(mailchimp, push, audience):
    ann = person("Ann")
    push()
    mailchimp.member_unsubscribes(audience.list_id, "ann@mail.se")
    pull(audience.pk)
    say_yes(ann)
    mailchimp.drop(times=5, applied=True, method="PATCH")
    push(expect=SyncRun.State.FAILED)
    assert mailchimp.member("ann@mail.se")["status"] == "pending"
    push()
    assert asked(mailchimp) == 0
    assert AudienceMember.objects.get().status == "pending"


def test_a_bounced_address_is_asked_nothing_and_the_refusal_kept(mailchimp, push, audience):
    ann = person("Ann")
    push()
    mailchimp.member_cleaned(audience.list_id, "ann@mail.se")
    Supporter.objects.filter(pk=ann.pk).update(last_name="Berg")
    push()
    say_yes(ann)
    push()
    assert mailchimp.writes() == []
    assert mailchimp.member("ann@mail.se")["status"] == "cleaned"


def test_an_archived_member_who_had_left_is_not_subscribed(mailchimp, push, audience):
    """We know nothing of them; Mailchimp remembers."""
    mailchimp.member_subscribes(audience.list_id, "ann@mail.se")
    mailchimp.member_unsubscribes(audience.list_id, "ann@mail.se")
    mailchimp.staff_archive(audience.list_id, "ann@mail.se")
    ann = make_supporter(email="ann@mail.se", country="SE", consent=True)
    push()
    assert mailchimp.member("ann@mail.se")["status"] == "archived"
    shadow = AudienceMember.objects.get(supporter=ann)
    assert shadow.status == "unsubscribed"
    assert "left or bounced" in shadow.refusal
    assert consent.state_of(ann) == Consent.State.WITHDRAWN
    push()
    assert mailchimp.writes() == []


def test_a_buyer_who_never_signed_up_is_asked_before_being_subscribed(mailchimp, push, audience):
    mailchimp.staff_add(audience.list_id, "ann@mail.se", status="transactional")
    pull(audience.pk)
    make_supporter(email="ann@mail.se", country="SE", consent=True)
    push()
    assert mailchimp.member("ann@mail.se")["status"] == "pending"


def test_whom_staff_archived_there_comes_back_only_with_a_newer_yes(mailchimp, push, audience):
    ann = person("Ann")
    push()
    mailchimp.staff_archive(audience.list_id, "ann@mail.se")
    Supporter.objects.filter(pk=ann.pk).update(last_name="Berg")
    push()
    push()
    assert mailchimp.writes() == []
    assert mailchimp.member("ann@mail.se")["status"] == "archived"
    say_yes(ann)
    push()
    assert mailchimp.member("ann@mail.se")["status"] == "subscribed"


def test_who_is_in_no_segment_any_more_is_archived_where_that_is_wanted(mailchimp, push, audience):
    Audience.objects.update(archives=True)
    ann, _bo = person("Ann"), person("Bo")
    mailchimp.staff_add(audience.list_id, "cy@mail.se")
    make_supporter(email="cy@mail.se", country="DK", consent=True)
    pull(audience.pk)
    push()
    Supporter.objects.filter(pk=ann.pk).update(country="DK")
    assert push().counts == {"archived": 1}
    assert mailchimp.member("ann@mail.se")["status"] == "archived"
    assert mailchimp.member("cy@mail.se")["status"] == "subscribed"  # others added Cy
    push()
    assert mailchimp.writes() == []
    pull(audience.pk)
    Supporter.objects.filter(pk=ann.pk).update(country="SE")
    push()
    assert mailchimp.member("ann@mail.se")["status"] == "subscribed"
    assert mailchimp.tags("ann@mail.se") == {"Swedes"}


def test_who_withdraws_while_an_addition_is_in_doubt_is_unsubscribed(mailchimp, push):
    ann, bo = person("Ann"), person("Bo")
    mailchimp.drop(times=5, applied=True, method="POST", path=r"^/lists/\w+$")
    push(expect=SyncRun.State.FAILED)
    assert mailchimp.member("ann@mail.se")["status"] == "subscribed"
    consent.leave(ann, method=Consent.Method.LINK)
    Supporter.objects.filter(pk=bo.pk).update(country="DK")
    push()
    push()
    assert mailchimp.member("ann@mail.se")["status"] == "unsubscribed"
    assert mailchimp.tags("bo@mail.se") == set()


def test_who_is_erased_while_an_addition_is_in_doubt_is_deleted_there(mailchimp, push, staff):
    ann = person("Ann")
    mailchimp.drop(times=5, applied=True, method="POST", path=r"^/lists/\w+$")
    push(expect=SyncRun.State.FAILED)
    erase(ann, by=staff)
    assert push().counts == {"deleted": 1}
    assert mailchimp.members() == {}


def test_who_is_erased_while_a_move_is_in_doubt_is_deleted_under_either_address(mailchimp, push, staff):
    ann = person("Ann")
    push()
    Supporter.objects.filter(pk=ann.pk).update(email="ann.berg@mail.se")
    mailchimp.drop(times=1, applied=True, method="PATCH")
    mailchimp.fail(times=None, status=500, method="GET", path="/members/")
    push(expect=SyncRun.State.FAILED)
    mailchimp.calm()
    assert list(mailchimp.members()) == ["ann.berg@mail.se"]
    ann.refresh_from_db()
    erase(ann, by=staff)
    assert push().counts == {"deleted": 1}
    assert mailchimp.members() == {}


def test_who_withdraws_while_a_move_is_in_doubt_is_unsubscribed_where_they_are(mailchimp, push):
    ann = person("Ann")
    push()
    Supporter.objects.filter(pk=ann.pk).update(email="ann.berg@mail.se")
    mailchimp.drop(times=5, applied=True, method="PATCH")
    mailchimp.fail(times=None, status=500, method="GET", path="/members/")
    push(expect=SyncRun.State.FAILED)
    mailchimp.calm()
    ann.refresh_from_db()
    consent.leave(ann, method=Consent.Method.LINK)
    push()
    assert {email: member["status"] for email, member in mailchimp.members().items()} == {
        "ann.berg@mail.se": "unsubscribed"
    }


def test_an_erasure_that_mailchimp_refuses_is_owed_still_and_stops_nobody(mailchimp, push, staff):
    ann = person("Ann")
    push()
    erase(ann, by=staff)
    person("Bo")
    mailchimp.fail(times=None, status=400, path="delete-permanent")
    assert push().counts == {"refused": 1, "added": 1}
    assert "refused" in AudienceMember.objects.get(to_delete=True).refusal
    mailchimp.calm()
    assert push().counts == {"deleted": 1}


def test_a_leaving_that_mailchimp_refuses_is_owed_still(mailchimp, push):
    ann = person("Ann")
    push()
    consent.leave(ann, method=Consent.Method.LINK)
    mailchimp.fail(times=1, status=400, method="POST", path=r"^/lists/\w+$")
    assert push().counts == {"refused": 1}
    assert AudienceMember.objects.get().refusal
    assert push().counts == {"unsubscribed": 1}
    assert AudienceMember.objects.get().refusal == ""


def test_a_new_address_that_is_there_already_makes_no_second_member(mailchimp, push, audience):
    ann = person("Ann")
    push()
    mailchimp.staff_add(audience.list_id, "ann.berg@mail.se")
    Supporter.objects.filter(pk=ann.pk).update(email="ann.berg@mail.se")
    push()
    assert {email: member["status"] for email, member in mailchimp.members().items()} == {
        "ann@mail.se": "archived",
        "ann.berg@mail.se": "subscribed",
    }
    push()
    assert mailchimp.tags("ann.berg@mail.se") == {"Swedes"}
    push()
    assert mailchimp.writes() == []


def test_a_new_address_that_had_left_there_makes_its_owner_leave(mailchimp, push, audience):
    """One person with two addresses is of the stricter mind."""
    ann = person("Ann")
    push()
    mailchimp.member_subscribes(audience.list_id, "ann.berg@mail.se")
    mailchimp.member_unsubscribes(audience.list_id, "ann.berg@mail.se")
    Supporter.objects.filter(pk=ann.pk).update(email="ann.berg@mail.se")
    push()
    assert consent.state_of(ann) == Consent.State.WITHDRAWN
    assert mailchimp.member("ann@mail.se")["status"] == "archived"
    assert mailchimp.member("ann.berg@mail.se")["status"] == "unsubscribed"


def test_two_who_change_places_are_noted_and_nothing_is_lost(mailchimp, push):
    ann, bo = person("Ann"), person("Bo")
    push()
    Supporter.objects.filter(pk=ann.pk).update(email="x@mail.se")
    Supporter.objects.filter(pk=bo.pk).update(email="ann@mail.se")
    Supporter.objects.filter(pk=ann.pk).update(email="bo@mail.se")
    push()
    assert sorted(mailchimp.members()) == ["ann@mail.se", "bo@mail.se"]
    assert all("another person's" in refusal for refusal in AudienceMember.objects.values_list("refusal", flat=True))
    Supporter.objects.filter(pk=ann.pk).update(email="ann.berg@mail.se")
    push()
    assert sorted(mailchimp.members()) == ["ann.berg@mail.se", "ann@mail.se"]
    assert set(AudienceMember.objects.values_list("refusal", flat=True)) == {""}


def test_who_is_in_no_segment_keeps_one_member_when_their_address_changes(mailchimp, push):
    ann = person("Ann")
    push()
    Supporter.objects.filter(pk=ann.pk).update(country="DK", email="ann.berg@mail.se")
    push()
    assert list(mailchimp.members()) == ["ann.berg@mail.se"]
    assert mailchimp.tags("ann.berg@mail.se") == set()
    push()
    assert mailchimp.writes() == []


def test_an_address_there_in_other_letters_is_the_same_one(mailchimp, push, audience):
    mailchimp.staff_add(audience.list_id, "Ann@Mail.SE")
    ann = person("Ann")
    push()
    assert [email.lower() for email in mailchimp.members()] == ["ann@mail.se"]
    assert not AudienceMember.objects.get(supporter=ann).ours
    assert mailchimp.tags("ann@mail.se") == {"Swedes"}


def test_dots_make_another_address(mailchimp, push):
    for email in ("anna.berg@gmail.com", "annaberg@gmail.com"):
        make_supporter(email=email, country="SE", consent=True)
    push()
    assert sorted(mailchimp.members()) == ["anna.berg@gmail.com", "annaberg@gmail.com"]


def test_a_race_overwrites_nobody_and_is_not_taken_for_ours(mailchimp, push, audience, monkeypatch):
    """Somebody signs up there, and leaves again, while our call is on its way."""
    ann, bo = person("Ann"), person("Bo")
    calls = pushing.newcomers.Calls.__iter__

    def meanwhile(made):
        for call in calls(made):
            mailchimp.member_subscribes(audience.list_id, "ann@mail.se")
            mailchimp.member_unsubscribes(audience.list_id, "ann@mail.se")
            mailchimp.member_subscribes(audience.list_id, "bo@mail.se")
            yield call

    monkeypatch.setattr(pushing.newcomers.Calls, "__iter__", meanwhile)
    push()
    assert mailchimp.member("ann@mail.se")["status"] == "unsubscribed"
    assert consent.state_of(ann) == Consent.State.WITHDRAWN
    assert not AudienceMember.objects.get(supporter=bo).ours
    assert mailchimp.member("bo@mail.se")["merge_fields"]["FNAME"] == "Bo"


def test_our_own_addition_whose_answer_was_lost_is_ours(mailchimp, push):
    ann = person("Ann")
    mailchimp.drop(times=1, applied=True, method="POST", path=r"^/lists/\w+$")
    assert push().counts == {"changed": 1}
    shadow = AudienceMember.objects.get(supporter=ann)
    assert (shadow.ours, shadow.status, len(shadow.tags)) == (True, "subscribed", 1)


def test_strangers_who_turn_out_to_be_on_file_bring_their_last_word(mailchimp, push, audience):
    mailchimp.member_subscribes(audience.list_id, "ann@mail.se")
    mailchimp.member_unsubscribes(audience.list_id, "ann@mail.se")
    mailchimp.staff_add(audience.list_id, "bo@mail.se")
    pull(audience.pk)
    assert AudienceMember.objects.filter(supporter=None).count() == 2
    ann, bo = person("Ann"), person("Bo")
    Consent.objects.filter(method=Consent.Method.CONFIRMED).exists()
    push()
    assert mailchimp.member("ann@mail.se")["status"] == "unsubscribed"
    assert AudienceMember.objects.get(supporter=bo).ours is False
    assert AudienceMember.objects.get(supporter=ann).status == "unsubscribed"
    assert timezone.now() > Consent.objects.filter(supporter=ann).latest("pk").happened_at
