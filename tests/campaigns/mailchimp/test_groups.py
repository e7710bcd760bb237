"""Our purposes as interests and marketing permissions there: what is sent follows consent, and taking back there counts here."""

import pytest

from campaigns import segments
from campaigns.mailchimp.client import Mailchimp
from campaigns.mailchimp.push import push as push_audience
from campaigns.models import Audience, AudienceMember, HandedIn, Segment
from supporters import consent
from supporters.models import Consent, Purpose
from tests.campaigns.mailchimp.people import person
from tests.campaigns.mailchimp.test_push import many
from tests.factories import make_consent

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann(mailchimp, audience, push, pull):
    there = mailchimp.account.audiences[audience.list_id]
    there.interests, there.permissions = ["int1", "theirs"], {"perm1": "Email", "perm2": "Calls"}
    Audience.objects.update(groups={"i:int1": "post", "p:perm1": "email", "p:perm2": "phone"})
    ann = person("Ann")
    make_consent(ann, purpose=Purpose.POST)
    person("Bo")
    push()
    pull()
    return ann


def there(mailchimp, email: str) -> tuple[dict, dict]:
    member = mailchimp.member(email)
    return member["interests"], {
        one["marketing_permission_id"]: one["enabled"] for one in member["marketing_permissions"]
    }


def test_what_people_allowed_is_shown_there_and_nothing_else(mailchimp, ann, push):
    assert there(mailchimp, "ann@mail.se") == ({"int1": True, "theirs": False}, {"perm1": True, "perm2": False})
    assert there(mailchimp, "bo@mail.se") == ({"int1": False, "theirs": False}, {"perm1": True, "perm2": False})
    push()
    assert mailchimp.writes() == []
    make_consent(ann, purpose=Purpose.PHONE)
    consent.withdraw(ann, Purpose.POST, method=Consent.Method.LINK)
    push()
    assert there(mailchimp, "ann@mail.se") == ({"int1": False, "theirs": False}, {"perm1": True, "perm2": True})
    push()
    assert mailchimp.writes() == []


def test_what_is_taken_back_there_is_withdrawn_here(mailchimp, audience, ann, push, pull):
    make_consent(ann, purpose=Purpose.PHONE)
    push()
    pull()
    mailchimp.member_chooses(audience.list_id, "ann@mail.se", {"int1": False}, {"perm2": False})
    assert pull().counts["withdrawn"] == 2
    for purpose in (Purpose.POST, Purpose.PHONE):
        line = ann.consents.filter(purpose=purpose).latest("pk")
        assert (line.state, line.method, line.source) == ("withdrawn", "mailchimp", "Mailchimp: RealStars")
    assert consent.state_of(ann) == Consent.State.GRANTED
    push()
    assert there(mailchimp, "ann@mail.se") == ({"int1": False, "theirs": False}, {"perm1": True, "perm2": False})
    assert "withdrawn" not in pull().counts


def test_taking_the_email_permission_back_there_ends_the_mail(mailchimp, audience, ann, push, pull):
    mailchimp.member_chooses(audience.list_id, "ann@mail.se", permissions={"perm1": False})
    pull()
    assert consent.state_of(ann) == Consent.State.WITHDRAWN
    push()
    assert mailchimp.member("ann@mail.se")["status"] == "unsubscribed"


def test_what_is_given_there_without_proof_is_no_consent(mailchimp, audience, ann, push, pull):
    mailchimp.member_chooses(audience.list_id, "bo@mail.se", {"int1": True, "theirs": True}, {"perm2": True})
    pull()
    assert Consent.objects.filter(purpose=Purpose.PHONE).count() == 0
    push()
    assert there(mailchimp, "bo@mail.se") == ({"int1": False, "theirs": True}, {"perm1": True, "perm2": False})


@pytest.fixture
def many_calls(mailchimp, audience, push):
    mailchimp.account.audiences[audience.list_id].permissions = {"perm1": "Email"}
    Audience.objects.update(groups={"p:perm1": "email"})
    many(30)


def given(mailchimp) -> list[bool]:
    return [member["marketing_permissions"][0]["enabled"] for member in mailchimp.members().values()]


def test_permissions_of_many_go_in_one_call(mailchimp, push, many_calls):
    run = push()
    assert given(mailchimp) == [True] * 30
    assert run.counts["permitted"] == 30
    assert [request.path for request in mailchimp.writes()].count("/batches") == 1
    assert not [request for request in mailchimp.writes() if request.method == "PATCH"]
    assert set(AudienceMember.objects.values_list("permissions__perm1", flat=True)) == {True}
    push()
    assert mailchimp.writes() == []


def test_what_was_handed_in_by_a_run_that_ended_is_taken_up_by_the_next(mailchimp, push, audience, many_calls):
    mailchimp.hold_batches()
    segments.refresh(Segment.objects.get())
    while push_audience(audience.pk, seconds=1):
        pass
    assert AudienceMember.objects.filter(handed_in__kind="permit").count() == 30
    mailchimp.let_batches_go()
    run = push()
    assert run.counts["permitted"] == 30
    assert mailchimp.writes() == []
    assert not HandedIn.objects.exists()


def test_a_call_that_failed_within_what_was_finished_is_told(mailchimp, push, audience, many_calls, monkeypatch):
    hand_in = Mailchimp.hand_in

    def gone_by_then(client, operations):
        mailchimp.staff_delete(audience.list_id, "p1@mail.se")
        return hand_in(client, operations)

    monkeypatch.setattr(Mailchimp, "hand_in", gone_by_then)
    run = push()
    assert (run.counts["permitted"], run.counts["refused"]) == (29, 1)
    assert AudienceMember.objects.exclude(refusal="").get().supporter.email == "p1@mail.se"
