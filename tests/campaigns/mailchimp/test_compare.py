"""The whole of an audience against what we believe it holds."""

from datetime import timedelta

import pytest
from django.utils import timezone

from campaigns.mailchimp import compare as comparing
from campaigns.mailchimp import pull as pulling
from campaigns.mailchimp import reading, sync
from campaigns.models import AudienceMember, SyncRun
from supporters import consent
from supporters.models import Consent
from tests.campaigns.mailchimp.people import person

pytestmark = pytest.mark.django_db


@pytest.fixture
def compare(mailchimp, audience):
    def do(seconds: float = 40) -> dict:
        stretches = 0
        while comparing.compare(audience.pk, seconds):
            stretches += 1
            assert stretches < 60
        run = audience.runs.filter(kind=SyncRun.Kind.COMPARE).latest("pk")
        assert run.state == SyncRun.State.DONE, run.error
        return run.counts

    return do


@pytest.fixture
def three(mailchimp, audience, push, pull, monkeypatch):
    """Three members, all read; what is as old as they are is not read again as if it were news."""
    people = [person(name) for name in ("Ann", "Bo", "Cy")]
    push()
    pull()
    monkeypatch.setattr(pulling, "OVERLAP", timedelta(0))
    mailchimp.forget_requests()
    return people


def differs(name: str) -> list[str]:
    return AudienceMember.objects.get(supporter__email=f"{name.lower()}@mail.se").differs


def quietly(mailchimp, email: str, **changes):
    """Something is otherwise there, and no time of change says so."""
    member = mailchimp.account.audiences[mailchimp.list_id].find(email)
    for name, value in changes.items():
        setattr(member, name, value)
    mailchimp.account.audiences[mailchimp.list_id].version += 1


def test_no_drift_is_the_normal_answer(mailchimp, three, compare):
    assert compare() == {"compared": 3, "drift": 0}
    assert mailchimp.writes() == []


def test_news_is_not_drift(mailchimp, audience, three, compare):
    mailchimp.skew(5)
    mailchimp.member_unsubscribes(audience.list_id, "ann@mail.se")
    mailchimp.member_changes_profile(audience.list_id, "bo@mail.se", LNAME="Berg")
    assert compare() == {"compared": 3, "drift": 0}
    assert consent.state_of(three[0]) == Consent.State.WITHDRAWN


def test_what_no_change_explains_is_counted_named_and_mended(mailchimp, audience, three, compare, push):
    quietly(mailchimp, "ann@mail.se", status="unsubscribed")
    quietly(mailchimp, "bo@mail.se", merge_fields={"FNAME": "Robert", "LNAME": "X", "COUNTRY": "SE"}, tags={})
    counts = compare()
    assert counts == {"compared": 3, "drift": 2, "status": 1, "fields": 1, "tags": 1}
    assert differs("Ann") == ["status"]
    assert differs("Bo") == ["fields", "FNAME", "LNAME", "tags"]
    assert differs("Cy") == []
    assert consent.state_of(three[0]) == Consent.State.WITHDRAWN
    three[1].refresh_from_db()
    assert three[1].first_name == "Robert"
    push()
    assert mailchimp.tags("bo@mail.se") == {"Swedes"}
    assert compare()["drift"] == 0
    assert differs("Bo") == []


def test_who_was_deleted_there_is_found_and_left_alone(mailchimp, audience, three, compare, push):
    mailchimp.staff_delete(audience.list_id, "ann@mail.se")
    assert compare() == {"compared": 3, "drift": 1, "missing_there": 1}
    assert AudienceMember.objects.get(supporter=three[0]).status == "forgotten"
    assert consent.state_of(three[0]) == Consent.State.GRANTED
    push()
    assert mailchimp.writes() == []
    assert compare()["drift"] == 0


def test_who_was_never_heard_of_is_missing_here(mailchimp, audience, three, compare):
    AudienceMember.objects.filter(supporter=three[0]).delete()
    assert compare() == {"compared": 3, "drift": 1, "missing_here": 1}
    assert AudienceMember.objects.get(supporter=three[0]).status == "subscribed"


def test_a_comparison_cut_short_after_every_call_counts_nobody_twice(
    mailchimp, audience, three, compare, monkeypatch
):
    monkeypatch.setattr(reading, "PAGE", 2)
    quietly(mailchimp, "ann@mail.se", status="cleaned")
    mailchimp.staff_delete(audience.list_id, "bo@mail.se")
    assert compare(seconds=0) == {"compared": 3, "drift": 2, "status": 1, "missing_there": 1}


def test_each_audience_is_compared_once_a_week(mailchimp, audience, three, compare, broker):
    assert sync.compare_due() == {"audiences": 1}
    compare()
    assert sync.compare_due() == {"audiences": 0}
    SyncRun.objects.update(started_at=timezone.now() - timedelta(days=6, hours=23))
    assert sync.compare_due() == {"audiences": 0}
    SyncRun.objects.update(state="failed")
    assert sync.compare_due() == {"audiences": 1}
    SyncRun.objects.update(state="done", started_at=timezone.now() - timedelta(days=7, hours=1))
    assert sync.compare_due() == {"audiences": 1}
