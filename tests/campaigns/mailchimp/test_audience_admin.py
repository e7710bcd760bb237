import pytest
from django.urls import reverse

from campaigns.models import Audience, AudienceMember, SyncRun
from tests.factories import make_supporter

pytestmark = pytest.mark.django_db


def form(segment, **fields):
    inlines = {
        **{"links-TOTAL_FORMS": 1, "links-INITIAL_FORMS": 0, "links-MIN_NUM_FORMS": 0, "links-MAX_NUM_FORMS": 100},
        **{"runs-TOTAL_FORMS": 0, "runs-INITIAL_FORMS": 0, "runs-MIN_NUM_FORMS": 0, "runs-MAX_NUM_FORMS": 0},
    }
    return {
        "name": "Ours",
        "most_taken": 10,
        "fields_there": ["first_name", "city"],
        "links-0-segment": segment.pk,
        **inlines,
        **fields,
    }


def test_an_audience_is_chosen_from_what_the_key_opens(staff_client, mailchimp, swedes):
    page = staff_client.get(reverse("admin:campaigns_audience_add")).content.decode()
    assert f'value="{mailchimp.list_id}"' in page
    staff_client.post(reverse("admin:campaigns_audience_add"), form(swedes, list_id=mailchimp.list_id))
    audience = Audience.objects.get()
    assert audience.merge_fields == {"FNAME": "first_name", "CITY": "city"}
    assert audience.links.get().segment == swedes


def test_a_wrong_key_is_said_where_the_audience_is_chosen(staff_client, mailchimp, swedes, audience):
    mailchimp.api_key = "another-us1"
    page = staff_client.get(reverse("admin:campaigns_audience_add"))
    assert page.status_code == 200
    assert "does not accept the API key" in page.content.decode()
    assert (
        "does not accept the API key"
        in staff_client.get(reverse("admin:campaigns_audience_change", args=[audience.pk])).content.decode()
    )


def test_staff_see_runs_and_who_was_refused_and_why(staff_client, audience, mailchimp):
    SyncRun.objects.create(audience=audience, kind="push", state="done", counts={"added": 3, "refused": 1})
    AudienceMember.objects.create(
        audience=audience, supporter=make_supporter(), subscriber_hash="0" * 32, refusal="looks fake"
    )
    page = staff_client.get(reverse("admin:campaigns_audience_change", args=[audience.pk])).content.decode()
    assert "3 new, 1 refused" in page
    refused = staff_client.get(
        reverse("admin:campaigns_audiencemember_changelist"), {"refused": "yes"}
    ).content.decode()
    assert "looks fake" in refused


def test_a_sync_is_asked_for_paused_and_resumed(staff_client, audience, mailchimp, broker):
    sync_now, pause, resume = (
        reverse(f"admin:campaigns_audience_{name}", args=[audience.pk]) for name in ("sync_now", "pause", "resume")
    )
    assert staff_client.get(sync_now).status_code == 200
    audience.refresh_from_db()
    assert audience.sync_requested_at is None
    staff_client.post(sync_now)
    audience.refresh_from_db()
    assert audience.sync_requested_at is not None
    assert broker.llen("sync") == 2
    staff_client.post(pause)
    assert Audience.objects.get().paused
    staff_client.post(resume)
    assert not Audience.objects.get().paused
