"""Doubtful rows, of two kinds.

Couples, families and offices share an email address. Rather than making Anna into Erik, an import holds Erik's row
until staff say who he is. And a row that no reference and no address leads anywhere with may be about somebody on file
all the same (supporters.matching.door): rather than making a double of them, it is held too.

    waiting ──decide──▶ same      the person on file: the row changes them         ──settle──▶ settled
            ──decide──▶ second    another person; whose address is the first's is   ──settle──▶ settled
                                  kept without one and reached through them
            ──decide──▶ left_out  (settled at once)

Deciding is one conditional UPDATE, so the first of two who decide has it. Settling goes through the statements of
every import, with its rows marked as settled in the same transaction; what a dead worker left is taken up by the tick.
A settled row keeps who decided what and when, but no longer what it held. Two who were told apart are no possible
double any more (supporters.matching).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction
from django.db.models import Count, F, QuerySet
from django.db.models.functions import Now

from supporters.importing import staging
from supporters.importing.parsing import parser_for
from supporters.importing.problems import RowProblem
from supporters.importing.rounds import in_rounds
from supporters.importing.staging import Counts, Failure
from supporters.importing.tracing import Trace
from supporters.models import ImportRow, ImportRun

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

Verdict = ImportRow.Verdict
SLICE = 5_000
"""Rows in one transaction."""


def waiting(run: ImportRun) -> QuerySet[ImportRow]:
    return run.failures.filter(verdict=Verdict.WAITING)


def reasons(run: ImportRun) -> list[tuple[str, int]]:
    """Why rows wait, and how many for each reason; the commonest first."""
    return list(waiting(run).order_by().values_list("reason").annotate(rows=Count("pk")).order_by("-rows", "reason"))


@transaction.atomic
def decide(
    run: ImportRun,
    verdict: str,
    *,
    numbers: Sequence[int] | None = None,
    reason: str = "",
    by: "AbstractBaseUser | None" = None,
) -> int:
    """Say what these rows are, or all that wait (for this reason); returns how many still waited. Whoever calls has
    them settled."""
    rows = waiting(run)
    if numbers is not None:
        rows = rows.filter(number__in=numbers)
    if reason:
        rows = rows.filter(reason=reason)
    fields: dict = {"verdict": verdict, "decided_by": by, "decided_at": Now()}
    if verdict == Verdict.LEFT_OUT:
        fields |= {"settled_at": Now(), "values": []}
    decided = rows.update(**fields)
    if verdict == Verdict.LEFT_OUT:
        ImportRun.objects.filter(pk=run.pk).update(doubtful=F("doubtful") - decided)
    return decided


def owed() -> QuerySet[ImportRow]:
    """What was decided and is not done yet."""
    return ImportRow.objects.filter(verdict__in=[Verdict.SAME, Verdict.SECOND], settled_at=None)


def settle(pk: int) -> None:
    """Bring in what was decided on in this run, in slices. Twice at the same time does no harm."""
    run = ImportRun.objects.get(pk=pk)
    parse = parser_for(run)
    while _settle_slice(run, parse):
        pass


def _settle_slice(run: ImportRun, parse) -> bool:  # noqa: ANN001
    for attempt in range(3):
        try:
            with transaction.atomic():
                return _settle(run, parse)
        except IntegrityError:
            # Somebody else wrote the same person at the same moment: the next try finds them on file.
            if attempt == 2:
                raise
    return False


def _settle(run: ImportRun, parse) -> bool:  # noqa: ANN001
    rows = list(owed().filter(run=run).order_by("number").select_for_update()[:SLICE])
    if not rows:
        return False
    cells = {row.number: row.values for row in rows}
    ImportRow.objects.filter(pk__in=[row.pk for row in rows]).update(settled_at=Now(), values=[])
    staged, failures = [], []
    for row in rows:
        try:
            staged.append(parse(row.number, row.values))
        except RowProblem as problem:
            failures.append(Failure(row.number, row.values, str(problem)))
    whom = {row.number: row.supporter_id for row in rows if row.verdict == Verdict.SAME}
    counts = staging.load_supporters(
        run, staging.ready(in_rounds(staged, whom)), cells, decided=True, watch=Trace(run)
    )
    if failures:
        staging.keep_failures(run, failures)
    counts = counts.plus(Counts(failed=len(failures), doubtful=-len(rows)))
    ImportRun.objects.filter(pk=run.pk).update(**{name: F(name) + count for name, count in counts._asdict().items()})
    return True
