"""Two members of one audience turn out to be one person."""

import pytest

from campaigns.models import AudienceMember
from supporters import consent, merging
from supporters.models import Consent, Supporter
from tests.campaigns.mailchimp.people import person

pytestmark = pytest.mark.django_db


@pytest.fixture
def both(push):
    both = person("Ann"), person("Anna")
    push()
    return both


def status(mailchimp, email: str) -> str:
    return mailchimp.member(email)["status"]


def test_the_other_member_is_archived_and_stays_so(mailchimp, push, both):
    ann, anna = both
    merging.merge(ann.pk, anna.pk)
    assert push().counts == {"archived": 1}
    assert (status(mailchimp, "ann@mail.se"), status(mailchimp, "anna@mail.se")) == ("subscribed", "archived")
    retired = AudienceMember.objects.get(retired_from=ann)
    assert (retired.status, retired.supporter, retired.archived_by_us) == ("archived", None, True)
    assert AudienceMember.objects.get(supporter=ann).digest is not None
    push()
    assert mailchimp.writes() == []


def test_the_member_of_the_address_that_stays_is_the_one_that_stays(mailchimp, push, both):
    ann, anna = both
    merging.merge(ann.pk, anna.pk, {"email": "away"})
    push()
    assert (status(mailchimp, "ann@mail.se"), status(mailchimp, "anna@mail.se")) == ("archived", "subscribed")
    push()
    assert mailchimp.writes() == []


def test_who_had_left_as_either_is_unsubscribed_at_both(mailchimp, push, both):
    ann, anna = both
    consent.withdraw(anna, "email", method=Consent.Method.STAFF)
    merging.merge(ann.pk, anna.pk)
    push()
    assert (status(mailchimp, "ann@mail.se"), status(mailchimp, "anna@mail.se")) == ("unsubscribed", "unsubscribed")


def test_a_member_that_only_the_old_record_had_moves_to_the_address_that_stays(mailchimp, push):
    anna = person("Anna")
    push()
    ann = person("Ann", country="DK")
    merging.merge(ann.pk, anna.pk, {"country": "away"})
    assert push().counts == {"moved": 1}
    assert status(mailchimp, "ann@mail.se") == "subscribed"
    assert mailchimp.member("anna@mail.se") is None


def test_undone_both_are_subscribed_again(mailchimp, push, both):
    ann, anna = both
    merge = merging.merge(ann.pk, anna.pk)
    push()
    merging.undo(merge.pk)
    push()
    assert (status(mailchimp, "ann@mail.se"), status(mailchimp, "anna@mail.se")) == ("subscribed", "subscribed")
    assert set(AudienceMember.objects.values_list("supporter", "retired_from")) == {(ann.pk, None), (anna.pk, None)}


def test_who_unsubscribes_there_under_the_old_address_has_left(mailchimp, audience, push, both, deliver):
    ann, anna = both
    merging.merge(ann.pk, anna.pk)
    mailchimp.member_unsubscribes(audience.list_id, "anna@mail.se")
    deliver()
    assert consent.state_of(ann) == Consent.State.WITHDRAWN
    push()
    assert status(mailchimp, "ann@mail.se") == "unsubscribed"


def test_that_the_old_address_is_cleaned_there_keeps_nobody_from_the_other(mailchimp, audience, push, both, deliver):
    ann, anna = both
    merging.merge(ann.pk, anna.pk)
    mailchimp.member_cleaned(audience.list_id, "anna@mail.se")
    deliver()
    assert Supporter.objects.contactable().get() == ann


def test_an_edit_of_the_old_member_is_not_the_persons(mailchimp, audience, push, pull, both):
    ann, anna = both
    merging.merge(ann.pk, anna.pk)
    mailchimp.member_changes_profile(audience.list_id, "anna@mail.se", FNAME="Someone")
    pull()
    ann.refresh_from_db()
    assert ann.first_name == "Ann"


@pytest.mark.parametrize("left", [False, True])
def test_a_member_that_mailchimp_does_not_let_go_is_owed_still_and_stops_nobody(mailchimp, push, both, left):
    ann, anna = both
    if left:
        consent.withdraw(anna, "email", method=Consent.Method.STAFF)
    merging.merge(ann.pk, anna.pk)
    person("Bo")
    retired = AudienceMember.objects.get(retired_from=ann)
    mailchimp.fail(times=None, status=400, path=retired.subscriber_hash)
    counts = push().counts
    assert (counts["refused"], counts["added"]) == (1, 1)
    retired.refresh_from_db()
    assert (retired.status, bool(retired.refusal)) == ("subscribed", True)
    mailchimp.calm()
    assert push().counts == {"unsubscribed" if left else "archived": 1}
    retired.refresh_from_db()
    assert (retired.status, retired.refusal) == ("unsubscribed" if left else "archived", "")
