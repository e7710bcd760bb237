"""What an audience should hold against what it holds as far as we know, answered by PostgreSQL.

Two temporary tables of this session hold it: `owed` has a row for each member who differs, `newcomers` one for each who was never
there. They are worked off in the order of push.py, and every step writes the shadow (AudienceMember) from Mailchimp's answer; a run
that dies in the middle finds the rest in the next difference.
"""

import json
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from django.db import connection, transaction

from campaigns.mailchimp import mapping
from campaigns.models import Audience
from supporters.models import Supporter

CHUNK = 500
"""Members in one call, and addresses that one call may add to a tag, and take from it."""
ADD, WAIT, CHANGE, MOVE, RETURN, LEAVE, LAPSE, LOOK, ARCHIVE, TAGS = (
    *("add", "wait", "change", "move", "return", "leave", "lapse", "look", "archive", "tags"),
)
"""What is owed to a member.

`wait`: an addition whose address is still another member's. `lapse`: unsubscribed for want of a yes, where `leave` is
for those who said no. `look`: a call that added or moved them got no answer, so that
where they are now is to be asked.
"""


class Owed(NamedTuple):
    """One member who differs. `email` is empty where the address we hold is not the one they have there."""

    number: int
    supporter: int
    member: int | None
    email: str
    hash: str
    old_hash: str
    language: str
    values: dict[str, str]
    digest: bytes
    tags: tuple[int, ...]
    """The ids of the tags they should have."""
    ours: bool
    """Whether it was we who added them."""


_PROVEN = (
    "c.purpose = 'email' AND c.organisation_id IS NULL AND c.state = 'granted' AND c.method IN ('confirmed', 'form')"
)
_HELD = "SELECT * FROM campaigns_audiencemember WHERE audience_id = %(audience)s AND supporter_id IS NOT NULL AND NOT to_delete"
_TAGS = "jsonb_agg(DISTINCT coalesce(l.tag_id, -l.id) ORDER BY coalesce(l.tag_id, -l.id)) AS tags"
_COMPARE = f"""
CREATE TEMP TABLE owed AS
WITH held AS NOT MATERIALIZED (
    {_HELD}
), allowed (id) AS MATERIALIZED ({{contactable}}), wanted AS (
    SELECT s.id, s.email, md5(s.email) AS hash, s.language, {{values}} AS "values",
           {{digest}} AS digest,
           tags.tags
    FROM (
        SELECT m.supporter_id, {_TAGS}
        FROM campaigns_audiencesegment l JOIN campaigns_segmentmember m ON m.segment_id = l.segment_id
        WHERE l.audience_id = %(audience)s GROUP BY m.supporter_id
    ) tags JOIN allowed ON allowed.id = tags.supporter_id JOIN supporters_supporter s ON s.id = allowed.id
        -- A message of theirs can be made discreet for nobody alone.
        AND NOT s.discreet {{joins}}
), barred AS (
    SELECT supporter_id AS id FROM held WHERE status IN ('subscribed', 'pending')
    AND NOT EXISTS (SELECT FROM allowed WHERE allowed.id = held.supporter_id)
), reasons AS (
    SELECT id, max(reason) AS reason FROM (
        SELECT barred.id, 'withdrawn' AS reason FROM barred JOIN supporters_consent c ON c.supporter_id = barred.id
        WHERE c.purpose = 'email' AND c.state = 'withdrawn' AND c.organisation_id IS NULL
        UNION ALL
        SELECT s.id, 'suppressed' FROM barred JOIN supporters_supporter s USING (id)
        JOIN supporters_suppression p ON p.email_hash = supporters_address_hash(s.email)
    ) left_here GROUP BY id
), compared AS (
    SELECT held.supporter_id AS supporter, held.id AS member, held.status, coalesce(wanted.email, outsider.email) AS email,
           coalesce(wanted.hash, md5(outsider.email)) AS hash, held.subscriber_hash AS old_hash, wanted.language, wanted."values",
           coalesce(wanted.digest, sha256(convert_to(outsider.email, 'UTF8'))) AS digest,
           coalesce(wanted.tags, '[]') AS tags, coalesce(held.tags, '[]') AS held_tags, held.ours, held.moving_to,
           held.handed_in_id, reasons.reason,
           CASE
             WHEN held.moving_to <> '' AND held.handed_in_id IS NULL THEN 'look'
             -- An addition whose answer was lost, and that is not wanted any more, or not at that address.
             WHEN held.status = '' AND held.refusal = '' AND held.subscriber_hash IS DISTINCT FROM wanted.hash THEN 'look'
             WHEN wanted.id IS NULL AND held.status NOT IN ('subscribed', 'pending') THEN NULL
             WHEN wanted.id IS NULL AND allowed.id IS NULL AND reasons.id IS NOT NULL THEN 'leave'
             -- Members that others added are unsubscribed only if they left here, not for want of a yes here.
             WHEN wanted.id IS NULL AND allowed.id IS NULL AND held.ours THEN 'lapse'
             WHEN held.handed_in_id IS NOT NULL THEN NULL
             WHEN wanted.id IS NULL AND allowed.id IS NOT NULL AND held.ours AND NOT held.archived_by_us AND %(archives)s THEN 'archive'
             WHEN wanted.id IS NULL AND allowed.id IS NOT NULL AND held.ours AND held.subscriber_hash <> md5(outsider.email)
                  AND (held.refusal = '' OR held.digest IS DISTINCT FROM sha256(convert_to(outsider.email, 'UTF8'))) THEN 'move'
             WHEN wanted.id IS NULL THEN NULL
             WHEN held.status = '' AND (held.refusal = '' OR held.digest IS DISTINCT FROM wanted.digest)
                  OR held.status = 'archived' AND (held.archived_by_us OR EXISTS (
                      SELECT FROM supporters_consent c WHERE c.supporter_id = wanted.id AND {_PROVEN}
                      AND c.recorded_at > held.status_at))
                  OR held.status = 'forgotten' AND held.subscriber_hash <> wanted.hash
             THEN CASE WHEN other.id IS NULL THEN 'add' ELSE 'wait' END
             -- Who left there comes back by their own word, given since and proven, and asked once for each such word.
             WHEN held.status IN ('unsubscribed', 'transactional') AND EXISTS (
                 SELECT FROM supporters_consent c WHERE c.supporter_id = wanted.id AND {_PROVEN}
                 AND c.happened_at > coalesce(held.asked_back_at, '-infinity')
             ) THEN 'return'
             WHEN held.status NOT IN ('subscribed', 'pending') THEN NULL
             WHEN held.refusal <> '' AND held.digest = wanted.digest THEN NULL
             WHEN held.subscriber_hash <> wanted.hash THEN 'move'
             WHEN held.digest IS DISTINCT FROM wanted.digest THEN 'change'
           END AS what
    FROM held LEFT JOIN wanted ON held.supporter_id = wanted.id
    LEFT JOIN campaigns_audiencemember other ON other.audience_id = %(audience)s AND other.subscriber_hash = wanted.hash
        AND other.supporter_id IS DISTINCT FROM wanted.id
    LEFT JOIN allowed ON allowed.id = held.supporter_id LEFT JOIN reasons ON reasons.id = held.supporter_id
    LEFT JOIN supporters_supporter outsider ON outsider.id = held.supporter_id AND wanted.id IS NULL
)
SELECT row_number() OVER (PARTITION BY what ORDER BY supporter)::int AS number, supporter, member, status, email, old_hash, language, "values", digest,
       tags, held_tags, ours, reason, what,
       CASE WHEN what IN ('leave', 'lapse', 'archive') THEN old_hash WHEN what = 'look' THEN coalesce(nullif(moving_to, ''), old_hash)
       ELSE hash END AS hash
FROM compared
WHERE what IS NOT NULL OR (status IN ('subscribed', 'pending') AND tags <> held_tags AND handed_in_id IS NULL)
"""

_NEWCOMERS = f"""
CREATE TEMP TABLE newcomers AS
SELECT row_number() OVER (ORDER BY s.id)::int AS number, s.id AS supporter, s.email, md5(s.email) AS hash, s.language, tags.tags,
       NULL::jsonb AS "values", NULL::bytea AS digest, other.id IS NOT NULL AS waits
FROM (
    SELECT m.supporter_id, {_TAGS}
    FROM campaigns_audiencesegment l JOIN campaigns_segmentmember m ON m.segment_id = l.segment_id
    WHERE l.audience_id = %(audience)s AND NOT EXISTS (SELECT FROM ({_HELD}) held WHERE held.supporter_id = m.supporter_id)
    GROUP BY m.supporter_id
) tags JOIN supporters_supporter s ON s.id = tags.supporter_id AND s.email IS NOT NULL AND NOT s.discreet {{among}}
LEFT JOIN campaigns_audiencemember other ON other.audience_id = %(audience)s AND other.subscriber_hash = md5(s.email)
    AND other.supporter_id IS DISTINCT FROM s.id
"""
_LET_WAIT = """
WITH waiting AS (DELETE FROM newcomers WHERE waits RETURNING *)
INSERT INTO owed (number, supporter, email, language, "values", digest, tags, held_tags, what, hash)
SELECT (SELECT count(*) FROM owed WHERE what = 'wait') + row_number() OVER (ORDER BY s.id), s.id, s.email, s.language, {values}, {digest},
       waiting.tags, '[]', 'wait', waiting.hash
FROM waiting JOIN supporters_supporter s ON s.id = waiting.supporter AND md5(s.email) = waiting.hash {joins}
"""


def compare(audience: Audience, *, whole: bool = False) -> dict[str, int]:
    """Make the tables `owed` and `newcomers`; returns how many there are of each kind, `tags` for those whose tags differ only.

    What is sent of newcomers, and whether they may be written to still, is seen to when their call is made (newcomers.py); with
    `whole` the second is asked at once, for the count's sake.
    """
    values, joins = mapping.values_sql(audience.merge_fields, audience.groups)
    parts = {"values": values, "joins": joins, "digest": digest_sql(values)}
    held = f"supporters_supporter.id IN (SELECT supporter_id FROM ({_HELD}) held)"
    contactable, named = contactable_sql(audience, held)
    everybody, named_too = contactable_sql(audience)
    parameters = {"audience": audience.pk, "archives": audience.archives, **named, **named_too}
    with transaction.atomic(), connection.cursor() as cursor:
        forget()
        # Of tables that were filled just now PostgreSQL knows too little to foresee that hashing is the way.
        cursor.execute("SET LOCAL enable_nestloop = off")
        cursor.execute("SET LOCAL jit = off")  # compiling it takes longer than all of it
        cursor.execute("SET LOCAL work_mem = '32MB'")
        # What is made of a row, its fields and their digest, costs far more than PostgreSQL reckons: two processes are worth it.
        cursor.execute("SET LOCAL parallel_tuple_cost = 0.01")
        cursor.execute(_COMPARE.format(contactable=contactable, **parts), parameters)
        cursor.execute(_NEWCOMERS.format(among=f"AND s.id IN ({everybody})" if whole else ""), parameters)
        number = cursor.rowcount
        cursor.execute(_LET_WAIT.format(**parts), parameters)
        number -= cursor.rowcount
        cursor.execute("CREATE INDEX ON owed (what, number)")
        cursor.execute("CREATE INDEX ON owed (supporter)")
        cursor.execute("ANALYZE owed (what, number, member, supporter)")
        cursor.execute("CREATE INDEX ON newcomers (number)")
        cursor.execute("ANALYZE newcomers (number, supporter)")
        cursor.execute("SELECT coalesce(what, 'tags'), count(*) FROM owed GROUP BY 1")
        counts = dict(cursor.fetchall())
    return counts | {ADD: counts.get(ADD, 0) + number} if number else counts


def forget() -> None:
    """Drop what was compared."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS owed, newcomers")


def digest_sql(values: str) -> str:
    """The digest of what is sent of `s`, with these values."""
    return f"""sha256(convert_to(concat_ws(E'\\x1f', s.email, s.language, {values}::text), 'UTF8'))"""


def contactable_sql(audience: Audience, where: str = "true", **more: str) -> tuple[str, dict[str, object]]:
    """The ids of those who may be written to now, and of whom this holds, as a statement with named parameters.

    `more`: what else is told of them, by the name of the table that has it.
    """
    allowed = Supporter.objects.contactable(audience.purpose).extra(  # noqa: S610 - nothing in it comes from outside
        select=more, tables=list(more), where=[where.replace("%", "%%")]
    )
    people, parameters = allowed.values("pk", *more).query.sql_with_params()
    named = {f"p{index}": value for index, value in enumerate(parameters)}
    return people % tuple(f"%({name})s" for name in named), named


def in_step(audience: Audience, members: Sequence[int]) -> list[int]:
    """Those of these members to whom nothing is owed: they hold what they should."""
    return _digests(
        audience,
        members,
        "SELECT held.id FROM campaigns_audiencemember held JOIN fresh USING (id) WHERE held.digest = fresh.digest",
    )


def note_digests(audience: Audience, members: Sequence[int]) -> None:
    """Write down that these members hold what they should, such as what they changed there themselves."""
    _digests(
        audience,
        members,
        "UPDATE campaigns_audiencemember held SET digest = fresh.digest FROM fresh WHERE held.id = fresh.id RETURNING held.id",
    )


def _digests(audience: Audience, members: Sequence[int], statement: str) -> list[int]:
    if not members:
        return []
    values, joins = mapping.values_sql(audience.merge_fields, audience.groups)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH fresh AS (
                SELECT m.id, {digest_sql(values)} AS digest
                FROM campaigns_audiencemember m JOIN supporters_supporter s ON s.id = m.supporter_id {joins} WHERE m.id = ANY(%s)
            ) {statement}
            """,
            [list(members)],
        )
        return [row[0] for row in cursor.fetchall()]


def takings() -> int:
    """How many members of `owed` would be taken away or lose a tag, other than by their own word."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*) FROM owed WHERE what IN ('lapse', 'archive')
            OR (status IN ('subscribed', 'pending') AND what IS DISTINCT FROM 'leave' AND NOT tags @> held_tags)
            """
        )
        return cursor.fetchone()[0]


def chunks(what: str) -> Iterator[list[Owed]]:
    """The rows of one kind, up to 500 at a time."""
    last = 0
    while True:
        rows = _fetch(
            """
            SELECT o.number, o.supporter, o.member, coalesce(s.email, ''), o.hash, o.old_hash, o.language, o."values", o.digest, o.tags,
                   coalesce(o.ours, true)
            FROM owed o LEFT JOIN supporters_supporter s ON s.id = o.supporter AND (what = 'look' OR md5(s.email) = o.hash)
            WHERE what = %(what)s AND number > %(last)s ORDER BY number LIMIT %(limit)s
            """,
            {"what": what, "last": last, "limit": CHUNK},
        )
        if not rows:
            return
        last = rows[-1].number
        yield rows


def additions(audience: Audience, what: str) -> Iterator[list[Owed]]:
    """Those to add who were there before or have to wait, up to 500 at a time, each with a shadow that says that they are about to be there.

    Consent is looked at again, for whoever has left since the comparison must not be sent. The shadow comes first, so that an
    answer that gets lost leaves somebody to look for, should they leave or be erased before the next run; it has the tags that
    they may have by then.
    """
    last = 0
    while rows := _fetch(_ADDITIONS, {"what": what, "last": last, "limit": CHUNK}):
        # Text is quoted at once, where a list would be one by one.
        ids = "{" + ",".join(str(row.supporter) for row in rows) + "}"
        contactable, named = contactable_sql(audience, "supporters_supporter.id = ANY(%(ids)s::bigint[])")
        parameters = {
            "audience": audience.pk,
            "what": what,
            "last": last,
            "until": rows[-1].number,
            "ids": ids,
            **named,
        }
        with connection.cursor() as cursor:
            cursor.execute(_INTEND.format(contactable=contactable), parameters)
            members = dict(cursor.fetchall())
        last = rows[-1].number
        if still := [row._replace(member=members[row.supporter]) for row in rows if row.supporter in members]:
            yield still


# The two are joined by us, not by PostgreSQL, which knows nothing yet of a table that is being filled and would compare each
# with each.
_ADDITIONS = """
SELECT number, supporter, member, email, hash, coalesce(old_hash, ''), language, "values", digest, tags, coalesce(ours, true)
FROM owed WHERE what = %(what)s AND number > %(last)s ORDER BY number LIMIT %(limit)s
"""
_INTEND = """
WITH still (id) AS MATERIALIZED ({contactable})
INSERT INTO campaigns_audiencemember (audience_id, supporter_id, subscriber_hash, tags)
SELECT %(audience)s, o.supporter, o.hash, o.tags FROM still JOIN owed o ON o.supporter = still.id
JOIN supporters_supporter s ON s.id = still.id AND s.email = o.email
WHERE o.what = %(what)s AND o.number > %(last)s AND o.number <= %(until)s
AND NOT EXISTS (SELECT FROM campaigns_audiencemember other WHERE other.audience_id = %(audience)s
                AND other.subscriber_hash = o.hash AND other.supporter_id IS DISTINCT FROM o.supporter)
ON CONFLICT (audience_id, supporter_id) DO UPDATE SET
    subscriber_hash = excluded.subscriber_hash, status = '', digest = NULL, refusal = '', refused_at = NULL, tags = excluded.tags,
    updated_at = now()
RETURNING supporter_id, id
"""


def newcomers(audience: Audience, first: int, last: int, emails: Sequence[str] | None = None) -> list[Owed]:
    """Of the newcomers with these numbers (and addresses) those of whom no answer told whether they are there."""
    return _fetch(
        """
        SELECT o.number, o.supporter, held.id, o.email, o.hash, '', o.language, o."values", o.digest, o.tags, true
        FROM newcomers o JOIN campaigns_audiencemember held ON held.audience_id = %(audience)s AND held.supporter_id = o.supporter
        WHERE o.number >= %(first)s AND o.number <= %(last)s
          AND held.status = '' AND (%(emails)s::text[] IS NULL OR o.email = ANY(%(emails)s::text[]))
        ORDER BY o.number
        """,
        {"audience": audience.pk, "first": first, "last": last, "emails": emails},
    )


def free_moves(audience: Audience) -> list[Owed]:
    """Those whose new address nobody has there any more, and who still have their old one; at most 500.

    Their shadow says that they are about to move, for the same reason as with additions.
    """
    rows = _fetch(
        """
        SELECT o.number, o.supporter, o.member, o.email, o.hash, o.old_hash, o.language, o."values", o.digest, o.tags, coalesce(o.ours, true)
        FROM owed o JOIN campaigns_audiencemember held ON held.id = o.member AND held.subscriber_hash = o.old_hash
        WHERE o.what = 'move' AND held.status <> '' AND held.digest IS DISTINCT FROM o.digest AND held.handed_in_id IS NULL
          AND NOT held.to_delete AND NOT EXISTS (
            SELECT FROM campaigns_audiencemember other WHERE other.audience_id = %(audience)s
            AND other.subscriber_hash = o.hash AND (other.supporter_id <> o.supporter OR other.to_delete))
        ORDER BY o.number LIMIT %(limit)s
        """,
        {"audience": audience.pk, "limit": CHUNK},
    )
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE campaigns_audiencemember held SET moving_to = t.hash, updated_at = now()
            FROM unnest(%s::bigint[], %s::text[]) AS t (member, hash) WHERE held.id = t.member
            """,
            [[row.member for row in rows], [row.hash for row in rows]],
        )
    return rows


def note_blocked_moves(why: str) -> None:
    """Tell of those who are left: their new address is another member's who keeps it, as when two change places."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE campaigns_audiencemember held SET refusal = %s, refused_at = now() FROM owed o
            WHERE o.what = 'move' AND held.id = o.member AND held.subscriber_hash = o.old_hash AND held.moving_to = ''
            AND held.status <> '' AND held.digest IS DISTINCT FROM o.digest AND held.refusal = ''
            """,
            [why],
        )


def _fetch(statement: str, parameters: dict[str, object]) -> list[Owed]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return [
            Owed(
                *row[:6],
                row[6] or "",
                json.loads(row[7] or "{}"),
                bytes(row[8] or b""),
                _tags(row[9]),
                row[10],
            )
            for row in cursor.fetchall()
        ]


@lru_cache(1000)
def _tags(text: str) -> tuple[int, ...]:
    """Many members have the same."""
    return tuple(json.loads(text))


class Permitted(NamedTuple):
    """A member whose marketing permissions there are not what the person gave."""

    member: int
    hash: str
    given: dict[str, bool]


def permissions(audience: Audience) -> Iterator[list[Permitted]]:
    """Whose marketing permissions differ, up to 500 at a time; nobody, where the audience has none of ours."""
    given, joins = mapping.permissions_sql(audience.groups)
    last = 0
    while any(key.startswith(mapping.PERMISSION) for key in audience.groups):
        with connection.cursor() as cursor:
            cursor.execute(
                _PERMISSIONS.format(given=given, joins=joins), {"audience": audience.pk, "last": last, "limit": CHUNK}
            )
            rows = [Permitted(member, key, json.loads(text)) for member, key, text in cursor.fetchall()]
        if not rows:
            return
        last = rows[-1].member
        yield rows


_PERMISSIONS = """
SELECT held.id, held.subscriber_hash, {given}::text FROM campaigns_audiencemember held JOIN supporters_supporter s ON s.id = held.supporter_id {joins}
WHERE held.audience_id = %(audience)s AND held.id > %(last)s AND NOT held.to_delete AND held.handed_in_id IS NULL
  AND held.status IN ('subscribed', 'pending') AND {given} <> coalesce(held.permissions, '{{}}') AND (held.ours OR EXISTS (
    SELECT FROM campaigns_audiencesegment l JOIN campaigns_segmentmember m ON m.segment_id = l.segment_id
    WHERE l.audience_id = %(audience)s AND m.supporter_id = s.id))
ORDER BY held.id LIMIT %(limit)s
"""
