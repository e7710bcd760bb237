"""The ledger of deliveries: written once at launch, claimed by workers, and told what became of each.

    queued ──begin──▶ sending ──▶ sent | failed
      ▲  │               ├──▶ queued (a refusal for now, or a server that was not there)
      │  └──▶ skipped    └──▶ unknown (the connection, or the worker, died before the answer)
      │
      └── a worker dies: what it had claimed but not begun

A claim is a number under an advisory lock of the worker's own database session. PostgreSQL frees the lock when the
session ends, however it ends: whoever can take the lock of a claim knows that its worker is gone. The state
`sending` is committed before a message leaves, and the outcome after the answer, one message at a time: what a
killed worker leaves behind in doubt is one message per connection.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Case, CharField, Q, Value, When
from django.db.models.expressions import RawSQL
from django.db.models.functions import Now
from django.utils.translation import gettext_noop

from campaigns.models import Appeal, Delivery
from supporters.locks import advisory_lock
from supporters.models import Supporter

State = Delivery.State
WORKER_DIED = gettext_noop("The program ended before it knew whether the message had left.")
CANCELLED = gettext_noop("The appeal was cancelled.")
ERASED = gettext_noop("The person was erased.")
NO_ADDRESS = gettext_noop("The person has no address any more.")
NOT_ALLOWED = gettext_noop("The person may not be written to any more.")


@dataclass(frozen=True)
class Addressee:
    """A delivery that is about to leave, with its person as of this moment."""

    pk: int
    uuid: UUID
    language: str
    attempts: int
    email: str
    first_name: str
    last_name: str
    city: str
    country: str


@dataclass(frozen=True)
class Outcome:
    """What became of a delivery that was being sent."""

    pk: int
    state: str
    reason: str = ""
    retry_in: timedelta | None = None
    counts: bool = True
    """Whether this was an attempt; it wasn't where the server could not be talked to."""


def write(appeal: Appeal) -> int:
    """One delivery for each person of the segment who may be written to; how many. One statement."""
    allowed, allowed_params = _contactable(appeal.purpose, "m.supporter_id")
    languages = list(appeal.texts.values_list("language", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO campaigns_delivery (appeal_id, supporter_id, language)
            SELECT %s, s.id,
                   CASE WHEN s.language = ANY(%s) THEN s.language
                        WHEN split_part(s.language, '-', 1) = ANY(%s) THEN split_part(s.language, '-', 1)
                        ELSE %s END
            FROM campaigns_segmentmember m JOIN supporters_supporter s ON s.id = m.supporter_id
            WHERE m.segment_id = %s AND EXISTS ({allowed})
            ON CONFLICT DO NOTHING
            """,
            [
                *(appeal.pk, languages, languages, appeal.default_language, appeal.segment_id),
                *allowed_params,
            ],
        )
        return cursor.rowcount


class Claim:
    """One worker's hold on deliveries of one appeal."""

    def __init__(self, number: int, appeal: Appeal) -> None:
        self.number = number
        self.appeal = appeal

    def take(self, size: int) -> list[int]:
        """Claim up to so many that are owed now and that nobody holds."""
        with connection.cursor() as cursor:
            cursor.execute(
                """
                WITH picked AS MATERIALIZED (
                    SELECT id FROM campaigns_delivery
                    WHERE appeal_id = %s AND state = 'queued' AND claim IS NULL
                      AND (not_before IS NULL OR not_before <= now())
                    ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED)
                UPDATE campaigns_delivery d SET claim = %s, updated_at = now()
                FROM picked WHERE d.id = picked.id RETURNING d.id
                """,
                [self.appeal.pk, size, self.number],
            )
            return sorted(row[0] for row in cursor.fetchall())

    def begin(self, pk: int, last: Outcome | None = None) -> Addressee | None:
        """Mark a claimed delivery as being sent, and record what became of the one before: one round trip.

        This is the last look before the message leaves. It finds nothing if the claim is lost, if the appeal was
        paused or cancelled, or if the person left, bounced or was erased in the meantime.
        """
        allowed, allowed_params = _contactable(self.appeal.purpose, "d.supporter_id")
        recorded, recorded_params = self._recording(last)
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                {recorded}
                UPDATE campaigns_delivery d
                SET state = 'sending', attempts = d.attempts + 1, reason = '', updated_at = now()
                FROM supporters_supporter s
                WHERE d.id = %s AND d.claim = %s AND d.state = 'queued' AND s.id = d.supporter_id
                  AND EXISTS (SELECT 1 FROM campaigns_appeal a WHERE a.id = d.appeal_id AND a.state = 'sending')
                  AND EXISTS ({allowed})
                RETURNING d.id, d.uuid, d.language, d.attempts,
                          s.email, s.first_name, s.last_name, s.city, s.country
                """,
                [*recorded_params, pk, self.number, *allowed_params],
            )
            row = cursor.fetchone()
        return Addressee(*row) if row else None

    def record(self, outcome: Outcome) -> bool:
        """Record what became of a delivery; False if this claim has no say over it any more."""
        recorded, params = self._recording(outcome)
        with connection.cursor() as cursor:
            cursor.execute(f"{recorded} SELECT count(*) FROM recorded", params)
            return cursor.fetchone()[0] == 1

    def skip(self, pk: int) -> bool:
        """Leave somebody out who may not be written to any more, and keep why; False if that isn't so."""
        held = Delivery.objects.filter(pk=pk, claim=self.number, state=State.QUEUED)
        left = ~Q(supporter__in=Supporter.objects.contactable(self.appeal.purpose)) | Q(supporter=None)
        why = Case(
            When(supporter=None, then=Value(ERASED)),
            When(pk__in=held.filter(supporter__email=None), then=Value(NO_ADDRESS)),
            default=Value(NOT_ALLOWED),
            output_field=CharField(),
        )
        return bool(held.filter(left).update(state=State.SKIPPED, claim=None, reason=why, updated_at=Now()))

    def release(self) -> None:
        """Give back what was claimed and not begun."""
        Delivery.objects.filter(claim=self.number, state=State.QUEUED).update(claim=None)

    def _recording(self, outcome: Outcome | None) -> tuple[str, list[Any]]:
        """The outcome as a part of a statement. A sweep that took us for dead may be corrected by it."""
        if outcome is None:
            return "", []
        sql = """
            WITH recorded AS (
                UPDATE campaigns_delivery
                SET state = %s, reason = %s, updated_at = now(),
                    claim = CASE WHEN %s = 'unknown' THEN claim END,
                    not_before = now() + %s::interval,
                    attempts = attempts - %s,
                    sent_at = CASE WHEN %s = 'sent' THEN now() END
                WHERE id = %s AND claim = %s AND state IN ('sending', 'unknown')
                RETURNING id)
        """
        state = str(outcome.state)
        return sql, [
            *(state, outcome.reason[:250], state, outcome.retry_in, 0 if outcome.counts else 1, state),
            *(outcome.pk, self.number),
        ]


@contextmanager
def claim(appeal: Appeal) -> Iterator[Claim]:
    """A claim that lives as long as this block and this database session."""
    with connection.cursor() as cursor:
        # Any number that was never used before will do, and this sequence gives such numbers.
        cursor.execute("SELECT nextval(pg_get_serial_sequence('campaigns_delivery', 'id'))")
        number = cursor.fetchone()[0]
    with advisory_lock(_lock(number)):
        held = Claim(number, appeal)
        yield held
        held.release()


def sweep() -> dict[str, int]:
    """Take back what dead workers held: what they had not begun is owed again, what they had is unknown."""
    counts = {"released": 0, "unknown": 0}
    held = Delivery.objects.filter(claim__isnull=False, state__in=[State.QUEUED, State.SENDING])
    for number in held.values_list("claim", flat=True).distinct().order_by("claim"):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [_lock(number)])
            if not cursor.fetchone()[0]:
                continue  # Its worker lives.
            of_claim = Delivery.objects.filter(claim=number)
            # The claim stays on what is unknown: should its worker only have been cut off, it can still tell.
            counts["unknown"] += of_claim.filter(state=State.SENDING).update(
                state=State.UNKNOWN, reason=WORKER_DIED, updated_at=Now()
            )
            counts["released"] += of_claim.filter(state=State.QUEUED).update(claim=None)
    return counts


def owed(appeal_pk: int) -> bool:
    """Whether somebody could be written to now."""
    ready = Delivery.objects.filter(appeal=appeal_pk, state=State.QUEUED, claim=None)
    return ready.filter(Q(not_before=None) | Q(not_before__lte=Now())).exists()


def send_again(pks: list[int]) -> int:
    """Owe these once more, on the word of a person who knows that it may be the second time; how many.

    Only what failed or is unknown, and only where its appeal still goes or has gone out.
    """
    doubtful = Delivery.objects.filter(pk__in=pks, state__in=[State.UNKNOWN, State.FAILED])
    doubtful = doubtful.filter(appeal__state__in=[Appeal.State.SENDING, Appeal.State.PAUSED, Appeal.State.SENT])
    with transaction.atomic():
        # Appeals first: `finish` must not close one while this owes it something.
        appeals = set(doubtful.values_list("appeal_id", flat=True))
        list(Appeal.objects.select_for_update().filter(pk__in=appeals).order_by("pk"))
        changed = doubtful.update(
            state=State.QUEUED, claim=None, attempts=0, not_before=None, reason="", updated_at=Now()
        )
        Appeal.objects.filter(pk__in=appeals, state=Appeal.State.SENT).update(
            state=Appeal.State.SENDING, finished_at=None
        )
    return changed


def skip_rest(appeal_pk: int) -> int:
    """Nobody more gets a cancelled appeal."""
    rest = Delivery.objects.filter(appeal=appeal_pk, state=State.QUEUED)
    return rest.update(state=State.SKIPPED, claim=None, reason=CANCELLED, updated_at=Now())


def _lock(number: int) -> str:
    return f"appeal-claim:{number}"


@lru_cache
def _contactable(purpose: str, supporter: str) -> tuple[str, tuple[Any, ...]]:
    """Supporter.objects.contactable, the one place that says who may be written to, for a row of ours."""
    people = Supporter.objects.contactable(purpose).annotate(one=Value(1))
    people = people.filter(pk=RawSQL(supporter, ())).values("one")  # noqa: S611
    return people.query.sql_with_params()
