"""Who gets an appeal through Mailchimp: the people of its ledger, and nobody else, have its tag there.

    queued, not handed over ──▶ handed over ──▶ read there (only where Mailchimp counts otherwise)
              │                     │
              └─────▶ skipped ◀─────┘

A delivery that is handed over is `queued` still, and its attempts say how far it is: 1 has the tag, 2 was read there.
Whoever may not be written to any more loses the tag before anything is sent.
"""

from collections.abc import Callable, Iterator
from functools import partial

from django.db import connection
from django.utils.translation import gettext_noop

from campaigns.appeals import ledger, turns
from campaigns.mailchimp.campaign_calls import PAGE
from campaigns.mailchimp.client import connect
from campaigns.mailchimp.difference import CHUNK
from campaigns.mailchimp.lanes import Job, Lanes
from campaigns.models import Audience, Delivery, Mailing
from supporters.models import Supporter

HANDED, READ = 1, 2
NOT_HELD = gettext_noop("Mailchimp does not have them among the subscribed members of the audience.")
PENDING = gettext_noop("They have not yet confirmed to Mailchimp that they want to hear from us.")
DISCREET = gettext_noop("The person asked for discreet mail, which Mailchimp can't make.")
LEFT_THERE = gettext_noop("They have left in Mailchimp.")
_QUEUED = "d.appeal_id = %(appeal)s AND d.language = %(language)s AND d.state = 'queued'"
_MEMBER = "m.audience_id = %(audience)s AND m.supporter_id = d.supporter_id AND NOT m.to_delete"
_THERE = "m.status = 'subscribed' AND m.subscriber_hash = md5(s.email)"


class Recipients:
    """Those of one mailing."""

    def __init__(self, mailing: Mailing, audience: Audience, breathe: Callable[[], None]) -> None:
        self.mailing, self.audience, self.breathe = mailing, audience, breathe
        self.names = {"appeal": mailing.appeal_id, "language": mailing.language, "audience": audience.pk}

    # What the ledger says

    def waiting(self) -> int:
        """How many have not been handed over, because the audience doesn't have them yet."""
        return self._one(
            f"""
            SELECT count(*) FROM campaigns_delivery d JOIN supporters_supporter s ON s.id = d.supporter_id
            WHERE {_QUEUED} AND d.attempts = 0
              AND NOT EXISTS (SELECT FROM campaigns_audiencemember m WHERE {_MEMBER} AND {_THERE})
            """
        )

    def handed(self) -> int:
        return self._one(f"SELECT count(*) FROM campaigns_delivery d WHERE {_QUEUED} AND d.attempts > 0")

    def skip_left(self) -> int:
        """Leave out who left or was erased before being handed over."""
        return self._skip(f"d.attempts = 0 AND NOT EXISTS ({self._allowed()})", ledger.NOT_ALLOWED)

    def skip_unwilling(self) -> int:
        """Leave out who wants discreet mail, which Mailchimp can't make, and who asked for fewer appeals."""
        discreet = "EXISTS (SELECT FROM supporters_supporter s WHERE s.id = d.supporter_id AND s.discreet)"
        skipped = self._skip(f"d.attempts = 0 AND {discreet}", DISCREET)
        asked = f"""(
            SELECT d.id, d.supporter_id, s.how_often
            FROM campaigns_delivery d JOIN supporters_supporter s ON s.id = d.supporter_id
            WHERE {_QUEUED} AND d.attempts = 0 AND s.how_often <> '')"""
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                WITH turns AS ({turns.TAKE.format(asked=asked, appeal="%(appeal)s")})
                UPDATE campaigns_delivery d SET state = 'skipped', updated_at = now(), reason = %(reason)s
                FROM supporters_supporter s
                WHERE {_QUEUED} AND d.attempts = 0 AND s.id = d.supporter_id AND s.how_often <> ''
                  AND NOT EXISTS (SELECT FROM turns WHERE turns.supporter_id = d.supporter_id)
                """,
                {**self.names, "reason": turns.TOO_OFTEN},
            )
            return skipped + cursor.rowcount

    def skip_missing(self) -> int:
        """Leave out, each with the reason, whom the audience doesn't have though it was brought up to date."""
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                UPDATE campaigns_delivery d SET state = 'skipped', updated_at = now(), reason = coalesce((
                    SELECT CASE WHEN m.refusal <> '' THEN left(m.refusal, 250)
                                WHEN m.status = 'pending' THEN %(pending)s
                                WHEN m.status IN ('unsubscribed', 'cleaned') THEN %(left)s END
                    FROM campaigns_audiencemember m WHERE {_MEMBER}), %(not_held)s)
                WHERE {_QUEUED} AND d.attempts = 0 AND NOT EXISTS (
                    SELECT FROM campaigns_audiencemember m JOIN supporters_supporter s ON s.id = m.supporter_id
                    WHERE {_MEMBER} AND {_THERE})
                """,
                {**self.names, "pending": PENDING, "left": LEFT_THERE, "not_held": NOT_HELD},
            )
            return cursor.rowcount

    # What Mailchimp is told

    def hand_over(self) -> None:
        """Give the tag to everybody owed. An answer that is lost is made good by asking again."""
        with Lanes() as lanes:
            lanes.work_off(self._handing())

    def _handing(self) -> Iterator[Job]:
        last = 0
        while rows := self._rows(
            f"""
            SELECT d.id, s.email FROM campaigns_delivery d JOIN supporters_supporter s ON s.id = d.supporter_id
            JOIN campaigns_audiencemember m ON {_MEMBER} AND {_THERE}
            WHERE {_QUEUED} AND d.attempts = 0 AND d.id > %(last)s ORDER BY d.id LIMIT %(limit)s
            """,
            last=last,
        ):
            self.breathe()
            last = rows[-1][0]
            call = partial(self._change, add=[email for _pk, email in rows])
            yield Job(call, partial(self._handed, rows))

    def _handed(self, rows: list[tuple[int, str]], answer: dict) -> None:
        unknown = {
            str(email).lower() for error in answer.get("errors", []) for email in error.get("email_addresses", [])
        }
        there = [pk for pk, email in rows if email.lower() not in unknown]
        Delivery.objects.filter(pk__in=there, state=Delivery.State.QUEUED, attempts=0).update(attempts=HANDED)
        self._skip_these([pk for pk, email in rows if email.lower() in unknown], NOT_HELD)

    def withdraw(self) -> int:
        """Take the tag from who may not be written to any more; how many could not be reached that way.

        Those are there under an address that we don't know, or owed a deletion: the sync of the audience unsubscribes or
        deletes them.
        """
        owed_deletion = self.audience.members.filter(to_delete=True).exists()
        last = unreached = 0
        while rows := self._rows(
            f"""
            SELECT d.id, s.email, coalesce(m.subscriber_hash = md5(s.email), false), coalesce(m.status, '') = 'subscribed'
            FROM campaigns_delivery d LEFT JOIN supporters_supporter s ON s.id = d.supporter_id
            LEFT JOIN campaigns_audiencemember m ON {_MEMBER}
            WHERE {_QUEUED} AND d.attempts > 0 AND NOT EXISTS ({self._allowed()}) AND d.id > %(last)s
            ORDER BY d.id LIMIT %(limit)s
            """,
            last=last,
        ):
            self.breathe()
            last = rows[-1][0]
            by_tag = {pk: email for pk, email, known, _there in rows if email and known}
            if by_tag:
                self._change(remove=list(by_tag.values()))
            gone = [pk for pk, email, _known, there in rows if not there and (email or not owed_deletion)]
            self._skip_these([*by_tag, *(pk for pk in gone if pk not in by_tag)], ledger.NOT_ALLOWED)
            unreached += len(rows) - len({*by_tag, *gone})
        return unreached

    def read_back(self) -> None:
        """Read who has the tag, page by page: who is missing is left out, and who is no person of ours loses it."""
        offset = self.mailing.cursor.get("tag", 0)
        while True:
            self.breathe()
            page = connect().tag_members(self.mailing.list_id, self.mailing.tag_id, offset)
            ours = {row[0] for row in self._read(page)}
            strangers = [member["email_address"] for member in page if member["id"] not in ours]
            for start in range(0, len(strangers), CHUNK):
                self._change(remove=strangers[start : start + CHUNK])
            if len(page) < PAGE:
                break
            offset += PAGE - len(strangers)
            self.mailing.cursor = {"tag": offset}
            Mailing.objects.filter(pk=self.mailing.pk).update(cursor=self.mailing.cursor)
        self._skip(f"d.attempts = {HANDED}", NOT_HELD)
        Mailing.objects.filter(pk=self.mailing.pk).update(checked=True, cursor={})
        self.mailing.checked, self.mailing.cursor = True, {}

    def _read(self, page: list[dict]) -> list[tuple]:
        return self._rows(
            f"""
            UPDATE campaigns_delivery d SET attempts = {READ}
            FROM campaigns_audiencemember m WHERE {_MEMBER} AND m.subscriber_hash = ANY(%(hashes)s)
              AND {_QUEUED} AND d.attempts > 0
            RETURNING m.subscriber_hash
            """,
            hashes=[member["id"] for member in page],
        )

    def _change(self, add: list[str] | None = None, remove: list[str] | None = None) -> dict:
        return connect().change_tag(self.mailing.list_id, self.mailing.tag_id, add or [], remove or [])

    # Statements

    def _allowed(self) -> str:
        """Supporter.objects.contactable, which alone says who may be written to, for a row of ours."""
        people = Supporter.objects.contactable(self.mailing.appeal.purpose).values("pk")
        sql, parameters = people.query.sql_with_params()
        names = {f"p{number}": value for number, value in enumerate(parameters)}
        self.names |= names
        sql %= tuple(f"%({name})s" for name in names)
        return f"SELECT FROM ({sql}) allowed (id) WHERE allowed.id = d.supporter_id"

    def _skip_these(self, pks: list[int], reason: str) -> None:
        if pks:
            self._skip("d.id = ANY(%(pks)s)", reason, pks=pks)

    def _skip(self, condition: str, reason: str, **more: object) -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                UPDATE campaigns_delivery d SET state = 'skipped', updated_at = now(),
                    reason = CASE WHEN d.supporter_id IS NULL THEN %(erased)s ELSE %(reason)s END
                WHERE {_QUEUED} AND {condition}
                """,
                {**self.names, "reason": reason, "erased": ledger.ERASED, **more},
            )
            return cursor.rowcount

    def _one(self, sql: str) -> int:
        with connection.cursor() as cursor:
            cursor.execute(sql, self.names)
            return cursor.fetchone()[0]

    def _rows(self, sql: str, **more: object) -> list[tuple]:
        with connection.cursor() as cursor:
            cursor.execute(sql, {**self.names, "limit": CHUNK, **more})
            return cursor.fetchall()
