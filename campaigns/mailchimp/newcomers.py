"""Those who were never in an audience, many at once: the whole of a first sync.

PostgreSQL makes the bodies, and Mailchimp's answer goes back to it in a few arrays, so that nothing here is done member by
member but the reading of answers. What is about to happen is written down first, in one row for each call:

    Addition ──answer──▶ shadows of those who are there now, in one transaction with its end
       └──no answer──▶ shadows that say so (`settle`), before anything else is done with the audience

The second is what difference.py then finds: somebody who is to be added again, or looked for. Erasure settles first.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from django.db import IntegrityError, connection, transaction

from campaigns.mailchimp import difference, payload
from campaigns.mailchimp.difference import Owed
from campaigns.mailchimp.mapping import There
from campaigns.mailchimp.slots import AT_ONCE
from campaigns.models import Audience, AudienceMember

SUBSCRIBED = AudienceMember.Status.SUBSCRIBED


class Call(NamedTuple):
    """Up to 500 of them, about to be sent."""

    addition: int
    first: int
    last: int
    size: int
    members: str
    """In JSON, without the brackets."""


class Brought(NamedTuple):
    """An answer: those who are there as they should be, as PostgreSQL writes the elements of arrays, and the rest of it."""

    number: int
    hashes: str
    changed: str
    tags: str
    rest: dict

    @property
    def emails(self) -> list[str]:
        """Whom the rest is about."""
        return [str(one.get("email_address", "")).lower() for part in self.rest.values() for one in part]


def calls(audience: Audience, fields: Mapping[str, There], tags: Mapping[int, str]) -> Iterator[Call]:
    """The bodies of the calls, made for as many at a time as are made at once.

    Consent is looked at again, for whoever has left since the comparison must not be sent.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT language FROM owed WHERE what = 'add' AND member IS NULL")
        languages = [language for (language,) in cursor.fetchall()]
        member, named = payload.member_sql(fields, audience.groups, tags, languages)
        sent, allowed = difference.contactable_newcomers_sql(audience)
        statement = _CALLS.format(sent=sent, member=member)
        cursor.execute("SELECT coalesce(max(number), 0) FROM owed WHERE what = 'add' AND member IS NULL")
        newest = cursor.fetchone()[0]
        span = difference.CHUNK * AT_ONCE
        for last in range(0, newest, span):
            here = {"last": last, "until": last + span, "chunk": difference.CHUNK, "audience": audience.pk}
            cursor.execute(statement, {**here, **named, **allowed})
            yield from map(Call._make, cursor.fetchall())


_CALLS = """
WITH calls AS MATERIALIZED (
    SELECT min(number) AS first, max(number) AS last, count(*) AS size, array_agg(supporter ORDER BY number) AS supporters,
           array_agg(hash ORDER BY number) AS hashes, string_agg({member}, ',') AS members
    FROM ({sent}) o GROUP BY (number - 1) / %(chunk)s
), noted AS (
    INSERT INTO campaigns_addition (audience_id, supporters, hashes) SELECT %(audience)s, supporters, hashes FROM calls
    RETURNING id, hashes[1] AS hash
)
SELECT noted.id, first, last, size, members FROM calls JOIN noted ON noted.hash = hashes[1] ORDER BY first
"""


def read(answer: dict, ours: Collection[int]) -> Brought:
    """Take an answer apart; the tags with these ids are ours. Touches no database."""
    hashes, changed, tags, odd = [], [], [], []
    for member in answer.get("new_members", []):
        key, shown, at = str(member.get("id")), member.get("tags"), member.get("last_changed")
        whole = shown is not None and member.get("tags_count", 0) <= len(shown)
        if member.get("status") != SUBSCRIBED or not at or not whole or not key.isalnum():
            odd.append(member)
            continue
        hashes.append(key)
        changed.append(_time(at))
        tags.append(_tags(tuple(tag["id"] for tag in shown if tag["id"] in ours)))
    rest = {"new_members": odd, **{name: answer.get(name, []) for name in ("updated_members", "errors")}}
    return Brought(len(hashes), *map(",".join, (hashes, changed, tags)), rest)


@lru_cache(1000)
def _time(text: str) -> str:
    return f'"{datetime.fromisoformat(text).isoformat()}"'


@lru_cache(1000)
def _tags(tags: tuple[int, ...]) -> str:
    return f'"{sorted(tags)}"'


def _array(parts: Iterable[str]) -> str:
    return f"{{{','.join(filter(None, parts))}}}"


def write(audience: Audience, answers: Sequence[tuple[Call, Brought]]) -> None:
    """Write down what was answered; of whom nothing was said, or no more than a word, gets a shadow that says so."""
    calls, brought = zip(*answers, strict=True)
    parameters = {
        "audience": audience.pk,
        "additions": [call.addition for call in calls],
        "size": sum(call.size for call in calls),
        "first": min(call.first for call in calls),
        "last": max(call.last for call in calls),
        **{name: _array(getattr(one, name) for one in brought) for name in ("hashes", "changed", "tags")},
    }
    for statement in (_WRITE, _CAREFULLY, _CAREFULLY):
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement, parameters)
                if not cursor.fetchone()[0]:
                    _settle("campaigns_addition.id = ANY(%s)", [parameters["additions"]])
            return
        except IntegrityError as failure:  # somebody was heard of meanwhile, or is being erased
            last = failure
    raise last


_PUT = """
WITH audience AS MATERIALIZED (
    SELECT id FROM campaigns_audience WHERE id = %(audience)s FOR KEY SHARE
), put AS (
    INSERT INTO campaigns_audiencemember (audience_id, supporter_id, subscriber_hash, status, digest, agreed, tags, last_changed, to_delete)
    SELECT audience.id, s.id, o.hash, 'subscribed', o.digest, o."values" || jsonb_build_object('language', o.language), t.tags::jsonb,
           t.changed, s.id IS NULL AND EXISTS (
               SELECT FROM supporters_suppression p WHERE p.email_hash = supporters_address_hash(o.email) AND p.reason = 'erased')
    FROM audience, owed o JOIN unnest(%(hashes)s::text[], %(changed)s::timestamptz[], %(tags)s::text[]) AS t (hash, changed, tags) ON t.hash = o.hash
    LEFT JOIN supporters_supporter s ON s.id = o.supporter
    WHERE o.what = 'add' AND o.member IS NULL AND o.number >= %(first)s AND o.number <= %(last)s
"""
_DONE = """
    RETURNING 1
), done AS (
    DELETE FROM campaigns_addition WHERE id = ANY(%(additions)s) AND (SELECT count(*) FROM put) = %(size)s RETURNING 1
)
-- Should the end of this be lost with the machine, its beginning stands, and they are added again.
SELECT count(*), set_config('synchronous_commit', 'off', true) FROM done
"""
_WRITE, _CAREFULLY = _PUT + _DONE, f"{_PUT} ON CONFLICT DO NOTHING {_DONE}"
"""The second takes half as long again."""


def one_by_one(audience: Audience, call: Call, emails: Sequence[str] | None = None) -> list[Owed]:
    """Those of a call (with these addresses) of whom it is not known whether they are there, each with a shadow."""
    with transaction.atomic():
        _settle("campaigns_addition.id = %s", [call.addition])
    return difference.newcomers(audience, call.first, call.last, emails)


def settle(audience: Audience) -> None:
    """Give a shadow to everybody in a call that died, or got no answer."""
    with transaction.atomic():
        _settle("audience_id = %s", [audience.pk])


def settle_one(supporter: int) -> None:
    """The same for one person in all audiences, who is about to be erased."""
    _keep("%s = ANY(supporters)", [supporter], "AND t.supporter = %s", [supporter])


def _settle(which: str, parameters: list[object]) -> None:
    _keep(which, parameters)
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM campaigns_addition WHERE {which}", parameters)


def _keep(which: str, parameters: list[object], whom: str = "", more: Sequence[object] = ()) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO campaigns_audiencemember (audience_id, supporter_id, subscriber_hash)
            SELECT audience_id, s.id, t.hash FROM campaigns_addition, unnest(supporters, hashes) AS t (supporter, hash)
            LEFT JOIN supporters_supporter s ON s.id = t.supporter WHERE {which} {whom} ON CONFLICT DO NOTHING
            """,
            [*parameters, *more],
        )
