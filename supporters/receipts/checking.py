"""Holding receipts and digests against the ledger: whatever was changed, removed, added or put in another order is found.

What is found is told by the numbers of receipts and lines and by days, and by nothing of a person.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from django.db import connection, transaction
from django.db.models import Max
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from supporters.models import Receipt, ReceiptBook, ReceiptDay
from supporters.receipts import merkle
from supporters.receipts.days import NOTHING as NO_DIGEST
from supporters.receipts.days import Digest, hashes
from supporters.receipts.record import COMMITMENT, LINK, NOTHING, RECORD, ROW_BY_ROW, SEALED, SEALED_STATES, WHOSE
from supporters.receipts.sealing import book

SLICE = 20_000
MOST = 1_000
"""Findings of one run: more say nothing new."""
_TOLD = 3


@dataclass(frozen=True)
class Finding:
    """Where receipts and ledger, or receipts and digests, do not agree."""

    what: str
    receipt: int | None = None
    line: int | None = None
    day: date | None = None

    def __str__(self) -> str:
        places = [("receipt", self.receipt), ("line", self.line), ("day", self.day)]
        where = ", ".join(f"{name} {value}" for name, value in places if value is not None)
        return f"{where}: {WHAT[self.what]}"


WHAT = {
    "changed": "the line of the ledger is not what was sealed",
    "line_gone": "the line of the ledger is gone",
    "other_person": "the line of the ledger is another person's",
    "broken": "it does not follow from the one before in its chain",
    "chain_gap": "the one before in its chain is gone",
    "gap": "the receipt before it is gone",
    "gone": "it was looked at before, and is gone with all after it",
    "unsealed": "the line of the ledger has no receipt",
    "day_changed": "the digest does not follow from its receipts",
    "day_broken": "the digest does not follow from the one before",
    "day_gone": "its digest, which was kept elsewhere, is gone",
    "day_other": "its digest is another one than was kept elsewhere",
}


class NotWhole(Exception):
    """What was found; for_staff says it in a sentence."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__(f"{len(findings)} findings")
        self.findings = findings

    @property
    def for_staff(self) -> str:
        number = len(self.findings)
        told = "; ".join(map(str, self.findings[:_TOLD]))
        text = ngettext(
            "Receipts of consent and the ledger do not agree in %(number)d place: %(told)s.",
            "Receipts of consent and the ledger do not agree in %(number)d places: %(told)s.",
            number,
        )
        return f"{text % {'number': number, 'told': told}} {_('`manage.py verify_consents` lists all.')}"


@dataclass(frozen=True)
class Checked:
    receipts: int
    days: int
    findings: list[Finding]


def check(*, whole: bool) -> Checked:
    """Look at everything, or at what has come since all was well."""
    so_far = book()
    lines, receipts, day = so_far.checked_lines, so_far.checked_receipts, so_far.checked_day
    if whole:
        lines, receipts, day = 0, 0, None
    newest = Receipt.objects.aggregate(last=Max("pk"))["last"] or 0
    findings: list[Finding] = []
    if newest < so_far.checked_receipts:
        findings.append(Finding("gone", newest + 1))
    for each in _all(receipts, newest, lines, so_far.sealed_through, day):
        findings.append(each)
        if len(findings) == MOST:
            break
    days = ReceiptDay.objects.filter(day__gt=day) if day else ReceiptDay.objects.all()
    number, last_day = days.count(), ReceiptDay.objects.aggregate(last=Max("day"))["last"]
    if not findings:
        known = {"checked_lines": so_far.sealed_through, "checked_receipts": newest, "checked_day": last_day}
        ReceiptBook.objects.update(**known, **({"whole_at": Now()} if whole else {}))
    return Checked(newest - receipts, number, findings)


def _all(receipts: int, newest: int, lines: int, sealed: int, day: date | None) -> Iterator[Finding]:
    yield from _slices(_RECEIPTS, receipts, newest)
    yield from _slices(_UNSEALED, lines, sealed)
    yield from _days(day)


def _slices(statement: str, after: int, through: int) -> Iterator[Finding]:
    while after < through:
        last = min(after + SLICE, through)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(ROW_BY_ROW)
            cursor.execute(statement, {"after": after, "last": last})
            found = [Finding(what, receipt, line) for what, receipt, line in cursor.fetchall()]
        yield from found
        after = last


_RECEIPTS = f"""
SELECT what, id, line_id FROM (
    SELECT r.id, r.line_id, CASE
        WHEN r.id > 1 AND before.id IS NULL THEN 'gap'
        WHEN r.number > 1 AND previous.id IS NULL THEN 'chain_gap'
        WHEN r.hash <> {LINK.format(previous=f"coalesce(previous.hash, {NOTHING})", chain="r.chain", number="r.number", commitment="r.commitment")}
            THEN 'broken'
        WHEN r.taken_at IS NOT NULL THEN NULL
        WHEN c.id IS NULL THEN 'line_gone'
        WHEN whose.uuid IS NULL THEN 'other_person'
        WHEN r.commitment IS DISTINCT FROM {COMMITMENT.format(salt="r.salt", record=RECORD)} THEN 'changed'
    END AS what
    FROM supporters_receipt r
    LEFT JOIN supporters_receipt before ON before.id = r.id - 1
    LEFT JOIN supporters_receipt previous ON previous.chain = r.chain AND previous.number = r.number - 1
    LEFT JOIN supporters_consent c ON c.id = r.line_id
    LEFT JOIN supporters_consent asked ON asked.id = r.asked
    LEFT JOIN supporters_receiptparties parties ON parties.id = r.parties_id
    LEFT JOIN LATERAL ({WHOSE}) whose ON true
    WHERE r.id > %(after)s AND r.id <= %(last)s
) looked_at WHERE what IS NOT NULL ORDER BY id
"""
_UNSEALED = f"""
SELECT 'unsealed', NULL, c.id FROM supporters_consent c
WHERE c.id > %(after)s AND c.id <= %(last)s AND c.state IN {SEALED_STATES} AND NOT {SEALED}
ORDER BY c.id
"""


def _days(since: date | None) -> Iterator[Finding]:
    through, previous = 0, NO_DIGEST
    if since and (last := ReceiptDay.objects.filter(day=since).first()):
        through, previous = last.through, bytes(last.digest)
    days = ReceiptDay.objects.order_by("day")
    for each in days.filter(day__gt=since).iterator(100) if since else days.iterator(100):
        roots, number = merkle.blocks(hashes(through, each.through))
        told = Receipt.objects.filter(told_on=each.day).count()
        again = Digest(each.day, each.through, number, told, merkle.joined(roots), bytes(each.previous))
        said = (each.receipts, each.taken, bytes(each.root), bytes(each.blocks), bytes(each.digest))
        if said != (number, told, again.root, again.blocks, again.digest):
            yield Finding("day_changed", day=each.day)
        if bytes(each.previous) != previous:
            yield Finding("day_broken", day=each.day)
        through, previous = each.through, bytes(each.digest)


def against(kept: dict[date, str]) -> list[Finding]:
    """Hold our digests against those that were kept elsewhere, in hexadecimal."""
    ours = dict(ReceiptDay.objects.filter(day__in=kept).values_list("day", "digest"))
    findings = []
    for day, digest in sorted(kept.items()):
        if day not in ours:
            findings.append(Finding("day_gone", day=day))
        elif bytes(ours[day]).hex() != digest.lower():
            findings.append(Finding("day_other", day=day))
    return findings
