"""The digest of each day over all receipts sealed in it, each over the digest before.

A digest that was kept elsewhere proves that no receipt of that day or before was changed, added or removed since. That lines
of the ledger lost their contents, by erasure say, is counted in the digest of the day on which it is first seen: nobody can do that
unseen, and in silence, to what is past.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256

from django.db import connection, transaction

from supporters.locks import advisory_lock
from supporters.models import Receipt, ReceiptDay
from supporters.receipts import merkle
from supporters.receipts.sealing import LOCK

_CHUNK = 10_000
NOTHING = bytes(32)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Digest:
    """What is worked out of a day's receipts."""

    day: date
    through: int
    receipts: int
    taken: int
    blocks: bytes
    previous: bytes

    @property
    def root(self) -> bytes:
        return merkle.root(merkle.parted(self.blocks))

    @property
    def digest(self) -> bytes:
        return digest(self.previous, self.day, self.receipts, self.taken, self.root)


def digest(previous: bytes, day: date, receipts: int, taken: int, root: bytes) -> bytes:
    numbers = receipts.to_bytes(8, "big") + taken.to_bytes(8, "big")
    return sha256(previous + day.isoformat().encode() + numbers + root).digest()


def close() -> list[ReceiptDay]:
    """Make the digests of all days that are over; none while somebody else is sealing."""
    with advisory_lock(LOCK) as ours:
        return list(_close()) if ours else []


def latest() -> ReceiptDay | None:
    return ReceiptDay.objects.defer("blocks").order_by("-day").first()


def _close() -> Iterator[ReceiptDay]:
    last = latest()
    today = _today()
    day = last.day + DAY if last else _first_day()
    while day is not None and day < today:
        last = _close_day(day, last)
        yield last
        day += DAY


@transaction.atomic
def _close_day(day: date, last: ReceiptDay | None) -> ReceiptDay:
    after = last.through if last else 0
    through = _last_of(day, after)
    told = Receipt.objects.filter(taken_at__isnull=False, told_on=None).update(told_on=day)
    roots, number = merkle.blocks(hashes(after, through))
    made = Digest(day, through, number, told, merkle.joined(roots), bytes(last.digest) if last else NOTHING)
    return ReceiptDay.objects.create(
        day=day,
        through=through,
        receipts=number,
        taken=told,
        root=made.root,
        blocks=made.blocks,
        previous=made.previous,
        digest=made.digest,
    )


def hashes(after: int, through: int) -> Iterator[bytes]:
    """Of the receipts after one, up to another, in their order."""
    rows = Receipt.objects.filter(pk__gt=after, pk__lte=through).order_by("pk").values_list("hash", flat=True)
    return map(bytes, rows.iterator(_CHUNK))


def _last_of(day: date, after: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(max(id), %s) FROM supporters_receipt WHERE id > %s AND sealed_at < %s",
            [after, after, datetime.combine(day + DAY, time(), UTC)],
        )
        return cursor.fetchone()[0]


def _first_day() -> date | None:
    first = Receipt.objects.order_by("pk").values_list("sealed_at", flat=True).first()
    return first.astimezone(UTC).date() if first else None


def _today() -> date:
    with connection.cursor() as cursor:
        cursor.execute("SELECT (clock_timestamp() AT TIME ZONE 'UTC')::date")
        return cursor.fetchone()[0]
