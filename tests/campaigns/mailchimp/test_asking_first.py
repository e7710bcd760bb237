"""A push that would take many away stops and asks; and what staff are shown of it before."""

import pytest

from campaigns import segments
from campaigns.mailchimp import plan, sync
from campaigns.mailchimp import push as pushing
from campaigns.models import Audience, AudienceMember, AudienceSegment, Segment, SyncRun
from supporters import consent
from supporters.models import Consent, Supporter
from tests.campaigns.mailchimp.test_push import many, person

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr(plan, "LEAST", 3)


def move_to_denmark(number: int) -> None:
    people = Supporter.objects.filter(country="SE").order_by("pk").values("pk")[:number]
    Supporter.objects.filter(pk__in=people).update(country="DK")


def test_few_are_untagged_without_asking(push):
    many(40)
    push()
    move_to_denmark(4)
    assert push().counts == {"untagged": 4}


@pytest.mark.parametrize(("archives", "did"), [(False, {"untagged": 5}), (True, {"archived": 5})])
def test_a_push_that_would_take_many_stops_until_staff_let_it(mailchimp, push, audience, archives, did):
    Audience.objects.update(archives=archives)
    many(40)
    push()
    move_to_denmark(5)
    person("Ann")
    run = push(expect=SyncRun.State.HELD)
    assert mailchimp.writes() == []
    assert run.takes == 5
    assert "It would take 5 members away" in run.error
    again = push(expect=SyncRun.State.HELD)
    assert again.pk == run.pk
    assert pushing.approve(run)
    assert not pushing.approve(run)
    assert sync.push_due() == {"audiences": 1}
    run = push()
    assert run.counts == {**did, "added": 1}
    assert run.error == ""


def test_more_than_staff_let_go_is_asked_for_again(mailchimp, push):
    many(40)
    push()
    move_to_denmark(5)
    run = push(expect=SyncRun.State.HELD)
    pushing.approve(run)
    move_to_denmark(12)
    assert push(expect=SyncRun.State.HELD).takes == 17
    assert mailchimp.writes() == []


def test_a_mended_segment_lets_it_go_on(mailchimp, push):
    many(40)
    push()
    move_to_denmark(40)
    push(expect=SyncRun.State.HELD)
    Supporter.objects.update(country="SE")
    run = push()
    assert run.counts == {}
    assert mailchimp.writes() == []


def test_who_left_by_their_own_word_is_never_kept_waiting(mailchimp, push):
    many(40)
    push()
    for who in Supporter.objects.order_by("-pk")[:20]:
        consent.leave(who, method=Consent.Method.LINK)
    move_to_denmark(10)
    assert push(expect=SyncRun.State.HELD).counts == {"unsubscribed": 20}
    assert {member["status"] for member in mailchimp.members().values()} == {"subscribed", "unsubscribed"}


def test_no_consent_any_more_is_no_word_of_theirs(mailchimp, push):
    many(40)
    push()
    for who in Supporter.objects.all():
        consent.request(who, "email", wording="?", language="sv", method=Consent.Method.FORM)
    assert push(expect=SyncRun.State.HELD).takes == 40
    assert mailchimp.writes() == []


def test_a_held_push_is_tried_once_an_hour(push, broker):
    many(40)
    push()
    move_to_denmark(40)
    push(expect=SyncRun.State.HELD)
    assert sync.push_due() == {"audiences": 0}
    SyncRun.objects.update(worked_at="2026-01-01T00:00Z")
    assert sync.push_due() == {"audiences": 1}


def test_a_failed_push_is_tried_again_after_some_minutes(mailchimp, push, broker):
    mailchimp.fail(times=None, status=404)
    push(expect=SyncRun.State.FAILED)
    assert sync.push_due() == {"audiences": 0}
    run = SyncRun.objects.latest("pk")
    SyncRun.objects.filter(pk=run.pk).update(worked_at=run.worked_at - sync.AGAIN)
    assert sync.push_due() == {"audiences": 1}


def test_a_preview_tells_for_each_person_what_and_why_and_asks_mailchimp_nothing(mailchimp, push, audience):
    ann, bo, cy, di = (person(name, last_name="Ek") for name in ("Ann", "Bo", "Cy", "Di"))
    push()
    audience.refresh_from_db()
    recent = Segment.objects.create(
        name="New", rules={"rules": [{"field": "created", "op": "last_days", "value": 5}]}
    )
    AudienceSegment.objects.create(audience=audience, segment=recent)
    consent.leave(ann, method=Consent.Method.LINK)
    Supporter.objects.filter(pk=bo.pk).update(country="DK")
    Supporter.objects.filter(pk=cy.pk).update(email="cy.berg@mail.se")
    eve = person("Eve")
    for segment in Segment.objects.all():
        segments.refresh(segment)
    mailchimp.forget_requests()
    shown = pushing.preview(audience)
    assert mailchimp.requests == []
    assert shown.counts == {"add": 1, "leave": 1, "move": 1, "change": 1, "tags": 1}
    assert (shown.takes, shown.allowance, shown.asks) == (1, 3, False)
    told = {row.supporter: row for row in shown.people}
    assert told[ann.pk].reason == "They withdrew their consent here."
    assert (told[bo.pk].what, told[bo.pk].tags, told[bo.pk].loses) == ("change", ("New",), ("Swedes",))
    assert (told[cy.pk].reason, told[cy.pk].tags) == ("Their address changed.", ("New",))
    assert (told[di.pk].tags, told[di.pk].loses) == (("New",), ())
    assert (told[eve.pk].what, told[eve.pk].tags) == ("add", ("New", "Swedes"))
    assert shown.people[0].supporter in (ann.pk, bo.pk)
    assert AudienceMember.objects.count() == 4


def test_a_preview_before_the_first_sync_says_who_would_go_there(mailchimp, audience):
    person("Ann")
    bo = person("Bo")
    segments.refresh(Segment.objects.get())
    consent.leave(bo, method=Consent.Method.LINK)
    shown = pushing.preview(audience)
    assert shown.counts == {"add": 1}
    assert shown.people[0].tags == ("Swedes",)
    assert mailchimp.requests == []
