"""/campaigns: made, filled, checked, scheduled, sent. Nothing is mailed; who would have got it is remembered.

save -> schedule -> sending -> sent
  ^________|           |
                       v
                   canceled
"""

from datetime import datetime, timedelta

from tests.standins.mailchimp import segments
from tests.standins.mailchimp.answers import cut, page, time_asked
from tests.standins.mailchimp.checking import TIME, check
from tests.standins.mailchimp.problems import invalid, not_found, refused
from tests.standins.mailchimp.routing import Call, operation
from tests.standins.mailchimp.state import Account, Audience, Campaign, Member, Segment, instant, new_id

TYPES = ("regular", "plaintext", "absplit", "rss", "variate")
SHAPE: dict[str, object] = {"recipients": dict, "settings": dict, "tracking": dict, "content_type": str}
SETTINGS = ("subject_line", "preview_text", "title", "from_name", "reply_to", "to_name")


def recipients(account: Account, campaign: Campaign) -> list[Member]:
    """The subscribed members of its audience and segment, as of now."""
    audience = account.audiences.get(campaign.recipients.get("list_id", ""))
    if audience is None:
        return []
    options = campaign.recipients.get("segment_opts") or {}
    chosen = list(audience.members.values())
    if options.get("saved_segment_id"):
        segment = audience.segments.get(int(options["saved_segment_id"]))
        chosen = segments.in_segment(audience, segment) if segment else []
    elif options.get("conditions"):
        chosen = segments.in_segment(audience, Segment(0, "", "saved", "", "", options))
    return [member for member in chosen if member.status == "subscribed"]


def checklist(account: Account, campaign: Campaign) -> list[dict]:
    """What is right and wrong with it; an error keeps it from being sent."""
    count = len(recipients(account, campaign))
    filled = {name: bool(campaign.settings.get(name)) for name in ("subject_line", "from_name", "reply_to")}
    content = bool(campaign.content.get("html") or campaign.content.get("plain_text"))
    items = [
        ("List", count > 0, f"{count} recipients" if count else "You must choose recipients."),
        ("Subject line", filled["subject_line"], campaign.settings.get("subject_line") or "Enter a subject line."),
        ("From name", filled["from_name"], campaign.settings.get("from_name") or "Enter a from name."),
        ("Replies", filled["reply_to"], campaign.settings.get("reply_to") or "Enter a reply-to address."),
        ("Content", content, "Your content is there." if content else "Design an email."),
    ]
    return [
        {"type": "success" if right else "error", "id": 500 + place, "heading": heading, "details": details}
        for place, (heading, right, details) in enumerate(items)
    ]


def is_ready(account: Account, campaign: Campaign) -> bool:
    return all(item["type"] != "error" for item in checklist(account, campaign))


def start(account: Account, campaign: Campaign) -> None:
    audience = account.audiences[campaign.recipients["list_id"]]
    campaign.sent_to = {
        member.hash: {"email": member.email, "status": "sent", "merge_fields": member.merge_fields, "acts": []}
        for member in recipients(account, campaign)
    }
    campaign.status = "sending"
    campaign.sent_at = account.now()
    campaign.send_time = instant(campaign.sent_at)
    audience.settings["campaign_last_sent"] = campaign.send_time


def finish(account: Account, campaign: Campaign) -> None:
    campaign.status = "sent"
    audience = account.audiences.get(campaign.recipients["list_id"])
    if audience:
        data = {
            "id": campaign.id,
            "subject": campaign.settings.get("subject_line", ""),
            "status": "sent",
            "reason": "",
            "list_id": audience.id,
        }
        account.tell(audience, "campaign", "admin", data)


def move_on(account: Account) -> None:
    """What is due starts, and what was long enough on its way is sent."""
    for campaign in account.campaigns.values():
        if campaign.status == "schedule" and campaign.send_time <= account.instant():
            start(account, campaign)
        if campaign.status == "sending":
            ends = campaign.sent_at + timedelta(seconds=account.sending_seconds)
            if account.now() >= ends:
                finish(account, campaign)


def rendered(account: Account, campaign: Campaign) -> dict:
    audience = account.audiences.get(campaign.recipients.get("list_id", ""))
    sent = campaign.sent_to.values()
    delivery = {"enabled": False}
    if campaign.status in ("sending", "sent", "canceled"):
        words = {"sending": "delivering", "sent": "delivered", "canceled": "canceled"}
        delivery = {
            "enabled": True,
            "can_cancel": campaign.status == "sending",
            "status": words[campaign.status],
            "emails_sent": len(sent),
            "emails_canceled": 0,
        }
    answer = {
        "id": campaign.id,
        "web_id": campaign.web_id,
        "type": campaign.type,
        "create_time": campaign.create_time,
        "archive_url": f"http://eepurl.test/{campaign.id}",
        "long_archive_url": f"https://mailchi.test/{campaign.id}",
        "status": campaign.status,
        "emails_sent": len(sent),
        "send_time": campaign.send_time,
        "content_type": campaign.content_type,
        "needs_block_refresh": False,
        "resendable": False,
        "recipients": _told_recipients(account, campaign, audience),
        "settings": {**dict.fromkeys(SETTINGS, ""), **campaign.settings},
        "tracking": {"opens": True, "html_clicks": True, "text_clicks": False, **campaign.tracking},
        "delivery_status": delivery,
    }
    if campaign.status == "sent":
        answer["report_summary"] = summary(campaign)
    return answer


def _told_recipients(account: Account, campaign: Campaign, audience: Audience | None) -> dict:
    told = {
        "list_id": campaign.recipients.get("list_id", ""),
        "list_is_active": audience is not None,
        "list_name": audience.name if audience else "",
        "segment_text": "",
        "recipient_count": len(campaign.sent_to) or len(recipients(account, campaign)),
    }
    if campaign.recipients.get("segment_opts"):
        told["segment_opts"] = campaign.recipients["segment_opts"]
    return told


def summary(campaign: Campaign) -> dict:
    opens, clicks = acts(campaign, "open"), acts(campaign, "click")
    sent = len(campaign.sent_to) or 1
    return {
        "opens": sum(opens),
        "unique_opens": sum(map(bool, opens)),
        "open_rate": sum(map(bool, opens)) / sent,
        "clicks": sum(clicks),
        "subscriber_clicks": sum(map(bool, clicks)),
        "click_rate": sum(map(bool, clicks)) / sent,
    }


def acts(campaign: Campaign, action: str) -> list[int]:
    """How often each recipient did it."""
    return [sum(act["action"] == action for act in sent["acts"]) for sent in campaign.sent_to.values()]


@operation("GET", "/campaigns")
def list_campaigns(call: Call) -> dict:
    query = call.query
    chosen = [
        campaign
        for campaign in call.account.campaigns.values()
        if query.get("type", campaign.type) == campaign.type
        and query.get("status", campaign.status) == campaign.status
        and query.get("list_id", campaign.recipients.get("list_id")) == campaign.recipients.get("list_id")
        and ("member_id" not in query or query["member_id"] in campaign.sent_to)
    ]
    for name in ("create_time", "send_time"):
        since, before = time_asked(call, f"since_{name}"), time_asked(call, f"before_{name}")
        if since:
            chosen = [campaign for campaign in chosen if getattr(campaign, name) > since]
        if before:
            chosen = [campaign for campaign in chosen if "" < getattr(campaign, name) < before]
    if query.get("sort_field") in ("create_time", "send_time"):
        chosen.sort(key=lambda c: getattr(c, query["sort_field"]), reverse=query.get("sort_dir") == "DESC")
    return page(call, chosen, "campaigns", lambda c: rendered(call.account, c))


@operation("POST", "/campaigns")
def add_campaign(call: Call) -> dict:
    check(call.body, {**SHAPE, "type": TYPES}, ("type",))
    campaign = Campaign(new_id(), call.account.number(), call.body["type"], call.account.instant())
    _fill(call, campaign)
    call.account.campaigns[campaign.id] = campaign
    return rendered(call.account, campaign)


@operation("GET", "/campaigns/{campaign_id}")
def get_campaign(call: Call) -> dict:
    return cut(call, rendered(call.account, found(call)))


@operation("PATCH", "/campaigns/{campaign_id}")
def change_campaign(call: Call) -> dict:
    campaign = _open(call)
    check(call.body, SHAPE)
    _fill(call, campaign)
    return rendered(call.account, campaign)


@operation("DELETE", "/campaigns/{campaign_id}")
def delete_campaign(call: Call) -> None:
    campaign = found(call)
    if campaign.status == "sending":
        raise refused("This campaign is sending and cannot be deleted.")
    del call.account.campaigns[campaign.id]


@operation("GET", "/campaigns/{campaign_id}/content")
def get_content(call: Call) -> dict:
    return cut(call, _content(found(call)))


@operation("PUT", "/campaigns/{campaign_id}/content")
def put_content(call: Call) -> dict:
    campaign = _open(call)
    check(call.body, {"html": str, "plain_text": str, "url": str, "template": dict})
    campaign.content.update({name: call.body[name] for name in ("html", "plain_text") if name in call.body})
    campaign.content_type = "html"
    return _content(campaign)


@operation("GET", "/campaigns/{campaign_id}/send-checklist")
def get_checklist(call: Call) -> dict:
    campaign = found(call)
    ready, items = is_ready(call.account, campaign), checklist(call.account, campaign)
    return cut(call, {"is_ready": ready, "items": items})


@operation("POST", "/campaigns/{campaign_id}/actions/test")
def send_test(call: Call) -> None:
    campaign = found(call)
    check(call.body, {"test_emails": list, "send_type": ("html", "plaintext")}, ("test_emails", "send_type"))
    campaign.tests.append(call.body["test_emails"])


@operation("POST", "/campaigns/{campaign_id}/actions/schedule")
def schedule(call: Call) -> None:
    campaign = _open(call)
    check(call.body, {"schedule_time": TIME, "timewarp": bool, "batch_delivery": dict}, ("schedule_time",))
    moment = datetime.fromisoformat(call.body["schedule_time"])
    if moment.tzinfo is None:
        raise invalid([("schedule_time", "This value is not a valid datetime.")])
    if moment.minute % 15 or moment.second:
        raise refused("Campaigns may only be scheduled to send on the quarter-hour (:00, :15, :30, :45).")
    if moment <= call.account.now():
        raise refused("The time to send at has passed.")
    if not is_ready(call.account, campaign):
        raise refused("Your Campaign is not ready to send.")
    campaign.status, campaign.send_time = "schedule", instant(moment)


@operation("POST", "/campaigns/{campaign_id}/actions/unschedule")
def unschedule(call: Call) -> None:
    campaign = found(call)
    if campaign.status != "schedule":
        raise refused("This campaign is not scheduled.")
    campaign.status, campaign.send_time = "save", ""


@operation("POST", "/campaigns/{campaign_id}/actions/send")
def send(call: Call) -> None:
    campaign = found(call)
    if campaign.status != "save" or not is_ready(call.account, campaign):
        raise refused("Your Campaign is not ready to send.")
    start(call.account, campaign)
    move_on(call.account)


@operation("POST", "/campaigns/{campaign_id}/actions/cancel-send")
def cancel(call: Call) -> None:
    """Half of the people have it by then."""
    campaign = found(call)
    if campaign.status != "sending":
        raise refused("This campaign is not sending.")
    reached = list(campaign.sent_to.items())[: len(campaign.sent_to) // 2]
    campaign.sent_to = dict(reached)
    campaign.status = "canceled"


def found(call: Call) -> Campaign:
    try:
        return call.account.campaigns[call.parts["campaign_id"]]
    except KeyError:
        raise not_found() from None


def _open(call: Call) -> Campaign:
    campaign = found(call)
    if campaign.status != "save":
        raise refused(f"This campaign can no longer be changed: its status is {campaign.status}.")
    return campaign


def _fill(call: Call, campaign: Campaign) -> None:
    wanted = call.body.get("recipients")
    if wanted is not None:
        check(wanted, {"list_id": str, "segment_opts": dict}, ("list_id",))
        if wanted["list_id"] not in call.account.audiences:
            raise invalid([("recipients.list_id", "The list you specified does not exist.")])
        campaign.recipients = wanted
    campaign.settings.update(call.body.get("settings") or {})
    campaign.tracking.update(call.body.get("tracking") or {})


def _content(campaign: Campaign) -> dict:
    html = campaign.content.get("html", "")
    return {"plain_text": campaign.content.get("plain_text", ""), "html": html, "archive_html": html}
