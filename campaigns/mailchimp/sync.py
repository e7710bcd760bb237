"""When an audience is pushed and pulled, and what its runs tell: push.py, pull.py and compare.py do the work.

running ──▶ done | failed | held (it asks first), which goes on as running

A run that has handed calls in (bulk.py) is running until Mailchimp has answered them, and is looked after now and then.
"""

import time
from collections.abc import Callable
from datetime import timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from campaigns.mailchimp import bulk, newcomers, taking_up
from campaigns.mailchimp.client import MailchimpError
from campaigns.models import Audience, HandedIn, SyncRun
from supporters.locks import advisory_lock

STRETCH = 40
"""Seconds that one task works before it makes room for others."""
EVERY = timedelta(hours=1)


EACH_WEEK, EACH_DAY = timedelta(days=7), timedelta(days=1)
AGAIN = timedelta(minutes=10)
"""After a failure."""


class Held(Exception):
    """The run would take away more members than it may without asking."""

    def __init__(self, takes: int) -> None:
        super().__init__(takes)
        self.takes = takes


class OutOfTime(Exception):
    """The stretch is over; the rest is owed still."""


class UnderWay(Exception):
    """All is done but what Mailchimp was handed and has not answered yet."""


def work_on(pk: int, kind: str, work: Callable[[Audience, SyncRun, float], None], seconds: float) -> bool:
    """Work on an audience for this long, on its open run or a new one; returns whether more is to be done.

    False at once when the audience is paused or somebody else is at it.
    """
    with advisory_lock(f"mailchimp:{pk}") as ours:
        audience = Audience.objects.filter(pk=pk, paused=False).first()
        if not ours or audience is None:
            return False
        asked_at = audience.sync_requested_at
        run = _open_run(audience, kind)
        newcomers.settle(audience)
        if kind == SyncRun.Kind.PUSH:
            bulk.look_now(audience)
        until = time.monotonic() + seconds
        try:
            taking_up.take_up(audience, run.count, until)
            work(audience, run, until)
        except OutOfTime:
            SyncRun.objects.filter(pk=run.pk).update(counts=run.counts)
            return True
        except UnderWay:
            SyncRun.objects.filter(pk=run.pk).update(counts=run.counts)
        except Held as held:
            text = _("It would take %(number)s members away. Look why, and let it, or mend the segment.")
            SyncRun.objects.filter(pk=run.pk).update(
                state=SyncRun.State.HELD, counts=run.counts, takes=held.takes, error=text % {"number": held.takes}
            )
        except MailchimpError as error:
            _finish(run, SyncRun.State.FAILED, error.for_staff)
        except Exception:
            _finish(run, SyncRun.State.FAILED, _("It stopped with an error that was written to the log."))
            raise
        else:
            _finish(run, SyncRun.State.DONE)
        if kind == SyncRun.Kind.PUSH:
            bulk.look_later(audience)
            Audience.objects.filter(pk=pk, sync_requested_at=asked_at).update(sync_requested_at=None)
        return False


def _open_run(audience: Audience, kind: str) -> SyncRun:
    """The run that is to go on, or a new one."""
    run = audience.runs.filter(kind=kind, state__in=[SyncRun.State.RUNNING, SyncRun.State.HELD]).first()
    if run is None:
        return SyncRun.objects.create(audience=audience, kind=kind)
    SyncRun.objects.filter(pk=run.pk).update(state=SyncRun.State.RUNNING, worked_at=Now(), error="")
    return run


def _finish(run: SyncRun, state: str, error: str = "") -> None:
    SyncRun.objects.filter(pk=run.pk).update(state=state, error=error, counts=run.counts, finished_at=Now())


def push_due() -> dict:
    """Hand out the audiences whose push was asked for, was cut short, failed a while ago, or is over an hour old, and those for whom
    Mailchimp may have done by now what it was handed; and those of whom somebody wants to know what one would do."""
    from campaigns.tasks import preview_audience, push_audience

    _hand_out(Audience.objects.filter(preview_requested_at__isnull=False), preview_audience)

    pushes = SyncRun.objects.filter(audience=OuterRef("pk"), kind=SyncRun.Kind.PUSH)
    recent = pushes.filter(
        Q(worked_at__gt=Now() - EVERY) & ~Q(state=SyncRun.State.FAILED) | Q(worked_at__gt=Now() - AGAIN)
    )
    cut_short = pushes.filter(state=SyncRun.State.RUNNING)
    failed = pushes.filter(state=SyncRun.State.FAILED, worked_at__gt=Now() - AGAIN)
    handed_in = HandedIn.objects.filter(audience=OuterRef("pk"))
    due = Audience.objects.filter(paused=False).filter(
        Q(sync_requested_at__isnull=False)
        | Exists(cut_short) & ~Exists(handed_in)
        | Exists(handed_in.filter(look_at__lte=Now())) & ~Exists(failed)
        | ~Exists(recent)
    )
    return _hand_out(due, push_audience)


def pull_due() -> dict:
    """Hand out every audience for its nightly reading."""
    from campaigns.tasks import pull_audience

    return _hand_out(Audience.objects.filter(paused=False), pull_audience)


def compare_due() -> dict:
    """Hand out each audience that was not compared as a whole for a week, or whose comparison was cut short."""
    from campaigns.tasks import compare_audience

    runs = SyncRun.objects.filter(audience=OuterRef("pk"), kind=SyncRun.Kind.COMPARE)
    under_way = runs.filter(state=SyncRun.State.RUNNING)
    recent = runs.filter(
        Q(started_at__gt=Now() - EACH_WEEK) & ~Q(state=SyncRun.State.FAILED) | Q(started_at__gt=Now() - EACH_DAY)
    )
    return _hand_out(
        Audience.objects.filter(Exists(under_way) | ~Exists(recent), paused=False, changed_since__isnull=False),
        compare_audience,
    )


def _hand_out(audiences: QuerySet[Audience], task) -> dict:  # noqa: ANN001
    keys = list(audiences.values_list("pk", flat=True))
    for pk in keys:
        task.delay(pk)
    return {"audiences": len(keys)}
