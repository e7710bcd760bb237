"""Sealing a million lines of the consent ledger, against a bare INSERT … SELECT of the same lines into a table with a key."""

from django.db import connection

from supporters.receipts import checking, sealing
from tests.benchmarks.measuring import line, seconds

LINES = 1_000_000


def run() -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE supporters_supporter, supporters_receipt, supporters_receiptbook CASCADE")
        cursor.execute("DROP TABLE IF EXISTS bare; CREATE TABLE bare (LIKE supporters_consent, PRIMARY KEY (id))")
    _fill(LINES // 10)
    small = _sealed(LINES // 10)
    _fill(LINES)
    bare = LINES * 11 // 10 / seconds(_bare)
    ours = _sealed(LINES)
    line("consent.seal", ours, bare, "INSERT … SELECT", "lines/s")
    line("consent.seal.growth", ours, small, f"{LINES // 10} lines", "lines/s")
    line("consent.check", LINES * 11 // 10 / seconds(_check), bare, "INSERT … SELECT", "lines/s")


def _fill(lines: int) -> None:
    """A fifth of the lines says no to what was allowed before."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH people AS (
                INSERT INTO supporters_supporter (email, first_name)
                SELECT 'p' || n || '@mail' || %(lines)s || '.se', 'P' FROM generate_series(1, %(people)s) n RETURNING id
            )
            INSERT INTO supporters_consent (supporter_id, purpose, state, wording, method, source)
            SELECT id, 'email', state, CASE state WHEN 'granted' THEN 'We may send you news and appeals. You can stop this at any time.' ELSE '' END,
                   'import', 'list.csv'
            FROM people, unnest(CASE WHEN id %% 4 = 0 THEN ARRAY['granted', 'withdrawn'] ELSE ARRAY['granted'] END) state
            """,
            {"lines": lines, "people": lines * 4 // 5},
        )
        cursor.execute("VACUUM ANALYZE supporters_supporter, supporters_consent, supporters_receipt")


def _bare() -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO bare SELECT * FROM supporters_consent")


def _sealed(lines: int) -> float:
    """Lines a second."""
    sealed = 0

    def work() -> None:
        nonlocal sealed
        sealed = sealing.seal() or 0

    taken = seconds(work)
    if sealed != lines:
        raise SystemExit(f"{sealed} of {lines} lines were sealed.")
    return lines / taken


def _check() -> None:
    if found := checking.check(whole=True).findings:
        raise SystemExit(f"The receipts do not hold: {found[0]}")
