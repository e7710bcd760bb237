"""Whether the file or the record wins where both say something, field by field.

An empty cell never blanks anything, whatever is chosen. What brought a person in stays unless staff say otherwise.
"""

from collections.abc import Mapping
from functools import lru_cache

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Winner(TextChoices):
    FILE = "file", _("The file wins")
    FILL = "fill", _("Only fill what is empty")
    RECORD = "record", _("The record stays as it is")


CAREFUL = {
    "how_often": "CASE WHEN 'month' IN (t.how_often, s.how_often) THEN 'month' WHEN 'week' IN (t.how_often, s.how_often) THEN 'week' ELSE '' END",
    "discreet": "(s.discreet OR t.discreet <> '')",
}
"""What somebody asked for so as to be left in peace: no file loosens it, whoever wins. SQL of the one that asks for more care."""
COLUMNS = {
    **{name: name for name in ("email", "first_name", "last_name", "language", "country", "birth_date", "phone")},
    **{name: name for name in ("street", "postcode", "city", "region")},
    "organisation": "organisation_id",
    "source_code": "source_code",
    **{name: name for name in CAREFUL},
}
"""Fields of a file that a record has too, and the column of each."""
WRITTEN = (*COLUMNS.values(), "marks")
"""What an import writes into a record on file."""
NOTED = (*WRITTEN, "shares_email_with_id")
"""What is noted of it, in the order of `stage.before` and `stage.after`: who gets an address no longer shares one."""
_MAY_BE_NULL = {"email", "birth_date", "organisation_id"}
DEFAULTS = dict.fromkeys(COLUMNS, Winner.FILE) | {"source_code": Winner.FILL}


def chosen(options: Mapping) -> dict[str, str]:
    """The policy of a run, for every field, from its options."""
    said = options.get("policy") or {}
    return {field: said[field] if said.get(field) in Winner.values else DEFAULTS[field] for field in COLUMNS}


def differing(policy: Mapping[str, str]) -> dict[str, str]:
    """What of a policy is worth keeping: what is not as it would be anyway."""
    return {field: str(policy[field]) for field in COLUMNS if policy.get(field, DEFAULTS[field]) != DEFAULTS[field]}


def update_statement(policy: Mapping[str, str]) -> str:
    """Brings what the rows of one `round` say into the people they are about, and notes before and after in `stage`.

    Of several rows about one person, by reference and by address, one goes in at a `turn`: see TURNS.
    """
    return _update_statement(tuple(policy[field] for field in COLUMNS))


@lru_cache
def _update_statement(winners: tuple[str, ...]) -> str:
    columns = list(COLUMNS.values())
    values = [_value(column, winner) for column, winner in zip(columns, winners, strict=True)]
    return _UPDATE.format(
        held=", ".join(f"s.{column}" for column in columns),
        held_as_text=_as_text("s"),
        values=", ".join(values),
        named_values=", ".join(f"{value} AS {column}" for column, value in zip(columns, values, strict=True)),
        marks=_MARKS.format(**dict(zip(columns, values, strict=True))),
        assignments=", ".join(f"{column} = found.{column}" for column in WRITTEN),
        written_as_text=_as_text("s"),
    )


def _value(column: str, winner: str) -> str:
    if column in CAREFUL:
        return CAREFUL[column]
    if winner == Winner.RECORD:
        return f"s.{column}"
    if column in _MAY_BE_NULL:
        first, second = f"t.{column}", f"s.{column}"
        return f"coalesce({second}, {first})" if winner == Winner.FILL else f"coalesce({first}, {second})"
    first, second = ("s", "t") if winner == Winner.FILL else ("t", "s")
    return f"coalesce(nullif({first}.{column}, ''), {second}.{column})"


def _as_text(table: str) -> str:
    return "ARRAY[" + ", ".join(f"{table}.{column}::text" for column in NOTED) + "]"


# A mark is of a value: it comes and goes with it.
_MARKS = """CASE WHEN s.marks = '{{}}' AND t.marks = '{{}}' THEN s.marks ELSE array(
    SELECT mark FROM unnest(t.marks) mark
    WHERE CASE mark WHEN 'phone' THEN {phone} = t.phone WHEN 'postcode' THEN {postcode} = t.postcode ELSE {email} = t.email END
    UNION SELECT mark FROM unnest(s.marks) mark
    WHERE CASE mark WHEN 'phone' THEN t.phone = '' OR {phone} <> t.phone WHEN 'postcode' THEN t.postcode = '' OR {postcode} <> t.postcode
          ELSE {email} IS NOT DISTINCT FROM s.email END
    ORDER BY mark)::varchar[] END"""

# Locked before it is read, so that what is noted as before is what was overwritten. The arrays have PostgreSQL look these
# few up in the index, whatever it holds their number to be.
_UPDATE = """
WITH turns AS MATERIALIZED (
    SELECT number, supporter_id, row_number() OVER (PARTITION BY supporter_id ORDER BY number) AS turn
    FROM stage WHERE round = %(round)s AND reason IS NULL AND NOT fresh
), found AS (
    SELECT t.number, s.id, {held_as_text} AS before, {named_values}, {marks} AS marks
    FROM turns JOIN stage t USING (number) JOIN supporters_supporter s ON s.id = t.supporter_id
    WHERE turn = %(turn)s AND ({values}) IS DISTINCT FROM ({held}) AND s.id = ANY (ARRAY(SELECT supporter_id FROM turns))
    FOR NO KEY UPDATE OF s
), written AS (
    UPDATE supporters_supporter s SET {assignments}, updated_at = statement_timestamp()
    FROM found WHERE s.id = found.id AND s.id = ANY (ARRAY(SELECT id FROM found))
    RETURNING found.number, found.before, {written_as_text} AS after
) UPDATE stage SET changed = true, before = written.before, after = written.after
FROM written WHERE stage.number = written.number;
"""
TURNS = """
SELECT coalesce(max(rows), 0) FROM (
    SELECT count(*) AS rows FROM stage WHERE round = %(round)s AND reason IS NULL AND NOT fresh GROUP BY supporter_id) each
"""
"""How many rows of a round are about one person at most."""
