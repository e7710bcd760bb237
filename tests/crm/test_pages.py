from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone

from campaigns.models import Segment
from crm import dashboard, jobs, timeline
from crm.models import Job
from supporters.giving import refund
from supporters.models import ImportRun
from tests.factories import make_donation, make_petition, make_signature, make_supporter

pytestmark = pytest.mark.django_db


def test_the_overview_shows_figures_and_a_chart(staff_client, broker):
    cache.clear()
    make_supporter(consent=True)
    make_donation(make_supporter(), amount=Decimal("250.00"), received_on=timezone.localdate())
    make_signature(state="validated", validated_at=timezone.now())
    context = staff_client.get(reverse("admin:index")).context
    assert [tile["value"] for tile in context["tiles"]] == ["3", "1", "1", "250 SEK"]
    assert [bar["height"] for bar in context["chart"]["bars"]] == [0.0] * 12 + [100.0]


def test_the_timeline_tells_everything_newest_first():
    who = make_supporter(consent=True)
    donation = make_donation(who, amount=Decimal("100.00"), received_on=timezone.localdate() - timedelta(days=9))
    refund(donation, Decimal("40.00"), timezone.localdate() - timedelta(days=5))
    make_signature(make_petition(title="A law"), who, created_at=timezone.now() - timedelta(days=7))
    events, more = timeline.events(who)
    assert [event.kind for event in events] == ["consent", "refund", "signature", "donation"]
    assert [event.text for event in events] == [
        "News and appeals by email: Granted",
        "Refund of 40.00 SEK",
        "Signed “A law”: Pending",
        "Donation of 100.00 SEK: Received",
    ]
    assert not more


def test_background_work_says_what_was_not_done_and_why(staff_client, broker):
    jobs.take_due()
    Job.objects.filter(name="segments").update(failed_at=timezone.now(), error="The disk is full.")
    Job.objects.filter(name="imports").update(queued_at=timezone.now() - timedelta(minutes=9))
    Job.objects.filter(name="figures").update(started_at=timezone.now() - timedelta(minutes=11))
    ImportRun.objects.create(kind="supporters", file_name="people.csv", state="queued", rows=10)
    Segment.objects.create(name="Broken", error="The petition it names has been deleted.")
    answer = staff_client.get(reverse("crm:background"), {"part": 1})
    assert {line.name: line.state for line in answer.context["jobs"] if line.state == "late"}.keys() == {
        "imports",
        "figures",
    }
    text = answer.content.decode()
    for expected in (
        "The disk is full.",
        "Not heard of",
        "Import: people.csv",
        "0 of 10 rows",
        "Segment: Broken",
        "An import: for",
    ):
        assert expected in text


def test_a_job_is_run_by_hand(staff_client, broker):
    address = reverse("crm:run_now", args=["segments"])
    assert staff_client.get(address).status_code == 405
    assert staff_client.post(address).status_code == 302
    assert broker.llen("default") == 1
    assert staff_client.post(reverse("crm:run_now", args=["nothing"])).status_code == 404


def test_whoever_types_the_bare_address_comes_to_the_staff_site(client):
    assert client.get("/")["Location"] == reverse("admin:index")


def test_the_overview_does_not_wait_for_its_figures(staff_client, broker, monkeypatch):
    cache.clear()
    monkeypatch.setattr(dashboard, "PATIENCE", 1)
    monkeypatch.setattr(dashboard, "_MONTHS", "SELECT pg_sleep(3600), %s")
    page = staff_client.get(reverse("admin:index"))
    assert page.context["tiles"] == []
    assert "The figures are being added up" in page.content.decode()
