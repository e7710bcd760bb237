"""Reading what changed in an audience since last time, and mending what no webhook told."""

import time
from datetime import UTC, datetime, timedelta

from django.db import transaction

from campaigns.mailchimp import shadow, webhooks
from campaigns.mailchimp.client import connect
from campaigns.mailchimp.shadow import Heard
from campaigns.mailchimp.sync import STRETCH, OutOfTime, work_on
from campaigns.models import Audience, SyncRun

OVERLAP = timedelta(minutes=5)
"""How far a pull reads back behind what it has seen: Mailchimp's clocks are several."""
SECOND = timedelta(seconds=1)
"""What Mailchimp's times are exact to; `since_last_changed` leaves the second it names out."""
BEFORE_MAILCHIMP = datetime(2001, 1, 1, tzinfo=UTC)
"""Where the first read begins: with everybody who was there before us."""
PAGE = 1000


def pull(pk: int, seconds: float = STRETCH) -> bool:
    """Read what changed in an audience since last time; returns whether more is to be read."""
    return work_on(pk, SyncRun.Kind.PULL, _pull, seconds)


def _pull(audience: Audience, run: SyncRun, until: float) -> None:
    mailchimp = connect()
    webhooks.ensure(mailchimp, audience)
    since = (audience.changed_since or BEFORE_MAILCHIMP) - OVERLAP
    offset = 0
    while True:
        if time.monotonic() > until:
            raise OutOfTime
        page = mailchimp.changed_members(audience.list_id, since.isoformat(timespec="seconds"), offset, PAGE)
        heard = [
            Heard(
                member["id"],
                member["email_address"],
                member["status"],
                datetime.fromisoformat(member["last_changed"]),
            )
            for member in page
        ]
        if heard:
            newest = _take_page(audience, run, heard)
            # Read on from the newest second of the page, which may hold more; where one second fills a page, by
            # offset, with a tenth read twice: members who change meanwhile move back and shift the rest forward.
            behind = newest - SECOND
            since, offset = (behind, 0) if behind > since else (since, offset + PAGE - PAGE // 10)
        if len(page) < PAGE:
            return


def _take_page(audience: Audience, run: SyncRun, heard: list[Heard]) -> datetime:
    newest = max(row.changed_at for row in heard)
    with transaction.atomic():
        counts = shadow.hear(audience, heard, f"Mailchimp: {audience.name}"[:250])
        Audience.objects.filter(pk=audience.pk).update(changed_since=newest)
    for name, number in {"read": len(heard), **counts}.items():
        if number:
            run.counts[name] = run.counts.get(name, 0) + number
    SyncRun.objects.filter(pk=run.pk).update(counts=run.counts)
    return newest
