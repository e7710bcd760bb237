"""/lists/{list_id}/segments: tags, which are static segments, and saved segments."""

from collections.abc import Callable

from tests.standins.mailchimp import members
from tests.standins.mailchimp.answers import cut, page, time_asked
from tests.standins.mailchimp.checking import check
from tests.standins.mailchimp.problems import Problem, invalid, not_found, refused
from tests.standins.mailchimp.routing import Call, operation
from tests.standins.mailchimp.state import Account, Audience, Member, Segment, subscriber_hash
from tests.standins.mailchimp.writing import Writer

CHANGE_LIMIT = 500
SHAPE: dict[str, object] = {"name": str, "static_segment": list, "options": dict}


def in_segment(audience: Audience, segment: Segment) -> list[Member]:
    """Its members, whatever their status."""
    if segment.type == "static":
        return sorted((audience.members[key] for key in segment.hashes), key=lambda m: m.web_id)
    conditions = (segment.options or {}).get("conditions", [])
    tests = [_test(audience, condition) for condition in conditions]
    together = any if (segment.options or {}).get("match") == "any" else all
    return [m for m in audience.members.values() if tests and together(test(m) for test in tests)]


def _test(audience: Audience, condition: dict) -> Callable[[Member], bool]:
    """The conditions a stand-in needs: tags and addresses. Others hold for nobody."""
    value, op = condition.get("value"), condition.get("op")
    if condition.get("condition_type") == "StaticSegment":
        return lambda m: (int(value) in m.tags) == (op == "static_is")
    if condition.get("condition_type") == "EmailAddress":
        return lambda m: (m.email.lower() == str(value).lower()) == (op == "is")
    return lambda m: False


def rendered(call: Call, segment: Segment) -> dict:
    answer: dict[str, object] = {
        "id": segment.id,
        "name": segment.name,
        "member_count": len(_shown(call, segment)),
        "type": segment.type,
        "created_at": segment.created_at,
        "updated_at": segment.updated_at,
        "list_id": call.audience.id,
    }
    if segment.options:
        answer["options"] = segment.options
    return answer


def _shown(call: Call, segment: Segment) -> list[Member]:
    statuses = {"subscribed"}
    for status in ("cleaned", "transactional", "unsubscribed"):
        if call.flag(f"include_{status}"):
            statuses.add(status)
    return [member for member in in_segment(call.audience, segment) if member.status in statuses]


@operation("GET", "/lists/{list_id}/segments")
def list_segments(call: Call) -> dict:
    segments = list(call.audience.segments.values())
    if "type" in call.query:
        segments = [segment for segment in segments if segment.type == call.query["type"]]
    for field in ("created_at", "updated_at"):
        since, before = time_asked(call, f"since_{field}"), time_asked(call, f"before_{field}")
        segments = [
            segment
            for segment in segments
            if (not since or getattr(segment, field) > since) and (not before or getattr(segment, field) < before)
        ]
    return page(call, segments, "segments", lambda s: rendered(call, s), list_id=call.audience.id)


@operation("POST", "/lists/{list_id}/segments")
def add_segment(call: Call) -> dict:
    check(call.body, SHAPE, ("name",))
    if ("static_segment" in call.body) == ("options" in call.body):
        raise Problem(400, "Invalid Resource", 'Must provide either an "options" field or a "static_segment" field')
    if "static_segment" in call.body and call.audience.tag_named(call.body["name"]):
        raise refused("Sorry, that tag already exists.")
    if "static_segment" in call.body:
        segment = Writer(call.account, call.audience).tag(call.body["name"])
        _set_members(call.account, call.audience, segment, call.body["static_segment"])
    else:
        now = call.account.instant()
        segment = Segment(call.account.number(), call.body["name"], "saved", now, now, call.body["options"])
        call.audience.segments[segment.id] = segment
    return rendered(call, segment)


@operation("GET", "/lists/{list_id}/segments/{segment_id}")
def get_segment(call: Call) -> dict:
    return cut(call, rendered(call, _segment(call)))


@operation("PATCH", "/lists/{list_id}/segments/{segment_id}")
def change_segment(call: Call) -> dict:
    segment = _segment(call)
    check(call.body, SHAPE)
    name = call.body.get("name", segment.name)
    if segment.type == "static" and call.audience.tag_named(name) not in (None, segment):
        raise refused("Sorry, that tag already exists.")
    segment.name = name
    segment.updated_at = call.account.instant()
    if "options" in call.body and segment.type == "saved":
        segment.options = call.body["options"]
    if "static_segment" in call.body and segment.type == "static":
        _set_members(call.account, call.audience, segment, call.body["static_segment"])
    return rendered(call, segment)


@operation("DELETE", "/lists/{list_id}/segments/{segment_id}")
def delete_segment(call: Call) -> None:
    segment = _segment(call)
    for key in segment.hashes:
        del call.audience.members[key].tags[segment.id]
    del call.audience.segments[segment.id]
    call.audience.version += 1


@operation("POST", "/lists/{list_id}/segments/{segment_id}")
def change_members(call: Call) -> dict:
    """Add and remove up to 500 each. Who is there already, or not there, is in no list of the answer."""
    segment = _static(call)
    check(call.body, {"members_to_add": list, "members_to_remove": list})
    add, remove = call.body.get("members_to_add", []), call.body.get("members_to_remove", [])
    asked = {"members_to_add": add, "members_to_remove": remove}
    long = [name for name, emails in asked.items() if len(emails) > CHANGE_LIMIT]
    if long:
        raise invalid([(name, f"At most {CHANGE_LIMIT} addresses in one request.") for name in long])
    audience, now = call.audience, call.account.instant()
    unknown: list[str] = []
    added = [m for m in _known(audience, add, unknown) if audience.tag(m, segment, now)]
    removed = [m for m in _known(audience, remove, unknown) if audience.untag(m, segment, now)]
    errors = []
    if unknown:
        text = "Email addresses are not on the list, so they could not be added or removed."
        errors.append({"email_addresses": unknown, "error": text})
    return {
        "members_added": [members.brief(audience, member) for member in added],
        "members_removed": [members.brief(audience, member) for member in removed],
        "errors": errors,
        "total_added": len(added),
        "total_removed": len(removed),
        "error_count": len(unknown),
    }


@operation("GET", "/lists/{list_id}/segments/{segment_id}/members")
def list_segment_members(call: Call) -> dict:
    shown = _shown(call, _segment(call))
    return page(call, shown, "members", lambda m: _segment_member(call.audience, m))


@operation("POST", "/lists/{list_id}/segments/{segment_id}/members")
def add_segment_member(call: Call) -> dict:
    segment = _static(call)
    check(call.body, {"email_address": str}, ("email_address",))
    member = call.audience.find(subscriber_hash(call.body["email_address"]))
    if member is None or member.status == "archived":
        raise refused("Static segments can only hold members of the list.")
    call.audience.tag(member, segment, call.account.instant())
    return _segment_member(call.audience, member)


def _segment_member(audience: Audience, member: Member) -> dict:
    values = members.brief(audience, member)
    del values["tags"], values["tags_count"]
    return values


def _known(audience: Audience, emails: list[str], unknown: list[str]) -> list[Member]:
    found = []
    for email in emails:
        member = audience.find(subscriber_hash(email))
        if member is None or member.status == "archived":
            unknown.append(email)
        else:
            found.append(member)
    return found


def _set_members(account: Account, audience: Audience, segment: Segment, emails: list[str]) -> None:
    """Exactly these; addresses that are not members are passed over in silence."""
    now = account.instant()
    wanted = {subscriber_hash(email) for email in emails}
    for key in segment.hashes - wanted:
        audience.untag(audience.members[key], segment, now)
    for key in wanted:
        member = audience.members.get(key)
        if member and member.status != "archived":
            audience.tag(member, segment, now)


def _segment(call: Call) -> Segment:
    number = call.parts["segment_id"]
    if not number.isdigit() or int(number) not in call.audience.segments:
        raise not_found()
    return call.audience.segments[int(number)]


def _static(call: Call) -> Segment:
    segment = _segment(call)
    if segment.type != "static":
        raise refused(f"A Static Segment with an id of {segment.id} does not exist for this list.")
    return segment
