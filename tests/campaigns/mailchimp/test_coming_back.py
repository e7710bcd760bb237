"""A new yes here, with proof, against leavings there: in every order leaving wins, and a later yes is put as a question."""

import pytest

from campaigns.mailchimp.pull import pull as read
from campaigns.models import AudienceMember, SyncRun
from supporters import consent
from supporters.models import Consent, Purpose, Supporter
from tests.campaigns.mailchimp.test_push import person

pytestmark = pytest.mark.django_db


def say_yes(who) -> None:
    consent.grant(who, Purpose.EMAIL, wording="Yes, again.", method=Consent.Method.CONFIRMED)


def sides(mailchimp, who) -> tuple[str, str]:
    """The person's state here, and the member's there, which the shadow has to know."""
    there = mailchimp.member(who.email)["status"]
    assert AudienceMember.objects.get(supporter=who).status == there
    return consent.state_of(who), there


@pytest.mark.parametrize("first", ["here", "there"])
def test_a_yes_here_and_a_leaving_there_that_crossed_are_a_leaving(mailchimp, push, pull, audience, first):
    ann = person("Ann")
    push()
    consent.leave(ann, method=Consent.Method.LINK)
    if first == "here":
        say_yes(ann)
    mailchimp.member_unsubscribes(audience.list_id, ann.email)
    if first == "there":
        say_yes(ann)
    push()
    pull()
    push()
    assert sides(mailchimp, ann) == ("withdrawn", "unsubscribed")
    say_yes(ann)
    push()
    assert sides(mailchimp, ann) == ("granted", "pending")


def test_a_yes_after_our_unsubscribing_that_got_no_answer_is_lost_rather_than_a_leaving(mailchimp, push, audience):
    """Nobody can tell our own unsubscribing from theirs by then; they may say yes once more."""
    ann = person("Ann")
    push()
    consent.leave(ann, method=Consent.Method.LINK)
    mailchimp.drop(times=5, applied=True, method="POST", path=r"^/lists/\w+$")
    push(expect=SyncRun.State.FAILED)
    say_yes(ann)
    read(audience.pk)
    push()
    assert sides(mailchimp, ann) == ("withdrawn", "unsubscribed")
    say_yes(ann)
    push()
    assert sides(mailchimp, ann) == ("granted", "pending")


def test_who_says_yes_again_is_asked_once_a_segment_has_them(mailchimp, push):
    ann = person("Ann")
    push()
    consent.leave(ann, method=Consent.Method.LINK)
    push()
    say_yes(ann)
    Supporter.objects.filter(pk=ann.pk).update(country="DK")
    push()
    assert sides(mailchimp, ann) == ("granted", "unsubscribed")
    Supporter.objects.filter(pk=ann.pk).update(country="SE")
    push()
    assert sides(mailchimp, ann) == ("granted", "pending")


def test_who_bounced_there_and_says_yes_again_is_asked_nothing(mailchimp, push, pull, audience):
    ann = person("Ann")
    push()
    mailchimp.member_cleaned(audience.list_id, ann.email)
    pull()
    say_yes(ann)
    push()
    assert sides(mailchimp, ann) == ("granted", "cleaned")
    assert all((request.body or {}).get("status") != "pending" for request in mailchimp.writes())
