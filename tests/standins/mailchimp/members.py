"""/lists/{list_id}/members: one at a time, and the list of them."""

from collections.abc import Callable, Iterator

from tests.standins.mailchimp.answers import cut, page, time_asked
from tests.standins.mailchimp.checking import MEMBER, check
from tests.standins.mailchimp.problems import Problem, invalid, member_exists, not_found
from tests.standins.mailchimp.routing import Call, operation
from tests.standins.mailchimp.state import STATUSES, Audience, Member, subscriber_hash
from tests.standins.mailchimp.writing import Writer

TAGS_SHOWN = 50
"""Of a member's tags; tags_count tells how many there are."""


def rendered(audience: Audience, member: Member) -> dict:
    """A member as /members tells it."""
    values = {**brief(audience, member)}
    location = {**values["location"], "region": ""}
    full_name = f"{member.merge_fields.get('FNAME', '')} {member.merge_fields.get('LNAME', '')}".strip()
    more = {
        "contact_id": subscriber_hash(f"{audience.id}/{member.web_id}"),
        "full_name": full_name,
        "web_id": member.web_id,
        "consents_to_one_to_one_messaging": member.status == "subscribed",
        "source": member.source,
        "location": location,
    }
    if audience.permissions:
        more["marketing_permissions"] = [
            {"marketing_permission_id": key, "text": text, "enabled": member.permissions.get(key, False)}
            for key, text in audience.permissions.items()
        ]
    if member.unsubscribe_reason and member.status in ("unsubscribed", "archived"):
        more["unsubscribe_reason"] = member.unsubscribe_reason
    return {**values, **more}


def brief(audience: Audience, member: Member) -> dict:
    """A member as a batch and a segment tell it."""
    defaults: dict[str, object] = {field.tag: "" for field in audience.merge_fields}
    tags = [{"id": number, "name": audience.segments[number].name} for number in list(member.tags)[:TAGS_SHOWN]]
    return {
        "id": member.hash,
        "email_address": member.email,
        "unique_email_id": subscriber_hash(member.email)[:10],
        "email_type": member.email_type,
        "status": member.status,
        "merge_fields": {**defaults, **member.merge_fields},
        "interests": {**dict.fromkeys(audience.interests, False), **member.interests},
        "stats": {"avg_open_rate": 0, "avg_click_rate": 0},
        "ip_signup": member.ip_signup,
        "timestamp_signup": member.timestamp_signup,
        "ip_opt": member.ip_opt,
        "timestamp_opt": member.timestamp_opt,
        "member_rating": 2,
        "last_changed": member.last_changed,
        "language": member.language,
        "vip": member.vip,
        "email_client": "",
        "location": {
            "latitude": member.latitude,
            "longitude": member.longitude,
            "gmtoff": 0,
            "dstoff": 0,
            "country_code": "",
            "timezone": "",
        },
        "tags_count": len(member.tags),
        "tags": tags,
        "list_id": audience.id,
    }


@operation("GET", "/lists/{list_id}/members")
def list_members(call: Call) -> dict:
    audience = call.audience
    return page(call, _chosen(call), "members", lambda m: rendered(audience, m), list_id=audience.id)


@operation("POST", "/lists/{list_id}/members")
def add_member(call: Call) -> dict:
    check(call.body, MEMBER, ("email_address", "status"))
    known = call.audience.find(call.body["email_address"])
    if known and known.status != "archived":
        raise member_exists(call.body["email_address"])
    writer = _writer(call)
    member = writer.write(known, call.body, call.body["status"])
    writer.give_tags(member, call.body.get("tags", []))
    return rendered(call.audience, member)


@operation("GET", "/lists/{list_id}/members/{subscriber_hash}")
def get_member(call: Call) -> dict:
    return cut(call, rendered(call.audience, _member(call)))


@operation("PUT", "/lists/{list_id}/members/{subscriber_hash}")
def put_member(call: Call) -> dict:
    body = call.body
    known = call.audience.find(call.parts["subscriber_hash"])
    there = known is not None and known.status != "archived"
    shape = {**MEMBER, "status_if_new": STATUSES}
    if there:
        check(body, shape)
        status = body.get("status")
    else:
        check(body, shape, ("email_address",))
        status = body.get("status_if_new") or body.get("status")
        if not status:
            raise invalid([("status_if_new", "This value should not be blank.")])
        known = known or call.audience.find(body["email_address"])
    return rendered(call.audience, _writer(call).write(known, body, status))  # tags it passes over


@operation("PATCH", "/lists/{list_id}/members/{subscriber_hash}")
def change_member(call: Call) -> dict:
    member = _member(call)
    check(call.body, MEMBER)
    return rendered(call.audience, _writer(call).write(member, call.body, call.body.get("status")))


@operation("DELETE", "/lists/{list_id}/members/{subscriber_hash}")
def archive_member(call: Call) -> None:
    member = _member(call)
    if member.status == "archived":
        raise Problem(405, "Method Not Allowed", "This list member cannot be removed. Please contact support.")
    _writer(call).archive(member)


@operation("POST", "/lists/{list_id}/members/{subscriber_hash}/actions/delete-permanent")
def delete_for_good(call: Call) -> None:
    _writer(call).forget(_member(call))


@operation("GET", "/lists/{list_id}/members/{subscriber_hash}/tags")
def list_tags(call: Call) -> dict:
    audience = call.audience
    tags = [
        {"id": number, "name": audience.segments[number].name, "date_added": since}
        for number, since in _member(call).tags.items()
    ]
    return page(call, tags, "tags", dict)


@operation("POST", "/lists/{list_id}/members/{subscriber_hash}/tags")
def change_tags(call: Call) -> None:
    member = _member(call)
    check(call.body, {"tags": list, "is_syncing": bool}, ("tags",))
    for tag in call.body["tags"]:
        check(tag, {"name": str, "status": ("active", "inactive")}, ("name", "status"))
    writer = _writer(call)
    for tag in call.body["tags"]:
        if tag["status"] == "active":
            writer.give_tags(member, [tag["name"]])
        else:
            segment = call.audience.tag_named(tag["name"])
            if segment:
                call.audience.untag(member, segment, call.account.instant())


def _writer(call: Call) -> Writer:
    return Writer(call.account, call.audience, skip_merge_validation=call.flag("skip_merge_validation"))


def _member(call: Call) -> Member:
    member = call.audience.find(call.parts["subscriber_hash"])
    if member is None:
        raise not_found()
    return member


def _chosen(call: Call) -> list[Member]:
    """The members asked for, in order; kept until the next write, so that a walk over pages stays quick."""
    audience = call.audience
    paging = ("count", "offset", "fields", "exclude_fields")
    asked = sorted((name, value) for name, value in call.query.items() if name not in paging)
    key = (audience.version, *asked)
    if audience.view and audience.view[0] == key:
        return audience.view[1]
    chosen = list(audience.members.values())
    for test in _tests(call):
        chosen = [member for member in chosen if test(member)]
    chosen = _sorted(call, chosen)
    audience.view = (key, chosen)
    return chosen


def _tests(call: Call) -> Iterator[Callable[[Member], bool]]:
    query = call.query
    if call.account.hides_archived and "status" not in query:
        yield lambda m: m.status != "archived"
    for name in ("status", "email_type"):
        if name in query:
            yield lambda m, name=name: getattr(m, name) == query[name]
    if "unique_email_id" in query:
        yield lambda m: subscriber_hash(m.email)[:10] == query["unique_email_id"]
    if call.flag("vip_only"):
        yield lambda m: m.vip
    for name in ("last_changed", "timestamp_opt"):
        if since := time_asked(call, f"since_{name}"):
            yield lambda m, name=name, since=since: getattr(m, name) > since
        if before := time_asked(call, f"before_{name}"):
            yield lambda m, name=name, before=before: getattr(m, name) < before
    if gone := time_asked(call, "unsubscribed_since"):
        yield lambda m: m.status == "unsubscribed" and m.last_changed > gone


def _sorted(call: Call, members: list[Member]) -> list[Member]:
    field = call.query.get("sort_field")
    if field is None:
        return members
    if field not in ("timestamp_opt", "timestamp_signup", "last_changed"):
        raise invalid([("sort_field", "Value must be one of: timestamp_opt, timestamp_signup, last_changed.")])
    return sorted(members, key=lambda m: getattr(m, field), reverse=call.query.get("sort_dir") == "DESC")
