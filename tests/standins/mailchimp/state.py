"""What the stand-in remembers: an account with audiences, members, tags, webhooks, campaigns."""

import hashlib
import secrets
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

STATUSES = ("subscribed", "unsubscribed", "cleaned", "pending", "transactional")


def subscriber_hash(email: str) -> str:
    return hashlib.md5(email.lower().encode()).hexdigest()


def new_id() -> str:
    return secrets.token_hex(5)


def instant(moment: datetime) -> str:
    """As Mailchimp writes it: whole seconds of UTC. Such strings sort as the times do."""
    return moment.astimezone(UTC).replace(microsecond=0).isoformat()


@dataclass(slots=True)
class Member:
    email: str
    status: str
    web_id: int
    timestamp_signup: str = ""
    timestamp_opt: str = ""
    last_changed: str = ""
    email_type: str = "html"
    language: str = ""
    vip: bool = False
    ip_opt: str = ""
    ip_signup: str = ""
    latitude: float = 0
    longitude: float = 0
    source: str = "API - Generic"
    unsubscribe_reason: str = ""
    compliance: bool = False
    """Left, bounced or complained by itself: the API can't make it subscribed again."""
    merge_fields: dict[str, object] = field(default_factory=dict)
    interests: dict[str, bool] = field(default_factory=dict)
    permissions: dict[str, bool] = field(default_factory=dict)
    tags: dict[int, str] = field(default_factory=dict)
    """Segment id to the time it was given."""

    @property
    def hash(self) -> str:
        return subscriber_hash(self.email)


@dataclass
class MergeField:
    merge_id: int
    tag: str
    name: str
    type: str
    required: bool = False
    default_value: str = ""
    public: bool = False
    display_order: int = 0
    help_text: str = ""
    options: dict = field(default_factory=dict)


@dataclass
class Segment:
    """A tag and a static segment are one thing in Mailchimp; a saved one has conditions, not members."""

    id: int
    name: str
    type: str
    created_at: str
    updated_at: str
    options: dict | None = None
    hashes: set[str] = field(default_factory=set)


@dataclass
class Webhook:
    id: str
    url: str
    secret: str
    events: dict[str, bool]
    sources: dict[str, bool]


@dataclass
class Audience:
    id: str
    name: str
    web_id: int
    date_created: str
    settings: dict = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)
    """By subscriber hash, the one changed last at the end."""
    forgotten: set[str] = field(default_factory=set)
    merge_fields: list[MergeField] = field(default_factory=list)
    segments: dict[int, Segment] = field(default_factory=dict)
    webhooks: dict[str, Webhook] = field(default_factory=dict)
    interests: list[str] = field(default_factory=list)
    permissions: dict[str, str] = field(default_factory=dict)
    """Marketing permissions by id, with their texts, where the audience has GDPR fields."""
    version: int = 0
    """Counts writes, so that what was worked out from the members can be kept until the next."""
    view: tuple[tuple, list[Member]] | None = field(default=None, repr=False)
    """The members last asked for and what was asked."""
    statuses: Counter[str] = field(default_factory=Counter)
    statuses_of: int = -1

    def status_counts(self) -> Counter[str]:
        if self.statuses_of != self.version:
            self.statuses = Counter(member.status for member in self.members.values())
            self.statuses_of = self.version
        return self.statuses

    def find(self, key: str) -> Member | None:
        """By subscriber hash or by address, as the API does."""
        return self.members.get(subscriber_hash(key) if "@" in key else key.lower())

    def touch(self, member: Member, now: str) -> None:
        self.members.pop(member.hash, None)
        self.members[member.hash] = member
        member.last_changed = now
        self.version += 1

    def rename(self, member: Member, email: str) -> None:
        """Give a member another address; its tags go with it."""
        old = member.hash
        del self.members[old]
        member.email = email
        self.members[member.hash] = member
        for tag in member.tags:
            self.segments[tag].hashes.discard(old)
            self.segments[tag].hashes.add(member.hash)

    def remove(self, member: Member) -> None:
        del self.members[member.hash]
        for tag in member.tags:
            self.segments[tag].hashes.discard(member.hash)
        self.version += 1

    def tag(self, member: Member, segment: Segment, now: str) -> bool:
        """Whether that changed anything."""
        if segment.id in member.tags:
            return False
        member.tags[segment.id] = now
        segment.hashes.add(member.hash)
        segment.updated_at = now
        self.touch(member, now)
        return True

    def untag(self, member: Member, segment: Segment, now: str) -> bool:
        if segment.id not in member.tags:
            return False
        del member.tags[segment.id]
        segment.hashes.discard(member.hash)
        segment.updated_at = now
        self.touch(member, now)
        return True

    def tag_named(self, name: str) -> Segment | None:
        return next((s for s in self.segments.values() if s.type == "static" and s.name == name), None)


@dataclass
class Account:
    name: str = "RealStars"
    audiences: dict[str, Audience] = field(default_factory=dict)
    campaigns: dict[str, "Campaign"] = field(default_factory=dict)
    batches: dict[str, "Batch"] = field(default_factory=dict)
    skew: timedelta = timedelta()
    """How far Mailchimp's clock is ahead of ours."""
    fake_domains: set[str] = field(default_factory=lambda: {"example.com", "test.com"})
    """Addresses at these it takes for invented ones."""
    events: list[tuple] = field(default_factory=list, repr=False)
    """What webhooks are still to be told: (audience, type, source, data)."""
    hides_archived: bool = False
    """Whether a list of members leaves out the archived ones, unless it is asked for them."""
    sending_seconds: float = 0
    """How long a campaign is `sending` before it is `sent`."""
    last_number: int = 0
    address: str = ""
    """Where it listens, for what lies outside the API."""

    def now(self) -> datetime:
        return datetime.now(UTC) + self.skew

    def instant(self) -> str:
        return instant(self.now())

    def number(self) -> int:
        self.last_number += 1
        return 10_000 + self.last_number

    def add_audience(self, name: str, list_id: str = "", settings: dict | None = None) -> Audience:
        audience = Audience(list_id or new_id(), name, self.number(), self.instant(), settings or {})
        order = count(1)
        for tag, title, kind, options in (
            ("FNAME", "First Name", "text", {"size": 25}),
            ("LNAME", "Last Name", "text", {"size": 25}),
            ("ADDRESS", "Address", "address", {"default_country": 186}),
            ("PHONE", "Phone Number", "phone", {"phone_format": "none"}),
            ("BIRTHDAY", "Birthday", "birthday", {"date_format": "MM/DD"}),
        ):
            number = next(order)
            audience.merge_fields.append(
                MergeField(number, tag, title, kind, display_order=number + 1, options=options)
            )
        self.audiences[audience.id] = audience
        return audience

    def tell(self, audience: Audience, kind: str, source: str, data: dict) -> None:
        self.events.append((audience.id, kind, source, data))


@dataclass
class Batch:
    id: str
    operations: list[dict]
    submitted_at: str
    status: str = "pending"
    completed_at: str = ""
    results: list[dict] = field(default_factory=list)


@dataclass
class Campaign:
    id: str
    web_id: int
    type: str
    create_time: str
    status: str = "save"
    send_time: str = ""
    content_type: str = "template"
    recipients: dict = field(default_factory=dict)
    settings: dict = field(default_factory=dict)
    tracking: dict = field(default_factory=dict)
    content: dict = field(default_factory=dict)
    sent_at: datetime | None = None
    sent_to: dict[str, dict] = field(default_factory=dict)
    """By subscriber hash: address, status (sent, hard, soft), and what the person did (`acts`)."""
    tests: list[list[str]] = field(default_factory=list)
