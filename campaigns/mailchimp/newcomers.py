"""Those who were never in an audience, many at once: the whole of a first sync.

PostgreSQL makes the bodies, and Mailchimp's answer goes back to it in a few arrays, so that nothing here is done member by
member but the reading of answers. What is about to happen is written down first, in one row for each call:

    Addition ──answer──▶ shadows of those who are there now, in one transaction with its end
       └──no answer──▶ shadows that say so (`settle`), before anything else is done with the audience

The second is what difference.py then finds: somebody who is to be added again, or looked for. Erasure settles first.
"""

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from datetime import datetime
from functools import lru_cache
from threading import Lock
from typing import NamedTuple

import msgspec
from django.db import IntegrityError, connection, transaction

from campaigns.mailchimp import difference, mapping, payload
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
    hashes: str
    tags: str
    """Of each in turn, as in Brought."""
    members: str
    """In JSON, without the brackets."""


class Brought(NamedTuple):
    """An answer: those who are there as they should be, as PostgreSQL writes the elements of arrays, and the rest of it."""

    number: int
    hashes: str
    changed: str
    tags: str
    rest: dict

    def is_whole(self, call: Call) -> bool:
        """Whether everybody in the call is there now, with the tags they should have."""
        return (self.hashes, self.tags) == (call.hashes, call.tags)

    @property
    def emails(self) -> list[str]:
        """Whom the rest is about."""
        return [str(one.get("email_address", "")).lower() for part in self.rest.values() for one in part]


class Calls:
    """The calls that bring them, in turn, their bodies made for as many as go at once.

    They are made of what people are then, and consent is looked at then: the comparison only says who they are. Whose address or
    language changed since goes with the next run.
    """

    def __init__(self, audience: Audience, fields: Mapping[str, There], tags: Mapping[int, str]) -> None:
        self._ready: deque[Call] = deque()
        self._unsent: set[int] = set()
        self._deciding = Lock()
        with connection.cursor() as cursor:
            cursor.execute("SELECT language, max(number) FROM newcomers GROUP BY language")
            newest = dict(cursor.fetchall())
        self._last, self._newest = 0, max(newest.values(), default=0)
        values, joins = mapping.values_sql(audience.merge_fields, audience.groups)
        member, named = payload.member_sql(fields, audience.groups, tags, list(newest))
        still, allowed = difference.contactable_sql(audience, _AS_COMPARED, newcomers="newcomers.ctid")
        digest = difference.digest_sql('s."values"')
        self._statement = _CALLS.format(still=still, values=values, joins=joins, digest=digest, member=member)
        self._parameters = {"chunk": difference.CHUNK, "audience": audience.pk, **named, **allowed}

    def __iter__(self) -> Iterator[Call]:
        while self._ready or self._make():
            if self._ready:
                yield self._ready.popleft()

    def prepare(self) -> None:
        """Make the next bodies, unless there are some for all lanes: best while calls are under way."""
        if len(self._ready) < AT_ONCE:
            self._make()

    def begin(self, call: Call) -> None:
        """From now on it may have been sent. For any thread; raises CancelledError if it was taken back."""
        with self._deciding:
            if call.addition not in self._unsent:
                raise CancelledError
            self._unsent.remove(call.addition)

    def take_back(self) -> None:
        """Say of what was made and not sent that it is not about to be."""
        with self._deciding:
            unsent, self._unsent = self._unsent, set()
        if unsent:
            with connection.cursor() as cursor:
                cursor.execute("DELETE FROM campaigns_addition WHERE id = ANY(%s)", [list(unsent)])

    def _make(self) -> bool:
        """False if there are no more."""
        span = difference.CHUNK * AT_ONCE
        while self._last < self._newest:
            until = self._last + span
            last = {"last": self._last, "until": until, "to_the_end": until >= self._newest}
            with connection.cursor() as cursor:
                cursor.execute(self._statement, {**self._parameters, **last})
                made = [Call._make(row) for row in cursor.fetchall()]
            if made or last["to_the_end"]:
                self._last = until if last["to_the_end"] else made[-1].last
                self._unsent.update(call.addition for call in made)
                self._ready.extend(made)
                return bool(made)
            span *= 2  # so many have left that no call is full
        return False


_AS_COMPARED = """newcomers.number > %(last)s AND newcomers.number <= %(until)s AND supporters_supporter.id = newcomers.supporter
AND supporters_supporter.email = newcomers.email AND supporters_supporter.language = newcomers.language"""
# What is not enough for a full call goes with the next, but for the last of all.
_CALLS = """
WITH still AS MATERIALIZED ({still}), sent AS (
    UPDATE newcomers o SET "values" = s."values", digest = {digest}
    FROM (
        SELECT still.newcomers AS place, s.email, s.language, {values} AS "values"
        FROM still JOIN supporters_supporter s ON s.id = still.pk {joins} OFFSET 0
    ) s WHERE o.ctid = s.place
    RETURNING o.number, o.supporter, o.hash, o.email, o.language, o.tags, o."values" AS raw
), calls AS MATERIALIZED (
    SELECT min(number) AS first, max(number) AS last, count(*) AS size, array_agg(supporter ORDER BY number) AS supporters,
           array_agg(hash ORDER BY number) AS hashes, string_agg('"' || tags::text || '"', ',' ORDER BY number) AS tags,
           string_agg({member}, ',' ORDER BY number) AS members
    FROM (SELECT *, (row_number() OVER (ORDER BY number) - 1) / %(chunk)s AS place FROM sent) o
    GROUP BY place HAVING count(*) = %(chunk)s OR %(to_the_end)s
), noted AS (
    INSERT INTO campaigns_addition (audience_id, supporters, hashes) SELECT %(audience)s, supporters, hashes FROM calls
    RETURNING id, hashes[1] AS hash
)
SELECT noted.id, first, last, size, array_to_string(hashes, ','), tags, members FROM calls JOIN noted ON noted.hash = hashes[1] ORDER BY first
"""


class _Tag(msgspec.Struct):
    id: int


class _Member(msgspec.Struct):
    id: str = ""
    email_address: str = ""
    status: str = ""
    last_changed: str = ""
    tags: list[_Tag] | None = None
    tags_count: int = 0


class _Answer(msgspec.Struct):
    new_members: list[_Member] = []
    updated_members: list[dict] = []
    errors: list[dict] = []


_decode = msgspec.json.Decoder(_Answer).decode


def read(content: bytes, ours: Collection[int]) -> Brought | None:
    """Take an answer apart; the tags with these ids are ours. None if it is none. Touches no database."""
    try:
        answer = _decode(content)
    except msgspec.ValidationError:
        # A field is not what Mailchimp says it is: each of them is looked at by itself.
        whole = msgspec.json.decode(content)
        return Brought(0, "", "", "", whole) if isinstance(whole, dict) else None
    except ValueError:
        return None
    hashes, changed, tags, odd = [], [], [], []
    for member in answer.new_members:
        whole = member.tags is not None and member.tags_count <= len(member.tags)
        if member.status != SUBSCRIBED or not member.last_changed or not whole or not member.id.isalnum():
            odd.append(msgspec.to_builtins(member))
            continue
        hashes.append(member.id)
        changed.append(_time(member.last_changed))
        tags.append(_tags(tuple(tag.id for tag in member.tags if tag.id in ours)))
    rest = {"new_members": odd, "updated_members": answer.updated_members, "errors": answer.errors}
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
    FROM audience, newcomers o JOIN unnest(%(hashes)s::text[], %(changed)s::timestamptz[], %(tags)s::text[]) AS t (hash, changed, tags) ON t.hash = o.hash
    LEFT JOIN supporters_supporter s ON s.id = o.supporter
    WHERE o.number >= %(first)s AND o.number <= %(last)s
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
