"""Taking over what Mailchimp says of its members: a page of them in a few statements, in one transaction.

Leaving wins, whatever the clocks say. What counts is that a member turns from one status into another:

    subscribed ──▶ unsubscribed, cleaned     has left here too: withdrawn and suppressed with the shadow, unless the
                                             person confirmed a yes here later than that by a day, and later than we
                                             last looked: clocks are wrong by less
    unsubscribed ──▶ subscribed              comes back here only by the person's own act, of which Mailchimp has the
                                             proof: a network address and a time of opting in that is later than all
                                             we knew of the member (both by Mailchimp's clock), and no withdrawal here
                                             since we knew it (both by ours). Else the next push unsubscribes again.

What is told twice or late finds its leaving applied already (`leaving_applied`, `left_at`).
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from campaigns.mailchimp import difference
from campaigns.models import Audience, AudienceMember, SyncRun
from supporters.addresses import AddressError, normalise_email
from supporters.finding import KNOWN_AS
from supporters.hygiene.marks import of_email

Status = AudienceMember.Status
LEAVINGS = {Status.UNSUBSCRIBED, Status.CLEANED}


class Heard(NamedTuple):
    """What Mailchimp says of one member; what it did not say is None or empty."""

    hash: str
    email: str
    status: str
    changed_at: datetime | None = None
    """By Mailchimp's clock."""
    contact: str = ""
    reason: str = ""
    """Of leaving; `abuse` is a complaint."""
    opted_at: datetime | None = None
    opted_from: str = ""
    """The network address they confirmed from: only a person's own visit has one."""
    language: str | None = None
    fields: dict | None = None
    chosen: dict[str, bool] | None = None
    """Interests and marketing permissions by the key of their group."""
    tags: list[int] | None = None
    """Ids, at most fifty."""
    all_tags: bool = True
    old: bool = False
    """It may have been so for years: a yes that was confirmed here at any time outlasts it."""


@transaction.atomic
def hear(audience: Audience, heard: Sequence[Heard], source: str) -> dict[str, int]:
    """Take it over; who left there has left here, in the same transaction. Returns counts for staff."""
    if not heard:
        return {}
    parameters = _parameters(audience, heard, source)
    counts = {"moved_there": _follow(audience, heard)}
    counts |= dict(zip(("left", "bounced"), _one(_LEAVE, parameters), strict=True))
    counts |= dict(zip(("returned",), _one(_RETURN, parameters), strict=True))
    counts |= dict(zip(("strangers",), _one(_WRITE, parameters), strict=True))
    _note_tags(audience, heard)
    return {name: number for name, number in counts.items() if number}


def _change_addresses(moves: Sequence[tuple[int, str, str]]) -> int:
    """(member, hash of the old address, new address): who took another address there has it here; how many.

    Somebody whose address was changed here meanwhile keeps ours, and one that belongs to somebody else is left to staff.
    """
    parameters = {
        "members": [member for member, _hash, _email in moves],
        "hashes": [old for _member, old, _email in moves],
        "emails": [email for _member, _hash, email in moves],
        "marks": [f"{{{','.join(of_email(email))}}}" for _member, _hash, email in moves],
        "note": _("They took an address in Mailchimp that belongs to somebody else on file. Please look."),
    }
    changed = 0
    try:
        with transaction.atomic():
            while more := _one(_CHANGE_ADDRESS, parameters)[0]:  # an address may come free by a change before
                changed += more
    except IntegrityError:
        changed = 0  # somebody took one of the addresses at this very moment: noted for staff
    with connection.cursor() as cursor:
        cursor.execute(_NOTE_TAKEN, parameters)
    return changed


def gone(audience: Audience, hashes: Sequence[str]) -> int:
    """These were deleted for good there: no sync may bring them back, only they themselves. Returns how many."""
    note = _("Deleted for good in Mailchimp. Only they themselves can come back, by a form hosted by Mailchimp.")
    return (
        AudienceMember.objects.filter(audience=audience, subscriber_hash__in=hashes, to_delete=False)
        .exclude(status=Status.FORGOTTEN)
        .update(status=Status.FORGOTTEN, status_at=Now(), tags=[], refusal=note, refused_at=Now(), updated_at=Now())
    )


def _parameters(audience: Audience, heard: Sequence[Heard], source: str) -> dict:
    last = audience.runs.filter(kind=SyncRun.Kind.PULL, state=SyncRun.State.DONE).order_by("-started_at").first()
    rows = [
        {
            "hash": row.hash,
            "email": normalised(row.email),
            "status": row.status,
            "at": row.changed_at and row.changed_at.isoformat(),
            "contact": row.contact,
            "complaint": "abuse" in row.reason.lower() or "spam" in row.reason.lower(),
            "opted_at": row.opted_at and row.opted_at.isoformat(),
            "opted_from": row.opted_from,
            "language": (row.language or "")[:12],
            "old": row.old,
        }
        for row in heard
    ]
    return {
        "heard": json.dumps(rows),
        "audience": audience.pk,
        "source": source,
        "read_to": audience.changed_since,
        "read_at": last and last.started_at,
        "wording": _("Signed up by a form of the audience “%(name)s” at Mailchimp, confirmed there at")
        % {"name": audience.name},
    }


def normalised(email: str) -> str:
    """As we keep it, so that it can be found here; as it came if it is no address to us."""
    try:
        return normalise_email(email)
    except AddressError:
        return email.strip().lower()


def _note_tags(audience: Audience, heard: Sequence[Heard]) -> None:
    """Which of our tags they have there. Of more than fifty Mailchimp does not tell which are missing."""
    told = [
        {
            "hash": row.hash,
            "tags": row.tags,
            "whole": row.all_tags,
            "at": row.changed_at and row.changed_at.isoformat(),
        }
        for row in heard
        if row.tags is not None
    ]
    if told:
        with connection.cursor() as cursor:
            cursor.execute(_TAGS, {"audience": audience.pk, "told": json.dumps(told)})


def _one(statement: str, parameters: dict) -> tuple:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchone()


def _follow(audience: Audience, heard: Sequence[Heard]) -> int:
    """Members who are known by their contact under another address: one member that moved, not a new one."""
    by_contact = {row.contact: row for row in heard if row.contact}
    known = AudienceMember.objects.filter(audience=audience, contact__in=by_contact, to_delete=False)
    moved = [
        (pk, old, by_contact[contact].hash, by_contact[contact].email)
        for pk, old, contact in known.values_list("pk", "subscriber_hash", "contact")
        if old != by_contact[contact].hash
    ]
    changed = move(audience, moved)
    # What was noted last may have been of another member, made under the old address: what is heard now counts.
    AudienceMember.objects.filter(pk__in=[member for member, *_rest in moved]).update(last_changed=None)
    return changed


def move(audience: Audience, moved: Sequence[tuple[int, str, str, str]]) -> int:
    """(member, old hash, new hash, new address): members who took another address there; how many changed here."""
    if not moved:
        return 0
    members = [member for member, _old, _new, _email in moved]
    whole = difference.in_step(audience, members)
    hashes = [new for _member, _old, new, _email in moved]
    others = AudienceMember.objects.filter(audience=audience, subscriber_hash__in=hashes).exclude(pk__in=members)
    others.filter(supporter=None, to_delete=False).delete()
    parameters = {
        "audience": audience.pk,
        # Two may have changed places, and whoever had the address before has yet to be heard of.
        "aside": [*members, *others.exclude(contact="").values_list("pk", flat=True)],
        "members": members,
        "hashes": hashes,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SET_ASIDE, parameters)
        cursor.execute(_SET_HASH, parameters)
    changed = _change_addresses([(member, old, normalised(email)) for member, old, _new, email in moved])
    difference.note_digests(audience, whole)
    return changed


_SET_ASIDE = """
UPDATE campaigns_audiencemember SET subscriber_hash = md5('moved ' || id) WHERE id = ANY(%(aside)s)
"""
_SET_HASH = """
UPDATE campaigns_audiencemember held SET subscriber_hash = t.hash, updated_at = now()
FROM unnest(%(members)s::bigint[], %(hashes)s::text[]) AS t (member, hash)
WHERE held.id = t.member AND NOT EXISTS (
    SELECT FROM campaigns_audiencemember o WHERE o.audience_id = %(audience)s AND o.subscriber_hash = t.hash)
"""
_CHANGE_ADDRESS = r"""
WITH changed AS (
    UPDATE supporters_supporter s SET email = t.email, updated_at = now(),
        marks = t.marks::text[] || array(SELECT mark FROM unnest(s.marks) mark WHERE mark IN ('phone', 'postcode'))
    FROM unnest(%(members)s::bigint[], %(hashes)s::text[], %(emails)s::text[], %(marks)s::text[]) AS t (member, hash, email, marks)
    JOIN campaigns_audiencemember held ON held.id = t.member
    WHERE s.id = held.supporter_id AND md5(s.email) = t.hash AND s.email <> t.email
      AND t.email = lower(btrim(t.email)) AND t.email ~ '^[^@\s]+@[a-z0-9.-]+$'
      AND NOT EXISTS (SELECT FROM supporters_supporter o WHERE o.email = t.email)
    RETURNING s.id
)
SELECT count(*) FROM changed
"""
_NOTE_TAKEN = """
UPDATE campaigns_audiencemember held SET refusal = %(note)s, refused_at = now(), updated_at = now()
FROM unnest(%(members)s::bigint[], %(hashes)s::text[], %(emails)s::text[]) AS t (member, hash, email), supporters_supporter s
WHERE held.id = t.member AND s.id = held.supporter_id AND md5(s.email) = t.hash AND s.email <> t.email
"""
_TAGS = """
UPDATE campaigns_audiencemember held SET tags = fresh.tags FROM (
    SELECT m.id, CASE WHEN t.whole THEN t.tags ELSE (
        SELECT coalesce(jsonb_agg(DISTINCT tag ORDER BY tag), '[]') FROM jsonb_array_elements(m.tags || t.tags) tag) END AS tags
    FROM jsonb_to_recordset(%(told)s::jsonb) AS t (hash text, tags jsonb, whole boolean, at timestamptz)
    JOIN campaigns_audiencemember m ON m.audience_id = %(audience)s AND m.subscriber_hash = t.hash
    WHERE NOT m.to_delete AND (m.last_changed <= t.at) IS NOT FALSE
) fresh WHERE held.id = fresh.id AND held.tags <> fresh.tags
"""
_KNOWN = f"""
WITH heard AS (
    SELECT * FROM jsonb_to_recordset(%(heard)s::jsonb) AS t (hash text, email text, status text, at timestamptz, contact text,
        complaint boolean, opted_at timestamptz, opted_from text, language text, old boolean)
), known AS (
    SELECT heard.*, held.id AS member, held.status AS was, held.status_at, held.left_at, held.last_changed AS known_at, held.leaving_applied,
           held.supporter_id AS linked, coalesce(held.supporter_id, held.retired_from_id, s.id, {KNOWN_AS.format(email="heard.email")}) AS supporter,
           held.supporter_id IS NULL AND s.id IS NULL AS by_other_address
    FROM heard
    LEFT JOIN campaigns_audiencemember held ON held.audience_id = %(audience)s AND held.subscriber_hash = heard.hash
    LEFT JOIN supporters_supporter s ON s.email = heard.email AND held.supporter_id IS NULL
    WHERE held.id IS NULL OR NOT held.to_delete
)
"""
_LATEST = """
coalesce((SELECT c.state FROM supporters_consent c
          WHERE c.supporter_id = known.supporter AND c.purpose = 'email' AND c.organisation_id IS NULL
          ORDER BY c.happened_at DESC, c.state DESC, c.id DESC LIMIT 1), '')
"""
_LEAVE = f"""
{_KNOWN}, gone AS (
    SELECT known.*, {_LATEST} AS state FROM known
    WHERE supporter IS NOT NULL AND status IN ('unsubscribed', 'cleaned') AND NOT (leaving_applied IS TRUE AND was = status)
      -- That mail to an address came back says nothing of another one.
      AND (status = 'unsubscribed' OR complaint OR NOT by_other_address)
      AND (left_at IS NULL OR at IS NULL OR at > left_at)
      AND NOT EXISTS (
        SELECT FROM supporters_consent c WHERE c.supporter_id = known.supporter AND c.purpose = 'email'
        AND c.organisation_id IS NULL AND c.state = 'granted' AND c.method IN ('confirmed', 'mailchimp')
        AND c.happened_at > CASE WHEN old THEN '-infinity' ELSE known.at + interval '1 day' END
        AND c.recorded_at > CASE WHEN coalesce(was, '') = '' OR old THEN '-infinity' ELSE known.status_at END)
), withdrawn AS (
    INSERT INTO supporters_consent (supporter_id, purpose, state, wording, method, source, happened_at)
    SELECT DISTINCT ON (supporter) supporter, 'email', 'withdrawn', '',
           CASE WHEN complaint THEN 'complaint' WHEN status = 'cleaned' THEN 'bounce' ELSE 'mailchimp' END,
           %(source)s, statement_timestamp()
    FROM gone WHERE state <> 'withdrawn' ORDER BY supporter, complaint DESC, status
    RETURNING method
), suppressed AS (
    INSERT INTO supporters_suppression (email_hash, reason)
    SELECT DISTINCT supporters_address_hash(address),
           CASE WHEN complaint THEN 'complaint' WHEN status = 'cleaned' THEN 'hard_bounce' ELSE 'left' END
    FROM gone JOIN supporters_supporter s ON s.id = gone.supporter, unnest(ARRAY[gone.email, s.email]) address
    WHERE address IS NOT NULL ON CONFLICT DO NOTHING
), accounted AS (
    UPDATE campaigns_audiencemember held SET left_at = greatest(held.left_at, gone.at), leaving_applied = held.status = gone.status
    FROM gone WHERE held.id = gone.member
)
SELECT count(*) FILTER (WHERE method <> 'bounce'), count(*) FILTER (WHERE method = 'bounce') FROM withdrawn
"""
_RETURN = f"""
{_KNOWN}, back AS (
    SELECT known.*, {_LATEST} AS state FROM known
    WHERE supporter IS NOT NULL AND status = 'subscribed' AND coalesce(was, '') <> 'subscribed' AND opted_from <> ''
      AND opted_at > coalesce(greatest(left_at, known_at), %(read_to)s::timestamptz)
      AND coalesce(status_at, %(read_at)s::timestamptz) IS NOT NULL
      AND NOT EXISTS (
        SELECT FROM supporters_consent c WHERE c.supporter_id = known.supporter AND c.purpose = 'email'
        AND c.organisation_id IS NULL AND c.state = 'withdrawn' AND c.recorded_at > coalesce(known.status_at, %(read_at)s::timestamptz))
), granted AS (
    INSERT INTO supporters_consent (supporter_id, purpose, state, wording, language, method, source, happened_at, address_hash)
    SELECT DISTINCT ON (supporter) supporter, 'email', 'granted',
           %(wording)s || to_char(opted_at AT TIME ZONE 'UTC', ' YYYY-MM-DD HH24:MI:SS "UTC"'), language,
           'mailchimp', %(source)s, statement_timestamp(), supporters_address_hash(opted_from)
    FROM back WHERE state <> 'granted' ORDER BY supporter, opted_at DESC
    RETURNING supporter_id
), lifted AS (
    DELETE FROM supporters_suppression p USING back
    WHERE p.email_hash = supporters_address_hash(back.email) AND p.reason = 'left'
)
SELECT count(*) FROM granted
"""
_WRITE = f"""
{_KNOWN}, newest AS (
    SELECT DISTINCT ON (hash) * FROM known ORDER BY hash, at DESC NULLS FIRST, status = 'subscribed'
), written AS (
    INSERT INTO campaigns_audiencemember AS held (audience_id, supporter_id, subscriber_hash, status, status_at, contact, left_at,
                                                  leaving_applied, last_changed, ours, updated_at)
    SELECT %(audience)s, CASE WHEN NOT EXISTS (
               SELECT FROM campaigns_audiencemember o
               WHERE o.audience_id = %(audience)s AND o.supporter_id = supporter AND o.subscriber_hash <> hash) THEN supporter END,
           hash, status, clock_timestamp(), contact, CASE WHEN status IN ('unsubscribed', 'cleaned') AND supporter IS NOT NULL THEN at END,
           status IN ('unsubscribed', 'cleaned') AND supporter IS NOT NULL, at, false, now()
    FROM newest
    ON CONFLICT (audience_id, subscriber_hash) DO UPDATE SET
        status = excluded.status, updated_at = now(),
        status_at = CASE WHEN held.status = excluded.status THEN held.status_at ELSE excluded.status_at END,
        contact = coalesce(nullif(excluded.contact, ''), held.contact),
        left_at = greatest(held.left_at, excluded.left_at), leaving_applied = excluded.leaving_applied,
        last_changed = coalesce(excluded.last_changed, held.last_changed),
        supporter_id = CASE WHEN held.retired_from_id IS NULL THEN coalesce(held.supporter_id, excluded.supporter_id) END,
        refusal = CASE WHEN held.status <> excluded.status THEN '' ELSE held.refusal END
    WHERE (held.last_changed <= excluded.last_changed) IS NOT FALSE
      AND (held.status, held.leaving_applied, held.last_changed, held.contact, held.supporter_id) IS DISTINCT FROM
          (excluded.status, excluded.leaving_applied, coalesce(excluded.last_changed, held.last_changed), coalesce(nullif(excluded.contact, ''), held.contact),
           CASE WHEN held.retired_from_id IS NULL THEN coalesce(held.supporter_id, excluded.supporter_id) END)
    RETURNING held.supporter_id
)
SELECT count(*) FILTER (WHERE supporter_id IS NULL) FROM written
"""
