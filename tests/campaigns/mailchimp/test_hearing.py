import hashlib
import hmac
import time
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
from django.urls import reverse

from campaigns.mailchimp import reading, webhooks
from campaigns.mailchimp.pull import pull as read_changes
from campaigns.models import Audience, AudienceMember, SyncRun, WebhookEvent
from supporters import consent
from supporters.models import Consent, Purpose, Supporter, Suppression
from tests.campaigns.mailchimp.people import person
from tests.factories import make_supporter

pytestmark = pytest.mark.django_db


def test_a_hook_is_made_with_its_sources_said_and_mended_when_changed(mailchimp, audience, pull):
    pull()
    audience.refresh_from_db()
    (hook,) = mailchimp.account.audiences[audience.list_id].webhooks.values()
    assert hook.sources == {"user": True, "admin": True, "api": False}
    assert audience.webhook_secret == hook.secret
    hook.sources["api"] = True
    pull()
    assert hook.sources["api"] is False
    mailchimp.account.audiences[audience.list_id].webhooks.clear()
    pull()
    assert len(mailchimp.account.audiences[audience.list_id].webhooks) == 1


def test_a_hook_whose_secret_got_lost_is_made_anew(mailchimp, audience, pull):
    mailchimp.drop(times=1, applied=True, method="POST", path="webhooks")
    read_changes(audience.pk)
    pull()
    audience.refresh_from_db()
    (hook,) = mailchimp.account.audiences[audience.list_id].webhooks.values()
    assert (audience.webhook_id, audience.webhook_secret) == (hook.id, hook.secret)


def test_leaving_and_then_changing_the_address_is_both_heard(mailchimp, audience, push, deliver):
    ann = person("Ann")
    push()
    mailchimp.member_unsubscribes(audience.list_id, "ann@mail.se")
    mailchimp.member_changes_address(audience.list_id, "ann@mail.se", "ann.new@mail.se")
    deliver()
    ann.refresh_from_db()
    assert ann.email == "ann.new@mail.se"
    assert consent.state_of(ann) == Consent.State.WITHDRAWN
    assert not Supporter.objects.contactable().exists()


def test_another_address_has_other_marks(mailchimp, audience, push, deliver):
    person("Ann", marks=["role", "phone"])
    push()
    mailchimp.member_changes_address(audience.list_id, "ann@mail.se", "ann@mailinator.com")
    deliver()
    assert Supporter.objects.values_list("email", "marks").get() == ("ann@mailinator.com", ["disposable", "phone"])


def test_who_unsubscribes_there_has_left_here(mailchimp, audience, push, deliver):
    ann = person("Ann")
    push()
    mailchimp.member_unsubscribes(audience.list_id, "ann@mail.se")
    assert deliver() == [200]
    assert consent.state_of(ann) == Consent.State.WITHDRAWN
    assert Suppression.objects.get().reason == Suppression.Reason.LEFT
    assert ann.consents.get(state="withdrawn").method == Consent.Method.MAILCHIMP
    push()
    assert mailchimp.writes() == []


def test_a_bounce_there_suppresses_here(mailchimp, audience, push, deliver):
    ann = person("Ann")
    push()
    mailchimp.member_cleaned(audience.list_id, "ann@mail.se")
    deliver()
    assert Suppression.objects.get().reason == Suppression.Reason.HARD_BOUNCE
    assert consent.state_of(ann) == Consent.State.WITHDRAWN


def test_a_changed_address_there_changes_here(mailchimp, audience, push, deliver):
    ann = person("Ann")
    push()
    mailchimp.member_changes_address(audience.list_id, "ann@mail.se", "ann.berg@mail.se")
    deliver()
    ann.refresh_from_db()
    assert ann.email == "ann.berg@mail.se"
    push()
    assert list(mailchimp.members()) == ["ann.berg@mail.se"]


def test_an_address_that_somebody_else_has_is_left_for_staff(mailchimp, audience, push, deliver):
    ann = person("Ann")
    push()
    make_supporter(email="taken@mail.se")
    mailchimp.member_changes_address(audience.list_id, "ann@mail.se", "taken@mail.se")
    deliver()
    ann.refresh_from_db()
    assert ann.email == "ann@mail.se"
    assert "belongs to somebody else" in AudienceMember.objects.get(supporter=ann).refusal


def test_an_event_told_twice_or_late_changes_nothing_more(mailchimp, audience, push, deliver, client):
    ann = person("Ann")
    push()
    mailchimp.member_unsubscribes(audience.list_id, "ann@mail.se")
    deliver()
    consent.grant(ann, Purpose.EMAIL, wording="Yes.", method=Consent.Method.CONFIRMED)
    for delivery in mailchimp.deliveries:
        delivery.brought = False
    assert deliver() == [200]
    assert WebhookEvent.objects.count() == 1
    assert consent.state_of(ann) == Consent.State.GRANTED


def sign(audience: Audience, body: bytes, at: float | None = None) -> str:
    stamp = int(at or time.time())
    digest = hmac.new(audience.webhook_secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={stamp},v1={digest}"


def test_what_is_not_genuine_gets_403_and_is_not_read(client, audience, deliver):
    address = reverse("campaigns:mailchimp_webhook", args=[audience.webhook_token])
    body = urlencode({"type": "unsubscribe", "data[email]": "ann@mail.se"}).encode()

    def post(signature: str, path: str = address) -> int:
        return client.post(
            path, body, content_type="application/x-www-form-urlencoded", headers={"X-Mailchimp-Signature": signature}
        ).status_code

    good = sign(audience, body)
    assert post(good) == 200
    for bad in (
        "",
        "t=1,v1=x",
        good + "0",
        sign(audience, body + b"x"),
        sign(audience, body, time.time() - 301),
        "t=٣,v1=é",
        "nonsense",
    ):
        assert post(bad) == 403, bad
    assert post(good, reverse("campaigns:mailchimp_webhook", args=["wrong"])) == 403
    assert WebhookEvent.objects.count() == 1
    assert client.get(address).status_code == 200
    assert client.get(reverse("campaigns:mailchimp_webhook", args=["wrong"])).status_code == 403


@pytest.mark.parametrize(
    "fields",
    [{"type": "campaign"}, {"type": "x" * 99}, {}, {"type": "upemail"}, {"type": "unsubscribe", "data[email]": "no"}],
)
def test_unknown_and_broken_events_are_kept_and_harm_nothing(client, audience, deliver, fields):
    body = urlencode({**fields, "data[x\x00]": "a\x00b"}).encode()
    address = reverse("campaigns:mailchimp_webhook", args=[audience.webhook_token])
    headers = {"X-Mailchimp-Signature": sign(audience, body)}
    assert (
        client.post(address, body, content_type="application/x-www-form-urlencoded", headers=headers).status_code
        == 200
    )
    webhooks.apply_owed()
    assert WebhookEvent.objects.get().applied_at is not None


def test_the_nightly_read_mends_what_no_webhook_told(mailchimp, audience, push, pull):
    ann, bo = person("Ann"), person("Bo")
    push()
    mailchimp.member_unsubscribes(audience.list_id, "ann@mail.se")
    run = pull()
    assert run.counts["left"] == 1
    assert consent.state_of(ann) == Consent.State.WITHDRAWN
    assert consent.state_of(bo) == Consent.State.GRANTED
    audience.refresh_from_db()
    assert audience.changed_since <= datetime.now(UTC)
    assert "left" not in pull().counts


def test_the_nightly_read_goes_through_every_page(mailchimp, audience, pull, monkeypatch):
    monkeypatch.setattr(reading, "PAGE", 3)
    for number in range(8):
        mailchimp.answer(
            "POST",
            f"/lists/{audience.list_id}",
            {},
            {"members": [{"email_address": f"s{number}@mail.se", "status": "subscribed"}]},
        )
    run = pull()
    assert AudienceMember.objects.filter(supporter=None, ours=False).count() == 8
    assert run.counts["strangers"] >= 8


def test_somebody_others_added_who_left_there_has_left_here(mailchimp, audience, pull):
    ann = person("Ann")
    mailchimp.answer(
        "POST",
        f"/lists/{audience.list_id}",
        {},
        {"members": [{"email_address": "ann@mail.se", "status": "unsubscribed"}]},
    )
    pull()
    assert consent.state_of(ann) == Consent.State.WITHDRAWN


def post(client, audience: Audience, fields: dict, path: str = "") -> int:
    body = urlencode(fields).encode()
    path = path or reverse("campaigns:mailchimp_webhook", args=[audience.webhook_token])
    headers = {"X-Mailchimp-Signature": sign(audience, body)}
    kind = "application/x-www-form-urlencoded"
    return client.post(path, body, content_type=kind, headers=headers).status_code


def test_a_message_is_taken_in_with_two_statements_whatever_it_holds(
    client, audience, deliver, django_assert_num_queries
):
    for fields in (1, 150):
        told = {"type": "profile", **{f"data[merges][F{n}]": "x" for n in range(fields)}}
        with django_assert_num_queries(2):
            assert post(client, audience, told) == 200
    assert WebhookEvent.objects.filter(applied_at=None).count() == 2
    assert WebhookEvent.objects.latest("pk").data["merges.F149"] == "x"


def test_what_is_too_long_is_not_read_and_no_method_switches_the_hook_off(client, audience, deliver):
    path = reverse("campaigns:mailchimp_webhook", args=[audience.webhook_token])
    assert post(client, audience, {"type": "profile", "data[x]": "x" * 100_000}) == 403
    assert client.put(path).status_code == 405
    assert client.get(path).status_code == client.head(path).status_code == 200
    assert WebhookEvent.objects.count() == 0


def test_a_hook_from_before_mailchimp_signed_has_the_secret_of_its_address(client, audience, deliver, settings):
    audience.webhook_secret = settings.MAILCHIMP_WEBHOOK_SECRET = ""
    audience.save()
    path = reverse("campaigns:mailchimp_webhook", args=[audience.webhook_token])
    kind = "application/x-www-form-urlencoded"
    assert client.post(path, b"type=profile", content_type=kind).status_code == 200
    assert client.post(path[:-2] + "x/", b"type=profile", content_type=kind).status_code == 403
    assert WebhookEvent.objects.count() == 1


def test_a_changed_profile_is_told_read_and_taken_over(mailchimp, audience, push, deliver):
    ann = person("Ann")
    push()
    deliver()
    mailchimp.member_changes_profile(audience.list_id, "ann@mail.se", LNAME="Berg")
    assert deliver() == [200]
    ann.refresh_from_db()
    assert ann.last_name == "Berg"
    audience.refresh_from_db()
    assert audience.pull_requested_at is None


def test_what_there_is_to_read_is_read_once_mailchimp_answers_again(mailchimp, audience, push, deliver):
    ann = person("Ann")
    push()
    deliver()
    mailchimp.member_changes_profile(audience.list_id, "ann@mail.se", LNAME="Berg")
    mailchimp.fail(times=None, status=503, body="empty")
    deliver()
    asked = mailchimp.count
    webhooks.apply_owed()
    assert mailchimp.count == asked  # not again each minute
    mailchimp.calm()
    SyncRun.objects.filter(state=SyncRun.State.FAILED).update(started_at=datetime(2026, 1, 1, tzinfo=UTC))
    webhooks.apply_owed()
    ann.refresh_from_db()
    assert ann.last_name == "Berg"


@pytest.mark.parametrize(("act", "status"), [("staff_archive", "archived"), ("staff_delete", "forgotten")])
def test_who_is_taken_away_by_staff_there_has_not_left(mailchimp, audience, push, deliver, act, status):
    ann = person("Ann")
    push()
    getattr(mailchimp, act)(audience.list_id, "ann@mail.se")
    deliver()
    assert AudienceMember.objects.get(supporter=ann).status == status
    assert consent.state_of(ann) == Consent.State.GRANTED
    push()
    assert mailchimp.writes() == []


def test_reporting_spam_there_is_a_complaint_here(mailchimp, audience, push, deliver):
    ann = person("Ann")
    push()
    mailchimp.member_unsubscribes(audience.list_id, "ann@mail.se", reason="abuse")
    deliver()
    assert Suppression.objects.get().reason == Suppression.Reason.COMPLAINT
    assert ann.consents.get(state="withdrawn").method == Consent.Method.COMPLAINT


def test_an_old_leaving_told_late_does_not_undo_coming_back(mailchimp, audience, push, pull, deliver):
    ann = person("Ann")
    push()
    mailchimp.member_unsubscribes(audience.list_id, "ann@mail.se")
    pull()
    mailchimp.skew(3)
    mailchimp.member_subscribes(audience.list_id, "ann@mail.se")
    pull()
    assert consent.state_of(ann) == Consent.State.GRANTED
    deliver()
    assert consent.state_of(ann) == Consent.State.GRANTED


def test_what_is_heard_is_forgotten_with_the_person(mailchimp, audience, push, pull, deliver, staff):
    from crm.erasure import erase

    ann = person("Ann")
    push()
    mailchimp.member_changes_profile(audience.list_id, "ann@mail.se", LNAME="Berg")
    deliver()
    erase(ann, by=staff)
    held = AudienceMember.objects.get()
    assert (held.agreed, held.note, held.differs, held.permissions, held.supporter) == (None, "", [], None, None)
    assert WebhookEvent.objects.count() == 0
    pull()
    held.refresh_from_db()
    assert (held.agreed, held.to_delete) == (None, True)
