"""A member as Mailchimp takes it, made by PostgreSQL: mapping.member as an expression, for the many of a first sync.

The rules are those of mapping.py, and its tables and patterns are used here; a test holds the two against each other.
"""

import json
from collections.abc import Mapping

from campaigns.mailchimp.mapping import (
    DAY,
    IN_LINE,
    INTEREST,
    MOST_BYTES,
    NUMBER,
    PATTERNS,
    There,
    language_there,
)

COMMA = "', '"


def member_sql(
    fields: Mapping[str, There], groups: Mapping[str, str], tags: Mapping[int, str], languages: list[str]
) -> tuple[str, dict[str, object]]:
    """An expression over `o`, a row of `owed` whose values are called `raw`, for the JSON of a member to be subscribed, and its named parameters.

    `tags` are names by id, `languages` all that occur among the rows.
    """
    parameters: dict[str, object] = {
        "tag_names": json.dumps({str(tag): name for tag, name in tags.items()}),
        "languages": json.dumps({ours: theirs for ours in languages if (theirs := language_there(ours))}),
        **{f"choices_{tag}": list(there.choices) for tag, there in fields.items() if there.choices},
    }
    parts = {
        "email_address": "to_json(o.email)",
        "status": "'\"subscribed\"'",
        "merge_fields": _object({tag: _field(tag, there) for tag, there in fields.items()}),
        "language": "to_json(%(languages)s::jsonb ->> o.language)",
        "tags": "(SELECT coalesce(json_agg(%(tag_names)s::jsonb ->> tag), '[]') FROM jsonb_array_elements_text(o.tags) tag "
        "WHERE %(tag_names)s::jsonb ? tag)",
    }
    if interests := [key for key in groups if key.startswith(INTEREST)]:
        parts["interests"] = _object(
            {key.removeprefix(INTEREST): f"coalesce(o.raw ->> '{key}', 'false')" for key in interests}
        )
    return _object(parts), parameters


def _object(parts: Mapping[str, str]) -> str:
    """The text of a JSON object of these, without those that are null: concat_ws passes over them."""
    pairs = ", ".join(f"'\"{name}\":' || {part}" for name, part in parts.items())
    return f"'{{' || concat_ws(',', {pairs}) || '}}'"


def _field(tag: str, there: There) -> str:
    """The JSON of what a field there takes; null where it takes none like it."""
    raw = f"(o.raw ->> '{tag}')"
    address = f"nullif(o.raw ->> '{tag}', '')::jsonb"
    if there.kind == "address":
        taken = _address(address) if there.whole else "NULL"
    else:
        parts = ", ".join(f"nullif({address} ->> '{part}', '')" for part in IN_LINE)
        taken = f"to_json({_text(tag, f'concat_ws({COMMA}, {parts})' if there.whole else raw, there)})"
    return f"CASE WHEN {raw} = '' THEN '\"\"' ELSE {taken}::text END"


def _text(tag: str, value: str, there: There) -> str:
    if there.kind in PATTERNS:
        pattern = PATTERNS[there.kind]
        return f"CASE WHEN {value} ~ '^({pattern})$' AND octet_length({value}) <= {MOST_BYTES} THEN {value} END"
    match there.kind:
        case "number":
            return f"CASE WHEN {value} ~ '^({NUMBER})$' THEN {value} END"
        case "date":
            return f"CASE WHEN {_is_day(value)} THEN {value} END"
        case "birthday":
            return f"CASE WHEN {_is_day(value)} THEN substr({value}, 6, 2) || '/' || substr({value}, 9, 2) END"
        case "radio" | "dropdown":
            return (
                f"CASE WHEN {value} = ANY(%(choices_{tag})s::text[]) THEN {value} END"
                if there.choices
                else "NULL::text"
            )
        case "phone" if there.us_phone:
            digits = f"regexp_replace(regexp_replace({value}, '[^0-9]', '', 'g'), '^1', '')"
            return f"CASE WHEN length({digits}) = 10 THEN regexp_replace({digits}, '^(...)(...)(....)$', '\\1-\\2-\\3') END"
    return _cut(value)


def _is_day(value: str) -> str:
    return f"({value} ~ '^{DAY}$' AND pg_input_is_valid({value}, 'date'))"


def _cut(value: str) -> str:
    """Within Mailchimp's 255 bytes, cut between two characters, of which each has four at most."""
    return (
        f"CASE WHEN octet_length({value}) <= {MOST_BYTES} THEN {value} ELSE (SELECT left({value}, max(n)) "
        f"FROM generate_series({MOST_BYTES // 4}, {MOST_BYTES}) n WHERE octet_length(left({value}, n)) <= {MOST_BYTES}) END"
    )


def _address(address: str) -> str:
    def part(name: str) -> str:
        return f"{address} ->> '{name}'"

    needed = " AND ".join(f"coalesce({part(name)}, '') <> ''" for name in ("addr1", "city", "zip"))
    parts = {name: f"to_json({_cut(f'({part(name)})')})" for name in IN_LINE}
    for name in parts.keys() - {"state"}:
        parts[name] = f"CASE WHEN {part(name)} <> '' THEN {parts[name]} END"
    return f"CASE WHEN {needed} THEN {_object(parts)} END"
