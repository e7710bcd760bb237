"""What is held of a person in a form for programs.

One JSON object: `format`, `version`, `made_at`, `organisation`, then `person` (an object) and a list of objects for each
other table, and `about`: by table what it is held for, where it comes from, who gets it and how long it is kept. Keys stay what they are; new ones may come without a new version. Times are ISO 8601 with their zone, days
are YYYY-MM-DD, amounts are texts with all their digits, and what is not known is null.
"""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Field
from django.utils import timezone
from django.utils.translation import override

from crm.disclosing import PERSON, explaining, language_of, parts
from crm.personal import HOLDINGS
from supporters.holdings import Holding
from supporters.models import Supporter

FORMAT, GIVEN, VERSION = "lodestar-person", "lodestar-person-given", 1


def stream(supporter: Supporter, language: str = "") -> Iterator[str]:
    """What `about` says is in a language of ours, or else the person's own."""
    return _stream(supporter, language, FORMAT, given=False)


def stream_given(supporter: Supporter, language: str = "") -> Iterator[str]:
    """What they gave us themselves, to take elsewhere (article 20): the same form, with fewer tables."""
    return _stream(supporter, language, GIVEN, given=True)


def _stream(supporter: Supporter, language: str, format: str, *, given: bool) -> Iterator[str]:
    language = language_of(supporter, language)
    head = {
        "format": format,
        "version": VERSION,
        "made_at": timezone.now(),
        "organisation": settings.ORGANISATION_NAME,
    }
    yield "{\n" + ",\n".join(f"{_text(name)}: {_text(value)}" for name, value in head.items())
    about = {PERSON.name: _about(PERSON, language)}
    for holding, rows in parts(supporter, given):
        yield f",\n{_text(holding.name)}: "
        if holding is PERSON:
            yield _text(next(rows, {}))
            continue
        yield "["
        for number, row in enumerate(rows):
            yield (",\n" if number else "\n") + _text(row)
        yield "]"
        about[holding.name] = _about(holding, language)
    yield f',\n"about": {_text(about)}\n}}\n'


def _about(holding: Holding, language: str) -> dict[str, str]:
    with override(language):
        return explaining.as_dict(holding.name)


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=_plain)


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no form in an export")


_TYPES: tuple[tuple[type[Field], dict], ...] = (
    (models.BooleanField, {"type": ["boolean", "null"]}),
    (models.DateTimeField, {"type": ["string", "null"], "format": "date-time"}),
    (models.DateField, {"type": ["string", "null"], "format": "date"}),
    (models.DecimalField, {"type": ["string", "null"], "pattern": r"^-?\d+(\.\d+)?$"}),
    (models.FloatField, {"type": ["number", "null"]}),
    (models.IntegerField, {"type": ["integer", "null"]}),
    (models.JSONField, {}),
    (ArrayField, {"type": ["array", "null"]}),
    (models.Field, {"type": ["string", "null"]}),
)


def schema() -> dict[str, Any]:
    """The form in the words of JSON Schema (draft 2020-12)."""
    tables = {}
    for holding in HOLDINGS:
        row = {
            "type": "object",
            "properties": {name: _type(holding, name) for name in holding.columns},
            "required": list(holding.columns),
        }
        tables[holding.name] = row if holding is PERSON else {"type": "array", "items": row}
        tables[holding.name]["title"] = str(holding.title)
    head = {
        "format": {"const": FORMAT},
        "version": {"const": VERSION},
        "made_at": {"type": "string", "format": "date-time"},
        "organisation": {"type": "string"},
    }
    texts = {name: {"type": "string"} for name in ("purpose", "source", "recipients", "kept")}
    explained = {"type": "object", "properties": texts, "required": list(texts)}
    about = {"about": {"type": "object", "additionalProperties": explained}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "All that is held of a person",
        "type": "object",
        "properties": head | tables | about,
        "required": [*head, *tables, *about],
    }


def _type(holding: Holding, name: str) -> dict:
    field = holding.field(name)
    if field is None or name in holding.made:
        return {}
    return next(type_ for kind, type_ in _TYPES if isinstance(field, kind))
