"""The calls about what Mailchimp calls campaigns, and about what came of them: a part of client.Mailchimp."""

from datetime import datetime

from mailchimp_marketing.api.campaigns_api import CampaignsApi
from mailchimp_marketing.api.lists_api import ListsApi
from mailchimp_marketing.api.reports_api import ReportsApi

ONCE = {
    ("POST", "/campaigns"),
    ("POST", "/campaigns/{campaign_id}/actions/test"),
    ("POST", "/campaigns/{campaign_id}/actions/schedule"),
    ("POST", "/campaigns/{campaign_id}/actions/send"),
}
"""What may have taken effect though no answer came, and would take effect twice: never tried again unasked."""
PAGE = 1000
_PERSON = ("email_id", "email_address")


class CampaignCalls:
    _campaigns: CampaignsApi
    _reports: ReportsApi
    _lists: ListsApi

    def campaigns_titled(self, list_id: str, mark: str) -> list[str]:
        """The ids of the drafts whose title holds this, the oldest first."""
        found: list[str] = []
        offset = 0
        while True:
            page = self._campaigns.list(
                list_id=list_id,
                status="save",
                sort_field="create_time",
                sort_dir="ASC",
                count=PAGE,
                offset=offset,
                fields=["campaigns.id", "campaigns.settings.title"],
            ).get("campaigns", [])
            found += [item["id"] for item in page if mark in item.get("settings", {}).get("title", "")]
            if len(page) < PAGE:
                return found
            offset += PAGE

    def add_campaign(self, list_id: str, tag_id: int, settings: dict, tracking: dict) -> str:
        """Make a draft that would go to those with the tag; returns its id."""
        recipients = {"list_id": list_id, "segment_opts": {"saved_segment_id": tag_id}}
        body = {"type": "regular", "recipients": recipients, "settings": settings, "tracking": tracking}
        return self._campaigns.create(body)["id"]

    def change_campaign(self, campaign_id: str, settings: dict, tracking: dict) -> None:
        self._campaigns.update(campaign_id, {"settings": settings, "tracking": tracking})

    def set_content(self, campaign_id: str, html: str, text: str) -> None:
        self._campaigns.set_content(campaign_id, {"html": html, "plain_text": text})

    def campaign(self, campaign_id: str) -> dict:
        """Its status, how many it goes or went to, and when it was sent."""
        fields = ["id", "status", "emails_sent", "send_time", "recipients.recipient_count"]
        return self._campaigns.get(campaign_id, fields=fields)

    def what_keeps_it(self, campaign_id: str) -> list[str]:
        """What keeps a draft from being sent, in Mailchimp's words; empty if it is ready."""
        answer = self._campaigns.get_send_checklist(campaign_id)
        wrong = [f"{item['heading']}: {item['details']}" for item in answer["items"] if item["type"] == "error"]
        return [] if answer["is_ready"] else wrong or ["?"]

    def send_test(self, campaign_id: str, email: str) -> None:
        self._campaigns.send_test_email(campaign_id, {"test_emails": [email], "send_type": "html"})

    def schedule_campaign(self, campaign_id: str, at: datetime) -> None:
        """`at` is a quarter of an hour, in UTC."""
        self._campaigns.schedule(campaign_id, {"schedule_time": at.isoformat(timespec="seconds")})

    def unschedule_campaign(self, campaign_id: str) -> None:
        self._campaigns.unschedule(campaign_id)

    def send_campaign(self, campaign_id: str) -> None:
        self._campaigns.send(campaign_id)

    def stop_campaign(self, campaign_id: str) -> None:
        """While it is being sent; not every plan of Mailchimp's has that."""
        self._campaigns.cancel_send(campaign_id)

    def remove_campaign(self, campaign_id: str) -> None:
        self._campaigns.remove(campaign_id)

    def remove_tag(self, list_id: str, tag_id: int) -> None:
        self._lists.delete_segment(list_id, tag_id)

    def tag_members(self, list_id: str, tag_id: int, offset: int) -> list[dict]:
        """A page of the subscribed members who have the tag: their ids and addresses."""
        fields = ["members.id", "members.email_address"]
        answer = self._lists.get_segment_members_list(list_id, tag_id, count=PAGE, offset=offset, fields=fields)
        return answer.get("members", [])

    # What came of it

    def report(self, campaign_id: str) -> dict:
        fields = ["emails_sent", "abuse_reports", "unsubscribed", "send_time"]
        fields += ["bounces.hard_bounces", "bounces.soft_bounces"]
        fields += ["opens.unique_opens", "clicks.unique_subscriber_clicks"]
        return self._reports.get_campaign_report(campaign_id, fields=fields)

    def reached(self, campaign_id: str, offset: int) -> list[dict]:
        """A page of those it was sent to, each with the status sent, hard or soft."""
        fields = [f"sent_to.{name}" for name in (*_PERSON, "status")]
        answer = self._reports.get_campaign_recipients(campaign_id, count=PAGE, offset=offset, fields=fields)
        return answer.get("sent_to", [])

    def unsubscribed(self, campaign_id: str, offset: int) -> list[dict]:
        """A page of those who left from it, with `timestamp` and `reason`."""
        fields = [f"unsubscribes.{name}" for name in (*_PERSON, "timestamp", "reason")]
        answer = self._reports.get_unsubscribed_list_for_campaign(
            campaign_id, count=PAGE, offset=offset, fields=fields
        )
        return answer.get("unsubscribes", [])

    def activity(self, campaign_id: str, since: str, offset: int) -> list[dict]:
        """A page of those it was sent to, each with what they did since then; all of it if `since` is empty."""
        fields = [f"emails.{name}" for name in ("email_id", "activity")]
        narrower = {"since": since} if since else {}
        answer = self._reports.get_email_activity_for_campaign(
            campaign_id, count=PAGE, offset=offset, fields=fields, **narrower
        )
        return answer.get("emails", [])
