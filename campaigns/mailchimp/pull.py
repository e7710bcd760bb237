"""Reading what changed in an audience since last time, and mending what no webhook told.

Each page is taken over and the place behind it written down in one transaction, so a read that dies goes on from there.
It advances by Mailchimp's clock alone, and reads a little back each time: Mailchimp's clocks are several.
"""

import time
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce, Greatest

from campaigns.mailchimp import hooks, mapping, reading
from campaigns.mailchimp.client import Mailchimp, connect
from campaigns.mailchimp.hearing import Heard, hear
from campaigns.mailchimp.merging import merge
from campaigns.mailchimp.reading import BEFORE_MAILCHIMP, Place
from campaigns.mailchimp.sync import STRETCH, OutOfTime, work_on
from campaigns.models import Audience, SyncRun

OVERLAP = timedelta(minutes=5)
EVERY_ARCHIVED = timedelta(hours=20)
"""How often those are asked for by themselves who were archived; a list without them is what Mailchimp may answer else."""
CHANGED, ARCHIVED = "changed", "archived"


def pull(pk: int, seconds: float = STRETCH) -> bool:
    """Read what changed in an audience since last time; returns whether more is to be read."""
    return work_on(pk, SyncRun.Kind.PULL, _pull, seconds)


def _pull(audience: Audience, run: SyncRun, until: float) -> None:
    """Raises OutOfTime, MailchimpError."""
    mailchimp = connect()
    hooks.ensure(mailchimp, audience)
    catch_up(mailchimp, audience, run, until)


def catch_up(mailchimp: Mailchimp, audience: Audience, run: SyncRun, until: float, *, archived: bool = False) -> None:
    """Read what changed since last time, who was archived too if that is said. Raises OutOfTime, MailchimpError."""
    if not audience.merge_fields:
        audience.merge_fields = dict(mapping.DEFAULT_MERGE_FIELDS)
    asked_at = audience.pull_requested_at
    _read(mailchimp, audience, run, until, CHANGED, audience.changed_since)
    read_at = audience.place.get("archived_at")
    if archived or not read_at or datetime.now(UTC) - datetime.fromisoformat(read_at) > EVERY_ARCHIVED:
        since = audience.place.get("archived_to")
        _read(mailchimp, audience, run, until, ARCHIVED, since and datetime.fromisoformat(since))
        audience.place["archived_at"] = datetime.now(UTC).isoformat()
        audience.save(update_fields=["place"])
    if asked_at:
        Audience.objects.filter(pk=audience.pk, pull_requested_at=asked_at).update(pull_requested_at=None)


def _read(
    mailchimp: Mailchimp, audience: Audience, run: SyncRun, until: float, what: str, since: datetime | None
) -> None:
    kept = audience.place.get(what)
    place = Place.of(kept) if kept else Place((since or BEFORE_MAILCHIMP) - OVERLAP)
    for heard, after in reading.pages(mailchimp, audience, place, status=ARCHIVED if what == ARCHIVED else ""):
        _take(audience, run, heard, after, what)
        if time.monotonic() > until and not after.done:
            raise OutOfTime


@transaction.atomic
def _take(audience: Audience, run: SyncRun, heard: list[Heard], after: Place, what: str) -> None:
    counts = take_over(audience, heard)
    newest = max((row.changed_at for row in heard), default=None)
    audience.place.pop(what, None)
    if not after.done:
        audience.place[what] = after.kept()
    if newest and what == ARCHIVED:
        audience.place["archived_to"] = newest.isoformat()
    elif newest:
        Audience.objects.filter(pk=audience.pk).update(
            changed_since=Greatest(Coalesce(F("changed_since"), newest), newest)
        )
    audience.save(update_fields=["place"])
    for name, number in counts.items():
        run.counts[name] = run.counts.get(name, 0) + number
    SyncRun.objects.filter(pk=run.pk).update(counts=run.counts)


def take_over(audience: Audience, heard: list[Heard]) -> dict[str, int]:
    """Hear and merge a page, in the caller's transaction. Returns counts for staff."""
    if not heard:
        return {}
    return {"read": len(heard), **hear(audience, heard, source(audience)), **merge(audience, heard)}


def source(audience: Audience) -> str:
    """What a line of the consent ledger says of where it came from."""
    return f"Mailchimp: {audience.name}"[:250]
