"""Taking a person out of a text, or of the texts of a JSON document, that has to stay for the rest of what it says."""

import json
import re
from collections.abc import Iterable, Mapping
from functools import reduce
from typing import Any

from supporters.holdings import Person

GONE = "…"


def everyone(person: Person) -> tuple[Person, ...]:
    """The person under each name they were on file with."""
    return (*person.guises, person)


def text(told: str, person: Person) -> str:
    """The text with a mark where their address or their whole name stood."""
    return reduce(lambda left, pattern: pattern.sub(GONE, left), _patterns(person), told)


def document(told: Any, person: Person) -> Any:
    """A JSON document, of which no text is one of their values any more, nor has their address or whole name in it."""
    if isinstance(told, str):
        low = re.sub(r"\s", "", told.lower())
        return "" if low in _values(person) else text(told, person)
    if isinstance(told, Mapping):
        return {text(key, person): document(value, person) for key, value in told.items()}
    if isinstance(told, list):
        return [document(value, person) for value in told]
    return told


def without(told: Any, keys: Iterable[str]) -> Any:
    """A JSON document without what stands under these keys, at whatever depth."""
    if isinstance(told, Mapping):
        return {key: without(value, keys) for key, value in told.items() if key not in keys}
    return [without(value, keys) for value in told] if isinstance(told, list) else told


def anywhere(person: Person) -> list[str]:
    """Patterns for LIKE of which one fits whatever mentions them, in JSON's own spelling too; lower case."""
    told = [each for one in everyone(person) for each in (one.email, *_names(one)) if each]
    spelt = {spelling for each in told for spelling in (each, json.dumps(each)[1:-1], each.replace("@", "=40"))}
    return [f"%{_escaped(each.lower())}%" for each in sorted(spelt)]


def _escaped(told: str) -> str:
    return told.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _names(person: Person) -> list[str]:
    first, last = person.first_name, person.last_name
    return [f"{first} {last}", f"{last} {first}", f"{last}, {first}"] if first and last else []


def _patterns(person: Person) -> list[re.Pattern[str]]:
    found = []
    for one in everyone(person):
        if one.email:
            found.append(re.compile(rf"(?<![\w.%+-]){re.escape(one.email)}(?![\w-])(?!\.\w)", re.IGNORECASE))
        found += [re.compile(rf"(?<!\w){re.escape(name)}(?!\w)", re.IGNORECASE) for name in _names(one)]
    return found


def _values(person: Person) -> set[str]:
    """What is theirs, as it is compared: in lower case, without spaces."""
    found = set()
    for one in everyone(person):
        own = (one.email, one.first_name, one.last_name, *one.references, *one.details)
        found |= {re.sub(r"\s", "", each.lower()) for each in own}
    return found - {""}
