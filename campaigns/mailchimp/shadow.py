"""Writing down what Mailchimp answered or told us: many members in one statement."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models.functions import Now

from campaigns.mailchimp.difference import Owed
from campaigns.models import Audience, AudienceMember


class Answer(NamedTuple):
    """What became of one member that we sent."""

    owed: Owed
    status: str
    refusal: str = ""
    tags: tuple[int, ...] | None = None
    """Those of our tags that they have there; None where that was not said."""
    ours: bool = True
    """False where others turn out to have added them."""


class Heard(NamedTuple):
    """What Mailchimp says of one member."""

    hash: str
    email: str
    status: str
    changed_at: datetime


def write(audience: Audience, answers: Iterable[Answer]) -> None:
    """Set the shadow of these members to what was answered; a refused one keeps its address, and its status if none was told.

    Somebody who was erased while the call was under way is owed a deletion there by now, and stays so.
    """
    rows = list(answers)
    parameters = {
        "audience": audience.pk,
        "members": [row.owed.member for row in rows],
        "hashes": [row.owed.hash for row in rows],
        "statuses": [row.status for row in rows],
        "digests": [row.owed.digest for row in rows],
        "refusals": [row.refusal[:500] for row in rows],
        "tags": [None if row.tags is None else json.dumps(sorted(row.tags)) for row in rows],
        "ours": [row.ours for row in rows],
    }
    with transaction.atomic(), connection.cursor() as cursor:
        if any(not row.refusal and row.owed.old_hash not in ("", row.owed.hash) for row in rows):
            # A row that the pull made for the new address before we knew whose it is gives way to its owner's.
            cursor.execute(
                """
                DELETE FROM campaigns_audiencemember WHERE audience_id = %(audience)s AND supporter_id IS NULL AND NOT to_delete
                AND subscriber_hash = ANY(%(hashes)s)
                """,
                parameters,
            )
        cursor.execute(
            """
            UPDATE campaigns_audiencemember held SET
                subscriber_hash = CASE WHEN t.refusal = '' THEN t.hash ELSE held.subscriber_hash END,
                status = coalesce(nullif(t.status, ''), held.status), digest = t.digest, refusal = t.refusal,
                refused_at = CASE WHEN t.refusal <> '' THEN now() END, tags = coalesce(t.tags::jsonb, held.tags),
                ours = held.ours AND t.ours, archived_by_us = held.archived_by_us AND t.status = '', updated_at = now()
            FROM unnest(%(members)s::bigint[], %(hashes)s::text[], %(statuses)s::text[], %(digests)s::bytea[], %(refusals)s::text[],
                        %(tags)s::text[], %(ours)s::bool[]) AS t (member, hash, status, digest, refusal, tags, ours)
            WHERE held.id = t.member AND NOT held.to_delete
            """,
            parameters,
        )


class Seen(NamedTuple):
    """A member as looked at there by itself; `status` is empty where there is none."""

    member: int
    status: str
    tags: tuple[int, ...] = ()


def see(seen: Sequence[Seen]) -> None:
    """Take over how these members are there; what was sent of them counts as unknown."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE campaigns_audiencemember held SET status = t.status, tags = t.tags::jsonb, digest = NULL, refusal = '', refused_at = NULL,
                   updated_at = now()
            FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS t (member, status, tags) WHERE held.id = t.member AND NOT held.to_delete
            """,
            [
                [row.member for row in seen],
                [row.status for row in seen],
                [json.dumps(sorted(row.tags)) for row in seen],
            ],
        )


def refuse(members: Sequence[int], refusals: Sequence[str]) -> None:
    """Note why these could not be done; they are owed still."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE campaigns_audiencemember held SET refusal = t.refusal, refused_at = now()
            FROM unnest(%s::bigint[], %s::text[]) AS t (member, refusal) WHERE held.id = t.member
            """,
            [list(members), [refusal[:500] for refusal in refusals]],
        )


def adopt_strangers(audience: Audience) -> list[Heard]:
    """Members that others added and that have turned out to be supporters of ours since: linked, not ours.

    Returns those of them who have left there: their last word there counts here too.
    """
    if not audience.members.filter(supporter=None, to_delete=False).exists():
        return []
    with transaction.atomic(), connection.cursor() as cursor:
        # What we tried to no avail under another address gives way.
        cursor.execute(
            """
            DELETE FROM campaigns_audiencemember held USING supporters_supporter s, campaigns_audiencemember stranger
            WHERE held.audience_id = %(audience)s AND held.supporter_id = s.id AND (held.status = 'forgotten' OR held.status = '' AND held.refusal <> '')
              AND stranger.audience_id = %(audience)s AND stranger.supporter_id IS NULL AND NOT stranger.to_delete
              AND stranger.subscriber_hash = md5(s.email)
            """,
            {"audience": audience.pk},
        )
        cursor.execute(
            """
            UPDATE campaigns_audiencemember held SET supporter_id = s.id FROM supporters_supporter s
            WHERE held.audience_id = %(audience)s AND held.supporter_id IS NULL AND NOT held.to_delete AND held.subscriber_hash = md5(s.email)
              AND NOT EXISTS (SELECT FROM campaigns_audiencemember o WHERE o.audience_id = held.audience_id AND o.supporter_id = s.id)
            RETURNING held.subscriber_hash, s.email, held.status, coalesce(held.last_changed, held.updated_at)
            """,
            {"audience": audience.pk},
        )
        adopted = [Heard(*row) for row in cursor.fetchall()]
    gone = (AudienceMember.Status.UNSUBSCRIBED, AudienceMember.Status.CLEANED)
    return [row for row in adopted if row.status in gone]


def set_status(members: Sequence[int], status: str) -> None:
    AudienceMember.objects.filter(pk__in=members).update(
        status=status, digest=None, refusal="", refused_at=None, updated_at=Now()
    )


def set_tags(tag: int, added: Sequence[int], removed: Sequence[int]) -> None:
    """Write down that these members have the tag now, and that those have it no more."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE campaigns_audiencemember SET updated_at = now(), tags = (
                SELECT coalesce(jsonb_agg(tag ORDER BY tag), '[]') FROM (
                    SELECT tag FROM jsonb_array_elements(tags) tag WHERE tag <> to_jsonb(%(tag)s::bigint)
                    UNION ALL SELECT to_jsonb(%(tag)s::bigint) WHERE id = ANY(%(added)s)) kept)
            WHERE id = ANY(%(added)s) OR id = ANY(%(removed)s)
            """,
            {"tag": tag, "added": list(added), "removed": list(removed)},
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
