"""Undoing an import, as long as nothing was built on what it wrote.

    (none) ──ask──▶ looking ──work──▶ looked ──start──▶ undoing ──work──▶ undone
                       ▲                 │        (and the run: done, failed, cancelled ──▶ undoing ──▶ undone)
                       └───────ask───────┘

Looking says what can be undone and what stands in the way, and changes nothing. Undoing goes through the slices of the import
from the last to the first; each is one transaction with its mark (slices), so whoever takes it up goes on where it was
cut short. People and gifts that were made are removed; records on file get back what they had; references, tags and grants are
taken away. A row that is built on stays whole and is listed. A grant on which something was sent becomes a withdrawal.
What people were told to be left alone stays: a leaving is never undone.
"""

import time
from collections import Counter
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now

from supporters.importing.undoing import slices
from supporters.importing.undoing.slices import GIFT
from supporters.locks import advisory_lock
from supporters.models import ImportRow, ImportRun, ImportTrace, ImportUndo

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

State = ImportUndo.State
STRETCH = 40
"""Seconds that one task works before it makes room for others."""
LISTED = 200
"""Rows that can't be undone and are listed on the page."""
_OVER = [ImportRun.State.DONE, ImportRun.State.FAILED, ImportRun.State.CANCELLED]


def possible(run: ImportRun) -> bool:
    """Whether it is over, and what it wrote is still known."""
    return run.state in _OVER and run.traces.exists()


def ask(run: ImportRun, by: "AbstractBaseUser | None" = None) -> bool:
    """Have it seen what can be undone; False when there is nothing to undo. Whoever calls hands it to a worker."""
    if not possible(run):
        return False
    fresh = {"state": State.LOOKING, "asked_by": by, "asked_at": Now(), "looked_at": None, "slices": 0}
    with transaction.atomic():
        undo, new = ImportUndo.objects.get_or_create(run=run, defaults=fresh)
        if not new:
            waiting = ImportUndo.objects.filter(pk=undo.pk, state__in=[State.LOOKING, State.LOOKED])
            waiting.update(turn=F("turn") + 1, counts={}, kept=[], **fresh)
    return True


@transaction.atomic
def start(run: ImportRun, by: "AbstractBaseUser | None" = None) -> bool:
    """Undo it; False when that was not looked at, or has begun. Whoever calls hands it to a worker."""
    looked = ImportUndo.objects.filter(run=run, state=State.LOOKED)
    if not looked.update(state=State.UNDOING, asked_by=by, slices=0, counts={}, kept=[]):
        return False
    # The rows before the run: so does whoever settles them.
    waiting = run.failures.filter(verdict__in=["waiting", "same", "second"], settled_at=None)
    waiting.update(verdict=ImportRow.Verdict.LEFT_OUT, settled_at=Now(), values=[])
    if not ImportRun.objects.filter(pk=run.pk, state__in=_OVER).update(state=ImportRun.State.UNDOING, doubtful=0):
        transaction.set_rollback(True)
        return False
    return True


def owed() -> QuerySet[ImportUndo]:
    return ImportUndo.objects.filter(state__in=[State.LOOKING, State.UNDOING])


def work(pk: int, seconds: float = STRETCH) -> bool:
    """Go on with what is owed of this run for this long; returns whether more is to be done by whoever calls next."""
    with advisory_lock(f"import:{pk}") as ours:
        undo = owed().filter(run=pk).select_related("run").first() if ours else None
        if undo is None:
            return False
        if undo.state == State.LOOKING:
            _look(undo)
            return owed().filter(run=pk).exists()
        return _undo(undo, time.monotonic() + seconds)


def _look(undo: ImportUndo) -> None:
    counts: Counter = Counter()
    kept: list[list] = []
    held: set[int] = set()
    for done, trace in enumerate(undo.run.traces.order_by("-pk").iterator(1), start=1):
        with transaction.atomic():
            seen = slices.look(trace, held)
        held.update(key for _row, kind, key, _why in seen.kept if kind == GIFT)
        counts.update(seen.counts)
        kept += seen.kept[: LISTED - len(kept)]
        if not _of_this_turn(undo).update(slices=done):
            return
    _of_this_turn(undo).update(state=State.LOOKED, counts=counts, kept=kept, looked_at=Now())


def _of_this_turn(undo: ImportUndo) -> QuerySet[ImportUndo]:
    return ImportUndo.objects.filter(pk=undo.pk, turn=undo.turn, state=State.LOOKING)


def _undo(undo: ImportUndo, until: float) -> bool:
    run = undo.run
    while (pk := run.traces.filter(undone_at=None).order_by("-pk").values_list("pk", flat=True).first()) is not None:
        with transaction.atomic():
            trace = ImportTrace.objects.select_for_update().filter(pk=pk, undone_at=None).first()
            if trace is not None:
                slices.undo(trace, run, undo.asked_by_id)
                ImportUndo.objects.filter(pk=undo.pk).update(slices=F("slices") + 1)
        if time.monotonic() > until:
            return True
    _finish(undo)
    return False


@transaction.atomic
def _finish(undo: ImportUndo) -> None:
    counts: Counter = Counter()
    kept: list[list] = []
    for one, stay in undo.run.traces.order_by("-pk").values_list("counts", "kept").iterator(50):
        counts.update(one)
        kept += stay[: LISTED - len(kept)]
    ended = ImportUndo.objects.filter(pk=undo.pk, state=State.UNDOING)
    ended.update(state=State.UNDONE, counts=counts, kept=kept, finished_at=Now())
    ImportRun.objects.filter(pk=undo.run_id, state=ImportRun.State.UNDOING).update(state=ImportRun.State.UNDONE)


__all__ = ["LISTED", "ask", "owed", "possible", "start", "work"]
