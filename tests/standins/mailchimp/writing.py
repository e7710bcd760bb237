"""The rules by which a member comes to be, changes and comes back: the same for one and for a batch."""

import re
from dataclasses import dataclass

from tests.standins.mailchimp.merge_fields import wrong_values
from tests.standins.mailchimp.problems import (
    forgotten,
    in_compliance_state,
    invalid,
    invalid_merge_fields,
    looks_fake,
    member_exists,
)
from tests.standins.mailchimp.state import Account, Audience, Member, Segment, subscriber_hash

PLAIN = ("email_type", "language", "vip", "ip_opt", "ip_signup", "timestamp_opt", "timestamp_signup")
_ADDRESS = re.compile(r"[^@\s<>,;\"]+@[^@\s<>,;\"]+\.[^@\s<>,;\".]{2,}")


@dataclass
class Writer:
    """One write to one audience, from the API or from people (`source`: api, user, admin)."""

    account: Account
    audience: Audience
    source: str = "api"
    skip_merge_validation: bool = False

    def write(self, member: Member | None, body: dict, status: str | None) -> Member:
        """Make or change a member; all is checked before anything is changed. `status` None leaves it."""
        email = body.get("email_address") or (member.email if member else "")
        self._check_address(member, email)
        self._check_status(member, email, status)
        values = body.get("merge_fields") or {}
        held = member.merge_fields if member else {}
        wrong = wrong_values(self.audience, values, held, self.skip_merge_validation)
        if wrong:
            raise invalid_merge_fields(wrong)
        now = self.account.instant()
        was = member.status if member else None
        if member is None:
            member = Member(email, status or "subscribed", self.account.number())
            member.timestamp_signup = now if status == "pending" else ""
        elif email != member.email:
            self._rename(member, email)
        self._fill(member, body, values)
        if status:
            self._turn(member, status, now)
        self.audience.touch(member, now)
        self._tell(member, was, bool(values or body.get("language")))
        return member

    def give_tags(self, member: Member, names: list[str]) -> None:
        for name in names:
            self.audience.tag(member, self.tag(name), self.account.instant())

    def tag(self, name: str) -> Segment:
        """The tag of that name, made if there is none."""
        known = self.audience.tag_named(name)
        if known:
            return known
        now = self.account.instant()
        segment = Segment(self.account.number(), name, "static", now, now)
        self.audience.segments[segment.id] = segment
        return segment

    def archive(self, member: Member) -> None:
        member.status = "archived"
        self.audience.touch(member, self.account.instant())
        self._unsubscribe_event(member, "archive", "manual")

    def forget(self, member: Member) -> None:
        """Deleted for good: no import and no call brings the address back."""
        self.audience.remove(member)
        self.audience.forgotten.add(member.hash)
        self._unsubscribe_event(member, "delete", "manual")

    def _check_address(self, member: Member | None, email: str) -> None:
        if not _ADDRESS.fullmatch(email):
            raise invalid([("email_address", "Please provide a valid email address.")])
        if member and email.lower() == member.email.lower():
            return
        if email.lower().rpartition("@")[2] in self.account.fake_domains:
            raise looks_fake(email)
        if subscriber_hash(email) in self.audience.forgotten:
            raise forgotten(email)
        other = self.audience.find(email)
        if member and other:
            raise member_exists(email)

    def _check_status(self, member: Member | None, email: str, status: str | None) -> None:
        if member is None or not member.compliance or status == member.status:
            return
        if status == "subscribed" or (status == "pending" and member.unsubscribe_reason == "bounce"):
            raise in_compliance_state(email)

    def _rename(self, member: Member, email: str) -> None:
        old = member.email
        self.audience.rename(member, email)
        self.account.tell(
            self.audience,
            "upemail",
            self.source,
            {
                "new_id": _event_id(member),
                "new_email": email,
                "old_email": old,
                "list_id": self.audience.id,
            },
        )

    def _fill(self, member: Member, body: dict, values: dict) -> None:
        for name in PLAIN:
            if name in body:
                setattr(member, name, body[name])
        known = {field.tag for field in self.audience.merge_fields}
        member.merge_fields.update({tag: value for tag, value in values.items() if tag in known})
        member.interests.update(body.get("interests") or {})
        for one in body.get("marketing_permissions") or []:
            member.permissions[one["marketing_permission_id"]] = one["enabled"]
        place = body.get("location") or {}
        member.latitude = place.get("latitude", member.latitude)
        member.longitude = place.get("longitude", member.longitude)

    def _turn(self, member: Member, status: str, now: str) -> None:
        member.status = status
        if status == "subscribed":
            member.timestamp_opt = member.timestamp_opt or now
            member.unsubscribe_reason = ""
        elif status == "unsubscribed":
            member.unsubscribe_reason = member.unsubscribe_reason or "N/A (Unsubscribed by an admin)"
        elif status == "cleaned":
            member.compliance = True
            member.unsubscribe_reason = "bounce"

    def _tell(self, member: Member, was: str | None, changed: bool) -> None:
        if member.status == "subscribed" and was != "subscribed":
            self.account.tell(self.audience, "subscribe", self.source, event_data(self.audience, member))
        elif member.status == "unsubscribed" and was not in (None, "unsubscribed"):
            self._unsubscribe_event(member, "unsub", "manual")
        elif was is not None and changed:
            self.account.tell(self.audience, "profile", self.source, event_data(self.audience, member))

    def _unsubscribe_event(self, member: Member, action: str, reason: str, **more: str) -> None:
        data = {"action": action, "reason": reason, **event_data(self.audience, member), **more}
        self.account.tell(self.audience, "unsubscribe", self.source, data)


def _event_id(member: Member) -> str:
    return subscriber_hash(member.email)[:10]


def event_data(audience: Audience, member: Member) -> dict:
    """`data[…]` of a webhook about a member."""
    merges = {"EMAIL": member.email, **member.merge_fields}
    return {
        "id": _event_id(member),
        "email": member.email,
        "email_type": member.email_type,
        "ip_opt": member.ip_opt,
        "web_id": member.web_id,
        "list_id": audience.id,
        "merges": merges,
    }
