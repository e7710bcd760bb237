"""Is a body what the operation takes? Mailchimp answers with one error a field."""

from datetime import datetime

from tests.standins.mailchimp.problems import invalid
from tests.standins.mailchimp.state import STATUSES

_NAMES = {str: "string", int: "integer", float: "number", bool: "boolean", dict: "object", list: "array"}
TIME = "time"

MEMBER: dict[str, object] = {
    "email_address": str,
    "email_type": str,
    "status": STATUSES,
    "merge_fields": dict,
    "interests": dict,
    "language": str,
    "vip": bool,
    "location": dict,
    "marketing_permissions": list,
    "ip_signup": str,
    "timestamp_signup": TIME,
    "ip_opt": str,
    "timestamp_opt": TIME,
    "tags": list,
}


def check(body: object, shape: dict[str, object], required: tuple[str, ...] = ()) -> None:
    """Raise "Invalid Resource" unless the known fields have their types and the required ones are there."""
    errors = faults(body, shape, required)
    if errors:
        raise invalid(errors)


def faults(body: object, shape: dict[str, object], required: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    if not isinstance(body, dict):
        return [("", f"Schema describes object, {_name(body)} found instead")]
    errors = [(name, "This value should not be blank.") for name in required if body.get(name) in (None, "")]
    for name, kind in shape.items():
        if name not in body or name in dict(errors):
            continue
        message = _fault(body[name], kind)
        if message:
            errors.append((name, message))
    return errors


def _fault(value: object, kind: object) -> str:
    if kind == TIME:
        if value == "":
            return ""
        try:
            datetime.fromisoformat(value)
        except (TypeError, ValueError):
            return "This value is not a valid datetime."
        return ""
    if isinstance(kind, tuple):
        return "" if value in kind else "Value must be one of: " + ", ".join(kind) + "."
    fits = isinstance(value, (int, float) if kind is float else kind)
    if kind in (int, float) and isinstance(value, bool):
        fits = False
    return "" if fits else f"Schema describes {_NAMES[kind]}, {_name(value)} found instead"


def _name(value: object) -> str:
    return "NULL" if value is None else _NAMES.get(type(value), "unknown")
