"""Going over all supporters once, slice by slice: what is on file is read as it would be read today.

    asked ──work──▶ under way ──▶ finished
              ▲         │
              └─ cut short: goes on behind its last whole slice

A look writes nothing and says what would change. Marks are brought up to date each night, for what counts as odd changes and
not every door is ours. Values are written in their one form only when somebody asks for it. Of two supporters whose
addresses become one, the one whose address is written so already, or else the first, has it; the other keeps what is
written, is marked, and waits for a person: nobody is merged by this.
"""

import json
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from supporters.addresses import AddressError, normalise_email
from supporters.hygiene import Unreadable
from supporters.hygiene.contact import read_contact
from supporters.hygiene.countries import read_country
from supporters.hygiene.languages import read_language
from supporters.hygiene.marks import Mark
from supporters.hygiene.text import one_line
from supporters.locks import advisory_lock, in_the_end
from supporters.models import Tidying

Kind = Tidying.Kind
SLICE = 2_000
"""People in one transaction."""
STRETCH = 40
"""Seconds that one task works before it makes room for others."""
MOST_CONFLICTS = 1_000
"""Pairs that are listed; all are counted and marked."""
KEEP = timedelta(days=90)
_COLUMNS = (
    *("email", "first_name", "last_name", "phone", "street", "postcode", "city", "region", "country", "language"),
)


class _Person(NamedTuple):
    id: int
    marks: list[str]
    email: str | None
    first_name: str
    last_name: str
    phone: str
    street: str
    postcode: str
    city: str
    region: str
    country: str
    language: str


def ask(kind: str) -> Tidying:
    """One of this kind: that which is under way, or a new one."""
    found, _new = Tidying.objects.get_or_create(kind=kind, finished_at=None)
    return found


def tick() -> dict:
    """Go on with what was asked for; once a day, bring the marks up to date. Returns what the last one found."""
    under_way = Tidying.objects.filter(finished_at=None).last()
    if under_way is None:
        lately = timezone.now() - timedelta(hours=23)
        if not Tidying.objects.filter(kind__in=[Kind.MARK, Kind.WRITE], asked_at__gt=lately).exists():
            under_way = ask(Kind.MARK)
            Tidying.objects.filter(finished_at__lt=Now() - KEEP).delete()
    if under_way:
        work(under_way.pk)
    last = under_way or Tidying.objects.first()
    last.refresh_from_db()
    return {"people": last.people, **last.counts}


def work(pk: int, seconds: float = STRETCH) -> bool:
    """Go on for this long; returns whether more is to be done. False at once when somebody else is at it."""
    until = time.monotonic() + seconds
    with advisory_lock("tidying") as ours:
        if not ours:
            return False
        while in_the_end(lambda: _work_on_slice(pk)):
            if time.monotonic() > until:
                return True
    return False


@transaction.atomic
def _work_on_slice(pk: int) -> bool:
    """One slice, whole or not at all; False when there is no other."""
    run = Tidying.objects.select_for_update().filter(pk=pk, finished_at=None).first()
    if run is None:
        return False
    people = _people_after(run.checkpoint)
    if not people:
        Tidying.objects.filter(pk=pk).update(finished_at=Now())
        return False
    changes, conflicts = _changes(people)
    if run.kind == Kind.MARK:
        changes = [(person, person._replace(marks=now.marks)) for person, now in changes]
    counts = _counted(run.counts, changes, len(conflicts))
    if run.kind != Kind.LOOK:
        _write([(person, now) for person, now in changes if _differ(person, now)])
    Tidying.objects.filter(pk=pk).update(
        checkpoint=people[-1].id,
        people=F("people") + len(people),
        counts=counts,
        conflicts=(run.conflicts + conflicts)[:MOST_CONFLICTS],
    )
    return True


def _people_after(checkpoint: int) -> list[_Person]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id, marks, {', '.join(_COLUMNS)} FROM supporters_supporter WHERE id > %s ORDER BY id LIMIT %s",
            [checkpoint, SLICE],
        )
        return [_Person(*row) for row in cursor.fetchall()]


def _changes(people: Sequence[_Person]) -> tuple[list[tuple[_Person, _Person]], list[list[int]]]:
    """Each person who would differ, as they are and as they would be; and who would get whose address."""
    read = [(person, _read(person)) for person in people]
    moving = {now.email for person, now in read if now.email != person.email}
    owners = _owners(moving)
    changes, conflicts = [], []
    for person, now in read:
        if now.email != person.email:
            owner = owners.setdefault(now.email, person.id)
            if owner != person.id:
                now = now._replace(email=person.email, marks=[*now.marks, Mark.TAKEN.value])
                conflicts.append([person.id, owner])
        if _differ(person, now):
            changes.append((person, now))
    return changes, conflicts


def _owners(emails: set[str]) -> dict[str, int]:
    if not emails:
        return {}
    with connection.cursor() as cursor:
        cursor.execute("SELECT email, id FROM supporters_supporter WHERE email = ANY(%s)", [list(emails)])
        return dict(cursor.fetchall())


def _differ(person: _Person, now: _Person) -> bool:
    return person[2:] != now[2:] or set(person.marks) != set(now.marks)


def _read(person: _Person) -> _Person:
    """The person as every door would read them today."""
    email, malformed = person.email, []
    try:
        email = normalise_email(email) if email else None
    except AddressError:
        malformed = [Mark.MALFORMED.value]
    country = _code(read_country, person.country)
    contact = read_contact(email, person.phone, person.postcode, country)
    return person._replace(
        marks=contact.marks + malformed,
        email=email,
        first_name=one_line(person.first_name),
        last_name=one_line(person.last_name),
        phone=contact.phone,
        street=one_line(person.street),
        postcode=contact.postcode,
        city=one_line(person.city),
        region=one_line(person.region),
        country=country,
        language=_code(read_language, person.language),
    )


def _code(read: Callable[[str], str], text: str) -> str:
    try:
        return read(text) if text else ""
    except Unreadable:
        return text


def _counted(before: dict, changes: Iterable[tuple[_Person, _Person]], conflicts: int) -> dict[str, int]:
    counts = dict(before)
    for person, now in changes:
        changed = ["marks"] if set(person.marks) != set(now.marks) else []
        changed += [name for name in _COLUMNS if getattr(person, name) != getattr(now, name)]
        for name in changed:
            counts[name] = counts.get(name, 0) + 1
    if conflicts:
        counts["conflicts"] = counts.get("conflicts", 0) + conflicts
    return counts


def _write(changes: Sequence[tuple[_Person, _Person]]) -> None:
    """Write what nobody else changed meanwhile; the next time sees to those."""
    rows = [
        now._asdict()
        | {f"was_{name}": getattr(person, name) for name in _COLUMNS}
        | {"values": person[2:] != now[2:]}
        for person, now in changes
    ]
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(_WRITE, [json.dumps(rows)])


# An address that nobody may write to is not to be written to in its one form either.
_WRITE = f"""
WITH read AS (
    SELECT * FROM jsonb_to_recordset(%s::jsonb) AS t (id bigint, marks text[], "values" boolean,
        {", ".join(f"{name} text, was_{name} text" for name in _COLUMNS)})
), written AS (
    UPDATE supporters_supporter s SET marks = read.marks, {", ".join(f"{name} = read.{name}" for name in _COLUMNS)},
        updated_at = CASE WHEN read."values" THEN statement_timestamp() ELSE s.updated_at END
    FROM read WHERE s.id = read.id
        AND ({", ".join(f"s.{name}" for name in _COLUMNS)}) IS NOT DISTINCT FROM ({", ".join(f"read.was_{name}" for name in _COLUMNS)})
    RETURNING s.email, read.was_email
)
INSERT INTO supporters_suppression (email_hash, reason)
SELECT supporters_address_hash(written.email), p.reason
FROM written JOIN supporters_suppression p ON p.email_hash = supporters_address_hash(written.was_email)
WHERE written.email <> written.was_email
ON CONFLICT DO NOTHING
"""
