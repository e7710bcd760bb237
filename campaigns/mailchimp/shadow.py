"""Writing down what Mailchimp answered or told us: many members in one statement."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import DateTimeField, F, Func, Q, Value
from django.db.models.functions import Greatest, Now

from campaigns.mailchimp import mapping
from campaigns.mailchimp.difference import Owed
from campaigns.mailchimp.hearing import LEAVINGS, Heard
from campaigns.models import Audience, AudienceMember

CLOCK = Func(function="clock_timestamp", output_field=DateTimeField())
"""The moment itself, whenever the transaction began."""
GRACE = timedelta(minutes=2)
"""For so long a call whose answer was lost may still take effect."""
IN_DOUBT = Q(status=AudienceMember.Status.NONE) | ~Q(moving_to="")
"""No answer told whether they are there, or under which address."""


class Answer(NamedTuple):
    """What became of one member that we sent."""

    owed: Owed
    status: str
    refusal: str = ""
    tags: tuple[int, ...] | None = None
    """Those of our tags that they have there; None where that was not said."""
    ours: bool = True
    """False where others turn out to have added them."""
    changed_at: datetime | None = None
    """By Mailchimp's clock."""


def write(audience: Audience, answers: Iterable[Answer]) -> None:
    """Set the shadow of these members to what was answered; a refused one keeps its address, and its status if none was told.

    Somebody who was erased while the call was under way is owed a deletion there by now, and stays so.
    """
    rows = list(answers)
    told = [
        {
            "member": row.owed.member,
            "hash": row.owed.hash,
            "status": row.status,
            "digest": row.owed.digest.hex(),
            "agreed": {**row.owed.values, mapping.LANGUAGE: row.owed.language},
            "changed_at": row.changed_at and row.changed_at.isoformat(),
            "refusal": row.refusal[:500],
            "tags": None if row.tags is None else sorted(row.tags),
            "ours": row.ours,
        }
        for row in rows
    ]
    parameters = {"audience": audience.pk, "told": json.dumps(told), "hashes": [row.owed.hash for row in rows]}
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
                status = coalesce(nullif(t.status, ''), held.status), digest = decode(t.digest, 'hex'), refusal = t.refusal,
                status_at = CASE WHEN t.status IN ('', held.status) THEN held.status_at ELSE clock_timestamp() END,
                leaving_applied = held.leaving_applied AND t.status IN ('', held.status),
                agreed = CASE WHEN t.refusal = '' THEN t.agreed ELSE held.agreed END,
                last_changed = greatest(t.changed_at, held.last_changed),
                refused_at = CASE WHEN t.refusal <> '' THEN now() END, tags = coalesce(t.tags, held.tags),
                ours = held.ours AND t.ours, archived_by_us = held.archived_by_us AND t.status = '', moving_to = '', updated_at = now()
            FROM jsonb_to_recordset(%(told)s::jsonb) AS t (member bigint, hash text, status text, digest text, agreed jsonb,
                                                           changed_at timestamptz, refusal text, tags jsonb, ours boolean)
            WHERE held.id = t.member AND NOT held.to_delete
            """,
            parameters,
        )


class Seen(NamedTuple):
    """A member as looked at there by itself; `status` is empty where there is none."""

    member: int
    status: str
    tags: tuple[int, ...] = ()
    hash: str = ""
    """Under which they were found, if not where they were thought to be."""


def see(seen: Sequence[Seen]) -> None:
    """Take over how these members are there; what was sent of them counts as unknown."""
    hashes = [row.hash for row in seen]
    with transaction.atomic(), connection.cursor() as cursor:
        if any(hashes):  # what the pull made of them under the new address gives way
            cursor.execute(
                """
                DELETE FROM campaigns_audiencemember stranger USING campaigns_audiencemember held
                WHERE held.id = ANY(%s) AND stranger.audience_id = held.audience_id AND stranger.subscriber_hash = ANY(%s)
                AND stranger.supporter_id IS NULL AND NOT stranger.to_delete
                """,
                [[row.member for row in seen], [hash for hash in hashes if hash]],
            )
        cursor.execute(
            """
            UPDATE campaigns_audiencemember held SET status = t.status, tags = t.tags::jsonb, digest = NULL, refusal = '', refused_at = NULL,
                   status_at = CASE WHEN t.status = held.status THEN held.status_at ELSE clock_timestamp() END,
                   leaving_applied = held.leaving_applied AND t.status = held.status,
                   moving_to = '', subscriber_hash = coalesce(nullif(t.hash, ''), held.subscriber_hash), updated_at = now()
            FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[]) AS t (member, status, tags, hash)
            WHERE held.id = t.member AND NOT held.to_delete
            """,
            [
                [row.member for row in seen],
                [row.status for row in seen],
                [json.dumps(sorted(row.tags)) for row in seen],
                hashes,
            ],
        )


def doubt(members: Sequence[int]) -> None:
    """Have it looked how these are there before anything else is done with them: of what we heard, nobody can tell the last."""
    AudienceMember.objects.filter(pk__in=members, to_delete=False).update(moving_to=F("subscriber_hash"))


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


def permit(audience: Audience, given: Mapping[int, Mapping[str, bool]]) -> None:
    """Write down the marketing permissions that these members have there now."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE campaigns_audiencemember held SET permissions = t.given::jsonb
            FROM unnest(%s::bigint[], %s::text[]) AS t (member, given)
            WHERE held.id = t.member AND held.audience_id = %s AND NOT held.to_delete
            """,
            [list(given), [json.dumps(one) for one in given.values()], audience.pk],
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
            UPDATE campaigns_audiencemember held SET supporter_id = s.id, retired_from_id = NULL FROM supporters_supporter s
            WHERE held.audience_id = %(audience)s AND held.supporter_id IS NULL AND NOT held.to_delete AND held.subscriber_hash = md5(s.email)
              AND NOT EXISTS (SELECT FROM campaigns_audiencemember o WHERE o.audience_id = held.audience_id AND o.supporter_id = s.id)
            RETURNING held.subscriber_hash, s.email, held.status, held.last_changed
            """,
            {"audience": audience.pk},
        )
        adopted = [Heard(*row) for row in cursor.fetchall()]
    return [row for row in adopted if row.status in LEAVINGS]


def set_status(members: Sequence[int], status: str, changed_at: datetime | None = None) -> None:
    """Write down what we made of these members there; what they do after `changed_at`, by Mailchimp's clock, is later."""
    AudienceMember.objects.filter(pk__in=members).update(
        status=status,
        status_at=CLOCK,
        leaving_applied=status in LEAVINGS,
        last_changed=Greatest("last_changed", Value(changed_at, DateTimeField())),
        digest=None,
        refusal="",
        refused_at=None,
        updated_at=Now(),
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
