"""Writing down what Mailchimp answered or told us: many members in one statement."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import connection, transaction

from campaigns.mailchimp.difference import Owed
from campaigns.models import Audience, AudienceMember


class Answer(NamedTuple):
    """What became of one member that we sent."""

    owed: Owed
    status: str
    refusal: str = ""


class Heard(NamedTuple):
    """What Mailchimp says of one member."""

    hash: str
    email: str
    status: str
    changed_at: datetime


def write(audience: Audience, answers: Iterable[Answer]) -> None:
    """Set the shadow of these members to what was answered; a refused one keeps its status and the reason."""
    rows = list(answers)
    parameters = {
        "audience": audience.pk,
        "supporters": [row.owed.supporter for row in rows],
        "hashes": [row.owed.hash for row in rows],
        "statuses": [row.status for row in rows],
        "digests": [bytes(row.owed.digest) for row in rows],
        "refusals": [row.refusal[:500] for row in rows],
    }
    with transaction.atomic(), connection.cursor() as cursor:
        # A row that the pull made for an address before we knew whose it is gives way to its owner's.
        cursor.execute(
            """
            DELETE FROM campaigns_audiencemember held USING unnest(%(supporters)s::bigint[], %(hashes)s::text[]) AS t (supporter, hash)
            WHERE held.audience_id = %(audience)s AND held.subscriber_hash = t.hash AND held.supporter_id IS NULL AND NOT held.to_delete
            """,
            parameters,
        )
        cursor.execute(
            """
            INSERT INTO campaigns_audiencemember (audience_id, supporter_id, subscriber_hash, status, digest, ours,
                                                  to_delete, refusal, refused_at, updated_at, tags)
            SELECT %(audience)s, s.id, t.hash, t.status, t.digest, true, false, t.refusal,
                   CASE WHEN t.refusal <> '' THEN now() END, now(), '[]'
            FROM unnest(%(supporters)s::bigint[], %(hashes)s::text[], %(statuses)s::text[], %(digests)s::bytea[], %(refusals)s::text[])
                 AS t (supporter, hash, status, digest, refusal)
            JOIN supporters_supporter s ON s.id = t.supporter
            -- An address that is still somebody else's there waits until they have moved.
            WHERE NOT EXISTS (SELECT FROM campaigns_audiencemember o WHERE o.audience_id = %(audience)s
                              AND o.subscriber_hash = t.hash AND o.supporter_id IS DISTINCT FROM t.supporter)
            ON CONFLICT (audience_id, supporter_id) DO UPDATE SET
                subscriber_hash = CASE WHEN excluded.refusal = '' THEN excluded.subscriber_hash
                                       ELSE campaigns_audiencemember.subscriber_hash END,
                status = coalesce(nullif(excluded.status, ''), campaigns_audiencemember.status),
                digest = excluded.digest, refusal = excluded.refusal, refused_at = excluded.refused_at, updated_at = now()
            """,
            parameters,
        )
        # Somebody who was erased while the call was under way is there now, and owed a deletion.
        cursor.execute(
            """
            INSERT INTO campaigns_audiencemember (audience_id, subscriber_hash, status, ours, to_delete, refusal, tags, updated_at)
            SELECT %(audience)s, t.hash, t.status, true, true, '', '[]', now()
            FROM unnest(%(supporters)s::bigint[], %(hashes)s::text[], %(statuses)s::text[]) AS t (supporter, hash, status)
            WHERE t.status <> '' AND NOT EXISTS (SELECT FROM supporters_supporter s WHERE s.id = t.supporter)
            ON CONFLICT (audience_id, subscriber_hash) DO UPDATE SET to_delete = true, supporter_id = NULL
            """,
            parameters,
        )


def adopt_strangers(audience: Audience, rows: Sequence[Owed]) -> None:
    """Members that others added before us, and that turn out to be our supporters: linked, not ours."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE campaigns_audiencemember held SET supporter_id = t.supporter FROM unnest(%s::bigint[], %s::text[]) AS t (supporter, hash)
            WHERE held.audience_id = %s AND held.subscriber_hash = t.hash AND held.supporter_id IS NULL AND NOT held.to_delete
              AND NOT EXISTS (SELECT FROM campaigns_audiencemember o WHERE o.audience_id = held.audience_id AND o.supporter_id = t.supporter)
            """,
            [[row.supporter for row in rows], [row.hash for row in rows], audience.pk],
        )


def set_status(members: Sequence[int], status: str) -> None:
    AudienceMember.objects.filter(pk__in=members).update(status=status, digest=None)


def set_tag(tag: int, members: Sequence[int]) -> None:
    """Write down that each of these now has the tag if it should, and not if not."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE campaigns_audiencemember held SET updated_at = now(), tags = CASE
                WHEN owed.tags @> to_jsonb(%(tag)s::bigint)
                THEN (SELECT jsonb_agg(DISTINCT tag ORDER BY tag) FROM jsonb_array_elements(held.tags || to_jsonb(%(tag)s::bigint)) tag)
                ELSE coalesce((SELECT jsonb_agg(tag ORDER BY tag) FROM jsonb_array_elements(held.tags) tag
                               WHERE tag <> to_jsonb(%(tag)s::bigint)), '[]') END
            FROM owed WHERE owed.supporter = held.supporter_id AND held.id = ANY(%(members)s)
            """,
            {"tag": tag, "members": list(members)},
        )


@transaction.atomic
def hear(audience: Audience, heard: Sequence[Heard], source: str) -> dict[str, int]:
    """Take over what Mailchimp says of these members; whoever left there has left here, in the same transaction.

    Somebody who came back here later than they left there, by their own confirmed act, stays.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _HEAR,
            {
                "audience": audience.pk,
                "hashes": [row.hash for row in heard],
                "emails": [row.email.lower() for row in heard],
                "statuses": [row.status for row in heard],
                "times": [row.changed_at for row in heard],
                "source": source,
            },
        )
        return dict(zip(("changed", "left", "bounced", "strangers"), cursor.fetchone(), strict=True))


_HEAR = """
WITH heard AS (
    SELECT DISTINCT ON (hash) * FROM unnest(%(hashes)s::text[], %(emails)s::text[], %(statuses)s::text[], %(times)s::timestamptz[])
        WITH ORDINALITY AS t (hash, email, status, at, place)
    ORDER BY hash, at DESC, place DESC
), known AS (
    SELECT heard.*, coalesce(held.supporter_id, s.id) AS supporter FROM heard
    LEFT JOIN campaigns_audiencemember held ON held.audience_id = %(audience)s AND held.subscriber_hash = heard.hash
    LEFT JOIN supporters_supporter s ON s.email = heard.email AND held.supporter_id IS NULL
    WHERE held.id IS NULL OR NOT held.to_delete
), written AS (
    INSERT INTO campaigns_audiencemember (audience_id, supporter_id, subscriber_hash, status, ours, to_delete, refusal, tags, last_changed, updated_at)
    SELECT %(audience)s, known.supporter, known.hash, known.status, false, false, '', '[]', known.at, now() FROM known
    WHERE known.supporter IS NULL OR NOT EXISTS (
        SELECT FROM campaigns_audiencemember o WHERE o.audience_id = %(audience)s AND o.supporter_id = known.supporter AND o.subscriber_hash <> known.hash)
    ON CONFLICT (audience_id, subscriber_hash) DO UPDATE SET
        status = excluded.status, last_changed = excluded.last_changed, updated_at = now(),
        supporter_id = coalesce(campaigns_audiencemember.supporter_id, excluded.supporter_id),
        refusal = CASE WHEN campaigns_audiencemember.status <> excluded.status THEN '' ELSE campaigns_audiencemember.refusal END
    WHERE campaigns_audiencemember.last_changed IS NULL OR campaigns_audiencemember.last_changed <= excluded.last_changed
    RETURNING subscriber_hash, supporter_id
), gone AS (
    SELECT known.supporter, known.email, known.status, known.at FROM known JOIN written ON written.subscriber_hash = known.hash
    WHERE known.supporter IS NOT NULL AND known.status IN ('unsubscribed', 'cleaned') AND NOT EXISTS (
        SELECT FROM supporters_consent c WHERE c.supporter_id = known.supporter AND c.purpose = 'email' AND c.organisation_id IS NULL
        AND c.state = 'granted' AND c.method = 'confirmed' AND c.happened_at > known.at)
), withdrawn AS (
    INSERT INTO supporters_consent (supporter_id, purpose, state, wording, method, source, happened_at)
    SELECT supporter, 'email', 'withdrawn', '', CASE status WHEN 'cleaned' THEN 'bounce' ELSE 'mailchimp' END, %(source)s, statement_timestamp()
    FROM gone WHERE coalesce((
        SELECT c.state FROM supporters_consent c WHERE c.supporter_id = gone.supporter AND c.purpose = 'email' AND c.organisation_id IS NULL
        ORDER BY c.happened_at DESC, c.state DESC, c.id DESC LIMIT 1), '') <> 'withdrawn'
    RETURNING supporter_id, method
), suppressed AS (
    INSERT INTO supporters_suppression (email_hash, reason)
    SELECT DISTINCT supporters_address_hash(address), CASE status WHEN 'cleaned' THEN 'hard_bounce' ELSE 'left' END
    FROM gone JOIN supporters_supporter s ON s.id = gone.supporter, unnest(ARRAY[gone.email, s.email]) address
    WHERE address IS NOT NULL ON CONFLICT DO NOTHING
)
SELECT (SELECT count(*) FROM written), (SELECT count(*) FROM withdrawn WHERE method = 'mailchimp'),
       (SELECT count(*) FROM withdrawn WHERE method = 'bounce'), (SELECT count(*) FROM written WHERE supporter_id IS NULL)
"""
