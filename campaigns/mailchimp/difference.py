"""What an audience should hold against what it holds as far as we know: one statement, answered by PostgreSQL.

The result is a temporary table of this session, `owed`, with a row for each member who differs. It is worked off in the
order of push.py, and every step writes the shadow (AudienceMember) from Mailchimp's answer; a run that dies in the
middle finds the rest in the next difference.
"""

import json
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import QuerySet

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


_DIGEST = r"""sha256(convert_to(concat_ws(E'\x1f', s.email, s.language, {values}::text), 'UTF8'))"""
_COMPARE = """
CREATE TEMP TABLE owed AS
WITH allowed (id) AS MATERIALIZED ({contactable}), wanted AS (
    SELECT s.id, s.email, md5(s.email) AS hash, s.language, {values} AS "values",
           {digest} AS digest,
           tags.tags
    FROM (
        SELECT m.supporter_id, jsonb_agg(DISTINCT coalesce(l.tag_id, -l.id) ORDER BY coalesce(l.tag_id, -l.id)) AS tags
        FROM campaigns_audiencesegment l JOIN campaigns_segmentmember m ON m.segment_id = l.segment_id
        WHERE l.audience_id = %(audience)s GROUP BY m.supporter_id
    ) tags JOIN allowed ON allowed.id = tags.supporter_id JOIN supporters_supporter s ON s.id = allowed.id
        -- A message of theirs can be made discreet for nobody alone.
        AND NOT s.discreet {joins}
), held AS NOT MATERIALIZED (
    SELECT * FROM campaigns_audiencemember WHERE audience_id = %(audience)s AND supporter_id IS NOT NULL AND NOT to_delete
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
    SELECT coalesce(wanted.id, held.supporter_id) AS supporter, held.id AS member, held.status, coalesce(wanted.email, outsider.email) AS email,
           coalesce(wanted.hash, md5(outsider.email)) AS hash, held.subscriber_hash AS old_hash, wanted.language, wanted."values",
           coalesce(wanted.digest, sha256(convert_to(outsider.email, 'UTF8'))) AS digest,
           coalesce(wanted.tags, '[]') AS tags, coalesce(held.tags, '[]') AS held_tags, held.ours, held.moving_to, reasons.reason,
           CASE
             WHEN held.moving_to <> '' THEN 'look'
             -- An addition whose answer was lost, and that is not wanted any more, or not at that address.
             WHEN held.status = '' AND held.refusal = '' AND held.subscriber_hash IS DISTINCT FROM wanted.hash THEN 'look'
             WHEN wanted.id IS NULL AND held.status NOT IN ('subscribed', 'pending') THEN NULL
             WHEN wanted.id IS NULL AND allowed.id IS NULL AND reasons.id IS NOT NULL THEN 'leave'
             -- Members that others added are unsubscribed only if they left here, not for want of a yes here.
             WHEN wanted.id IS NULL AND allowed.id IS NULL AND held.ours THEN 'lapse'
             WHEN wanted.id IS NULL AND allowed.id IS NOT NULL AND held.ours AND NOT held.archived_by_us AND %(archives)s THEN 'archive'
             WHEN wanted.id IS NULL AND allowed.id IS NOT NULL AND held.ours AND held.subscriber_hash <> md5(outsider.email)
                  AND (held.refusal = '' OR held.digest IS DISTINCT FROM sha256(convert_to(outsider.email, 'UTF8'))) THEN 'move'
             WHEN wanted.id IS NULL THEN NULL
             WHEN held.id IS NULL
                  OR held.status = '' AND (held.refusal = '' OR held.digest IS DISTINCT FROM wanted.digest)
                  OR held.status = 'archived' AND (held.archived_by_us OR EXISTS (
                      SELECT FROM supporters_consent c WHERE c.supporter_id = wanted.id AND {proven}
                      AND c.recorded_at > held.status_at))
                  OR held.status = 'forgotten' AND held.subscriber_hash <> wanted.hash
             THEN CASE WHEN other.id IS NULL THEN 'add' ELSE 'wait' END
             -- Who left there comes back by their own word, given since and proven, and asked once for each such word.
             WHEN held.status IN ('unsubscribed', 'transactional') AND EXISTS (
                 SELECT FROM supporters_consent c WHERE c.supporter_id = wanted.id AND {proven}
                 AND c.happened_at > coalesce(held.asked_back_at, '-infinity')
             ) THEN 'return'
             WHEN held.status NOT IN ('subscribed', 'pending') THEN NULL
             WHEN held.refusal <> '' AND held.digest = wanted.digest THEN NULL
             WHEN held.subscriber_hash <> wanted.hash THEN 'move'
             WHEN held.digest IS DISTINCT FROM wanted.digest THEN 'change'
           END AS what
    FROM wanted FULL JOIN held ON held.supporter_id = wanted.id
    LEFT JOIN campaigns_audiencemember other ON other.audience_id = %(audience)s AND other.subscriber_hash = wanted.hash
        AND other.supporter_id IS DISTINCT FROM wanted.id
    LEFT JOIN allowed ON allowed.id = held.supporter_id LEFT JOIN reasons ON reasons.id = held.supporter_id
    LEFT JOIN supporters_supporter outsider ON outsider.id = held.supporter_id AND wanted.id IS NULL
)
SELECT row_number() OVER (PARTITION BY what, what = 'add' AND member IS NULL ORDER BY supporter)::int AS number, supporter, member, status, email, old_hash, language, "values", digest,
       tags, held_tags, ours, reason, what,
       CASE WHEN what IN ('leave', 'lapse', 'archive') THEN old_hash WHEN what = 'look' THEN coalesce(nullif(moving_to, ''), old_hash)
       ELSE hash END AS hash
FROM compared
WHERE what IS NOT NULL OR (status IN ('subscribed', 'pending') AND tags <> held_tags)
"""
_PROVEN = (
    "c.purpose = 'email' AND c.organisation_id IS NULL AND c.state = 'granted' AND c.method IN ('confirmed', 'form')"
)


def compare(audience: Audience) -> dict[str, int]:
    """Make the table `owed`; returns how many there are of each kind, `tags` for those whose tags differ only."""
    contactable, named = contactable_sql(audience)
    values, joins = mapping.values_sql(audience.merge_fields, audience.groups)
    digest = _DIGEST.format(values=values)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS owed")
        # Of tables that were filled just now PostgreSQL knows too little to foresee that hashing is the way.
        cursor.execute("SET LOCAL enable_nestloop = off")
        cursor.execute("SET LOCAL jit = off")  # compiling it takes longer than all of it
        cursor.execute("SET LOCAL work_mem = '32MB'")
        # What is made of a row, its fields and their digest, costs far more than PostgreSQL reckons: two processes are worth it.
        cursor.execute("SET LOCAL parallel_tuple_cost = 0.01")
        cursor.execute(
            _COMPARE.format(values=values, joins=joins, digest=digest, contactable=contactable, proven=_PROVEN),
            {"audience": audience.pk, "archives": audience.archives, **named},
        )
        cursor.execute("CREATE INDEX ON owed (what, number)")
        cursor.execute("CREATE INDEX ON owed (supporter)")
        cursor.execute("ANALYZE owed (what, number, member, supporter)")
        cursor.execute("SELECT coalesce(what, 'tags'), count(*) FROM owed GROUP BY 1")
        return dict(cursor.fetchall())


def contactable_sql(audience: Audience, among: str | None = None) -> tuple[str, dict[str, object]]:
    """The ids of those who may be written to now (among these: an array in PostgreSQL's letters), as a statement with named parameters."""
    allowed = Supporter.objects.contactable(audience.purpose)
    if among is not None:
        allowed = allowed.extra(where=["supporters_supporter.id = ANY(%s::bigint[])"], params=[among])
    return _named(allowed.values("pk"))


def contactable_newcomers_sql(audience: Audience) -> tuple[str, dict[str, object]]:
    """Of `owed` the newcomers with numbers over `last` and up to `until` who may be written to now at the address compared."""
    columns = {name: f"owed.{name}" for name in ("number", "supporter", "hash", "email", "language", "tags")}
    allowed = Supporter.objects.contactable(audience.purpose).extra(  # noqa: S610 - nothing in it comes from outside
        select={**columns, "raw": 'owed."values"'},
        tables=["owed"],
        where=[
            "owed.what = 'add' AND owed.member IS NULL AND owed.number > {last} AND owed.number <= {until}",
            "supporters_supporter.id = owed.supporter AND supporters_supporter.email = owed.email",
        ],
    )
    statement, named = _named(allowed.values(*columns, "raw"))
    return statement.replace("{last}", "%(last)s").replace("{until}", "%(until)s"), named


def _named(allowed: QuerySet[Supporter, Any]) -> tuple[str, dict[str, object]]:
    people, parameters = allowed.query.sql_with_params()
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
                SELECT m.id, {_DIGEST.format(values=values)} AS digest
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
        contactable, named = contactable_sql(audience, ids)
        parameters = {"audience": audience.pk, "what": what, "last": last, "until": rows[-1].number, **named}
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
FROM owed WHERE what = %(what)s AND (what <> 'add' OR member IS NOT NULL) AND number > %(last)s ORDER BY number LIMIT %(limit)s
"""
_INTEND = """
WITH still (id) AS MATERIALIZED ({contactable})
INSERT INTO campaigns_audiencemember (audience_id, supporter_id, subscriber_hash, tags)
SELECT %(audience)s, o.supporter, o.hash, o.tags FROM still JOIN owed o ON o.supporter = still.id
JOIN supporters_supporter s ON s.id = still.id AND s.email = o.email
WHERE o.what = %(what)s AND (o.what <> 'add' OR o.member IS NOT NULL) AND o.number > %(last)s AND o.number <= %(until)s
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
        FROM owed o JOIN campaigns_audiencemember held ON held.audience_id = %(audience)s AND held.supporter_id = o.supporter
        WHERE o.what = 'add' AND o.member IS NULL AND o.number >= %(first)s AND o.number <= %(last)s
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
        WHERE o.what = 'move' AND held.status <> '' AND held.digest IS DISTINCT FROM o.digest AND NOT EXISTS (
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


class TagChange(NamedTuple):
    """Up to 500 to give a tag to and up to 500 to take it from: (member, address) each."""

    tag: int
    add: Sequence[tuple[int, str]]
    remove: Sequence[tuple[int, str]]


def tag_changes(audience: Audience) -> Iterator[TagChange]:
    """What is left to do about tags.

    Computed from the shadow as it is now, so that whoever was just added with their tags is through, and who was refused gets none.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS owed_tags")
        cursor.execute("SET LOCAL work_mem = '32MB'")
        cursor.execute(_TAG_CHANGES, {"audience": audience.pk, "limit": CHUNK})
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
    FROM owed JOIN campaigns_audiencemember held ON held.audience_id = %(audience)s AND held.supporter_id = owed.supporter
    WHERE held.status IN ('subscribed', 'pending') AND held.tags <> owed.tags
      AND coalesce(owed.what, '') NOT IN ('leave', 'lapse', 'archive')
)
SELECT tag, wanted, member, email, (row_number() OVER (PARTITION BY tag, wanted ORDER BY member) - 1) / %(limit)s AS chunk FROM (
    SELECT (t.tag #>> '{}')::bigint AS tag, tags @> t.tag AS wanted, member, s.email
    FROM differing JOIN supporters_supporter s ON s.id = supporter AND md5(s.email) = subscriber_hash
    CROSS JOIN LATERAL (SELECT DISTINCT value AS tag FROM jsonb_array_elements(tags || held_tags)) t
    WHERE (tags @> t.tag) <> (held_tags @> t.tag)
) changes
"""


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
WHERE held.audience_id = %(audience)s AND held.id > %(last)s AND NOT held.to_delete AND held.status IN ('subscribed', 'pending')
  AND {given} <> coalesce(held.permissions, '{{}}') AND (held.ours OR EXISTS (
    SELECT FROM campaigns_audiencesegment l JOIN campaigns_segmentmember m ON m.segment_id = l.segment_id
    WHERE l.audience_id = %(audience)s AND m.supporter_id = s.id))
ORDER BY held.id LIMIT %(limit)s
"""
