"""/reports: what came of a campaign that was sent."""

from collections.abc import Iterator

from tests.standins.mailchimp.answers import cut, page, time_asked
from tests.standins.mailchimp.campaigns import acts, found, summary
from tests.standins.mailchimp.problems import not_found
from tests.standins.mailchimp.routing import Call, operation
from tests.standins.mailchimp.state import Campaign


@operation("GET", "/reports/{campaign_id}")
def get_report(call: Call) -> dict:
    campaign = _sent(call)
    numbers = summary(campaign)
    statuses = [sent["status"] for sent in campaign.sent_to.values()]
    audience = call.account.audiences.get(campaign.recipients["list_id"])
    return cut(
        call,
        {
            "id": campaign.id,
            "campaign_title": campaign.settings.get("title", ""),
            "type": campaign.type,
            "list_id": campaign.recipients["list_id"],
            "list_is_active": audience is not None,
            "list_name": audience.name if audience else "",
            "subject_line": campaign.settings.get("subject_line", ""),
            "preview_text": campaign.settings.get("preview_text", ""),
            "emails_sent": len(statuses),
            "abuse_reports": sum(sent.get("reason") == "abuse" for sent in campaign.sent_to.values()),
            "unsubscribed": sum("unsubscribed" in sent for sent in campaign.sent_to.values()),
            "send_time": campaign.send_time,
            "bounces": {
                "hard_bounces": statuses.count("hard"),
                "soft_bounces": statuses.count("soft"),
                "syntax_errors": 0,
            },
            "forwards": {"forwards_count": 0, "forwards_opens": 0},
            "opens": {
                "opens_total": numbers["opens"],
                "unique_opens": numbers["unique_opens"],
                "open_rate": numbers["open_rate"],
                "last_open": _last(campaign, "open"),
            },
            "clicks": {
                "clicks_total": numbers["clicks"],
                "unique_clicks": numbers["subscriber_clicks"],
                "unique_subscriber_clicks": numbers["subscriber_clicks"],
                "click_rate": numbers["click_rate"],
                "last_click": _last(campaign, "click"),
            },
        },
    )


@operation("GET", "/reports/{campaign_id}/sent-to")
def list_sent_to(call: Call) -> dict:
    campaign = _sent(call)
    opened = dict(zip(campaign.sent_to, acts(campaign, "open"), strict=True))

    def told(item: tuple[str, dict]) -> dict:
        key, sent = item
        opens = [act["timestamp"] for act in sent["acts"] if act["action"] == "open"]
        return {
            **_person(campaign, key, sent),
            "merge_fields": sent["merge_fields"],
            "vip": False,
            "status": sent["status"],
            "open_count": opened[key],
            "last_open": max(opens, default=""),
            "gmt_offset": 0,
        }

    return page(call, list(campaign.sent_to.items()), "sent_to", told, campaign_id=campaign.id)


@operation("GET", "/reports/{campaign_id}/unsubscribed")
def list_unsubscribed(call: Call) -> dict:
    campaign = _sent(call)
    gone = [(key, sent) for key, sent in campaign.sent_to.items() if "unsubscribed" in sent]

    def told(item: tuple[str, dict]) -> dict:
        key, sent = item
        return {
            **_person(campaign, key, sent),
            "merge_fields": sent["merge_fields"],
            "vip": False,
            "timestamp": sent["unsubscribed"],
            "reason": "None given" if sent["reason"] == "manual" else sent["reason"],
        }

    return page(call, gone, "unsubscribes", told, campaign_id=campaign.id)


@operation("GET", "/reports/{campaign_id}/email-activity")
def list_activity(call: Call) -> dict:
    campaign = _sent(call)
    since = time_asked(call, "since")

    def told(item: tuple[str, dict]) -> dict:
        key, sent = item
        done = [act for act in sent["acts"] if not since or act["timestamp"] > since]
        return {**_person(campaign, key, sent), "activity": done}

    return page(call, list(campaign.sent_to.items()), "emails", told, campaign_id=campaign.id)


def _person(campaign: Campaign, key: str, sent: dict) -> dict:
    return {
        "campaign_id": campaign.id,
        "list_id": campaign.recipients["list_id"],
        "list_is_active": True,
        "email_id": key,
        "email_address": sent["email"],
    }


def _sent(call: Call) -> Campaign:
    """Before it was sent, there is no report."""
    campaign = found(call)
    if campaign.status not in ("sent", "canceled"):
        raise not_found()
    return campaign


def _last(campaign: Campaign, action: str) -> str:
    def times() -> Iterator[str]:
        for sent in campaign.sent_to.values():
            yield from (act["timestamp"] for act in sent["acts"] if act["action"] == action)

    return max(times(), default="")
