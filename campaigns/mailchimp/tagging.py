"""Who is to get a tag there or to lose one, after everybody has been added."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from django.db import connection, transaction

from campaigns.mailchimp.difference import CHUNK
from campaigns.models import Audience


class TagChange(NamedTuple):
    """Up to 500 to give a tag to and up to 500 to take it from: (member, address) each."""

    tag: int
    add: Sequence[tuple[int, str]]
    remove: Sequence[tuple[int, str]]


def tag_changes(audience: Audience, *, newcomers: bool = True) -> Iterator[TagChange]:
    """What is left to do about tags.

    Computed from the shadow as it is now, so that whoever was just added with their tags is through, and who was refused gets none.
    Newcomers are left out if each of them is known to have theirs.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS owed_tags")
        cursor.execute("SET LOCAL work_mem = '32MB'")
        more = "UNION ALL SELECT supporter, tags FROM newcomers" if newcomers else ""
        cursor.execute(_TAG_CHANGES.format(more=more), {"audience": audience.pk, "limit": CHUNK})
        cursor.execute("CREATE INDEX ON owed_tags (tag, chunk)")
        cursor.execute("SELECT DISTINCT tag, chunk FROM owed_tags ORDER BY 1, 2")
        calls = cursor.fetchall()
    for tag, chunk in calls:
        with connection.cursor() as cursor:
            cursor.execute("SELECT wanted, member, email FROM owed_tags WHERE tag = %s AND chunk = %s", [tag, chunk])
            rows = cursor.fetchall()
        yield TagChange(
            tag,
            [(member, email) for wanted, member, email in rows if wanted],
            [(member, email) for wanted, member, email in rows if not wanted],
        )


_TAG_CHANGES = """
CREATE TEMP TABLE owed_tags AS
WITH differing AS MATERIALIZED (
    SELECT held.id AS member, held.subscriber_hash, owed.supporter, owed.tags, held.tags AS held_tags
    FROM (SELECT supporter, tags FROM owed WHERE coalesce(what, '') NOT IN ('leave', 'lapse', 'archive') {more}) owed
    JOIN campaigns_audiencemember held ON held.audience_id = %(audience)s AND held.supporter_id = owed.supporter
    WHERE held.status IN ('subscribed', 'pending') AND held.tags <> owed.tags
)
SELECT tag, wanted, member, email, (row_number() OVER (PARTITION BY tag, wanted ORDER BY member) - 1) / %(limit)s AS chunk FROM (
    SELECT (t.tag #>> '{{}}')::bigint AS tag, tags @> t.tag AS wanted, member, s.email
    FROM differing JOIN supporters_supporter s ON s.id = supporter AND md5(s.email) = subscriber_hash
    CROSS JOIN LATERAL (SELECT DISTINCT value AS tag FROM jsonb_array_elements(tags || held_tags)) t
    WHERE (tags @> t.tag) <> (held_tags @> t.tag)
) changes
"""
