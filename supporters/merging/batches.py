"""Merging the certain doubles all at once, by a worker, and taking that back.

    running ──work──▶ done            each pair in a transaction of its own
     ▲   └──stop──▶ stopped ──go_on──▶ running
     └── a worker that died: the tick gives the rest to another
    running, stopped, done ──take_back──▶ undoing ──work──▶ undone

What is merged stands in Merge, what could not be in `left_out`, and what is owed is every certain pair that is open still: a
batch that is killed anywhere goes on where it was. Only one works at a time, so that no two decide about the same people.
"""

import logging
import time
from typing import TYPE_CHECKING

from django.db import InterfaceError, OperationalError
from django.db.models import Max, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from supporters.locks import advisory_lock
from supporters.merging.choosing import survivor_of
from supporters.merging.joining import CannotMerge, merge
from supporters.merging.parting import CannotUndo, undo
from supporters.models import Double, MergeBatch, Supporter

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

logger = logging.getLogger(__name__)
State = MergeBatch.State
STRETCH = 40.0
"""Seconds that a worker stays with it before another task has a turn."""
UNDO = "undo "
"""Before the number of a merge in `left_out`; pairs stand there by their number alone."""


def certain(threshold: float) -> QuerySet[Double]:
    """The open pairs that may be merged without a look, at least this sure; the surest first."""
    pairs = Double.objects.open().filter(certain=True, loose=False, probability__gte=threshold)
    return pairs.order_by("-probability", "pk")


def start(threshold: float, by: "AbstractBaseUser | None" = None) -> MergeBatch:
    """Have the pairs that are certain now merged by the workers; what is found later is not this batch's."""
    newest = Double.objects.aggregate(newest=Max("pk"))["newest"] or 0
    return MergeBatch.objects.create(
        threshold=threshold, newest_double=newest, pairs=certain(threshold).count(), started_by=by
    )


def stop(batch: MergeBatch) -> bool:
    """Stop behind the pair that is being merged; False if it does not run."""
    return _change(batch.pk, [State.RUNNING], State.STOPPED)


def go_on(batch: MergeBatch) -> bool:
    return _change(batch.pk, [State.STOPPED], State.RUNNING)


def take_back(batch: MergeBatch, by: "AbstractBaseUser | None" = None) -> bool:
    """Have all of its merges undone; False if that is under way or done."""
    return _change(batch.pk, [State.RUNNING, State.STOPPED, State.DONE], State.UNDOING, taken_back_by=by)


def hand_out() -> dict[str, int]:
    """Give every batch that is owed to a worker."""
    from supporters.tasks import work_on_merges

    owed = list(MergeBatch.objects.filter(state__in=[State.RUNNING, State.UNDOING]).values_list("pk", flat=True))
    for pk in owed:
        work_on_merges.delay(pk)
    return {"owed": len(owed)}


def work(pk: int, seconds: float = STRETCH) -> bool:
    """Go on with a batch for this long; whether more is to be done. False at once when any batch is being worked on."""
    until = time.monotonic() + seconds
    with advisory_lock("merges") as ours:
        if not ours:
            return False
        while batch := MergeBatch.objects.filter(pk=pk, state__in=[State.RUNNING, State.UNDOING]).first():
            step = _undo_next if batch.state == State.UNDOING else _merge_next
            if step(batch) and time.monotonic() > until:
                return True
    return False


def _merge_next(batch: MergeBatch) -> bool:
    """Merge one pair; False if there is none left, and the batch is done."""
    pairs = certain(batch.threshold).filter(pk__lte=batch.newest_double)
    left_out = [int(key) for key in batch.left_out if not key.startswith(UNDO)]
    pair = pairs.exclude(pk__in=left_out).select_related("first", "second").first()
    if pair is None:
        _change(batch.pk, [State.RUNNING], State.DONE, finished_at=Now())
        return False
    try:
        if why := _speaks_against(pair.first, pair.second):
            raise CannotMerge(why)
        survivor, away = survivor_of(pair.first, pair.second)
        merge(survivor.pk, away.pk, by=batch.started_by, batch=batch, probability=pair.probability)
    except CannotMerge as problem:
        _leave_out(batch, str(pair.pk), str(problem))
    except (OperationalError, InterfaceError):
        raise  # The database is away: the batch stays owed.
    except Exception:
        logger.exception("Pair %s could not be merged", pair.pk)
        _leave_out(batch, str(pair.pk), _("The program failed on this pair; the log says where."))
    return True


def _undo_next(batch: MergeBatch) -> bool:
    left_out = [int(key.removeprefix(UNDO)) for key in batch.left_out if key.startswith(UNDO)]
    act = batch.merges.standing().exclude(pk__in=left_out).order_by("-pk").first()
    if act is None:
        _change(batch.pk, [State.UNDOING], State.UNDONE, finished_at=Now())
        return False
    try:
        undo(act.pk, by=batch.taken_back_by)
    except CannotUndo as problem:
        _leave_out(batch, f"{UNDO}{act.pk}", str(problem))
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        logger.exception("Merge %s could not be undone", act.pk)
        _leave_out(batch, f"{UNDO}{act.pk}", _("The program failed on this merge; the log says where."))
    return True


def _speaks_against(one: Supporter, other: Supporter) -> str:
    """What a person has to look at, however sure the search is; empty if nothing."""
    if one.birth_date and other.birth_date and one.birth_date != other.birth_date:
        return _("Their birth dates differ.")
    if one.pk == other.shares_email_with_id or other.pk == one.shares_email_with_id:
        return _("They are kept as two people who share an address.")
    return ""


def _leave_out(batch: MergeBatch, key: str, why: str) -> None:
    """Only one works on a batch, so nothing is written over."""
    MergeBatch.objects.filter(pk=batch.pk).update(left_out={**batch.left_out, key: why})


def _change(pk: int, before: list[str], after: str, **fields: object) -> bool:
    return MergeBatch.objects.filter(pk=pk, state__in=before).update(state=after, **fields) == 1
