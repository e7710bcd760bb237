"""What an audience should hold against what it holds as far as we know: one statement, answered by PostgreSQL.

The result is a temporary table of this session, `owed`, with a row for each member who differs. It is worked off in the
order of `what`, and every step writes the shadow (AudienceMember) from Mailchimp's answer; a run that dies in the
middle finds the rest in the next difference.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection

from campaigns.mailchimp.mapping import FIELDS
from campaigns.models import Audience
from supporters.models import Supporter

CHUNK = 500
"""Members in one call, and emails in one change of a tag."""
ADD, CHANGE, MOVE, RETURN, LEAVE, TAGS = "add", "change", "move", "return", "leave", "tags"


@dataclass(frozen=True)
class Owed:
    """One member who differs."""

    number: int
    supporter: int
    member: int | None
    email: str
    hash: str
    old_hash: str
    language: str
    values: dict[str, str]
    digest: bytes


_COMPARE = """
CREATE TEMP TABLE owed AS
WITH allowed (id) AS MATERIALIZED ({contactable}), wanted AS (
    SELECT s.id, s.email, md5(s.email) AS hash, s.language, {values} AS "values",
           sha256(convert_to(concat_ws(E'\\x1f', s.email, s.language, {values}::text), 'UTF8')) AS digest,
           tags.tags
    FROM (
        SELECT m.supporter_id, jsonb_agg(DISTINCT l.tag_id ORDER BY l.tag_id) AS tags
        FROM campaigns_audiencesegment l JOIN campaigns_segmentmember m ON m.segment_id = l.segment_id
        WHERE l.audience_id = %(audience)s AND l.tag_id IS NOT NULL GROUP BY m.supporter_id
    ) tags JOIN allowed ON allowed.id = tags.supporter_id JOIN supporters_supporter s ON s.id = allowed.id
), held AS (
    SELECT * FROM campaigns_audiencemember WHERE audience_id = %(audience)s AND supporter_id IS NOT NULL AND NOT to_delete
), left_here AS (
    SELECT held.supporter_id AS id FROM held JOIN supporters_consent c ON c.supporter_id = held.supporter_id
    WHERE c.purpose = 'email' AND c.state = 'withdrawn' AND c.organisation_id IS NULL
    UNION
    SELECT s.id FROM held JOIN supporters_supporter s ON s.id = held.supporter_id
    JOIN supporters_suppression p ON p.email_hash = supporters_address_hash(s.email)
), compared AS (
    SELECT coalesce(wanted.id, held.supporter_id) AS supporter, held.id AS member, held.status, wanted.email, wanted.hash,
           held.subscriber_hash AS old_hash, wanted.language, wanted."values", wanted.digest,
           coalesce(wanted.tags, '[]') AS tags, coalesce(held.tags, '[]') AS held_tags,
           CASE
             -- Members that others added are unsubscribed only if they left here, not for want of a yes here.
             WHEN wanted.id IS NULL AND held.status IN ('subscribed', 'pending') AND allowed.id IS NULL
                  AND (held.ours OR left_here.id IS NOT NULL) THEN 'leave'
             WHEN wanted.id IS NULL THEN NULL
             WHEN held.id IS NULL THEN 'add'
             WHEN held.status = '' AND (held.refusal = '' OR held.digest IS DISTINCT FROM wanted.digest) THEN 'add'
             WHEN held.status = 'unsubscribed' AND held.refusal = '' THEN 'return'
             WHEN held.status NOT IN ('subscribed', 'pending') THEN NULL
             WHEN held.refusal <> '' AND held.digest = wanted.digest THEN NULL
             WHEN held.subscriber_hash <> wanted.hash THEN 'move'
             WHEN held.digest IS DISTINCT FROM wanted.digest THEN 'change'
           END AS what
    FROM wanted FULL JOIN held ON held.supporter_id = wanted.id
    LEFT JOIN allowed ON allowed.id = held.supporter_id LEFT JOIN left_here ON left_here.id = held.supporter_id
)
SELECT row_number() OVER (ORDER BY supporter)::int AS number, compared.* FROM compared
WHERE what IS NOT NULL OR (status IN ('subscribed', 'pending') AND tags <> held_tags)
"""


def compare(audience: Audience) -> dict[str, int]:
    """Make the table `owed`; returns how many there are of each kind."""
    contactable, parameters = Supporter.objects.contactable(audience.purpose).values("pk").query.sql_with_params()
    columns = ", ".join(f"'{tag}', s.{_column(field)}" for tag, field in sorted(audience.merge_fields.items()))
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS owed")
        named = {f"p{index}": value for index, value in enumerate(parameters)}
        contactable %= tuple(f"%(p{index})s" for index in range(len(parameters)))
        cursor.execute(
            _COMPARE.format(values=f"jsonb_build_object({columns})", contactable=contactable),
            {"audience": audience.pk, **named},
        )
        cursor.execute("ALTER TABLE owed ADD PRIMARY KEY (number)")
        cursor.execute("SELECT coalesce(what, 'tags'), count(*) FROM owed GROUP BY 1")
        return dict(cursor.fetchall())


def _column(field: str) -> str:
    if field not in FIELDS:
        raise ValueError(field)
    return field


def chunks(what: str) -> Iterator[list[Owed]]:
    """The rows of one kind, up to 500 at a time."""
    last = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                """
                SELECT number, supporter, member, email, hash, old_hash, language, "values", digest FROM owed
                WHERE what = %s AND number > %s ORDER BY number LIMIT %s
                """,
                [what, last, CHUNK],
            )
            rows = [Owed(*row[:7], json.loads(row[7] or "{}"), bytes(row[8] or b"")) for row in cursor.fetchall()]
        if not rows:
            return
        last = rows[-1].number
        yield rows


def tag_changes(audience: Audience) -> Iterator[tuple[int, list[str], list[str], list[int]]]:
    """For each tag, up to 500 members at a time: addresses to add, to remove, and the members concerned.

    Computed from the shadow as it is now, so that whoever was just added gets their tags, and who was refused does not.
    """
    for tag in audience.links.filter(tag_id__isnull=False).values_list("tag_id", flat=True):
        last = 0
        while True:
            with connection.cursor() as cursor:
                cursor.execute(_TAG_CHANGES, {"audience": audience.pk, "tag": tag, "last": last, "limit": CHUNK})
                rows = cursor.fetchall()
            if not rows:
                break
            last = rows[-1][0]
            add = [email for _member, email, wanted in rows if wanted]
            remove = [email for _member, email, wanted in rows if not wanted]
            yield tag, add, remove, [member for member, _email, _wanted in rows]


_TAG_CHANGES = """
SELECT held.id, s.email, owed.tags @> to_jsonb(%(tag)s::bigint) FROM owed
JOIN campaigns_audiencemember held ON held.audience_id = %(audience)s AND held.supporter_id = owed.supporter
JOIN supporters_supporter s ON s.id = owed.supporter AND md5(s.email) = held.subscriber_hash
WHERE held.status IN ('subscribed', 'pending') AND held.id > %(last)s
  AND (owed.tags @> to_jsonb(%(tag)s::bigint)) <> (held.tags @> to_jsonb(%(tag)s::bigint))
ORDER BY held.id LIMIT %(limit)s
"""
