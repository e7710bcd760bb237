"""What came of a mailing, read back into its deliveries page by page; each reading is whole, and may be repeated.

Read at once when it was sent, then again and again at growing distances for thirty days. Opens and clicks are kept where
those of our own mail are, and under the same switches: campaigns.mail.tracking.
"""

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_noop

from campaigns.appeals import ledger
from campaigns.mail.tracking import OPENING
from campaigns.mailchimp.campaign_calls import PAGE
from campaigns.mailchimp.client import Mailchimp, MailchimpError, connect
from campaigns.mailchimp.hearing import Heard, hear
from campaigns.mailchimp.sync import STRETCH, OutOfTime
from campaigns.models import AppealLink, AudienceMember, Delivery, Mailing
from supporters.locks import advisory_lock

SHORTEST, LONGEST = timedelta(minutes=15), timedelta(days=2)
"""Between two readings."""
KEPT_UP = timedelta(days=30)
"""How long after the sending results are read."""
HARD = gettext_noop("The address does not exist or refuses mail for good.")
SOFT = gettext_noop("It could not be delivered for now, and Mailchimp gave up.")
COMPLAINT = gettext_noop("They called it spam.")
NOT_SENT = gettext_noop("Mailchimp did not send it to them: they had left there by then.")
NOT_NAMED = gettext_noop("Mailchimp's report does not name them.")
Breathe = Callable[[], None]


def hand_out() -> dict[str, int]:
    """Give workers the mailings whose results are to be read now."""
    from campaigns.tasks import read_mailing_results  # which knows us

    due = list(Mailing.objects.filter(next_results_at__lte=Now()).values_list("pk", flat=True))
    for pk in due:
        read_mailing_results.apply_async(args=[pk], expires=55)
    return {"handed_out": len(due)}


def read_again(pk: int, seconds: float = STRETCH) -> bool:
    """Read the results of a mailing that was sent; returns whether more is to be read at once."""
    until = time.monotonic() + seconds

    def breathe() -> None:
        if time.monotonic() > until:
            raise OutOfTime

    with advisory_lock(f"mailing-results:{pk}") as ours:
        mailing = Mailing.objects.select_related("appeal__audience").filter(pk=pk, next_results_at__lte=Now()).first()
        if not ours or mailing is None:
            return False
        try:
            read(connect(), mailing, breathe)
        except OutOfTime:
            return True
        except MailchimpError as error:
            # Gone there, or not to be had just now: what was read stays.
            later = None if error.status == 404 else timezone.now() + SHORTEST
            Mailing.objects.filter(pk=pk).update(next_results_at=later)
        return False


def read(mailchimp: Mailchimp, mailing: Mailing, breathe: Breathe) -> None:
    """One whole reading, or the rest of one that was cut short. Raises OutOfTime, MailchimpError."""
    reading = _Reading(mailchimp, mailing)
    parts = [reading.reached, reading.left]
    if settings.COUNT_CLICKS or settings.COUNT_OPENS:
        parts.append(reading.acted)
    begun = mailing.cursor.get("part", 0)
    for number, part in enumerate(parts):
        if number < begun:
            continue
        offset = mailing.cursor.get("offset", 0) if number == begun else 0
        while True:
            breathe()
            if part(offset) < PAGE:
                break
            offset += PAGE
            _remember(mailing, {"part": number, "offset": offset})
        _remember(mailing, {"part": number + 1})
    reading.settle()
    age = timezone.now() - (mailing.sent_at or timezone.now())
    wait = min(max(age / 2, SHORTEST), LONGEST)
    Mailing.objects.filter(pk=mailing.pk).update(
        results=_sums(mailchimp.report(mailing.campaign_id)),
        results_at=Now(),
        next_results_at=timezone.now() + wait if age < KEPT_UP else None,
        cursor={},
    )
    mailing.refresh_from_db()
    if mailing.next_results_at is None:
        _tidy(mailchimp, mailing)


def skip_rest(mailing: Mailing) -> None:
    """Nobody more gets a cancelled mailing."""
    rest = Delivery.objects.filter(appeal=mailing.appeal_id, language=mailing.language, state=Delivery.State.QUEUED)
    rest.update(state=Delivery.State.SKIPPED, reason=ledger.CANCELLED, updated_at=Now())


def _remember(mailing: Mailing, cursor: dict) -> None:
    mailing.cursor = cursor
    Mailing.objects.filter(pk=mailing.pk).update(cursor=cursor)


def _sums(report: dict) -> dict[str, int]:
    bounces = report.get("bounces", {})
    return {
        "sent": report.get("emails_sent", 0),
        "bounced": bounces.get("hard_bounces", 0) + bounces.get("soft_bounces", 0),
        "left": report.get("unsubscribed", 0),
        "complained": report.get("abuse_reports", 0),
        "opened": report.get("opens", {}).get("unique_opens", 0),
        "clicked": report.get("clicks", {}).get("unique_subscriber_clicks", 0),
    }


def _tidy(mailchimp: Mailchimp, mailing: Mailing) -> None:
    """The tag has served; without this they would pile up there."""
    if mailing.tag_id is None:
        return
    try:
        mailchimp.remove_tag(mailing.list_id, mailing.tag_id)
    except MailchimpError as error:
        if error.status != 404:
            return
    Mailing.objects.filter(pk=mailing.pk).update(tag_id=None)


class _Reading:
    def __init__(self, mailchimp: Mailchimp, mailing: Mailing) -> None:
        self.mailchimp, self.mailing = mailchimp, mailing
        self.appeal = mailing.appeal
        self.names = {
            "audience": self.appeal.audience_id,
            "appeal": self.appeal.pk,
            "language": mailing.language,
            "sent_at": mailing.sent_at,
        }

    def reached(self, offset: int) -> int:
        """A page of those it was sent to; how many."""
        page = self.mailchimp.reached(self.mailing.campaign_id, offset)
        self._execute(
            """
            UPDATE campaigns_delivery d SET state = told.state, reason = told.reason, attempts = 1, updated_at = now(),
                sent_at = coalesce(d.sent_at, %(sent_at)s, now())
            FROM (
                SELECT m.supporter_id, CASE t.status WHEN 'sent' THEN 'sent' ELSE 'bounced' END AS state,
                       CASE t.status WHEN 'hard' THEN %(hard)s WHEN 'soft' THEN %(soft)s ELSE '' END AS reason
                FROM unnest(%(hashes)s::text[], %(statuses)s::text[]) AS t (hash, status)
                JOIN campaigns_audiencemember m ON m.audience_id = %(audience)s AND m.subscriber_hash = t.hash
            ) told
            WHERE d.appeal_id = %(appeal)s AND d.language = %(language)s AND d.supporter_id = told.supporter_id AND NOT d.doubled
              AND d.state NOT IN (told.state, 'complained')
            """,
            hashes=[row["email_id"] for row in page],
            statuses=[row["status"] for row in page],
            hard=HARD,
            soft=SOFT,
        )
        return len(page)

    def left(self, offset: int) -> int:
        """A page of those who left from it: they have left here too. Who called it spam has complained."""
        page = self.mailchimp.unsubscribed(self.mailing.campaign_id, offset)
        heard = [
            Heard(
                row["email_id"],
                row["email_address"],
                AudienceMember.Status.UNSUBSCRIBED,
                datetime.fromisoformat(row["timestamp"]),
                reason=row.get("reason", ""),
            )
            for row in page
        ]
        hear(self.appeal.audience, heard, f"Mailchimp: {self.appeal.name}"[:250])
        self._execute(
            """
            UPDATE campaigns_delivery d SET state = 'complained', reason = %(complaint)s, updated_at = now()
            FROM campaigns_audiencemember m
            WHERE m.audience_id = %(audience)s AND m.subscriber_hash = ANY(%(hashes)s)
              AND d.appeal_id = %(appeal)s AND d.language = %(language)s AND d.supporter_id = m.supporter_id AND NOT d.doubled
              AND d.state <> 'complained'
            """,
            hashes=[row["email_id"] for row in page if "abuse" in str(row.get("reason", "")).lower()],
            complaint=COMPLAINT,
        )
        return len(page)

    def acted(self, offset: int) -> int:
        """A page of what people did: each link they followed, how often, first and last."""
        page = self.mailchimp.activity(self.mailing.campaign_id, "", offset)
        acts: dict[tuple[str, str], list[str]] = {}
        for row in page:
            for act in row.get("activity", []):
                target = self._target(act)
                if target is not None:
                    acts.setdefault((row["email_id"], target), []).append(act["timestamp"])
        if acts:
            self._write(acts)
        return len(page)

    def _target(self, act: dict) -> str | None:
        if act["action"] == "open" and settings.COUNT_OPENS:
            return OPENING
        if act["action"] == "click" and settings.COUNT_CLICKS and self.appeal.count_clicks:
            return act.get("url") or None
        return None

    def _write(self, acts: dict[tuple[str, str], list[str]]) -> None:
        targets = sorted({target for _hash, target in acts})
        known = set(
            AppealLink.objects.filter(appeal=self.appeal, target__in=targets).values_list("target", flat=True)
        )
        AppealLink.objects.bulk_create(
            [AppealLink(appeal=self.appeal, target=target) for target in targets if target not in known],
            ignore_conflicts=True,
        )
        self._execute(
            """
            INSERT INTO campaigns_click (link_id, delivery_id, times, first_at, last_at)
            SELECT l.id, d.id, t.times, t.first_at, t.last_at
            FROM unnest(%(hashes)s::text[], %(targets)s::text[], %(times)s::int[], %(first)s::timestamptz[], %(last)s::timestamptz[])
                 AS t (hash, target, times, first_at, last_at)
            JOIN campaigns_audiencemember m ON m.audience_id = %(audience)s AND m.subscriber_hash = t.hash
            JOIN campaigns_delivery d ON d.supporter_id = m.supporter_id AND d.appeal_id = %(appeal)s AND d.language = %(language)s
            JOIN campaigns_appeallink l ON l.appeal_id = %(appeal)s AND md5(l.target) = md5(t.target)
            JOIN campaigns_appeal a ON a.id = %(appeal)s AND a.clicks_forgotten_at IS NULL
            ON CONFLICT (link_id, delivery_id) DO UPDATE SET times = excluded.times, first_at = excluded.first_at, last_at = excluded.last_at
            """,
            hashes=[key[0] for key in acts],
            targets=[key[1] for key in acts],
            times=[min(len(times), 1000) for times in acts.values()],
            first=[min(times) for times in acts.values()],
            last=[max(times) for times in acts.values()],
        )

    def settle(self) -> None:
        """Whom the report does not name: not sent, if it was cancelled or they had left there; else nobody knows."""
        if self.mailing.state == Mailing.State.CANCELLED:
            skip_rest(self.mailing)
            return
        self._execute(
            """
            UPDATE campaigns_delivery d SET updated_at = now(),
                state = CASE WHEN told.subscribed THEN 'unknown' ELSE 'skipped' END,
                reason = CASE WHEN told.subscribed THEN %(not_named)s ELSE %(not_sent)s END
            FROM (
                SELECT d.id, EXISTS (SELECT FROM campaigns_audiencemember m WHERE m.audience_id = %(audience)s
                                     AND m.supporter_id = d.supporter_id AND m.status = 'subscribed') AS subscribed
                FROM campaigns_delivery d
                WHERE d.appeal_id = %(appeal)s AND d.language = %(language)s AND d.state = 'queued'
            ) told WHERE d.id = told.id
            """,
            not_named=NOT_NAMED,
            not_sent=NOT_SENT,
        )

    def _execute(self, sql: str, **more: str | Sequence) -> None:
        with connection.cursor() as cursor:
            cursor.execute(sql, {**self.names, **more})
