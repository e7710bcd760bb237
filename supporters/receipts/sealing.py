"""Sealing what is not sealed yet, by the slice, while people go on signing and files go on coming in.

Nobody who writes to the ledger waits for it or does anything for it. Whoever dies over a slice has sealed none of it. A line may
become visible after one with a higher number: `_horizon` says up to which number nothing can come any more, and only up to there is
the ledger never looked at again. Above it, what has a receipt is passed over.
"""

import time

from django.conf import settings
from django.db import connection, transaction

from supporters.locks import advisory_lock
from supporters.models import ReceiptBook
from supporters.receipts.record import CHAIN, COMMITMENT, NOTHING, RECORD, ROW_BY_ROW, SEALED, SEALED_STATES

LOCK = "receipts"
SLICE = 10_000
WAIT = 10.0
"""Seconds in which those who are writing to the ledger may come to an end."""


def seal() -> int | None:
    """Seal all that is not sealed; returns how many lines were, or None if somebody else is at it."""
    with advisory_lock(LOCK) as ours:
        return _seal() if ours else None


def book() -> ReceiptBook:
    ReceiptBook.objects.bulk_create([ReceiptBook(pk=1)], ignore_conflicts=True)
    return ReceiptBook.objects.get()


def _seal() -> int:
    begun = book().sealed_through
    last, settled = _horizon()
    if last == begun:
        return 0
    _name_parties()
    sealed, after = 0, begun
    while True:
        number, after = _seal_slice(after, last)
        if not number:
            break
        sealed += number
    if settled:
        _move_on(begun, last)
    return sealed


def _seal_slice(after: int, last: int) -> tuple[int, int]:
    """How many were sealed, and up to which line."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(ROW_BY_ROW)
        cursor.execute(
            _SEAL,
            {
                **_parties(),
                "after": after,
                "last": last,
                "slice": SLICE,
            },
        )
        number, through = cursor.fetchone()
    return number, through or after


def _horizon() -> tuple[int, bool]:
    """The last number that the ledger has given out, and whether whoever may have got one up to it has come to an end.

    Whoever writes to the ledger holds a lock on it before they get a number, and until what they wrote can be seen or is
    gone: those who hold none at this moment get higher numbers.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_serial_sequence('supporters_consent', 'id')")
        cursor.execute(f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {cursor.fetchone()[0]}")
        last = cursor.fetchone()[0]
        cursor.execute(_WRITERS)
        writers = [name for (name,) in cursor.fetchall()]
        until = time.monotonic() + WAIT
        while writers:
            if time.monotonic() > until:
                return last, False
            time.sleep(0.05)
            cursor.execute(f"{_WRITERS} AND virtualtransaction = ANY(%s)", [writers])
            writers = [name for (name,) in cursor.fetchall()]
    return last, True


_WRITERS = """
SELECT virtualtransaction FROM pg_locks
WHERE locktype = 'relation' AND relation = 'supporters_consent'::regclass AND granted
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND mode IN ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
  AND pid IS DISTINCT FROM pg_backend_pid()
"""


def _move_on(begun: int, last: int) -> None:
    """Never look again at what is up to here, if all of it is sealed."""
    with connection.cursor() as cursor:
        cursor.execute(_MOVE_ON, {"after": begun, "last": last})


_MOVE_ON = f"""
UPDATE supporters_receiptbook SET sealed_through = %(last)s
WHERE sealed_through = %(after)s AND NOT EXISTS (
    SELECT FROM supporters_consent c WHERE c.id > %(after)s AND c.id <= %(last)s AND c.state IN {SEALED_STATES} AND NOT {SEALED})
"""


def _parties() -> dict[str, object]:
    return {"controller": settings.ORGANISATION_NAME[:250], "site": settings.SITE_URL[:250]}


def _name_parties() -> None:
    """Every organisation as it is called now; one that is added or named anew meanwhile is sealed next time."""
    with connection.cursor() as cursor:
        cursor.execute(_NAME_PARTIES, _parties())


_NAME_PARTIES = """
INSERT INTO supporters_receiptparties (controller, site, partner_number, partner)
SELECT %(controller)s, %(site)s, called.number, called.name
FROM (SELECT id AS number, name FROM supporters_organisation UNION ALL SELECT 0, '') called
WHERE NOT EXISTS (
    SELECT FROM supporters_receiptparties p WHERE p.controller = %(controller)s AND p.site = %(site)s
    AND p.partner_number = called.number AND p.partner = called.name)
ON CONFLICT DO NOTHING
"""

ASKED = """
SELECT max(a.id + 0) AS id FROM supporters_consent a
WHERE c.method = 'confirmed' AND c.state = 'granted' AND a.supporter_id = c.supporter_id AND a.purpose = c.purpose
  AND a.organisation_id IS NOT DISTINCT FROM c.organisation_id AND a.state = 'requested' AND a.id < c.id
"""
# Of a line that came over by merges, the record that it was written for.
_BEFORE = """
SELECT m.away_uuid AS uuid FROM supporters_merge m JOIN supporters_mergemoved v ON v.merge_id = m.id
WHERE m.survivor_id = c.supporter_id AND m.undone_at IS NULL AND v.table = 'supporters.Consent.supporter' AND v.keys @> ARRAY[c.id]
ORDER BY m.id LIMIT 1
"""
# The lock keeps a line from being deleted before it is seen that it has a receipt.
_SEAL = f"""
WITH lines AS MATERIALIZED (
    SELECT * FROM supporters_consent c
    WHERE c.id > %(after)s AND c.id <= %(last)s AND c.state IN {SEALED_STATES} AND NOT {SEALED}
    ORDER BY c.id LIMIT %(slice)s FOR KEY SHARE
), salted AS MATERIALIZED (
    SELECT c.id AS line, asked.id AS asked, parties.id AS parties, whose.chain, gen_random_uuid() AS salt, {RECORD} AS record
    FROM lines c
    JOIN supporters_supporter s ON s.id = c.supporter_id
    LEFT JOIN supporters_organisation o ON o.id = c.organisation_id
    JOIN supporters_receiptparties parties ON parties.controller = %(controller)s AND parties.site = %(site)s
        AND parties.partner_number = coalesce(c.organisation_id, 0) AND parties.partner = coalesce(o.name, '')
    LEFT JOIN LATERAL ({_BEFORE}) before ON true
    CROSS JOIN LATERAL (SELECT coalesce(before.uuid, s.uuid) AS uuid) named
    CROSS JOIN LATERAL (SELECT named.uuid, {CHAIN.format(uuid="named.uuid::text")} AS chain OFFSET 0) whose
    CROSS JOIN LATERAL ({ASKED}) latest
    LEFT JOIN supporters_consent asked ON asked.id = latest.id
), committed AS MATERIALIZED (
    SELECT salted.line, salted.asked, salted.parties, salted.chain, salted.salt,
           {COMMITMENT.format(salt="salted.salt", record="salted.record")} AS commitment,
           coalesce(last.hash, {NOTHING}) AS previous,
           coalesce(last.number, 0) + row_number() OVER (PARTITION BY salted.chain ORDER BY line) AS number
    FROM salted LEFT JOIN LATERAL (
        SELECT r.number, r.hash FROM supporters_receipt r WHERE r.chain = salted.chain ORDER BY r.number DESC LIMIT 1) last ON true
), written AS (
    INSERT INTO supporters_receipt (id, line_id, chain, number, parties_id, asked, salt, commitment, hash, sealed_at)
    SELECT (SELECT coalesce(max(id), 0) FROM supporters_receipt) + row_number() OVER (ORDER BY line),
           line, chain, number, parties, asked, salt, commitment,
           supporters_receipt_link(previous, chain, number, commitment) OVER (PARTITION BY chain ORDER BY line ROWS UNBOUNDED PRECEDING),
           statement_timestamp()
    FROM committed
)
SELECT count(*), (SELECT max(id) FROM lines) FROM lines
"""
