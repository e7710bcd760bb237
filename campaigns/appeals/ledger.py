"""The ledger of deliveries: written once at launch, claimed by workers, and told what became of each.

    held ──release──▶ queued (variants: it waited for a test of texts)

    queued ──take──▶ sending ──settle──▶ sent | failed | unknown
      ▲  │              ├──settle──▶ queued, with a pause (a refusal for now)
      │  └─▶ skipped    └──give_back──▶ queued (it did not leave)
      │      (take: who may not be written to any more, has it by a record that was merged, or wants fewer appeals: turns)
      └── recovery, as the journal of a dead worker says

`sending` means that a worker has it in hand: it may leave at any moment, or have left. Which of them did stands in the
worker's journal (`journal`), and what became of them comes here a slice at a time. Every statement is one round trip,
however many deliveries it is about.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.functions import Now
from django.utils.translation import gettext_noop

from campaigns.appeals import turns, variants
from campaigns.appeals.journal import boot, place
from campaigns.appeals.outcomes import Outcome
from campaigns.mail.pacing import Permits, hours
from campaigns.mail.pacing.control import STOPPED_SQL
from campaigns.models import Appeal, Claim, Delivery
from supporters.locks import nobody_goes
from supporters.models import Supporter

State = Delivery.State
CANCELLED = gettext_noop("The appeal was cancelled.")
ERASED = gettext_noop("The person was erased.")
MERGED = gettext_noop("The person was on file twice, and gets it by the other record.")
NO_ADDRESS = gettext_noop("The person has no address any more.")
NOT_ALLOWED = gettext_noop("The person may not be written to any more.")
_PERSON = ("email", "first_name", "last_name", "city", "country", "discreet")
_OF_PERSON = ", ".join(f"s.{name}" for name in _PERSON)


class Addressee(NamedTuple):
    """A delivery that is about to leave, with its person as of this moment."""

    pk: int
    receiver: str
    uuid: UUID
    language: str
    variant: str
    attempts: int
    email: str
    first_name: str
    last_name: str
    city: str
    country: str
    discreet: bool = False


def write(appeal: Appeal) -> int:
    """One delivery for each person of the segment who may be written to; how many. One statement, in the caller's transaction."""
    people = Supporter.objects.contactable(appeal.purpose).values("id", "uuid", "email", "language", "country")
    allowed, allowed_params = people.query.sql_with_params()
    languages = list(appeal.texts.values_list("language", flat=True))
    drawn, drawn_params = variants.draw(appeal)
    when, when_params = hours.not_before(appeal, "s.country")
    nobody_goes()
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH known AS MATERIALIZED (
                -- Looked up by key: a join would compare every reader's domain with each of these.
                SELECT jsonb_object_agg(d.domain, r.code) AS receivers
                FROM campaigns_receiverdomain d JOIN campaigns_receiver r ON r.id = d.receiver_id),
            readers AS (
                SELECT s.id, s.uuid,
                       CASE WHEN s.language = ANY(%s) THEN s.language
                            WHEN split_part(s.language, '-', 1) = ANY(%s) THEN split_part(s.language, '-', 1)
                            ELSE %s END AS language,
                       coalesce((SELECT receivers FROM known) ->> split_part(s.email, '@', 2), '') AS receiver,
                       {when} AS not_before
                FROM campaigns_segmentmember m JOIN ({allowed}) s ON s.id = m.supporter_id
                WHERE m.segment_id = %s)
            INSERT INTO campaigns_delivery (uuid, appeal_id, supporter_id, language, receiver, not_before, variant, state)
            SELECT {_new_uuid()}, %s, id, language, receiver, not_before, variant, state FROM ({drawn}) drawn
            ON CONFLICT DO NOTHING
            """,
            [
                *(languages, languages, appeal.default_language, *when_params),
                *(*allowed_params, appeal.segment_id, appeal.pk, *drawn_params),
            ],
        )
        return cursor.rowcount


def claim(appeal: Appeal, journal: str) -> "Hold":
    """Begin a claim whose worker writes this journal, which must be there and locked by now."""
    with connection.cursor() as cursor:
        # What PostgreSQL forgot of a claim when it crashed, it would hand out again.
        cursor.execute("SET synchronous_commit = on")
    return Hold(Claim.objects.create(appeal=appeal, place=place(), journal=journal, boot=boot()), appeal.purpose)


class Hold:
    """One worker's hold on deliveries of one appeal, by the number of its claim."""

    def __init__(self, claim: Claim, purpose: str) -> None:
        self.claim = claim
        self.purpose = purpose
        self._reached: dict[str, tuple[datetime, int]] = {}

    def take(self, permits: Permits) -> tuple[list[Addressee], int]:
        """Claim up to so many that are owed now and that nobody holds; and how many were left out for good.

        The same statement reads the person and whether they may be written to. It finds nobody if the appeal was
        paused or cancelled, if sending was stopped, or if this claim was given up.
        """
        if not permits.of:
            return [], 0
        found = self._take(permits)
        if not found and self._reached:
            # Some before may be owed again by now.
            self._reached = {}
            found = self._take(permits)
        for row in found:
            pk, receiver, due = row[:3]
            self._reached[receiver] = max(self._reached.get(receiver, _BEFORE_ALL), (due, pk))
        taken = [Addressee(row[0], row[1], *row[3:-1]) for row in found if row[-1]]
        return sorted(taken, key=lambda addressee: addressee.pk), len(found) - len(taken)

    def _take(self, permits: Permits) -> list[tuple[Any, ...]]:
        reached = [self._reached.get(receiver, _BEFORE_ALL) for receiver in permits.of]
        person, person_params = _contactable(self.purpose, "p.supporter_id")
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                WITH picked AS MATERIALIZED (
                    SELECT owed.id, owed.supporter_id, owed.doubled
                    FROM unnest(%s::text[], %s::int[], %s::timestamptz[], %s::bigint[])
                         AS share(receiver, number, reached, last),
                    LATERAL (
                        SELECT q.id, q.supporter_id, q.doubled FROM campaigns_delivery q
                        WHERE q.appeal_id = %s AND q.receiver = share.receiver AND q.state = 'queued'
                          AND q.not_before <= statement_timestamp() AND (q.not_before, q.id) > (share.reached, share.last)
                        ORDER BY q.not_before, q.id LIMIT share.number FOR UPDATE SKIP LOCKED) owed
                    WHERE {_IN_FORCE} LIMIT %s),
                seen AS MATERIALIZED (
                    SELECT p.id, p.supporter_id, p.doubled, {_OF_PERSON}, coalesce(s.how_often, '') AS how_often,
                           NOT p.doubled AND s.email IS NOT NULL AS reachable
                    FROM picked p LEFT JOIN LATERAL ({person}) s ON true),
                turns AS ({turns.TAKE.format(asked="(SELECT * FROM seen WHERE reachable)", appeal="%s")}),
                judged AS (
                    SELECT seen.*, reachable AND (how_often = '' OR supporter_id IN (SELECT supporter_id FROM turns)) AS allowed
                    FROM seen)
                UPDATE campaigns_delivery d
                SET state = CASE WHEN s.allowed THEN 'sending' ELSE 'skipped' END,
                    claim = CASE WHEN s.allowed THEN %s END,
                    attempts = d.attempts + s.allowed::int,
                    reason = CASE WHEN s.allowed THEN '' WHEN s.doubled THEN %s WHEN s.reachable THEN %s WHEN s.supporter_id IS NULL THEN %s
                                  WHEN (SELECT email FROM supporters_supporter WHERE id = s.supporter_id) IS NULL THEN %s
                                  ELSE %s END,
                    updated_at = now()
                -- By the index, whatever their number: a join would read the whole ledger.
                FROM judged s WHERE d.id = ANY(ARRAY(SELECT id FROM picked)) AND d.id = s.id
                RETURNING d.id, d.receiver, d.not_before, d.uuid, d.language, d.variant, d.attempts, {_OF_PERSON}, s.allowed
                """,
                [
                    *(list(permits.of), list(permits.of.values()), *map(list, zip(*reached, strict=True))),
                    *(self.claim.appeal_id, self.claim.pk, self.claim.appeal_id, permits.total),
                    *person_params,
                    self.claim.appeal_id,
                    *(self.claim.pk, MERGED, turns.TOO_OFTEN, ERASED, NO_ADDRESS, NOT_ALLOWED),
                ],
            )
            return cursor.fetchall()

    def look(self, pks: Sequence[int]) -> dict[int, Addressee]:
        """Those of the held who may still be written to now, as they are now."""
        person, person_params = _contactable(self.purpose, "d.supporter_id")
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                SELECT d.id, d.receiver, d.uuid, d.language, d.variant, d.attempts, {_OF_PERSON}
                FROM campaigns_delivery d JOIN LATERAL ({person}) s ON true
                WHERE d.id = ANY(%s) AND d.claim = %s AND d.state = 'sending' AND NOT d.doubled AND {_IN_FORCE}
                """,
                [*person_params, list(pks), self.claim.pk, self.claim.pk, self.claim.appeal_id],
            )
            return {row[0]: Addressee(*row) for row in cursor.fetchall()}

    def owed(self, receivers: Sequence[str]) -> list[str]:
        """Those of these receivers to whom the appeal owes something now, be it in another's hands."""
        if not receivers:
            return []
        with connection.cursor() as cursor:
            cursor.execute(
                """
                SELECT code FROM unnest(%s::text[]) code WHERE EXISTS (
                    SELECT FROM campaigns_delivery q
                    WHERE q.appeal_id = %s AND q.receiver = code AND q.state = 'queued'
                      AND q.not_before <= statement_timestamp())
                """,
                [list(receivers), self.claim.appeal_id],
            )
            return [code for (code,) in cursor.fetchall()]

    def settle(self, outcomes: Sequence[Outcome]) -> int:
        """Write down what became of these; how many. Those that are not ours any more stay as they are."""
        return settle(self.claim.pk, outcomes)

    def give_back(self, pks: Iterable[int]) -> None:
        """Owe these again, which did not leave."""
        self._give_back(Delivery.objects.filter(pk__in=list(pks)))

    def end(self, outcomes: Sequence[Outcome]) -> None:
        """Write down these, owe the rest again, and end the claim."""
        with transaction.atomic():
            self.settle(outcomes)
            self._give_back(Delivery.objects.all())
            Claim.objects.filter(pk=self.claim.pk).delete()
            if Appeal.objects.filter(pk=self.claim.appeal_id, state=Appeal.State.CANCELLED).exists():
                skip_rest(self.claim.appeal_id)

    def _give_back(self, rows: QuerySet[Delivery]) -> None:
        held = rows.filter(claim=self.claim.pk, state=State.SENDING)
        held.update(state=State.QUEUED, claim=None, attempts=F("attempts") - 1, updated_at=Now())


_IN_FORCE = (
    """
    EXISTS (SELECT 1 FROM campaigns_claim c WHERE c.id = %s AND c.given_up_at IS NULL)
    AND EXISTS (SELECT 1 FROM campaigns_appeal a WHERE a.id = %s AND a.state = 'sending')
    AND NOT """
    + STOPPED_SQL
)
"""The claim holds, the appeal is going out, and nobody has pressed the stop button."""
_BEFORE_ALL = (datetime(1970, 1, 1, tzinfo=UTC), 0)


def settle(claim: int, outcomes: Sequence[Outcome]) -> int:
    """Write down what became of deliveries of a claim, be it that they were given up in the meantime; how many.

    What was given up may have been the last of its appeal, so it is not owed again by itself: it failed.
    """
    sent = [outcome.pk for outcome in outcomes if outcome.state == State.SENT]
    others = [outcome for outcome in outcomes if outcome.state != State.SENT]
    return (_settle_sent(claim, sent) if sent else 0) + (_settle(claim, others) if others else 0)


def _settle_sent(claim: int, pks: list[int]) -> int:
    """The usual outcome, which needs no more than this."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE campaigns_delivery SET state = 'sent', reason = '', claim = NULL, sent_at = now(), updated_at = now()
            -- By the key, hence IS TRUE: other indexes hold all that was in this state, for as long as anybody may see it.
            WHERE id = ANY(%s) AND (claim = %s AND state IN ('sending', 'unknown')) IS TRUE
            """,
            [pks, claim],
        )
        return cursor.rowcount


def _settle(claim: int, outcomes: Sequence[Outcome]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE campaigns_delivery d
            SET state = CASE WHEN d.state = 'unknown' AND o.state = 'queued' THEN 'failed' ELSE o.state END,
                reason = o.reason, claim = NULL, updated_at = now(),
                not_before = coalesce(now() + o.retry_in, d.not_before),
                attempts = d.attempts - CASE WHEN o.counts THEN 0 ELSE 1 END
            FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::interval[], %s::bool[])
                 AS o(id, state, reason, retry_in, counts)
            WHERE d.id = o.id AND d.claim = %s AND d.state IN ('sending', 'unknown')
            """,
            [
                [outcome.pk for outcome in outcomes],
                [str(outcome.state) for outcome in outcomes],
                [outcome.reason[:250] for outcome in outcomes],
                [outcome.retry_in for outcome in outcomes],
                [outcome.counts for outcome in outcomes],
                claim,
            ],
        )
        return cursor.rowcount


def owed(appeal_pk: int) -> bool:
    """Whether somebody could be written to now."""
    return Delivery.objects.filter(appeal=appeal_pk, state=State.QUEUED, not_before__lte=Now()).exists()


def send_again(pks: list[int]) -> int:
    """Owe these once more, on the word of a person who knows that it may be the second time; how many.

    Only what failed or is unknown, and only where its appeal still goes or has gone out.
    """
    doubtful = Delivery.objects.filter(pk__in=pks, state__in=[State.UNKNOWN, State.FAILED], doubled=False)
    doubtful = doubtful.filter(appeal__channel=Appeal.Channel.MAIL)  # Mailchimp sends a campaign once
    doubtful = doubtful.filter(appeal__state__in=[Appeal.State.SENDING, Appeal.State.PAUSED, Appeal.State.SENT])
    with transaction.atomic():
        # Appeals first: `finish` must not close one while this owes it something.
        appeals = set(doubtful.values_list("appeal_id", flat=True))
        list(Appeal.objects.select_for_update().filter(pk__in=appeals).order_by("pk"))
        changed = doubtful.update(
            state=State.QUEUED, claim=None, attempts=0, not_before=Now(), reason="", updated_at=Now()
        )
        Appeal.objects.filter(pk__in=appeals, state=Appeal.State.SENT).update(
            state=Appeal.State.SENDING, finished_at=None
        )
    return changed


def skip_rest(appeal_pk: int) -> int:
    """Nobody more gets a cancelled appeal."""
    rest = Delivery.objects.filter(appeal=appeal_pk, state__in=[State.HELD, State.QUEUED])
    return rest.update(state=State.SKIPPED, claim=None, reason=CANCELLED, updated_at=Now())


def _new_uuid() -> str:
    """SQL. In the order of time where PostgreSQL can (from 18 on): at random, each would go to another page of the index."""
    return "uuidv7()" if connection.pg_version >= 180000 else "gen_random_uuid()"


@lru_cache
def _contactable(purpose: str, supporter: str) -> tuple[str, tuple[Any, ...]]:
    """Supporter.objects.contactable, the one place that says who may be written to, for a row of ours: the person, or nothing.

    The limit keeps it a question about one person: as a join, PostgreSQL would rather read everybody for each slice.
    """
    people = Supporter.objects.contactable(purpose).filter(pk=RawSQL(supporter, ()))  # noqa: S611
    return people.values(*_PERSON, "how_often")[:1].query.sql_with_params()
