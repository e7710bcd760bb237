import pytest
from django.urls import reverse

from campaigns.models import Audience, AudienceMember, SyncRun
from tests.factories import make_donation, make_supporter

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


def test_more_fields_than_mailchimp_allows_are_refused_where_they_are_chosen(
    staff_client, mailchimp, swedes, audience
):
    there = mailchimp.account.audiences[audience.list_id]
    for number in range(30 - len(there.merge_fields)):
        body = {"name": f"F{number}", "tag": f"F{number}", "type": "text"}
        mailchimp.answer("POST", f"/lists/{audience.list_id}/merge-fields", {}, body)
    address = reverse("admin:campaigns_audience_change", args=[audience.pk])
    inlines = {"links-INITIAL_FORMS": 1, "links-0-id": audience.links.get().pk, "links-0-audience": audience.pk}
    sent = form(swedes, list_id=audience.list_id, **inlines)
    page = staff_client.post(address, {**sent, "fields_there": ["first_name", "city", "phone"]}).content.decode()
    assert "allows 30 fields" in page
    assert "has 30 there, and 2 of these are new" in page
    assert Audience.objects.get().merge_fields == {}
    staff_client.post(address, {**sent, "fields_there": ["first_name", "last_name"]})
    assert Audience.objects.get().merge_fields == {"FNAME": "first_name", "LNAME": "last_name"}


def test_what_people_gave_is_offered_in_the_currencies_on_file(staff_client, mailchimp, swedes, audience):
    make_donation(currency="EUR")
    page = staff_client.get(reverse("admin:campaigns_audience_change", args=[audience.pk])).content.decode()
    assert "Given in all, in EUR" in page
    assert "in SEK" not in page


def test_permissions_there_are_chosen_for_our_purposes(staff_client, mailchimp, swedes, audience):
    there = mailchimp.account.audiences[audience.list_id]
    there.interests, there.permissions = ["int1"], {"perm1": "You may call me"}
    mailchimp.staff_add(audience.list_id, "ann@mail.se")
    address = reverse("admin:campaigns_audience_change", args=[audience.pk])
    assert "Permission: You may call me" in staff_client.get(address).content.decode()
    inlines = {"links-INITIAL_FORMS": 1, "links-0-id": audience.links.get().pk, "links-0-audience": audience.pk}
    sent = form(swedes, list_id=audience.list_id, **inlines)
    staff_client.post(address, {**sent, "group_phone": "p:perm1", "group_post": "i:int1"})
    assert Audience.objects.get().groups == {"p:perm1": "phone", "i:int1": "post"}
    staff_client.post(address, {**sent, "group_phone": "p:nothing"})
    assert Audience.objects.get().groups == {"p:perm1": "phone", "i:int1": "post"}


def test_a_members_page_says_what_was_decided_and_what_differed(staff_client, audience, mailchimp):
    member = AudienceMember.objects.create(
        audience=audience,
        supporter=make_supporter(),
        subscriber_hash="0" * 32,
        note="Ours stands.",
        differs=["status", "fields", "LNAME"],
    )
    page = staff_client.get(reverse("admin:campaigns_audiencemember_change", args=[member.pk])).content.decode()
    assert "Ours stands." in page
    assert "status, fields, LNAME" in page
    assert member.subscriber_hash not in page
