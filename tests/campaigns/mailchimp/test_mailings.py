"""Appeals that go out through Mailchimp."""

import random
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from campaigns import appeals, segments
from campaigns.appeals import launching, ledger, schedule, turns
from campaigns.appeals.launching import launch
from campaigns.mail.pacing import control
from campaigns.mailchimp import client
from campaigns.mailchimp.mailing import recipients, sending
from campaigns.mailchimp.mailing.hours import quarter
from campaigns.mailchimp.push import push as push_once
from campaigns.models import Appeal, Audience, Mailing, Turn
from campaigns.tasks import launch_appeal, work_on_mailings
from supporters import consent
from supporters.models import Consent, Supporter
from tests.campaigns.conftest import make_appeal
from tests.campaigns.test_appeals_admin import NO_VARIANTS
from tests.factories import make_supporter

pytestmark = pytest.mark.django_db
EVERYBODY = ["ann@mail.se", "bo@mail.se", "cid@mail.se"]


def person(name, language="sv"):
    return make_supporter(
        first_name=name, email=f"{name.lower()}@mail.se", country="SE", language=language, consent=True
    )


@pytest.fixture
def appeal(audience, swedes):
    """In Swedish and English, to the Swedes."""
    return make_appeal(segment=swedes, languages=("en", "sv"), channel="mailchimp", audience=audience)


@pytest.fixture
def people(appeal):
    return [person("Ann"), person("Bo"), person("Cid", "de")]


def go(appeal, at=None):
    """Due now, or at an hour, and launched."""
    at = at or timezone.now()
    Appeal.objects.filter(pk=appeal.pk).update(state="scheduled", scheduled_at=at, send_anyway=True)
    assert launch(appeal.pk)


def push(audience):
    while push_once(audience.pk):
        pass


def work(appeal, times=1):
    for _time in range(times):
        while sending.work(appeal.pk):
            pass
    appeal.refresh_from_db()


def states(appeal):
    return dict(appeal.mailings.values_list("language", "state"))


def deliveries(appeal):
    return {d.supporter.email: d.state for d in appeal.deliveries.select_related("supporter")}


def sent_there(mailchimp):
    """Whom each sent campaign went to, by subject; nobody twice."""
    return {
        c.settings["subject_line"]: sorted(row["email"] for row in c.sent_to.values())
        for c in mailchimp.account.campaigns.values()
        if c.status in {"sent", "sending", "canceled"}
    }


def got(mailchimp):
    """Everybody who got one, once for each."""
    return sorted(
        email for c in mailchimp.account.campaigns.values() for row in c.sent_to.values() for email in [row["email"]]
    )


def ready(appeal, audience):
    segments.refresh(appeal.segment)
    push(audience)


def test_everybody_gets_it_once_in_their_language(mailchimp, appeal, people, audience):
    appeal.texts.filter(language="sv").update(subject="Hej {{ first_name or 'vän' }}")
    ready(appeal, audience)
    go(appeal)
    work(appeal)
    assert appeal.state == "sent"
    assert sent_there(mailchimp) == {
        "Hej *|IF:FNAME|**|FNAME|**|ELSE:|*vän*|END:IF|*": ["ann@mail.se", "bo@mail.se"],
        "Hello *|FNAME|*": ["cid@mail.se"],
    }
    assert deliveries(appeal) == dict.fromkeys(EVERYBODY, "sent")
    assert states(appeal) == {"en": "sent", "sv": "sent"}
    work(appeal, 3)
    assert len(mailchimp.calls("POST", r"/actions/send$")) == 2


def test_who_is_not_in_the_audience_yet_is_waited_for(mailchimp, appeal, people, audience):
    go(appeal)
    work(appeal)
    assert (appeal.state, states(appeal)) == ("sending", {"en": "planned", "sv": "planned"})
    assert appeal.trouble == "3 people are on their way into the audience."
    audience.refresh_from_db()
    assert audience.sync_requested_at is not None
    assert sent_there(mailchimp) == {}
    push(audience)
    work(appeal)
    assert (appeal.state, appeal.trouble) == ("sent", "")
    assert set(deliveries(appeal).values()) == {"sent"}


def test_whom_mailchimp_refuses_is_skipped_with_the_reason(mailchimp, appeal, people, audience):
    mailchimp.account.fake_domains = {"fake.se"}
    make_supporter(email="dan@fake.se", country="SE", language="sv", consent=True)
    go(appeal)
    push(audience)
    work(appeal)
    assert deliveries(appeal)["dan@fake.se"] == "skipped"
    assert "fake" in appeal.deliveries.get(state="skipped").reason
    assert appeal.state == "sent"


def test_who_leaves_before_the_send_does_not_get_it(mailchimp, appeal, people, audience):
    ready(appeal, audience)
    go(appeal, quarter(timezone.now() + timedelta(minutes=20)))
    work(appeal)
    assert states(appeal) == {"en": "scheduled", "sv": "scheduled"}
    consent.leave(people[0], method=Consent.Method.LINK)
    work(appeal)
    assert deliveries(appeal)["ann@mail.se"] == "skipped"
    mailchimp.skew(3600)
    Appeal.objects.update(scheduled_at=timezone.now())
    work(appeal)
    assert appeal.state == "sent"
    assert got(mailchimp) == ["bo@mail.se", "cid@mail.se"]


def test_it_is_scheduled_at_a_quarter_of_an_hour(mailchimp, appeal, people, audience):
    ready(appeal, audience)
    local = (timezone.now() + timedelta(days=1)).replace(hour=10, minute=7, second=0, microsecond=0)
    set_at = schedule.schedule(appeal, local.replace(tzinfo=None), "UTC", send_anyway=True)
    assert (set_at.hour, set_at.minute) == (10, 15)
    assert launching.tick(hand_out=False)["launched"] == 0
    Appeal.objects.update(scheduled_at=quarter(timezone.now() + timedelta(minutes=30)))
    assert launching.tick(hand_out=False)["launched"] == 1
    work(appeal)
    appeal.refresh_from_db()
    asked = [request.body["schedule_time"] for request in mailchimp.calls("POST", r"/actions/schedule$")]
    assert asked == [appeal.scheduled_at.isoformat()] * 2
    assert {c.status for c in mailchimp.account.campaigns.values()} == {"schedule"}
    assert set(deliveries(appeal).values()) == {"queued"}


def test_it_is_paused_changed_resumed_and_sent(mailchimp, appeal, people, audience):
    ready(appeal, audience)
    go(appeal, quarter(timezone.now() + timedelta(minutes=20)))
    work(appeal)
    schedule.pause(appeal)
    assert sending.owed() == [appeal.pk]
    work(appeal)
    assert states(appeal) == {"en": "made", "sv": "made"}
    assert {c.status for c in mailchimp.account.campaigns.values()} == {"save"}
    assert sending.owed() == []
    appeal.texts.filter(language="sv").update(subject="Nytt")
    schedule.resume(appeal)
    Appeal.objects.update(scheduled_at=timezone.now())
    work(appeal)
    assert appeal.state == "sent"
    assert sent_there(mailchimp)["Nytt"] == ["ann@mail.se", "bo@mail.se"]


def test_a_cancelled_appeal_is_taken_back_and_its_drafts_are_deleted(mailchimp, appeal, people, audience):
    ready(appeal, audience)
    go(appeal, quarter(timezone.now() + timedelta(minutes=20)))
    work(appeal)
    schedule.cancel(appeal)
    assert set(deliveries(appeal).values()) == {"queued"}  # until Mailchimp has given it back
    work(appeal)
    assert mailchimp.account.campaigns == {}
    assert states(appeal) == {"en": "cancelled", "sv": "cancelled"}
    assert set(deliveries(appeal).values()) == {"skipped"}
    assert sending.owed() == []


def test_what_is_on_its_way_is_stopped_and_its_report_tells_who_got_it(mailchimp, appeal, people, audience):
    mailchimp.sending_takes(3600)
    ready(appeal, audience)
    go(appeal)
    work(appeal)
    assert states(appeal) == {"en": "sending", "sv": "sending"}
    schedule.cancel(appeal)
    work(appeal)
    assert states(appeal) == {"en": "cancelled", "sv": "cancelled"}
    reached = got(mailchimp)
    assert len(reached) == 1
    expected = {email: "sent" if email in reached else "skipped" for email in EVERYBODY}
    assert deliveries(appeal) == expected


def test_a_checklist_that_is_not_clean_pauses_it(mailchimp, appeal, people, audience):
    ready(appeal, audience)
    Appeal.objects.update(sender_name="")
    go(appeal)
    work(appeal)
    assert appeal.state == "paused"
    assert "From name: Enter a from name." in appeal.pause_reason
    assert sent_there(mailchimp) == {}


def test_strangers_with_the_tag_lose_it_before_the_send(mailchimp, appeal, people, audience, monkeypatch):
    monkeypatch.setattr(sending, "SOON", timedelta(minutes=20))
    ready(appeal, audience)
    mailchimp.staff_add(mailchimp.list_id, "eve@mail.se", "subscribed")
    go(appeal, timezone.now() + timedelta(minutes=2))
    work(appeal)
    tag = Mailing.objects.get(language="sv").tag_id
    name = mailchimp.account.audiences[mailchimp.list_id].segments[tag].name
    mailchimp.staff_tag(mailchimp.list_id, "eve@mail.se", name)
    Mailing.objects.update(checked=False)
    Appeal.objects.update(scheduled_at=timezone.now())
    work(appeal)
    assert appeal.state == "sent"
    assert got(mailchimp) == EVERYBODY


def test_who_has_left_there_by_then_is_skipped(mailchimp, appeal, people, audience, monkeypatch):
    monkeypatch.setattr(sending, "SOON", timedelta(minutes=20))
    ready(appeal, audience)
    go(appeal, timezone.now() + timedelta(minutes=2))
    work(appeal)
    mailchimp.member_unsubscribes(mailchimp.list_id, "bo@mail.se")
    Appeal.objects.update(scheduled_at=timezone.now())
    work(appeal)
    assert deliveries(appeal) == {"ann@mail.se": "sent", "bo@mail.se": "skipped", "cid@mail.se": "sent"}


def test_the_stop_button_takes_back_what_is_scheduled_and_holds_the_rest(mailchimp, appeal, people, audience, staff):
    ready(appeal, audience)
    go(appeal, quarter(timezone.now() + timedelta(minutes=20)))
    work(appeal)
    control.stop(staff)
    work(appeal)
    assert {c.status for c in mailchimp.account.campaigns.values()} == {"save"}
    assert (appeal.state, appeal.trouble) == ("sending", "All sending is stopped.")
    Appeal.objects.update(scheduled_at=timezone.now())
    work(appeal)
    assert got(mailchimp) == []
    control.go_on()
    work(appeal)
    assert (appeal.state, appeal.trouble) == ("sent", "")
    assert got(mailchimp) == EVERYBODY


def test_what_staff_stop_in_mailchimp_is_told_from_its_report(mailchimp, appeal, people, audience):
    mailchimp.sending_takes(3600)
    ready(appeal, audience)
    go(appeal)
    work(appeal)
    for campaign in mailchimp.account.campaigns.values():
        campaign.status, campaign.sent_to = "canceled", {}
    work(appeal)
    assert states(appeal) == {"en": "cancelled", "sv": "cancelled"}
    assert set(deliveries(appeal).values()) == {"skipped"}
    assert appeal.state == "sent"


def test_what_staff_take_off_the_schedule_waits_for_a_person(mailchimp, appeal, people, audience):
    ready(appeal, audience)
    go(appeal, quarter(timezone.now() + timedelta(minutes=20)))
    work(appeal)
    for campaign in mailchimp.account.campaigns.values():
        campaign.status, campaign.send_time = "save", ""
    Appeal.objects.update(scheduled_at=timezone.now())
    work(appeal)
    assert (appeal.state, got(mailchimp)) == ("paused", [])
    assert appeal.pause_reason == "Somebody took it off the schedule in Mailchimp. Go on, or not?"


def test_what_is_deleted_there_after_it_was_handed_over_is_not_known_and_not_sent_again(
    mailchimp, appeal, people, audience
):
    mailchimp.sending_takes(3600)
    ready(appeal, audience)
    go(appeal)
    work(appeal)
    mailchimp.account.campaigns.clear()
    work(appeal, 3)
    assert appeal.state == "paused"
    schedule.resume(appeal)
    work(appeal, 3)
    assert set(deliveries(appeal).values()) == {"unknown"}
    assert mailchimp.account.campaigns == {}


def test_a_changed_address_is_waited_for(mailchimp, appeal, people, audience):
    ready(appeal, audience)
    go(appeal)
    Supporter.objects.filter(pk=people[0].pk).update(email="anna@mail.se")
    work(appeal)
    assert (appeal.state, got(mailchimp)) == ("sending", [])
    push(audience)
    work(appeal)
    assert got(mailchimp) == ["anna@mail.se", "bo@mail.se", "cid@mail.se"]
    assert set(deliveries(appeal).values()) == {"sent"}


def test_a_changed_address_that_mailchimp_was_handed_is_waited_for(mailchimp, appeal, people, audience, monkeypatch):
    """Nobody is skipped because Mailchimp takes its time."""
    monkeypatch.setattr("campaigns.mailchimp.bulk.FEW", 0)
    ready(appeal, audience)
    mailchimp.hold_batches()
    Supporter.objects.filter(pk=people[0].pk).update(email="ann.berg@mail.se")
    go(appeal)
    work(appeal)
    for _time in range(2):
        while push_once(audience.pk, seconds=1):
            pass
        work(appeal)
    assert appeal.state == "sending"
    assert got(mailchimp) == []
    mailchimp.let_batches_go()
    push(audience)
    work(appeal)
    push(audience)
    work(appeal)
    assert got(mailchimp) == ["ann.berg@mail.se", *EVERYBODY[1:]]


LOST = [
    ("POST", r"/campaigns$"),
    ("PUT", r"/content$"),
    ("POST", r"/segments$"),
    ("POST", r"/segments/\d+$"),
    ("POST", r"/actions/send$"),
    ("GET", r"/campaigns/\w+$"),
    ("GET", r"/send-checklist$"),
    ("GET", r"/sent-to$"),
    ("GET", r"/unsubscribed$"),
]


@pytest.mark.parametrize(
    ("method", "path", "applied"),
    [(*call, True) for call in LOST] + [(*call, False) for call in LOST if call[0] != "GET"],
)
def test_any_answer_may_be_lost_and_it_is_made_and_sent_once(
    mailchimp, appeal, people, audience, method, path, applied, monkeypatch
):
    monkeypatch.setattr("campaigns.mailchimp.client.ATTEMPTS", 1)
    monkeypatch.setattr("campaigns.mailchimp.mailing.drafts.PATIENCE", timedelta(0))
    monkeypatch.setattr("campaigns.mailchimp.mailing.sending.PATIENCE", timedelta(0))
    ready(appeal, audience)
    go(appeal)
    mailchimp.drop(times=2, applied=applied, method=method, path=path)
    for _minute in range(8):
        work(appeal)
    assert appeal.state == "sent", appeal.trouble
    assert set(deliveries(appeal).values()) == {"sent"}
    assert got(mailchimp) == EVERYBODY
    assert len(mailchimp.account.campaigns) == 2


def test_a_send_without_an_answer_is_not_asked_again_before_its_status_was_read(mailchimp, appeal, people, audience):
    ready(appeal, audience)
    go(appeal)
    mailchimp.drop(applied=False, method="POST", path=r"/actions/send$")
    work(appeal, 3)
    sends = mailchimp.calls("POST", r"/actions/send$")
    assert len(sends) == 2  # one for each language, none again: it may still take effect
    assert states(appeal)["en"] == "asked"
    Mailing.objects.update(asked_at=timezone.now() - timedelta(minutes=3))
    work(appeal)
    assert appeal.state == "sent"
    assert len(mailchimp.calls("POST", r"/actions/send$")) == 3


class Killed(BaseException):
    """As if the process had ended."""


@pytest.mark.parametrize("seed", range(4))
def test_a_worker_may_die_after_any_call(mailchimp, appeal, people, audience, monkeypatch, seed):
    """What the call did stands, and nothing after it happened: the next worker goes on from the rows."""
    monkeypatch.setattr("campaigns.mailchimp.mailing.drafts.PATIENCE", timedelta(0))
    monkeypatch.setattr("campaigns.mailchimp.mailing.sending.PATIENCE", timedelta(0))
    ready(appeal, audience)
    go(appeal)
    chance, once = random.Random(seed), client._Pooled._once
    left = [0]

    def perhaps_die(*arguments):
        answer = once(*arguments)
        left[0] -= 1
        if left[0] == 0:
            raise Killed
        return answer

    monkeypatch.setattr(client._Pooled, "_once", perhaps_die)
    deaths = 0
    for _minute in range(60):
        left[0] = chance.randint(1, 6)
        try:
            work(appeal)
        except Killed:
            deaths += 1
    left[0] = 0
    work(appeal, 3)
    assert deaths >= 5
    assert appeal.state == "sent"
    assert set(deliveries(appeal).values()) == {"sent"}
    assert got(mailchimp) == EVERYBODY
    assert len(mailchimp.account.campaigns) == 2


def test_workers_launch_and_send_it(mailchimp, appeal, people, audience, broker):
    schedule.send_now(appeal, send_anyway=True)
    launch_appeal(appeal.pk)
    assert broker.llen("sync") == 1
    assert broker.llen("mail") == 0
    assert launching.tick()["handed_out"] == 1
    assert appeals.work(appeal.pk) == {}  # our own mail has nothing to do with it
    push(audience)
    work_on_mailings(appeal.pk)
    appeal.refresh_from_db()
    assert appeal.state == "sent"
    assert launching.tick()["handed_out"] == 0


def test_what_mailchimp_sent_cannot_be_sent_again_by_mail(mailchimp, appeal, people, audience):
    ready(appeal, audience)
    go(appeal)
    work(appeal)
    appeal.deliveries.update(state="failed")
    assert ledger.send_again(list(appeal.deliveries.values_list("pk", flat=True))) == 0
    assert set(deliveries(appeal).values()) == {"failed"}


# Staff


def test_a_test_is_sent_by_mailchimp_to_oneself(mailchimp, appeal, people, audience, staff_client, staff):
    appeal.texts.filter(language="sv").update(subject="Hej")
    segments.refresh(appeal.segment)
    push(audience)
    page = reverse("admin:campaigns_appeal_preview", args=[appeal.pk])
    answer = staff_client.post(page + "?language=sv", {"test": "1"}, follow=True).content.decode()
    assert f"The test is on its way to {staff.email}" in answer
    (campaign,) = mailchimp.account.campaigns.values()
    assert (campaign.tests, campaign.status, campaign.settings["subject_line"]) == ([[staff.email]], "save", "Hej")
    staff_client.post(page + "?language=sv", {"test": "1"})
    assert len(mailchimp.account.campaigns) == 1
    assert len(campaign.tests) == 2
    go(appeal)
    work(appeal)
    assert got(mailchimp) == EVERYBODY
    assert len(mailchimp.account.campaigns) == 2


def test_why_a_test_was_not_sent_is_said(mailchimp, appeal, audience, staff_client):
    mailchimp.api_key = "another-us1"
    page = reverse("admin:campaigns_appeal_preview", args=[appeal.pk])
    answer = staff_client.post(page, {"test": "1"}, follow=True).content.decode()
    assert "The test was not sent. Mailchimp does not accept the API key" in answer


def test_staff_choose_the_channel_and_need_an_audience_for_it(mailchimp, appeal, audience, swedes, staff_client):
    page = reverse("admin:campaigns_appeal_add")
    form = {
        **{"name": "New", "source_code": "new", "segment": swedes.pk, "default_language": "en"},
        **{"sender_name": "RealStars", "sender_email": "hej@realstars.eu", "channel": "mailchimp"},
        **{"texts-TOTAL_FORMS": 1, "texts-INITIAL_FORMS": 0, "texts-0-language": "en"},
        **{"texts-0-subject": "Hi", "texts-0-body": "Hello"},
        **{"test_share": 20, "test_hours": 4, "test_by": "clicks", **NO_VARIANTS},
    }
    refused = staff_client.post(page, form)
    assert "Choose the audience in Mailchimp that it goes to." in refused.content.decode()
    assert not Appeal.objects.filter(name="New").exists()
    staff_client.post(page, {**form, "audience": audience.pk})
    made = Appeal.objects.get(name="New")
    assert (made.channel, made.audience) == ("mailchimp", audience)


def test_the_page_tells_what_mailchimp_makes_of_it(mailchimp, appeal, people, audience, staff_client):
    ready(appeal, audience)
    go(appeal)
    work(appeal)
    page = staff_client.get(reverse("admin:campaigns_appeal_change", args=[appeal.pk])).content.decode()
    assert "In Mailchimp" in page
    assert "<td>Swedish</td><td>Sent</td><td>2</td><td>0</td>" in page


def test_who_wants_discreet_mail_or_fewer_appeals_is_left_out(mailchimp, audience, appeal, people):
    ann, bo, cid = people
    Supporter.objects.filter(pk=ann.pk).update(discreet=True)
    Supporter.objects.filter(pk__in=[bo.pk, cid.pk]).update(how_often="week")
    Turn.objects.create(supporter=bo, delivery=0)
    go(appeal)
    work(appeal)
    push(audience)
    work(appeal, 3)
    assert deliveries(appeal) == {"ann@mail.se": "skipped", "bo@mail.se": "skipped", "cid@mail.se": "sent"}
    reasons = dict(appeal.deliveries.values_list("supporter__email", "reason"))
    assert reasons["ann@mail.se"] == recipients.DISCREET
    assert reasons["bo@mail.se"] == turns.TOO_OFTEN
    assert [email for got in sent_there(mailchimp).values() for email in got] == ["cid@mail.se"]


def test_who_wants_discreet_mail_goes_out_of_the_audience_without_having_left(mailchimp, audience, people, push_all):
    push_all()
    Supporter.objects.filter(email="ann@mail.se").update(discreet=True)
    push_all()
    member = audience.members.get(supporter__email="ann@mail.se")
    assert (member.status, member.archived_by_us) == ("archived", True)
    assert consent.state_of(Supporter.objects.get(email="ann@mail.se")) == Consent.State.GRANTED
    Supporter.objects.filter(email="ann@mail.se").update(discreet=False)
    push_all()
    member.refresh_from_db()
    assert member.status == "subscribed"


@pytest.fixture
def push_all(audience, swedes):
    Audience.objects.filter(pk=audience.pk).update(archives=True)

    def do():
        segments.refresh(swedes)
        push(audience)

    return do
