"""What a person or an authority is given: the record as it was sealed, and all that it takes to check it without us."""

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet

from supporters.models import Consent, Receipt, ReceiptDay, Supporter
from supporters.receipts import merkle
from supporters.receipts.days import NOTHING
from supporters.receipts.record import RECORD, VERSION, WHOSE

FORMAT = "lodestar-consent-receipt"
_CHUNK = 500


def of_person(supporter: Supporter) -> QuerySet[Receipt]:
    return Receipt.objects.filter(line__supporter=supporter.pk)


def of_line(line: Consent) -> QuerySet[Receipt]:
    return Receipt.objects.filter(line=line.pk)


def waiting(supporter: Supporter) -> int:
    """How many grants and withdrawals are yet to be sealed."""
    lines = Consent.objects.filter(supporter=supporter.pk, receipt=None)
    return lines.filter(Q(state=Consent.State.GRANTED) | Q(state=Consent.State.WITHDRAWN)).count()


def given(receipts: QuerySet[Receipt]) -> Iterator[dict[str, Any]]:
    """Each as it is handed out, the oldest first; without those whose contents are gone."""
    keys = receipts.filter(taken_at=None).order_by("pk").values_list("pk", flat=True).iterator(_CHUNK)
    while some := list(islice(keys, _CHUNK)):
        with connection.cursor() as cursor:
            cursor.execute(_GIVEN, {"keys": some})
            rows = cursor.fetchall()
        days = _days(some)
        for pk, record, salt, commitment, chain, number, previous, hash_ in rows:
            yield {
                "format": FORMAT,
                "version": VERSION,
                "receipt": json.loads(record),
                "salt": salt.hex,
                "commitment": bytes(commitment).hex(),
                "chain": str(chain),
                "number": number,
                "previous": bytes(previous or NOTHING).hex(),
                "hash": bytes(hash_).hex(),
                "position": pk,
                "day": _proof(pk, days),
            }


_GIVEN = f"""
SELECT r.id, {RECORD}, r.salt, r.commitment, r.chain, r.number, previous.hash, r.hash
FROM supporters_receipt r
JOIN supporters_consent c ON c.id = r.line_id
JOIN supporters_receiptparties parties ON parties.id = r.parties_id
LEFT JOIN supporters_receipt previous ON previous.chain = r.chain AND previous.number = r.number - 1
LEFT JOIN supporters_consent asked ON asked.id = r.asked
LEFT JOIN LATERAL ({WHOSE}) whose ON true
WHERE r.id = ANY(%(keys)s) ORDER BY r.id
"""


def _days(positions: Iterable[int]) -> list[tuple[int, ReceiptDay]]:
    """The days in which these were sealed, as far as those are over, each with the receipt that it begins after."""
    found: dict[object, tuple[int, ReceiptDay]] = {}
    for position in positions:
        if any(begins < position <= day.through for begins, day in found.values()):
            continue
        day = ReceiptDay.objects.filter(through__gte=position).order_by("day").first()
        if day is None:
            break  # those after it were sealed later still
        before = ReceiptDay.objects.filter(day__lt=day.day).order_by("-day").values_list("through", flat=True).first()
        found[day.day] = (before or 0, day)
    return list(found.values())


def _proof(position: int, days: list[tuple[int, ReceiptDay]]) -> dict[str, Any] | None:
    """That the receipt is one of its day; None until that is over."""
    for begins, day in days:
        if begins < position <= day.through:
            index = position - begins - 1
            return {
                "day": day.day.isoformat(),
                "receipts": day.receipts,
                "taken_away": day.taken,
                "index": index,
                "path": [step.hex() for step in _path(begins, day, index)],
                "root": bytes(day.root).hex(),
                "previous": bytes(day.previous).hex(),
                "digest": bytes(day.digest).hex(),
            }
    return None


def _path(begins: int, day: ReceiptDay, index: int) -> list[bytes]:
    """Within the block of 256, and from there to the root."""
    block, place = divmod(index, merkle.BLOCK)
    first = begins + block * merkle.BLOCK
    rows = Receipt.objects.filter(pk__gt=first, pk__lte=min(first + merkle.BLOCK, day.through)).order_by("pk")
    leaves = [merkle.leaf(bytes(each)) for each in rows.values_list("hash", flat=True)]
    return [*merkle.path(leaves, place), *merkle.path(merkle.parted(bytes(day.blocks)), block)]
