"""Bringing a segment's members up to date: one INSERT … SELECT, one DELETE, in one transaction.

Readers see the old members until it commits and are never blocked. Two refreshes of one segment at once: the second
leaves it to the first.
"""

import time

from django.db import connection, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.functions import Now

from campaigns.models import Segment
from campaigns.segments.compile import query
from campaigns.segments.rules import RuleProblem, problems_of
from supporters.locks import advisory_lock, nobody_goes

STALE_AFTER = "30 minutes"
BUDGET = 40
"""Seconds that one round of refreshes may begin new ones."""


def refresh(segment: Segment) -> dict | None:
    """Counts of who came and went; None when another refresh of it is running.

    Rules that name something deleted leave the members as they are; the segment then says what is missing.
    """
    with advisory_lock(f"segment:{segment.pk}") as ours:
        if not ours:
            return None
        asked_at = segment.refresh_requested_at
        problems = problems_of(segment.rules, segment)
        if problems:
            counts = {"added": 0, "removed": 0, "size": segment.size or 0}
            error = RuleProblem(problems).for_staff
            Segment.objects.filter(pk=segment.pk).update(error=error, refreshed_at=Now())
        else:
            counts = _write(segment)
        Segment.objects.filter(pk=segment.pk, refresh_requested_at=asked_at).update(refresh_requested_at=None)
    segment.refresh_from_db()
    return counts


def _write(segment: Segment) -> dict:
    people, parameters = query(segment.rules).values("pk").query.sql_with_params()
    with transaction.atomic(), connection.cursor() as cursor:
        nobody_goes()
        cursor.execute(
            f"CREATE TEMP TABLE met (supporter_id) ON COMMIT DROP AS {people}",
            parameters,
        )
        cursor.execute("ALTER TABLE met ADD PRIMARY KEY (supporter_id)")
        cursor.execute("ANALYZE met")
        cursor.execute(
            """
            DELETE FROM campaigns_segmentmember m WHERE segment_id = %s
            AND NOT EXISTS (SELECT FROM met WHERE met.supporter_id = m.supporter_id)
            """,
            [segment.pk],
        )
        removed = cursor.rowcount
        cursor.execute(
            """
            INSERT INTO campaigns_segmentmember (segment_id, supporter_id)
            SELECT %s, met.supporter_id FROM met JOIN supporters_supporter s ON s.id = met.supporter_id
            ON CONFLICT DO NOTHING
            """,
            [segment.pk],
        )
        added = cursor.rowcount
        cursor.execute(
            """
            UPDATE campaigns_segment SET refreshed_at = clock_timestamp(), error = '',
                (size, languages) = (
                    SELECT coalesce(sum(people), 0), coalesce(jsonb_object_agg(language, people), '{}') FROM (
                        SELECT s.language, count(*) AS people
                        FROM campaigns_segmentmember m JOIN supporters_supporter s ON s.id = m.supporter_id
                        WHERE m.segment_id = %s GROUP BY 1) speakers)
            WHERE id = %s RETURNING size
            """,
            [segment.pk, segment.pk],
        )
        size = cursor.fetchone()[0]
        cursor.execute("DROP TABLE met")
        return {"added": added, "removed": removed, "size": size}


def request(segments: QuerySet[Segment]) -> int:
    """Ask for a refresh at the next opportunity."""
    return segments.update(refresh_requested_at=Now())


def refresh_due() -> dict:
    """Refresh what was asked for, then what is stale, the oldest first."""
    until = time.monotonic() + BUDGET
    stale = RawSQL("clock_timestamp() - %s::interval", [STALE_AFTER])
    due = Segment.objects.filter(
        Q(refresh_requested_at__isnull=False) | Q(refreshed_at__isnull=True) | Q(refreshed_at__lt=stale)
    ).order_by(F("refresh_requested_at").asc(nulls_last=True), F("refreshed_at").asc(nulls_first=True))
    counts = {"refreshed": 0, "failed": 0}
    for segment in due.iterator(chunk_size=100):
        if time.monotonic() > until:
            break
        if refresh(segment) is not None:
            counts["failed" if segment.error else "refreshed"] += 1
    return counts
