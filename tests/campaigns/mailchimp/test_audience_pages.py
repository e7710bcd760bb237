"""The page of an audience: how it goes, what a sync would do, and what waits for a person."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse
from django.utils import timezone

from campaigns import segments
from campaigns.mailchimp import circuit, plan
from campaigns.mailchimp.push import push
from campaigns.mailchimp.sync import push_due
from campaigns.models import AudienceMember, Segment, SyncRun
from campaigns.tasks import preview_audience
from tests.campaigns.mailchimp.test_push import many
from tests.factories import make_supporter

pytestmark = pytest.mark.django_db


@pytest.fixture
def urls(audience):
    return {name: reverse(f"admin:campaigns_audience_{name}", args=[audience.pk]) for name in ("change", "dry_run")}


def page(client, url):
    return client.get(url).content.decode()


def refresh():
    for segment in Segment.objects.all():
        segments.refresh(segment)


def test_a_dry_run_says_what_would_happen_to_whom_and_why_and_does_nothing(mailchimp, audience, staff_client, urls):
    make_supporter(first_name="Ann", last_name="Ek", email="ann@mail.se", country="SE", consent=True)
    refresh()
    shown = page(staff_client, urls["dry_run"])
    assert "<strong>1</strong> Added" in shown
    assert "Ann Ek" in shown
    assert "They are in a segment of this audience." in shown
    assert "+ Swedes" in shown
    assert mailchimp.writes() == []
    assert AudienceMember.objects.count() == 0
    push(audience.pk)
    assert "Nothing: Mailchimp has what it should" in page(staff_client, urls["dry_run"])


def test_a_large_dry_run_is_worked_out_by_a_worker_and_shown_with_its_time(
    mailchimp, audience, staff_client, urls, broker, monkeypatch
):
    monkeypatch.setattr(plan, "FEW", 1)
    many(2)
    refresh()
    monkeypatch.setattr(plan.difference, "compare", None)  # no page may wait for it
    assert "have it worked out first" in page(staff_client, urls["dry_run"])
    answer = staff_client.post(urls["dry_run"], {"again": "1"})
    assert answer.url == urls["dry_run"]
    assert "A worker is at it" in page(staff_client, urls["dry_run"])
    monkeypatch.undo()
    monkeypatch.setattr(plan, "FEW", 1)
    plan.keep(audience.pk)
    shown = page(staff_client, urls["dry_run"])
    assert "As it was found on" in shown
    assert "<strong>2</strong> Added" in shown
    assert "They are in a segment of this audience." in shown
    audience.refresh_from_db()
    assert audience.preview_requested_at is None
    assert "@" not in str(audience.preview)  # people by their numbers only
    assert mailchimp.writes() == []


def test_a_dry_run_whose_message_got_lost_is_handed_out_again(mailchimp, audience, broker, monkeypatch):
    plan.request(audience)
    handed = []
    monkeypatch.setattr(preview_audience, "delay", handed.append)
    push_due()
    assert handed == [audience.pk]


def test_a_run_that_asks_is_looked_at_and_let(mailchimp, audience, swedes, staff_client, urls, broker):
    many(120)
    refresh()
    push(audience.pk)
    swedes.rules = {"rules": [{"field": "country", "op": "in", "value": ["DK"]}]}
    swedes.save()
    refresh()
    push(audience.pk)
    run = audience.runs.get(state="held")
    assert run.takes == 120
    shown = page(staff_client, urls["change"])
    assert "Asks first" in shown
    assert "It would take 120 members away" in shown
    shown = page(staff_client, urls["dry_run"])
    assert "Let it take 120 away" in shown
    assert "And 20 others." in shown
    staff_client.post(urls["dry_run"], {"takes": "119"})
    run.refresh_from_db()
    assert run.state == "held"
    staff_client.post(urls["dry_run"], {"takes": "120"})
    run.refresh_from_db()
    assert (run.state, run.approved) == ("running", 120)
    assert broker.llen("sync") == 1
    push(audience.pk)
    run.refresh_from_db()
    assert (run.state, run.counts) == ("done", {"untagged": 120})


def test_who_may_only_look_sees_no_button_and_no_names_and_can_let_nothing(
    mailchimp, audience, client, urls, django_user_model
):
    viewer = django_user_model.objects.create_user("viv", is_staff=True)
    viewer.groups.add(Group.objects.get(name="Viewer"))
    client.force_login(viewer)
    run = SyncRun.objects.create(audience=audience, kind="push", state="held", takes=60, error="It would take 60.")
    assert "Let it take" not in page(client, urls["dry_run"])
    assert client.post(urls["dry_run"], {"takes": "60"}).status_code == 403
    run.refresh_from_db()
    assert run.state == "held"


def test_the_page_tells_how_it_goes(mailchimp, audience, staff_client, urls):
    at = timezone.now() - timedelta(hours=2)
    SyncRun.objects.create(audience=audience, kind="pull", state="done", counts={"read": 7}, finished_at=at)
    SyncRun.objects.create(
        audience=audience, kind="compare", state="done", counts={"compared": 9, "drift": 2}, finished_at=at
    )
    SyncRun.objects.create(audience=audience, kind="push", state="failed", error="No such audience.", finished_at=at)
    AudienceMember.objects.create(audience=audience, subscriber_hash="0" * 32, refusal="looks fake")
    shown = page(staff_client, urls["change"])
    assert "Connected as <strong>RealStars</strong>" in shown
    assert "7 read" in shown
    assert "9 compared, 2 differ" in shown
    assert "No such audience." in shown
    assert "It could not be brought up to date since" in shown
    assert f"?audience={audience.pk}&amp;refused=yes" in shown
    assert f"?audience={audience.pk}&amp;differs=yes" in shown


def test_the_page_takes_the_same_statements_for_one_member_and_for_many(
    mailchimp, audience, staff_client, urls, django_assert_num_queries
):
    counted = []
    for number in (1, 3):
        for n in range(number):
            AudienceMember.objects.create(audience=audience, subscriber_hash=f"{number}{n:031x}", refusal="no")
        staff_client.get(urls["change"])
        with django_assert_num_queries(99, exact=False) as queries:
            staff_client.get(urls["change"])
        counted.append(len(queries))
    assert counted[0] == counted[1]


def test_that_mailchimp_is_left_alone_for_a_while_is_said(mailchimp, audience, staff_client, urls):
    assert "left alone for a while" not in page(staff_client, urls["change"])
    for _failure in range(circuit.FAILURES):
        circuit.failed()
    assert "left alone for a while" in page(staff_client, urls["change"])
