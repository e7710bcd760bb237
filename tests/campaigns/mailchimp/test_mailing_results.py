"""What came of an appeal that Mailchimp sent, read back into the ledger."""

from datetime import timedelta

import pytest
from django.utils import timezone

from campaigns.mailchimp.mailing import results
from campaigns.models import AppealLink, Click, Mailing
from supporters.models import Consent
from tests.campaigns.mailchimp.test_mailings import appeal as appeal
from tests.campaigns.mailchimp.test_mailings import deliveries, go, ready, work
from tests.campaigns.mailchimp.test_mailings import people as people

pytestmark = pytest.mark.django_db


@pytest.fixture
def sent(mailchimp, appeal, people, audience):
    """By language, the ids of what Mailchimp sent: sv to Ann and Bo, en to Cid."""
    ready(appeal, audience)
    go(appeal)
    work(appeal)
    return dict(appeal.mailings.values_list("language", "campaign_id"))


def read_again():
    for pk in Mailing.objects.values_list("pk", flat=True):
        Mailing.objects.filter(pk=pk).update(next_results_at=timezone.now())
        while results.read_again(pk):
            pass


def clicks(target):
    rows = Click.objects.filter(link__target=target).select_related("delivery__supporter")
    return {click.delivery.supporter.email: click.times for click in rows}


def test_bounces_complaints_and_leavings_come_back(mailchimp, appeal, sent):
    mailchimp.member_bounces(sent["sv"], "ann@mail.se")
    mailchimp.member_bounces(sent["en"], "cid@mail.se", hard=False)
    mailchimp.member_unsubscribes(mailchimp.list_id, "bo@mail.se", campaign_id=sent["sv"], reason="abuse")
    read_again()
    assert deliveries(appeal) == {"ann@mail.se": "bounced", "bo@mail.se": "complained", "cid@mail.se": "bounced"}
    assert appeal.deliveries.get(supporter__email="ann@mail.se").reason == results.HARD
    assert appeal.deliveries.get(supporter__email="cid@mail.se").reason == results.SOFT
    withdrawn = Consent.objects.get(supporter__email="bo@mail.se", state="withdrawn")
    assert withdrawn.source == f"Mailchimp: {appeal.name}"
    told = Mailing.objects.get(language="sv").results
    assert told == {"sent": 2, "bounced": 1, "left": 1, "complained": 1, "opened": 0, "clicked": 0}


def test_clicks_are_counted_as_those_of_our_own_mail_and_once(mailchimp, appeal, sent):
    give = "https://realstars.eu/give"
    for _time in range(2):
        mailchimp.member_clicks(sent["sv"], "ann@mail.se", give)
    mailchimp.member_clicks(sent["en"], "cid@mail.se", give)
    mailchimp.member_opens(sent["sv"], "bo@mail.se")
    read_again()
    read_again()
    assert clicks(give) == {"ann@mail.se": 2, "cid@mail.se": 1}
    assert AppealLink.objects.get().target == give  # no opens, unless turned on


def test_opens_are_read_where_they_are_turned_on_and_only_there(mailchimp, appeal, people, audience, settings):
    settings.COUNT_OPENS = True
    ready(appeal, audience)
    go(appeal)
    work(appeal)
    campaign = appeal.mailings.get(language="sv").campaign_id
    assert mailchimp.account.campaigns[campaign].tracking["opens"] is True
    mailchimp.member_opens(campaign, "bo@mail.se")
    read_again()
    assert clicks("") == {"bo@mail.se": 1}


def test_nothing_is_counted_where_the_appeal_does_not(mailchimp, appeal, people, audience):
    appeal.count_clicks = False
    appeal.save(update_fields=["count_clicks"])
    ready(appeal, audience)
    go(appeal)
    work(appeal)
    campaign = mailchimp.account.campaigns[appeal.mailings.get(language="sv").campaign_id]
    assert campaign.tracking == {"opens": False, "html_clicks": False, "text_clicks": False}
    mailchimp.member_clicks(campaign.id, "ann@mail.se", "https://realstars.eu/give")
    read_again()
    assert Click.objects.count() == 0


def test_long_reports_are_read_in_pages_and_taken_up_where_they_were_cut(mailchimp, appeal, sent, monkeypatch):
    for module in ("results", "recipients"):
        monkeypatch.setattr(f"campaigns.mailchimp.mailing.{module}.PAGE", 1)
    monkeypatch.setattr("campaigns.mailchimp.campaign_calls.PAGE", 1)
    mailchimp.member_bounces(sent["sv"], "bo@mail.se")
    mailing = Mailing.objects.get(language="sv")
    Mailing.objects.filter(pk=mailing.pk).update(next_results_at=timezone.now())
    mailchimp.forget_requests()
    turns = 0
    while results.read_again(mailing.pk, seconds=-1 if turns % 2 else 60):
        turns += 1
    assert deliveries(appeal)["bo@mail.se"] == "bounced"
    assert [r.query["offset"] for r in mailchimp.calls("GET", "/sent-to$")] == ["0", "1", "2"]


def test_readings_grow_rarer_end_after_thirty_days_and_the_tag_goes(mailchimp, appeal, sent):
    mailing = Mailing.objects.get(language="sv")
    assert round((mailing.next_results_at - timezone.now()) / timedelta(minutes=15)) == 1
    Mailing.objects.update(sent_at=timezone.now() - timedelta(days=1))
    read_again()
    mailing.refresh_from_db()
    assert round((mailing.next_results_at - timezone.now()) / timedelta(hours=1)) == 12
    Mailing.objects.update(sent_at=timezone.now() - timedelta(days=31))
    read_again()
    mailing.refresh_from_db()
    assert (mailing.next_results_at, mailing.tag_id) == (None, None)
    names = [segment.name for segment in mailchimp.account.audiences[mailchimp.list_id].segments.values()]
    assert names == ["Swedes"]


def test_a_report_that_is_gone_leaves_what_was_read(mailchimp, appeal, sent):
    mailchimp.account.campaigns.clear()
    read_again()
    assert set(deliveries(appeal).values()) == {"sent"}
    assert set(Mailing.objects.values_list("next_results_at", flat=True)) == {None}


def test_reading_takes_the_same_statements_for_one_and_for_many(mailchimp, appeal, sent, django_assert_num_queries):
    counted = []
    for language in ("en", "sv"):  # one person, two people
        mailing = Mailing.objects.get(language=language)
        Mailing.objects.filter(pk=mailing.pk).update(next_results_at=timezone.now())
        with django_assert_num_queries(99, exact=False) as queries:
            results.read_again(mailing.pk)
        counted.append(len(queries))
    assert counted[0] == counted[1]
