"""What became of each row of a slice, read from `stage` while it is there."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from supporters.importing import policy
from supporters.importing.preview.shadows import FIRST_ID
from supporters.models import ImportRun

NEW, CHANGED, UNCHANGED = "new", "changed", "unchanged"
FAILED, DOUBTFUL, NOT_TAKEN = "failed", "doubtful", "not_taken"
EXAMPLES = 10
"""Rows of each outcome that are shown without being asked for."""
_OF_A_GIFT = ("amount", "currency", "received_on", "method", "provider_id", "source_code", "designation")


class Outcomes:
    """Of one slice. The keys of an outcome: `outcome`, `why`, `who` (id of a supporter), `fields` (name, old, new), `also`."""

    def __init__(self, run: ImportRun) -> None:
        self._read = _read_people if run.kind == ImportRun.Kind.SUPPORTERS else _read_gifts
        self.rows: dict[int, dict] = {}

    def after(self, cursor: Any) -> None:
        self.rows.update(self._read(cursor))

    def add(self, number: int, outcome: str, why: str) -> None:
        self.rows[number] = {"outcome": outcome, "why": why}

    @property
    def people(self) -> list[int]:
        return sorted({row["who"] for row in self.rows.values() if row.get("who")})

    @property
    def examples(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for number in sorted(self.rows):
            numbers = found.setdefault(self.rows[number]["outcome"], [])
            if len(numbers) < EXAMPLES:
                numbers.append(number)
        return found

    def touched(self) -> tuple[Counter, Counter]:
        """By field: in how many records on file it is filled in, and in how many it is replaced."""
        filled: Counter = Counter()
        replaced: Counter = Counter()
        for row in self.rows.values():
            if row["outcome"] == CHANGED:
                for name, old, _new in row.get("fields", ()):
                    (replaced if old else filled)[name] += 1
        return filled, replaced


_STANDING = f"""
CASE WHEN reason IS NOT NULL AND candidate_id IS NOT NULL THEN '{DOUBTFUL}' WHEN reason IS NOT NULL THEN '{FAILED}'
     WHEN fresh THEN '{NEW}' WHEN changed THEN '{CHANGED}' ELSE '{UNCHANGED}' END
"""


def _read_people(cursor: Any) -> dict[int, dict]:
    columns = [column for column in policy.COLUMNS.values() if column != "organisation_id"]
    at = list(policy.COLUMNS).index("organisation")
    cursor.execute(
        f"""
        SELECT number, {_STANDING}, coalesce(reason, note), coalesce(candidate_id, stage.supporter_id), before, after,
               CASE WHEN reference_id IS NOT NULL AND key IS NULL THEN system || ': ' || reference END, gained,
               CASE WHEN purpose IS NULL THEN said ELSE said || ('granted:' || purpose) END, organisation, {", ".join(f"{column}::text" for column in columns)}
        FROM stage LEFT JOIN granted ON granted.supporter_id = stage.supporter_id AND reason IS NULL
        """
    )
    rows = {}
    names: set[str] = set()
    for number, outcome, why, who, before, after, reference, gained, said, organisation, *own in cursor.fetchall():
        row: dict = {"outcome": outcome, "why": why}
        if who and who < FIRST_ID:
            row["who"] = who
        if outcome == NEW:
            new = dict(zip(columns, own, strict=True)) | {"organisation": organisation}
            row["fields"] = [[name, "", new[name]] for name in policy.COLUMNS if new[name]]
        elif before:
            row["fields"] = _differing(before, after)
            names.update(filter(None, (before[at], after[at])))
        row["also"] = _also(reference, gained, said)
        rows[number] = {key: value for key, value in row.items() if value}
    _name_organisations(cursor, rows, names)
    return rows


def _differing(before: Sequence[str | None], after: Sequence[str | None]) -> list[list[str]]:
    pairs = zip(policy.COLUMNS, before, after, strict=False)  # marks follow, which no file says
    return [[name, _shown(name, old), _shown(name, new)] for name, old, new in pairs if old != new]


def _shown(name: str, value: str | None) -> str:
    """As a file has it."""
    if name == "discreet":
        return "yes" if value == "true" else ""
    return value or ""


def _also(reference: str | None, gained: list[str] | None, said: list[str]) -> list[list[str]]:
    found = [["reference", reference]] if reference else []
    found += [["tag", name] for name in gained or ()]
    return found + [word.split(":", 1) for word in said]


def _name_organisations(cursor: Any, rows: dict[int, dict], ids: set[str]) -> None:
    if not ids:
        return
    cursor.execute("SELECT id::text, name FROM supporters_organisation WHERE id = ANY(%s)", [list(map(int, ids))])
    names = dict(cursor.fetchall())
    for row in rows.values():
        if row["outcome"] == CHANGED:
            for field in row.get("fields", ()):
                if field[0] == "organisation":
                    field[1:] = [names.get(value, "") for value in field[1:]]


def _read_gifts(cursor: Any) -> dict[int, dict]:
    cursor.execute(
        f"""
        SELECT number, {_STANDING}, coalesce(reason, note), stage.supporter_id,
               concat_ws(' ', nullif(s.first_name, ''), nullif(s.last_name, '')), s.email, reference, refund_of,
               refunded::text, {", ".join(f"stage.{name}::text" for name in _OF_A_GIFT)}
        FROM stage LEFT JOIN supporters_supporter s ON s.id = stage.supporter_id
        """
    )
    rows = {}
    for number, outcome, why, who, name, email, reference, refund_of, refunded, *gift in cursor.fetchall():
        row: dict = {"outcome": outcome, "why": why}
        if who and who < FIRST_ID:
            row["who"] = who
        if outcome == NEW:
            row["fields"] = [[field, "", value] for field, value in zip(_OF_A_GIFT, gift, strict=True) if value]
            if who and who >= FIRST_ID:
                row["also"] = [["person", name or email or reference]]
            if refund_of:
                row["also"] = [["refund_of", refund_of]]
        elif outcome == CHANGED:
            row["also"] = [["refunded", refunded or ""]]
        rows[number] = {key: value for key, value in row.items() if value}
    return rows
