"""What people do at Mailchimp, apart from our calls: they leave, bounce, move house; staff click about."""

import threading
from collections.abc import Callable
from functools import wraps

from tests.standins.mailchimp import campaigns
from tests.standins.mailchimp.state import Account, Audience, Member, subscriber_hash
from tests.standins.mailchimp.writing import Writer, event_data


def act(function: Callable[..., None]) -> Callable[..., None]:
    """Between calls, and done when the webhooks that it caused were sent."""

    @wraps(function)
    def acting(self: "People", *args: object, **kwargs: object) -> None:
        with self.lock:
            function(self, *args, **kwargs)
            self.changes += 1
        self.post_events()
        self.settle()

    return acting


class People:
    """Acts of the stand-in, mixed into it."""

    account: Account
    lock: threading.RLock
    changes: int
    post_events: Callable[[], None]
    settle: Callable[[], None]

    def _found(self, list_id: str, email: str) -> tuple[Audience, Member]:
        audience = self.account.audiences[list_id]
        member = audience.find(subscriber_hash(email))
        if member is None:
            raise LookupError(f"{email} is no member of {list_id}")
        return audience, member

    @act
    def member_subscribes(self, list_id: str, email: str, **merge_fields: object) -> None:
        """Through Mailchimp's own form, the one way back for somebody forgotten or in a compliance state."""
        audience = self.account.audiences[list_id]
        audience.forgotten.discard(subscriber_hash(email))
        member = audience.find(subscriber_hash(email))
        if member:
            member.compliance = False
        writer = Writer(self.account, audience, "user", skip_merge_validation=True)
        writer.write(member, {"email_address": email, "merge_fields": merge_fields, **self._proof()}, "subscribed")

    def _proof(self) -> dict:
        """What Mailchimp writes down of a person's own visit."""
        return {"ip_opt": "198.51.100.7", "timestamp_opt": self.account.instant()}

    @act
    def member_confirms(self, list_id: str, email: str) -> None:
        """A pending one clicks on the link in Mailchimp's mail."""
        audience, member = self._found(list_id, email)
        if member.status != "pending":
            raise LookupError(f"{email} is {member.status}, not pending")
        member.compliance = False
        Writer(self.account, audience, "user", skip_merge_validation=True).write(member, self._proof(), "subscribed")

    @act
    def member_unsubscribes(self, list_id: str, email: str, campaign_id: str = "", reason: str = "manual") -> None:
        """`reason` abuse: by reporting spam."""
        audience, member = self._found(list_id, email)
        member.status = "unsubscribed"
        member.compliance = True
        member.unsubscribe_reason = "Reported as spam" if reason == "abuse" else "No longer interested"
        audience.touch(member, self.account.instant())
        data = {"action": "unsub", "reason": reason, **event_data(audience, member)}
        if campaign_id:
            data["campaign_id"] = campaign_id
            sent = self.account.campaigns[campaign_id].sent_to.get(member.hash)
            if sent:
                sent.update(unsubscribed=self.account.instant(), reason=reason)
        self.account.tell(audience, "unsubscribe", "user", data)

    @act
    def member_cleaned(self, list_id: str, email: str, reason: str = "hard", campaign_id: str = "") -> None:
        """Bounced too hard or too often, or (reason abuse) reported by their provider."""
        self._clean(list_id, email, reason, campaign_id)

    def _clean(self, list_id: str, email: str, reason: str, campaign_id: str) -> None:
        audience, member = self._found(list_id, email)
        member.status = "cleaned"
        member.compliance = True
        member.unsubscribe_reason = "bounce"
        audience.touch(member, self.account.instant())
        data = {"list_id": list_id, "campaign_id": campaign_id, "reason": reason, "email": member.email}
        self.account.tell(audience, "cleaned", "admin", data)

    @act
    def member_changes_address(self, list_id: str, email: str, new_email: str) -> None:
        audience, member = self._found(list_id, email)
        writer = Writer(self.account, audience, "user", skip_merge_validation=True)
        writer.write(member, {"email_address": new_email}, None)

    @act
    def member_changes_profile(self, list_id: str, email: str, language: str = "", **merge_fields: object) -> None:
        audience, member = self._found(list_id, email)
        writer = Writer(self.account, audience, "user", skip_merge_validation=True)
        body = {"merge_fields": merge_fields}
        writer.write(member, {**body, "language": language} if language else body, None)

    @act
    def member_chooses(
        self, list_id: str, email: str, interests: dict | None = None, permissions: dict | None = None
    ) -> None:
        """In their preferences."""
        audience, member = self._found(list_id, email)
        chosen = [{"marketing_permission_id": key, "enabled": value} for key, value in (permissions or {}).items()]
        writer = Writer(self.account, audience, "user", skip_merge_validation=True)
        writer.write(member, {"interests": interests or {}, "marketing_permissions": chosen}, None)

    @act
    def member_opens(self, campaign_id: str, email: str) -> None:
        self._did(campaign_id, email, action="open")

    @act
    def member_clicks(self, campaign_id: str, email: str, url: str) -> None:
        self._did(campaign_id, email, action="click", url=url)

    @act
    def member_bounces(self, campaign_id: str, email: str, hard: bool = True) -> None:
        """A hard bounce cleans the member, as Mailchimp does."""
        kind = "hard" if hard else "soft"
        sent = self._did(campaign_id, email, action="bounce", type=kind)
        sent["status"] = kind
        if hard:
            list_id = self.account.campaigns[campaign_id].recipients["list_id"]
            self._clean(list_id, email, "hard", campaign_id)

    @act
    def campaign_sent(self, campaign_id: str) -> None:
        """It goes out now, or is through with going out, whatever its hour."""
        campaign = self.account.campaigns[campaign_id]
        if campaign.status in ("save", "schedule"):
            campaigns.start(self.account, campaign)
        campaigns.finish(self.account, campaign)

    def _did(self, campaign_id: str, email: str, **what: str) -> dict:
        sent = self.account.campaigns[campaign_id].sent_to[subscriber_hash(email)]
        sent["acts"].append({**what, "timestamp": self.account.instant()})
        return sent

    @act
    def staff_add(self, list_id: str, email: str, status: str = "subscribed", **merge_fields: object) -> None:
        audience = self.account.audiences[list_id]
        writer = Writer(self.account, audience, "admin", skip_merge_validation=True)
        body = {"email_address": email, "merge_fields": merge_fields}
        writer.write(audience.find(subscriber_hash(email)), body, status)

    @act
    def staff_unsubscribe(self, list_id: str, email: str) -> None:
        """Staff take somebody off: no compliance state, the API may bring them back."""
        audience, member = self._found(list_id, email)
        Writer(self.account, audience, "admin", skip_merge_validation=True).write(member, {}, "unsubscribed")

    @act
    def staff_archive(self, list_id: str, email: str) -> None:
        audience, member = self._found(list_id, email)
        Writer(self.account, audience, "admin").archive(member)

    @act
    def staff_delete(self, list_id: str, email: str) -> None:
        """For good."""
        audience, member = self._found(list_id, email)
        Writer(self.account, audience, "admin").forget(member)

    @act
    def staff_tag(self, list_id: str, email: str, name: str) -> None:
        audience, member = self._found(list_id, email)
        Writer(self.account, audience, "admin").give_tags(member, [name])

    @act
    def staff_untag(self, list_id: str, email: str, name: str) -> None:
        audience, member = self._found(list_id, email)
        segment = audience.tag_named(name)
        if segment:
            audience.untag(member, segment, self.account.instant())
