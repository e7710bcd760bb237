"""/lists/{list_id}/merge-fields, and what each type of field accepts."""

import re
from datetime import datetime

from tests.standins.mailchimp.answers import cut, page
from tests.standins.mailchimp.checking import check
from tests.standins.mailchimp.problems import not_found, refused
from tests.standins.mailchimp.routing import Call, operation
from tests.standins.mailchimp.state import Audience, MergeField

LIMIT = 30
LONGEST = 255  # bytes of a text
TYPES = (
    "text",
    "number",
    "address",
    "phone",
    "date",
    "url",
    "imageurl",
    "radio",
    "dropdown",
    "birthday",
    "zip",
)
SHAPE: dict[str, object] = {
    "tag": str,
    "name": str,
    "required": bool,
    "default_value": str,
    "public": bool,
    "display_order": int,
    "help_text": str,
    "options": dict,
}


def rendered(audience: Audience, field: MergeField) -> dict:
    return {
        "merge_id": field.merge_id,
        "tag": field.tag,
        "name": field.name,
        "type": field.type,
        "required": field.required,
        "default_value": field.default_value,
        "public": field.public,
        "display_order": field.display_order,
        "options": field.options,
        "help_text": field.help_text,
        "list_id": audience.id,
    }


@operation("GET", "/lists/{list_id}/merge-fields")
def list_merge_fields(call: Call) -> dict:
    audience = call.audience
    fields = [
        field
        for field in audience.merge_fields
        if call.query.get("type", field.type) == field.type
        and ("required" not in call.query or field.required == call.flag("required"))
    ]
    return page(call, fields, "merge_fields", lambda f: rendered(audience, f), list_id=audience.id)


@operation("POST", "/lists/{list_id}/merge-fields")
def add_merge_field(call: Call) -> dict:
    audience = call.audience
    check(call.body, {**SHAPE, "type": TYPES}, ("name", "type"))
    if len(audience.merge_fields) >= LIMIT:
        raise refused(f"This list already has {LIMIT} merge fields, which is the maximum.")
    number = max((field.merge_id for field in audience.merge_fields), default=0) + 1
    tag = call.body.get("tag") or f"MERGE{number}"
    _check_tag(audience, tag, None)
    kind = call.body["type"]
    options = {"size": 25} if kind == "text" else {}
    field = MergeField(number, tag.upper(), call.body["name"], kind, display_order=number + 1)
    _change(field, {**call.body, "options": {**options, **call.body.get("options", {})}, "tag": tag})
    audience.merge_fields.append(field)
    return rendered(audience, field)


@operation("GET", "/lists/{list_id}/merge-fields/{merge_id}")
def get_merge_field(call: Call) -> dict:
    return cut(call, rendered(call.audience, _field(call)))


@operation("PATCH", "/lists/{list_id}/merge-fields/{merge_id}")
def change_merge_field(call: Call) -> dict:
    field = _field(call)
    check(call.body, SHAPE)
    if "tag" in call.body:
        _check_tag(call.audience, call.body["tag"], field)
    _change(field, call.body)
    return rendered(call.audience, field)


@operation("DELETE", "/lists/{list_id}/merge-fields/{merge_id}")
def delete_merge_field(call: Call) -> None:
    field = _field(call)
    call.audience.merge_fields.remove(field)
    for member in call.audience.members.values():
        member.merge_fields.pop(field.tag, None)


def _field(call: Call) -> MergeField:
    wanted = call.parts["merge_id"]
    for field in call.audience.merge_fields:
        if str(field.merge_id) == wanted:
            return field
    raise not_found()


def _check_tag(audience: Audience, tag: str, but: MergeField | None) -> None:
    if not re.fullmatch(r"[A-Za-z0-9_]{1,10}", tag):
        raise refused("Merge tags are at most 10 characters: letters, digits and underscores.")
    if any(field.tag == tag.upper() for field in audience.merge_fields if field is not but):
        raise refused(f'A Merge Field with the tag "{tag.upper()}" already exists for this list.')


def _change(field: MergeField, body: dict) -> None:
    for name in SHAPE:
        if name in body:
            setattr(field, name, body[name].upper() if name == "tag" else body[name])


def wrong_values(audience: Audience, values: dict, held: dict, skip_required: bool) -> list[tuple[str, str]]:
    """(tag, message) for each value that its field doesn't take. Tags that nobody knows are let pass."""
    errors = []
    for field in audience.merge_fields:
        value = values.get(field.tag, held.get(field.tag, ""))
        if value in ("", None):
            if field.required and not skip_required:
                errors.append((field.tag, "Please enter a value"))
        elif field.tag in values:
            message = _wrong(field, value)
            if message:
                errors.append((field.tag, message))
    return errors


def _wrong(field: MergeField, value: object) -> str:
    if field.type == "address":
        return _wrong_address(value)
    if isinstance(value, (dict, list, bool)):
        return "Schema describes string, object found instead"
    text = str(value)
    if len(text.encode()) > LONGEST:
        return f"This value is longer than {LONGEST} bytes."
    match field.type:
        case "number":
            return "" if re.fullmatch(r"-?\d+(\.\d+)?", text) else "Please enter a number"
        case "date":
            return "" if _is_date(text) else "Please enter a valid date"
        case "birthday":
            right = re.fullmatch(r"(0[1-9]|1[0-2])/(0[1-9]|[12]\d|3[01])", text)
            return "" if right else "Please enter a month (01-12) and a day (01-31)"
        case "url" | "imageurl":
            return "" if re.match(r"https?://[^\s/]+", text) else "Please enter a valid URL"
        case "zip":
            return "" if re.fullmatch(r"\d{5}(-\d{4})?", text) else "Please enter a 5 digit zip code"
        case "phone" if field.options.get("phone_format") == "US":
            return "" if re.fullmatch(r"\d{3}-\d{3}-\d{4}", text) else "Please enter a phone number NNN-NNN-NNNN"
        case "radio" | "dropdown":
            choices = field.options.get("choices", [])
            return "" if text in choices else "Value must be one of: " + ", ".join(choices)
    return ""


def _wrong_address(value: object) -> str:
    if not isinstance(value, dict):
        return f"Schema describes object, {type(value).__name__} found instead"
    if not all(value.get(part) for part in ("addr1", "city", "zip")) or "state" not in value:
        return "Please enter a complete address"
    if any(len(str(part).encode()) > LONGEST for part in value.values()):
        return f"This value is longer than {LONGEST} bytes."
    country = value.get("country", "")
    if country and not re.fullmatch(r"[A-Z]{2}", country):
        return "Please enter a country by its two letters"
    return ""


def _is_date(text: str) -> bool:
    for pattern in ("%Y-%m-%d", "%m/%d/%Y"):
        try:
            datetime.strptime(text, pattern)
        except ValueError:
            continue
        return True
    return False
