"""Reading an audience's members in order of their last change, so that none is missed while they go on changing.

A page is followed by the next from its newest second on, which may hold more. A second that fills a page by itself is read
by offset within that second alone. Members only ever leave a second that is past, by changing again; then the rest
moves up, and the total tells by how many at most.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta

from campaigns.mailchimp.client import Mailchimp
from campaigns.mailchimp.hearing import Heard
from campaigns.mailchimp.mapping import INTEREST, PERMISSION
from campaigns.models import Audience

PAGE = 1000
SECOND = timedelta(seconds=1)
"""What Mailchimp's times are exact to; `since_last_changed` leaves the second it names out."""
BEFORE_MAILCHIMP = datetime(2001, 1, 1, tzinfo=UTC)
"""Where a read of everything begins."""


@dataclass(frozen=True)
class Place:
    """How far a read has come: all changes up to `since`, and of `second` what lies before `offset`."""

    since: datetime
    second: datetime | None = None
    offset: int = 0
    total: int = 0
    """How many that second had when it was last looked at."""
    done: bool = False

    def kept(self) -> dict:
        return {
            name: value.isoformat() if isinstance(value, datetime) else value for name, value in asdict(self).items()
        }

    @classmethod
    def of(cls, kept: dict) -> "Place":
        second = kept["second"] and datetime.fromisoformat(kept["second"])
        return cls(datetime.fromisoformat(kept["since"]), second, kept["offset"], kept["total"], kept["done"])


def pages(
    mailchimp: Mailchimp, audience: Audience, place: Place, status: str = ""
) -> Iterator[tuple[list[Heard], Place]]:
    """Each page with the place to go on from once it was taken; the last one's is done. Raises MailchimpError."""
    names = fields(audience)
    tags = our_tags(audience)
    narrower = {"status": status} if status else {}
    while not place.done:
        if place.second:
            narrower["before_last_changed"] = _text(place.second + SECOND)
        else:
            narrower.pop("before_last_changed", None)
        page, total = mailchimp.changed_members(
            audience.list_id, names, PAGE, place.offset, since_last_changed=_text(place.since), **narrower
        )
        if total < place.total:
            place = replace(place, offset=max(0, place.offset - (place.total - total)), total=total)
            continue
        heard = [heard_of(member, tags) for member in page]
        place = _next(place, heard, total)
        yield heard, place


def _next(place: Place, heard: Sequence[Heard], total: int) -> Place:
    if place.second:
        offset = place.offset + len(heard)
        if heard and offset < total:
            return replace(place, offset=offset, total=total)
        return Place(since=place.second)
    newest = max((row.changed_at for row in heard), default=place.since)
    if len(heard) < PAGE:
        return Place(since=max(newest, place.since), done=True)
    if newest - SECOND > place.since:
        return Place(since=newest - SECOND)
    if newest > place.since:
        return Place(since=place.since, second=newest)
    return Place(since=place.since + SECOND)  # a Mailchimp that counts the second it was named in


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


def fields(audience: Audience) -> list[str]:
    """What a read asks for, and no more."""
    return [
        *("id", "email_address", "contact_id", "status", "last_changed", "unsubscribe_reason", "language"),
        *("timestamp_opt", "ip_opt", "tags.id", "tags_count"),
        *(f"merge_fields.{tag}" for tag in audience.merge_fields),
        *dict.fromkeys(_GROUPS[key[:2]] for key in audience.groups),
    ]


_GROUPS = {INTEREST: "interests", PERMISSION: "marketing_permissions"}


def our_tags(audience: Audience) -> set[int]:
    """Those too whose segment was taken out of the audience: until the next push members have them still."""
    return set(audience.links.filter(tag_id__isnull=False).values_list("tag_id", flat=True)) | set(audience.made_tags)


def heard_of(member: dict, our_tags: set[int]) -> Heard:
    """A member as Mailchimp tells it."""
    tags = member.get("tags")
    return Heard(
        hash=member["id"],
        email=member["email_address"],
        status=member["status"],
        changed_at=datetime.fromisoformat(member["last_changed"]),
        contact=(member.get("contact_id") or "")[:32],
        reason=member.get("unsubscribe_reason") or "",
        opted_at=datetime.fromisoformat(member["timestamp_opt"]) if member.get("timestamp_opt") else None,
        opted_from=member.get("ip_opt") or "",
        language=member.get("language"),
        fields=member.get("merge_fields"),
        chosen={
            **{f"{INTEREST}{key}": bool(value) for key, value in (member.get("interests") or {}).items()},
            **{
                f"{PERMISSION}{one['marketing_permission_id']}": bool(one["enabled"])
                for one in member.get("marketing_permissions") or []
            },
        },
        tags=None if tags is None else sorted(tag["id"] for tag in tags if tag["id"] in our_tags),
        all_tags=tags is not None and member.get("tags_count", len(tags)) <= len(tags),
    )
