"""Who has left comes back by their own proven act there, and by nobody else's."""

import pytest

from campaigns.models import AudienceMember
from supporters import consent
from supporters.models import Consent, Supporter, Suppression
from tests.campaigns.mailchimp.people import person

pytestmark = pytest.mark.django_db
GRANTED, WITHDRAWN = Consent.State.GRANTED, Consent.State.WITHDRAWN


@pytest.fixture(autouse=True)
def second_hand(mailchimp):
    """Mailchimp's clock goes on by two seconds with each act: its times are whole seconds."""
    act = mailchimp.post_events

    def later():
        act()
        mailchimp.skew(mailchimp.account.skew.total_seconds() + 2)

    mailchimp.post_events = later


def test_signing_up_again_there_is_a_fresh_consent_with_its_proof(mailchimp, audience, push, deliver):
    ann = person("Ann")
    push()
    mailchimp.member_unsubscribes(audience.list_id, "ann@mail.se")
    deliver()
    assert consent.state_of(ann) == WITHDRAWN
    mailchimp.member_subscribes(audience.list_id, "ann@mail.se")
    deliver()
    grant = ann.consents.get(method=Consent.Method.MAILCHIMP, state=GRANTED)
    assert consent.state_of(ann) == GRANTED
    assert audience.name in grant.wording
    assert mailchimp.member("ann@mail.se")["timestamp_opt"][:10] in grant.wording
    assert grant.address_hash is not None
    assert not Suppression.objects.exists()
    assert list(Supporter.objects.contactable()) == [ann]
    push()
    assert mailchimp.member("ann@mail.se")["status"] == "subscribed"


def test_who_left_here_and_signs_up_there_is_back(mailchimp, audience, push, deliver):
    ann = person("Ann")
    push()
    consent.leave(ann, method=Consent.Method.LINK)
    push()
    mailchimp.member_subscribes(audience.list_id, "ann@mail.se")
    deliver()
    assert consent.state_of(ann) == GRANTED


@pytest.mark.parametrize("skew", [0, -7200, 7200])
def test_staff_there_cannot_bring_somebody_back(mailchimp, audience, push, pull, skew):
    mailchimp.skew(skew)
    ann = person("Ann")
    mailchimp.member_subscribes(audience.list_id, "ann@mail.se")  # by themselves, long ago
    push()
    consent.leave(ann, method=Consent.Method.LINK)
    push()
    mailchimp.staff_add(audience.list_id, "ann@mail.se")
    assert mailchimp.member("ann@mail.se")["status"] == "subscribed"
    pull()
    assert consent.state_of(ann) == WITHDRAWN
    push()
    assert mailchimp.member("ann@mail.se")["status"] == "unsubscribed"


def test_other_tools_cannot_bring_somebody_back(mailchimp, audience, push, pull):
    ann = person("Ann")
    push()
    mailchimp.staff_unsubscribe(audience.list_id, "ann@mail.se")
    pull()
    body = {"status": "subscribed"}
    mailchimp.answer(
        "PATCH", f"/lists/{audience.list_id}/members/{AudienceMember.objects.get().subscriber_hash}", {}, body
    )
    mailchimp.account.last_number += 1
    pull()
    assert consent.state_of(ann) == WITHDRAWN
    push()
    assert mailchimp.member("ann@mail.se")["status"] == "unsubscribed"


def test_leaving_here_after_signing_up_there_wins_though_we_hear_of_it_later(mailchimp, audience, push, deliver):
    ann = person("Ann")
    push()
    mailchimp.member_unsubscribes(audience.list_id, "ann@mail.se")
    deliver()
    mailchimp.member_subscribes(audience.list_id, "ann@mail.se")
    consent.withdraw(ann, "email", method=Consent.Method.LINK)
    deliver()
    assert consent.state_of(ann) == WITHDRAWN
    push()
    assert mailchimp.member("ann@mail.se")["status"] == "unsubscribed"


def test_a_bounce_stays_though_they_sign_up_again(mailchimp, audience, push, deliver):
    person("Ann")
    push()
    mailchimp.member_cleaned(audience.list_id, "ann@mail.se")
    deliver()
    mailchimp.member_subscribes(audience.list_id, "ann@mail.se")
    deliver()
    assert Suppression.objects.get().reason == Suppression.Reason.HARD_BOUNCE
    assert not Supporter.objects.contactable().exists()


def test_somebody_on_file_who_signs_up_there_has_said_yes(mailchimp, audience, pull, deliver):
    bo = Supporter.objects.create(email="bo@mail.se", country="SE")
    mailchimp.staff_add(audience.list_id, "cy@mail.se")
    pull()
    mailchimp.member_subscribes(audience.list_id, "bo@mail.se")
    deliver()
    assert consent.state_of(bo) == GRANTED


def test_who_was_there_before_us_has_not_said_yes_to_us(mailchimp, audience, pull):
    bo = Supporter.objects.create(email="bo@mail.se", country="SE")
    mailchimp.member_subscribes(audience.list_id, "bo@mail.se")
    pull()
    assert consent.state_of(bo) is None
