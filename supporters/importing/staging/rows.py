"""A slice's rows on their way in and out of `stage`: what they are counted as, and those that are listed for staff."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from django.db import connection

from supporters.importing.staging.copying import copy, ready
from supporters.models import ImportRun


class Failure(NamedTuple):
    number: int
    cells: Sequence[str]
    reason: str
    went_in: bool = False
    verdict: str = ""
    supporter_id: int | None = None


class Counts(NamedTuple):
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    failed: int = 0
    held_back: int = 0
    noted: int = 0
    doubtful: int = 0
    not_taken: int = 0

    def plus(self, other: "Counts") -> "Counts":
        return Counts(*(a + b for a, b in zip(self, other, strict=True)))


def keep_failures(run: ImportRun, failures: Sequence[Failure]) -> None:
    """List rows for staff to look at."""
    with connection.cursor() as cursor:
        cursor.execute(
            """CREATE TEMP TABLE failures (number bigint, cells text[], reason text, went_in boolean, verdict text,
                                           supporter_id bigint) ON COMMIT DROP"""
        )
        copy(cursor, "failures", Failure._fields, ready(failures).text)
        cursor.execute(
            """
            INSERT INTO supporters_importrow (run_id, number, "values", reason, went_in, verdict, supporter_id)
            SELECT %s, number, to_jsonb(cells), reason, went_in, verdict, supporter_id FROM failures
            ON CONFLICT (run_id, number) DO UPDATE SET "values" = excluded."values", reason = excluded.reason,
                went_in = excluded.went_in, verdict = excluded.verdict, supporter_id = excluded.supporter_id, settled_at = NULL
            """,
            [run.pk],
        )
        cursor.execute("DROP TABLE failures")


def keep_listed(cursor, run: ImportRun, cells: Mapping[int, Sequence[str]]) -> None:  # noqa: ANN001
    cursor.execute(
        """
        SELECT number, coalesce(reason, note), reason IS NULL, CASE WHEN reason IS NOT NULL AND candidate_id IS NOT NULL THEN 'waiting' ELSE '' END,
               CASE WHEN reason IS NOT NULL THEN candidate_id END
        FROM stage WHERE reason IS NOT NULL OR note <> ''
        """
    )
    failures = [Failure(number, cells[number], *rest) for number, *rest in cursor.fetchall()]
    if failures:
        keep_failures(run, failures)


def analyze(cursor) -> None:  # noqa: ANN001
    """Tell PostgreSQL roughly what is in `stage`, which nothing but ANALYZE does of a temporary table: from 3,000 of its rows."""
    cursor.execute(
        "SET LOCAL default_statistics_target = 10; ANALYZE stage; SET LOCAL default_statistics_target = DEFAULT"
    )


def name_equal_rows(cursor, run: ImportRun, which: str, assignments: str) -> None:  # noqa: ANN001
    """Give these rows what their contents tell of them as a name, {name}: equal ones are 1, 2, 3 … over all slices of the file."""
    cursor.execute(
        f"""
        WITH met AS MATERIALIZED (
            SELECT number, key, row_number() OVER (PARTITION BY key ORDER BY number DESC) AS from_last FROM stage WHERE {which}
        ), kept AS (
            INSERT INTO supporters_importkey (run_id, key, times) SELECT %(run)s, key, max(from_last) FROM met GROUP BY key ORDER BY key
            ON CONFLICT (run_id, key) DO UPDATE SET times = supporters_importkey.times + excluded.times
            RETURNING key, times
        )
        UPDATE stage SET {assignments.format(name="met.key || '-' || (kept.times + 1 - met.from_last)")}
        FROM met JOIN kept USING (key) WHERE stage.number = met.number
        """,
        {"run": run.pk},
    )
