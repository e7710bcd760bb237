"""When an audience is pushed and pulled, and what its runs tell: push.py and pull.py do the work.

running ──▶ done | failed
"""

import time
from collections.abc import Callable
from datetime import timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from campaigns.mailchimp.client import MailchimpError
from campaigns.models import Audience, SyncRun
from supporters.locks import advisory_lock

STRETCH = 40
"""Seconds that one task works before it makes room for others."""
EVERY = timedelta(hours=1)


class OutOfTime(Exception):
    """The stretch is over; the rest is owed still."""


def work_on(pk: int, kind: str, work: Callable[[Audience, SyncRun, float], None], seconds: float) -> bool:
    """Work on an audience for this long, on its open run or a new one; returns whether more is to be done.

    False at once when the audience is paused or somebody else is at it.
    """
    with advisory_lock(f"mailchimp:{pk}") as ours:
        audience = Audience.objects.filter(pk=pk, paused=False).first()
        if not ours or audience is None:
            return False
        asked_at = audience.sync_requested_at
        run = audience.runs.filter(kind=kind, state=SyncRun.State.RUNNING).first()
        run = run or SyncRun.objects.create(audience=audience, kind=kind)
        try:
            work(audience, run, time.monotonic() + seconds)
        except OutOfTime:
            return True
        except MailchimpError as error:
            _finish(run, SyncRun.State.FAILED, error.for_staff)
        except Exception:
            _finish(run, SyncRun.State.FAILED, _("It stopped with an error that was written to the log."))
            raise
        else:
            _finish(run, SyncRun.State.DONE)
        if kind == SyncRun.Kind.PUSH:
            Audience.objects.filter(pk=pk, sync_requested_at=asked_at).update(sync_requested_at=None)
        return False


def _finish(run: SyncRun, state: str, error: str = "") -> None:
    SyncRun.objects.filter(pk=run.pk).update(state=state, error=error, counts=run.counts, finished_at=Now())


def push_due() -> dict:
    """Hand out the audiences whose push was asked for, was cut short, or is over an hour old."""
    from campaigns.tasks import push_audience

    recent = SyncRun.objects.filter(audience=OuterRef("pk"), kind=SyncRun.Kind.PUSH, started_at__gt=Now() - EVERY)
    unfinished = SyncRun.objects.filter(audience=OuterRef("pk"), kind=SyncRun.Kind.PUSH, state=SyncRun.State.RUNNING)
    due = Audience.objects.filter(paused=False).filter(
        Q(sync_requested_at__isnull=False) | Exists(unfinished) | ~Exists(recent)
    )
    return _hand_out(due, push_audience)


def pull_due() -> dict:
    """Hand out every audience for its nightly reading."""
    from campaigns.tasks import pull_audience

    return _hand_out(Audience.objects.filter(paused=False), pull_audience)


def _hand_out(audiences: QuerySet[Audience], task) -> dict:  # noqa: ANN001
    keys = list(audiences.values_list("pk", flat=True))
    for pk in keys:
        task.delay(pk)
    return {"audiences": len(keys)}
