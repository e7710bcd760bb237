"""Campaigns, reports and batches of the Mailchimp stand-in."""

import io
import json
import tarfile
from datetime import UTC, datetime, timedelta
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.processes import wait_for

SETTINGS = {"subject_line": "En lag", "from_name": "RealStars", "reply_to": "hej@realstars.eu", "title": "Appeal"}


@pytest.fixture
def campaign(mailchimp, call):
    """Ready to be sent to ann and bo, who are tagged, and not to cid, who isn't."""
    call.add("ann@mail.se", "bo@mail.se", tags=["Donors"])
    call.add("cid@mail.se")
    tag = mailchimp.member("ann@mail.se")["tags"][0]["id"]
    recipients = {"list_id": mailchimp.list_id, "segment_opts": {"saved_segment_id": tag}}
    made = call("POST", "/campaigns", {"type": "regular", "recipients": recipients, "settings": SETTINGS})[1]
    call("PUT", f"/campaigns/{made['id']}/content", {"html": "<p>Hej *|FNAME|*</p>"})
    return made["id"]


def in_an_hour(minute=0):
    moment = datetime.now(UTC).replace(minute=minute, second=0, microsecond=0) + timedelta(hours=2)
    return moment.isoformat()


def test_campaign_is_made_changed_and_deleted(mailchimp, call, campaign):
    path = f"/campaigns/{campaign}"
    made = call("GET", path)[1]
    assert (made["status"], made["recipients"]["recipient_count"]) == ("save", 2)
    assert (made["content_type"], call("GET", f"{path}/content")[1]["html"]) == ("html", "<p>Hej *|FNAME|*</p>")
    changed = call("PATCH", path, {"settings": {**SETTINGS, "subject_line": "Two laws"}})[1]
    assert changed["settings"]["subject_line"] == "Two laws"
    assert call("GET", "/campaigns", status="save", list_id=mailchimp.list_id)[1]["total_items"] == 1
    assert call("DELETE", path) == (204, None)
    assert call("GET", path)[0] == 404


def test_campaign_to_an_unknown_audience_is_refused(call):
    status, problem = call("POST", "/campaigns", {"type": "regular", "recipients": {"list_id": "nosuchlist"}})
    assert (status, problem["errors"][0]["field"]) == (400, "recipients.list_id")


def test_checklist_tells_what_is_missing(call):
    made = call("POST", "/campaigns", {"type": "regular"})[1]
    answer = call("GET", f"/campaigns/{made['id']}/send-checklist")[1]
    assert answer["is_ready"] is False
    assert {item["type"] for item in answer["items"]} == {"error"}
    status, problem = call("POST", f"/campaigns/{made['id']}/actions/send")
    assert (status, problem["detail"]) == (400, "Your Campaign is not ready to send.")


def test_campaign_is_sent_to_its_segment_once(mailchimp, call, campaign):
    path = f"/campaigns/{campaign}"
    assert call("GET", f"{path}/send-checklist")[1]["is_ready"] is True
    assert call("POST", f"{path}/actions/test", {"test_emails": ["me@mail.se"], "send_type": "html"}) == (204, None)
    assert call("POST", f"{path}/actions/send") == (204, None)
    sent = call("GET", path)[1]
    assert (sent["status"], sent["emails_sent"]) == ("sent", 2)
    assert call("POST", f"{path}/actions/send")[0] == 400
    assert call("PATCH", path, {"settings": SETTINGS})[0] == 400
    reached = call("GET", f"/reports/{campaign}/sent-to")[1]["sent_to"]
    assert [person["email_address"] for person in reached] == ["ann@mail.se", "bo@mail.se"]


def test_schedule_takes_quarter_hours_to_come_and_is_kept_to(mailchimp, call, campaign):
    path = f"/campaigns/{campaign}/actions"
    assert "quarter-hour" in call("POST", f"{path}/schedule", {"schedule_time": in_an_hour(7)})[1]["detail"]
    past = {"schedule_time": "2026-01-01T12:00:00+00:00"}
    assert call("POST", f"{path}/schedule", past)[1]["detail"] == "The time to send at has passed."
    assert call("POST", f"{path}/schedule", {"schedule_time": in_an_hour()}) == (204, None)
    assert call("POST", f"{path}/unschedule") == (204, None)
    assert call("POST", f"{path}/unschedule")[0] == 400
    call("POST", f"{path}/schedule", {"schedule_time": in_an_hour()})
    assert call("GET", f"/campaigns/{campaign}")[1]["status"] == "schedule"
    mailchimp.skew(3 * 3600)
    assert call("GET", f"/campaigns/{campaign}")[1]["status"] == "sent"


def test_sending_can_be_cancelled_while_it_lasts(mailchimp, call, campaign):
    mailchimp.sending_takes(3600)
    path = f"/campaigns/{campaign}"
    call("POST", f"{path}/actions/send")
    assert call("GET", path)[1]["status"] == "sending"
    assert call("DELETE", path)[0] == 400
    assert call("POST", f"{path}/actions/cancel-send") == (204, None)
    stopped = call("GET", path)[1]
    assert (stopped["status"], stopped["emails_sent"]) == ("canceled", 1)
    assert call("POST", f"{path}/actions/cancel-send")[0] == 400


def test_report_counts_what_people_did(mailchimp, call, campaign):
    assert call("GET", f"/reports/{campaign}")[0] == 404
    mailchimp.campaign_sent(campaign)
    mailchimp.member_opens(campaign, "ann@mail.se")
    mailchimp.member_opens(campaign, "ann@mail.se")
    mailchimp.member_clicks(campaign, "ann@mail.se", "https://realstars.eu/give")
    mailchimp.member_bounces(campaign, "bo@mail.se")
    mailchimp.member_unsubscribes(mailchimp.list_id, "ann@mail.se", campaign_id=campaign, reason="abuse")
    report = call("GET", f"/reports/{campaign}")[1]
    assert (report["emails_sent"], report["unsubscribed"], report["abuse_reports"]) == (2, 1, 1)
    assert (report["opens"]["opens_total"], report["opens"]["unique_opens"]) == (2, 1)
    assert (report["clicks"]["clicks_total"], report["clicks"]["click_rate"]) == (1, 0.5)
    assert report["bounces"] == {"hard_bounces": 1, "soft_bounces": 0, "syntax_errors": 0}
    assert mailchimp.member("bo@mail.se")["status"] == "cleaned"
    gone = call("GET", f"/reports/{campaign}/unsubscribed")[1]["unsubscribes"]
    assert [(person["email_address"], person["reason"]) for person in gone] == [("ann@mail.se", "abuse")]
    ann, bo = call("GET", f"/reports/{campaign}/email-activity")[1]["emails"]
    assert [act["action"] for act in ann["activity"]] == ["open", "open", "click"]
    assert [(act["action"], act["type"]) for act in bo["activity"]] == [("bounce", "hard")]
    status = {p["email_address"]: p["status"] for p in call("GET", f"/reports/{campaign}/sent-to")[1]["sent_to"]}
    assert status == {"ann@mail.se": "sent", "bo@mail.se": "hard"}


def test_webhook_tells_that_a_campaign_was_sent(mailchimp, call, campaign, listener):
    call("POST", f"/lists/{mailchimp.list_id}/webhooks", {"url": listener.url, "events": {"campaign": True}})
    call("POST", f"/campaigns/{campaign}/actions/send")
    mailchimp.settle()
    data = listener.got[0][0]
    assert (data["type"], data["data[id]"], data["data[status]"]) == ("campaign", campaign, "sent")


# Batches of calls


def test_batch_of_calls_is_done_by_and_by_and_fetched_without_a_key(mailchimp, call, members):
    ann = json.dumps({"email_address": "ann@mail.se", "status": "subscribed"})
    operations = [
        {"method": "POST", "path": members, "body": ann, "operation_id": "first"},
        {"method": "POST", "path": members, "body": ann, "operation_id": "again"},
        {"method": "GET", "path": "lists", "params": {"count": 1, "fields": "total_items"}},
    ]
    made = call("POST", "/batches", {"operations": operations})[1]
    path = f"/batches/{made['id']}"
    wait_for(lambda: call("GET", path)[1]["status"] == "finished", "the batch")
    done = call("GET", path)[1]
    assert (done["total_operations"], done["finished_operations"], done["errored_operations"]) == (3, 3, 1)
    with urlopen(done["response_body_url"], timeout=10) as answer:
        packed = io.BytesIO(answer.read())
    with tarfile.open(fileobj=packed) as archive:
        results = json.load(archive.extractfile(archive.getnames()[0]))
    assert [(r["operation_id"], r["status_code"]) for r in results] == [("first", 200), ("again", 400), (None, 200)]
    assert json.loads(results[1]["response"])["title"] == "Member Exists"
    assert json.loads(results[2]["response"]) == {"total_items": 1}
    with pytest.raises(HTTPError) as failure:
        urlopen(Request(done["response_body_url"], headers={"Authorization": "Basic eA=="}), timeout=10)
    assert failure.value.code == 400
    mailchimp.skew(601)
    with pytest.raises(HTTPError) as failure:
        urlopen(done["response_body_url"], timeout=10)
    assert failure.value.code == 403
    assert call("GET", "/batches")[1]["total_items"] == 1
    assert call("DELETE", path) == (204, None)
