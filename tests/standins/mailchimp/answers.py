"""Pages, and answers cut down to the fields that were asked for."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from tests.standins.mailchimp.problems import invalid
from tests.standins.mailchimp.routing import Call
from tests.standins.mailchimp.state import instant


def page(call: Call, items: Sequence, name: str, render: Callable[..., dict], **more: object) -> dict:
    """`count` of the items from `offset` on, under their name, and how many there are."""
    errors = []
    numbers = {"count": 10, "offset": 0}
    for parameter in numbers:
        text = call.query.get(parameter)
        if text is None:
            continue
        if not text.isdigit():
            errors.append((parameter, f"Schema describes integer, string found instead: {text}"))
        elif parameter == "count" and int(text) > 1000:
            errors.append((parameter, "Your request contains a count that is larger than 1000."))
        else:
            numbers[parameter] = int(text)
    if errors:
        raise invalid(errors)
    start = numbers["offset"]
    shown = items[start : start + numbers["count"]]
    return cut(call, {name: [render(item) for item in shown], **more, "total_items": len(items)})


def cut(call: Call, answer: dict) -> dict:
    """Obey `fields` and `exclude_fields`, dotted names in a comma-separated list."""
    if call.query.get("fields"):
        answer = _keep(answer, _tree(call.query["fields"]))
    if call.query.get("exclude_fields"):
        answer = _drop(answer, _tree(call.query["exclude_fields"]))
    return answer


def _tree(names: str) -> dict:
    """`a.b,c` to {"a": {"b": None}, "c": None}; None is the whole of it."""
    tree: dict = {}
    for name in names.split(","):
        *parents, last = name.strip().split(".")
        branch: dict | None = tree
        for parent in parents:
            branch = branch.setdefault(parent, {})
            if branch is None:
                break
        if branch is not None:
            branch[last] = None
    return tree


def _keep(value: object, tree: dict) -> object:
    if isinstance(value, list):
        return [_keep(item, tree) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: inner if tree[name] is None else _keep(inner, tree[name])
        for name, inner in value.items()
        if name in tree
    }


def _drop(value: object, tree: dict) -> object:
    if isinstance(value, list):
        return [_drop(item, tree) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: inner if name not in tree else _drop(inner, tree[name])
        for name, inner in value.items()
        if not (name in tree and tree[name] is None)
    }


def time_asked(call: Call, name: str) -> str:
    """A time in the query as we keep times, or nothing."""
    text = call.query.get(name)
    if not text:
        return ""
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))  # a + that nobody quoted
    except ValueError:
        raise invalid([(name, "This value is not a valid datetime.")]) from None
    return instant(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
