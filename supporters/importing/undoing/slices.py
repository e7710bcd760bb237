"""Undoing what one slice of an import wrote, in one transaction: see the package.

Whoever is on it is locked first; then it is seen what is built on, and then the rest is taken away. So what somebody does at
the same moment either comes before, and is seen, or meets the record as it was before the import.
"""

import json
from collections.abc import Collection
from typing import Any, NamedTuple

from django.db import connection

from supporters.importing import policy
from supporters.importing.undoing import footing
from supporters.models import Donation, ImportRun, ImportTrace, Supporter
from supporters.privacy import ledger_open_for

PERSON, CHANGE, GIFT = "person", "change", "gift"


class Seen(NamedTuple):
    """What can be undone of a slice, and what can't."""

    counts: dict[str, int]
    kept: list[list]
    """Row of the file, kind, key of the record, reasons."""


def look(trace: ImportTrace, held: Collection[int] = ()) -> Seen:
    """See what could be undone of it, changing nothing. `held` are gifts that stay. Call it in a transaction."""
    with connection.cursor() as cursor:
        writers, gone = _gather(cursor, trace, held, lock=False)
        _mark_taken(cursor, {"spared": writers})
        seen = _seen(cursor, {"gone": gone})
        _clear(cursor)
    return seen


def undo(trace: ImportTrace, run: ImportRun, by: int | None) -> Seen:
    """Take away what it made and put back what it changed, save for what is built on. Call it in a transaction."""
    with connection.cursor() as cursor:
        _writers, gone = _gather(cursor, trace, (), lock=True)
        parameters = _parameters(trace)
        done = {"gone": gone, "refunds": _take_back_refunds(cursor, parameters)}
        with ledger_open_for("undo"):
            for statement in footing.taking_along(Donation, "doomed_gifts"):
                cursor.execute(statement)
            for statement in (*footing.left_over("doomed_people"), *footing.taking_along(Supporter, "doomed_people")):
                cursor.execute(statement)
            _mark_taken(cursor, {"spared": []})
            _put_back(cursor)
            done |= _take_links(cursor, parameters)
            source = f"{run.file_name[:200]} (undone)"
            done |= _take_back_grants(cursor, {**parameters, "source": source, "by": by})
        seen = _seen(cursor, done)
        cursor.execute(
            """UPDATE supporters_importtrace SET undone_at = statement_timestamp(), undone_by = (SELECT xmin::text::bigint FROM mark),
                      counts = %s, kept = %s WHERE id = %s""",
            [json.dumps(seen.counts), json.dumps(seen.kept), trace.pk],
        )
        _clear(cursor)
    return seen


def _parameters(trace: ImportTrace) -> dict[str, Any]:
    return {"trace": trace.pk, "run": trace.run_id}


def _gather(cursor: Any, trace: ImportTrace, held: Collection[int], *, lock: bool) -> tuple[list[int], int]:
    """Make tables of who and what it is about, each with why it has to stay.

    Returns the transactions of the import, and how many people are not there any more.
    """
    parameters = _parameters(trace)
    cursor.execute("CREATE TEMP TABLE mark ON COMMIT DROP AS SELECT 1 AS mark")
    if lock:
        cursor.execute(_LOCK, parameters)
        cursor.fetchall()
    cursor.execute(
        "SELECT array_agg(w) FROM supporters_importtrace t, unnest(ARRAY[writer, undone_by]) w WHERE run_id = %s AND w IS NOT NULL",
        [trace.run_id],
    )
    parameters |= {"writers": cursor.fetchone()[0], "held": list(held)}
    cursor.execute(_DOOMED, parameters)
    for model, table in ((Donation, "doomed_gifts"), (Supporter, "doomed_people")):
        for statement in footing.in_the_way(model, table):
            cursor.execute(statement, parameters)
    cursor.execute(_REVERTS, parameters)
    cursor.execute(_GONE, parameters)
    return parameters["writers"], cursor.fetchone()[0]


def _clear(cursor: Any) -> None:
    cursor.execute("DROP TABLE mark, doomed_people, doomed_gifts, reverts")


def _take_back_refunds(cursor: Any, parameters: dict) -> int:
    cursor.execute(_REFUNDS, parameters)
    return cursor.fetchone()[0]


def _mark_taken(cursor: Any, parameters: dict) -> None:
    """Find old addresses that are somebody's who keeps them; whoever stays for that keeps the present address too."""
    while True:
        cursor.execute(_TAKEN, parameters)
        if not cursor.rowcount:
            return


def _put_back(cursor: Any) -> None:
    cursor.execute(_FREE_ADDRESSES)
    cursor.execute(_PUT_BACK)


def _take_links(cursor: Any, parameters: dict) -> dict[str, int]:
    counts = {}
    for name, table, keys in (
        ("references", "supporters_reference", '"references"'),
        ("tags", "supporters_supporter_tags", "tag_links"),
    ):
        cursor.execute(_LINKS.format(table=table, keys=keys), parameters)
        counts[name] = cursor.rowcount
    return counts


def _take_back_grants(cursor: Any, parameters: dict) -> dict[str, int]:
    sent = footing.sent_since("c.supporter_id", "c.recorded_at")
    cursor.execute(_GRANTS.format(sent=sent), parameters)
    deleted, withdrawn = cursor.fetchone()
    return {"grants": deleted, "withdrawn": withdrawn}


def _seen(cursor: Any, done: dict[str, int]) -> Seen:
    cursor.execute(_SEEN)
    counts, kept = {PERSON: 0, CHANGE: 0, GIFT: 0, "kept": 0, **done}, []
    for kind, row, key, why in cursor.fetchall():
        kept.append([row, kind, key, why])
    cursor.execute(_COUNTS)
    for kind, free in cursor.fetchall():
        counts[kind] = free
    counts["kept"] = len(kept)
    return Seen(counts, kept)


_AT = {column: place for place, column in enumerate(policy.NOTED)}
_CASTS = {
    "birth_date": "({value})::date",
    "organisation_id": "(SELECT id FROM supporters_organisation WHERE id = ({value})::bigint)",
    "shares_email_with_id": "(SELECT id FROM supporters_supporter WHERE id = ({value})::bigint)",
    "marks": "({value})::varchar[]",
    "discreet": "({value})::boolean",
}
_NOW = ", ".join(f"s.{column}::text" for column in policy.NOTED)
_LOCK = """
SELECT id FROM supporters_supporter
WHERE id IN (SELECT unnest(made || changed) FROM supporters_importtrace WHERE id = %(trace)s) ORDER BY id FOR UPDATE;
"""
_DOOMED = f"""
CREATE TEMP TABLE doomed_gifts ON COMMIT DROP AS
SELECT d.id, m.row, CASE WHEN d.xmin::text::bigint = ANY(%(writers)s) THEN '{{}}' ELSE ARRAY['{footing.EDITED}'] END::text[] AS why
FROM supporters_importtrace t, unnest(t.donations, t.donation_rows) AS m (id, row), supporters_donation d
WHERE t.id = %(trace)s AND d.id = m.id;
CREATE TEMP TABLE doomed_people ON COMMIT DROP AS
SELECT s.id, m.row, CASE WHEN s.xmin::text::bigint = ANY(%(writers)s) THEN '{{}}' ELSE ARRAY['{footing.EDITED}'] END::text[] AS why
FROM supporters_importtrace t, unnest(t.made, t.made_rows) AS m (id, row), supporters_supporter s
WHERE t.id = %(trace)s AND s.id = m.id;
ANALYZE doomed_gifts, doomed_people;
"""
_WAS = " OR ".join(
    f"((b.value ->> {place}) IS DISTINCT FROM (a.value ->> {place}) AND s.{column}::text IS DISTINCT FROM (a.value ->> {place}))"
    for column, place in _AT.items()
)
_REVERTS = f"""
CREATE TEMP TABLE reverts ON COMMIT DROP AS
SELECT s.id, c.row, b.value AS before, a.value AS after,
       CASE WHEN NOT s.xmin::text::bigint = ANY(%(writers)s) AND ({_WAS}) THEN ARRAY['{footing.EDITED}'] ELSE '{{}}' END::text[] AS why
FROM supporters_importtrace t, unnest(t.changed, t.changed_rows) WITH ORDINALITY AS c (id, row, place),
     jsonb_array_elements(t.before) WITH ORDINALITY AS b (value, place), jsonb_array_elements(t.after) WITH ORDINALITY AS a (value, place),
     supporters_supporter s
WHERE t.id = %(trace)s AND b.place = c.place AND a.place = c.place AND s.id = c.id;
ANALYZE reverts;
"""
_GONE = """
SELECT count(*) FROM supporters_importtrace t, unnest(t.made || t.changed) AS person
WHERE t.id = %(trace)s AND person <> 0 AND NOT EXISTS (SELECT FROM supporters_supporter s WHERE s.id = person)
"""
_EMAIL = _AT["email"]
_MOVES = f"(r.before ->> {_EMAIL}) IS DISTINCT FROM (r.after ->> {_EMAIL})"
_TAKEN = f"""
UPDATE reverts SET why = reverts.why || '{footing.TAKEN}'::text
FROM reverts r JOIN supporters_supporter s ON s.email = r.before ->> {_EMAIL} AND s.id <> r.id
WHERE reverts.id = r.id AND r.why = '{{}}' AND {_MOVES} AND NOT s.xmin::text::bigint = ANY(%(spared)s::bigint[])
  AND NOT EXISTS (SELECT FROM reverts r WHERE r.id = s.id AND r.why = '{{}}' AND {_MOVES})
"""
# Two people may have to change places: nobody has an address for a moment.
_FREE_ADDRESSES = f"""
UPDATE supporters_supporter s SET email = NULL FROM reverts r WHERE s.id = r.id AND r.why = '{{}}' AND {_MOVES}
"""
_PUT_BACK = (
    "UPDATE supporters_supporter s SET updated_at = statement_timestamp(), "
    + ", ".join(
        f"{column} = CASE WHEN (r.before ->> {place}) IS DISTINCT FROM (r.after ->> {place}) THEN "
        + _CASTS.get(column, "{value}").format(value=f"r.before ->> {place}")
        + f" ELSE s.{column} END"
        for column, place in _AT.items()
    )
    + " FROM reverts r WHERE s.id = r.id AND r.why = '{}'"
)
_OF_RUN = """ANY((SELECT array_agg(w) FROM supporters_importtrace t, unnest(ARRAY[writer, undone_by]) w
                WHERE run_id = %(run)s AND w IS NOT NULL)::bigint[])"""
_REFUNDS = f"""
WITH gone AS (
    DELETE FROM supporters_refund r USING supporters_importtrace t
    WHERE t.id = %(trace)s AND r.id = ANY(t.refunds) AND r.xmin::text::bigint = {_OF_RUN}
    RETURNING r.id, r.donation_id
), again AS (
    UPDATE supporters_donation d SET state = 'received'
    WHERE d.state = 'refunded' AND d.id IN (SELECT donation_id FROM gone) AND d.amount > coalesce(
        (SELECT sum(r.amount) FROM supporters_refund r WHERE r.donation_id = d.id AND r.id NOT IN (SELECT id FROM gone)), 0)
)
SELECT count(*) FROM gone
"""
_LINKS = f"""
DELETE FROM {{table}} l USING supporters_importtrace t
WHERE t.id = %(trace)s AND l.id = ANY(t.{{keys}}) AND l.xmin::text::bigint = {_OF_RUN}
  AND l.supporter_id NOT IN (SELECT id FROM doomed_people UNION SELECT id FROM reverts WHERE why <> '{{{{}}}}')
"""
# A line that no longer decides is history, and stays.
_GRANTS = """
WITH grants AS MATERIALIZED (
    SELECT c.id, c.supporter_id, c.purpose, {sent} AS sent
    FROM supporters_importtrace t JOIN supporters_consent c ON c.id = ANY(t.grants)
    WHERE t.id = %(trace)s AND c.id = (
        SELECT l.id FROM supporters_consent l
        WHERE l.supporter_id = c.supporter_id AND l.purpose = c.purpose AND l.organisation_id IS NULL
        ORDER BY l.happened_at DESC, l.state DESC, l.id DESC LIMIT 1)
), gone AS (
    DELETE FROM supporters_consent WHERE id IN (SELECT id FROM grants WHERE NOT sent) RETURNING id
), withdrawn AS (
    INSERT INTO supporters_consent (supporter_id, purpose, state, wording, method, source, import_run_id, recorded_by_id)
    SELECT supporter_id, purpose, 'withdrawn', '', 'import', %(source)s, %(run)s, %(by)s FROM grants WHERE sent
    RETURNING id
)
SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM withdrawn)
"""
_SEEN = f"""
SELECT '{PERSON}', row, id, why FROM doomed_people WHERE why <> '{{}}'
UNION ALL SELECT '{CHANGE}', row, id, why FROM reverts WHERE why <> '{{}}'
UNION ALL SELECT '{GIFT}', row, id, why FROM doomed_gifts WHERE why <> '{{}}'
ORDER BY 2
"""
_COUNTS = f"""
SELECT '{PERSON}', count(*) FROM doomed_people WHERE why = '{{}}'
UNION ALL SELECT '{CHANGE}', count(*) FROM reverts WHERE why = '{{}}'
UNION ALL SELECT '{GIFT}', count(*) FROM doomed_gifts WHERE why = '{{}}'
"""
