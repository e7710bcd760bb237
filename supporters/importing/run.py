"""The life of an import.

    uploaded ──start──▶ queued ──work──▶ running ──▶ done
        │                  │                ├──▶ failed ──resume──▶ queued
        └────cancel────────┴────cancel──────┘
                     cancelled                    (and on to undoing, undone: supporters.importing.undoing)

Each change is one conditional UPDATE. A worker goes through the file in slices; a slice's rows, failures, counts and
checkpoint are one transaction, so whoever takes a run up goes on behind the last whole slice, and no row is in
twice. Who works on a run holds its advisory lock, which ends with the process.
"""

import hashlib
import logging
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from supporters.importing import doubts, readers, remembering, staging, values
from supporters.importing import mapping as mappings
from supporters.importing.ahead import OneAhead
from supporters.importing.parsing import StagedDonation, StagedSupporter, parser_for
from supporters.importing.problems import FileProblem, NotTaken, RowProblem
from supporters.importing.rounds import in_rounds
from supporters.importing.staging import Counts, Failure
from supporters.importing.tracing import Trace
from supporters.locks import advisory_lock
from supporters.models import ImportChunk, ImportKey, ImportPreview, ImportRun, PreviewSlice

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

logger = logging.getLogger(__name__)

SLICE = 10_000
"""Rows in one transaction."""
FIRST_SLICE = 2_000
"""The same of the first one: while it is read PostgreSQL has nothing to write."""
STRETCH = 40
"""Seconds that one task works before it makes room for others."""
SAMPLE = 2_000
"""Rows that the mapping is guessed from."""
CHUNK = 1 << 20
State = ImportRun.State


def upload(
    kind: str,
    name: str,
    content: Iterable[bytes],
    *,
    created_by: "AbstractBaseUser | None" = None,
    options: dict | None = None,
) -> ImportRun:
    """Take a file in: store it, find out how it is to be read, guess what its columns mean. Raises FileProblem."""
    with tempfile.NamedTemporaryFile(prefix="import-") as file:
        readers.copy_to(iter(content), file)
        path = Path(file.name)
        layout = readers.inspect(path)
        with transaction.atomic():
            run = ImportRun.objects.create(
                kind=kind, file_name=Path(name).name[:250], created_by=created_by, options=options or {}
            )
            digest = hashlib.sha256()
            with path.open("rb") as stored:
                for number, piece in enumerate(iter(lambda: stored.read(CHUNK), b"")):
                    digest.update(piece)
                    ImportChunk.objects.create(run=run, number=number, content=piece)
            run.file_size, run.file_hash = path.stat().st_size, digest.digest()
            _describe(run, path, layout)
            run.save(update_fields=["kind", "options", "file_size", "file_hash", "layout", "mapping", "rows"])
    return run


def reread(run: ImportRun, layout: readers.Layout) -> None:
    """Read the file another way (encoding, delimiter, sheet) and map it anew. Raises FileProblem."""
    with stored_file(run) as path:
        _describe(run, path, layout)
    settle_on(run, ["kind", "options", "layout", "mapping", "rows"])


def guess_anew(run: ImportRun) -> None:
    """Map the columns by their names and contents alone, whatever was said of such columns before. Raises FileProblem."""
    if saved := remembering.saved_for(run):
        run.options = {name: value for name, value in run.options.items() if saved.options.get(name) != value}
    with stored_file(run) as path:
        _describe(run, path, readers.Layout.from_json(run.layout), from_memory=False)
    settle_on(run, ["kind", "options", "layout", "mapping", "rows"])


def settle_on(run: ImportRun, names: Iterable[str]) -> None:
    """Store these settings of a run. Raises FileProblem when it is no longer for anybody to change."""
    said = {name: getattr(run, name) for name in names}
    if not ImportRun.objects.filter(pk=run.pk, state=State.UPLOADED).update(**said):
        raise FileProblem(
            _("Somebody has started or cancelled this import meanwhile: it goes by what was said before.")
        )


def _describe(run: ImportRun, path: Path, layout: readers.Layout, *, from_memory: bool = True) -> None:
    header = readers.read_header(path, layout)
    samples = [row.cells for row in islice(readers.read_rows(path, layout), SAMPLE)]
    known = mappings.recognise(header)
    if known:
        run.kind = known.kind
        if known.provider:
            run.options["provider"] = known.provider
        if known.reference_system:
            run.options.setdefault("reference_system", known.reference_system)
    run.mapping = mappings.guess(run.kind, header, samples)
    run.rows = _read_through(readers.read_rows(path, layout), run.mapping["columns"])
    if not run.rows:
        raise FileProblem(_("The file has a row of column names, but no rows below it."))
    run.layout = layout.as_json()
    if known:
        run.layout["known"] = known.name
    elif mappings.is_mailchimp(header) and run.kind == ImportRun.Kind.SUPPORTERS:
        run.layout["known"] = "mailchimp"
        run.layout["standing"] = _mailchimp_standing(run.file_name, header)
    elif from_memory:
        remembering.recall(run, header)
    remembering.note_guess(run)


def _read_through(rows: Iterator[readers.Row], columns: list[dict]) -> int:
    """How many rows there are. All of them say in which order their dates are."""
    orders = {index: values.DateOrder() for index, column in enumerate(columns) if "order" in column}
    count = 0
    for row in rows:
        count += 1
        if not row.fault:
            for index, order in orders.items():
                order.see(row.cells[index])
    for index, order in orders.items():
        columns[index]["order"], columns[index]["ambiguous"] = order.told()
    return count


def _mailchimp_standing(file_name: str, header: Sequence[str]) -> str:
    """Which of Mailchimp's three files this is, by its own columns or else by its name."""
    names = {name.strip().upper() for name in header}
    if "CLEAN_TIME" in names or file_name.lower().startswith("cleaned"):
        return "cleaned"
    if "UNSUB_TIME" in names or file_name.lower().startswith("unsubscribed"):
        return "left"
    return "granted"


@contextmanager
def stored_file(run: ImportRun) -> Iterator[Path]:
    """The uploaded file on this machine's disk, for as long as the block runs. Raises FileProblem when it is gone."""
    with tempfile.NamedTemporaryFile(prefix="import-") as file:
        readers.copy_to(
            (
                bytes(content)
                for content in run.chunks.order_by("number").values_list("content", flat=True).iterator(4)
            ),
            file,
        )
        if not Path(file.name).stat().st_size:
            raise FileProblem(_("The file has been forgotten. Upload it again."))
        yield Path(file.name)


def first_rows(run: ImportRun, count: int = 10) -> list[tuple[int, dict[str, object], str]]:
    """The first rows as they will be read: number, values by field, and what is wrong."""
    parse = parser_for(run)
    rows = []
    with stored_file(run) as path:
        for row in islice(readers.read_rows(path, readers.Layout.from_json(run.layout)), count):
            try:
                parsed = parse(row.number, row.cells, row.fault)
                rows.append((row.number, parsed._asdict(), parsed.note))
            except (RowProblem, NotTaken) as problem:
                rows.append((row.number, {}, str(problem)))
    return rows


def start(run: ImportRun) -> bool:
    """Hand the run to the workers; False when it has been started or cancelled already. Raises FileProblem."""
    mappings.check(run.kind, run.mapping, [column["name"] for column in run.mapping.get("columns", [])])
    started = _change(run.pk, [State.UPLOADED], State.QUEUED)
    if started:
        _forget_previews(Q(run=run))
        remembering.remember(run)
        remembering.note_use(run)
    return started


def resume(run: ImportRun) -> bool:
    """Go on with a run that failed, behind its last whole slice; False when it has not failed."""
    return _change(run.pk, [State.FAILED], State.QUEUED, error="", finished_at=None)


def cancel(run: ImportRun) -> bool:
    """Stop behind the slice that is being written; what is in stays in."""
    cancelled = _change(run.pk, [State.UPLOADED, State.QUEUED, State.RUNNING], State.CANCELLED, finished_at=Now())
    if cancelled:
        _forget_previews(Q(run=run))
    return cancelled


def hand_out() -> dict:
    """Give every import that is owed to a worker: new ones, and those whose worker died."""
    from supporters.importing import preview, undoing
    from supporters.tasks import settle_doubts, work_on_import, work_on_preview, work_on_undo

    owed = list(ImportRun.objects.filter(state__in=[State.QUEUED, State.RUNNING]).values_list("pk", flat=True))
    for pk in owed:
        work_on_import.delay(pk)
    previews = list(preview.owed().values_list("run", flat=True))
    for pk in previews:
        work_on_preview.delay(pk)
    undos = list(undoing.owed().values_list("run", flat=True))
    for pk in undos:
        work_on_undo.delay(pk)
    decided = list(doubts.owed().order_by().values_list("run", flat=True).distinct())
    for pk in decided:
        settle_doubts.delay(pk)
    return {"owed": len(owed) + len(previews) + len(undos) + len(decided)}


def work(pk: int, seconds: float = STRETCH) -> bool:
    """Go on with a run for this long; returns whether more is to be done by whoever calls next.

    Returns False at once when somebody else is working on it.
    """
    with advisory_lock(f"import:{pk}") as ours:
        if not ours:
            return False
        _change(pk, [State.QUEUED], State.RUNNING, started_at=Now())
        run = ImportRun.objects.filter(pk=pk, state=State.RUNNING).first()
        if run is None:
            return False
        try:
            return _work(run, time.monotonic() + seconds)
        except FileProblem as problem:
            _change(pk, [State.RUNNING], State.FAILED, error=problem.for_staff, finished_at=Now())
        except (OperationalError, InterfaceError):
            raise  # the database is away: the run stays owed
        except Exception:
            # A fault of ours would meet every next attempt too: staff are told, and may try again.
            logger.exception("Import %s stopped", pk)
            error = _("A fault in the program stopped this import. What is in stays in; it can be resumed.")
            _change(pk, [State.RUNNING], State.FAILED, error=error, finished_at=Now())
        return False


class Slice(NamedTuple):
    """Rows that have been read, and what came of reading them."""

    cells: dict[int, list[str]]
    """By the number of the row."""
    staged: "staging.Ready[StagedSupporter] | staging.Ready[StagedDonation]"
    failures: list[Failure]
    not_taken: int


def _work(run: ImportRun, until: float) -> bool:
    with stored_file(run) as path:
        rows = islice(readers.read_rows(path, readers.Layout.from_json(run.layout)), run.checkpoint, None)
        # Reading keeps this process busy, writing PostgreSQL: both at a time take as long as the slower one.
        with OneAhead(_read_slices(run, rows)) as slices:
            for read in slices:
                if not _write_slice(run, read, _Watch(run, slices)):
                    ImportKey.objects.filter(run=run).delete()  # cancelled
                    return False
                if time.monotonic() > until:
                    return True
    if _change(run.pk, [State.RUNNING], State.DONE, finished_at=Now()):
        ImportKey.objects.filter(run=run).delete()
    return False


def slices_of(rows: Iterator[readers.Row], checkpoint: int = 0) -> Iterator[list[readers.Row]]:
    """The rows behind the checkpoint in the slices in which they go in, which are the same however often a run is cut short."""
    size = SLICE if checkpoint else min(FIRST_SLICE, SLICE)
    while slice_rows := list(islice(rows, size)):
        yield slice_rows
        size = SLICE


def _read_slices(run: ImportRun, rows: Iterator[readers.Row]) -> Iterator[Slice]:
    parse = parser_for(run)
    for slice_rows in slices_of(rows, run.checkpoint):
        staged, failures, not_taken = [], [], 0
        for row in slice_rows:
            try:
                staged.append(parse(row.number, row.cells, row.fault))
            except NotTaken:
                not_taken += 1
            except RowProblem as problem:
                failures.append(Failure(row.number, row.cells, str(problem)))
        if run.kind == ImportRun.Kind.SUPPORTERS:
            staged = in_rounds(staged)
        yield Slice({row.number: row.cells for row in slice_rows}, staging.ready(staged), failures, not_taken)


class _Watch(Trace):
    """Has the next slice read as soon as the rows of this one are with PostgreSQL."""

    def __init__(self, run: ImportRun, slices: OneAhead) -> None:
        super().__init__(run)
        self._slices = slices

    def before(self, cursor: Any) -> None:
        self._slices.begin()


def _write_slice(run: ImportRun, read: Slice, watch: staging.Watch) -> bool:
    """One slice, whole or not at all; False when the run was cancelled meanwhile."""
    load = staging.load_supporters if run.kind == ImportRun.Kind.SUPPORTERS else staging.load_donations
    for attempt in range(3):
        try:
            with transaction.atomic():
                counts = load(run, read.staged, read.cells, watch=watch)
                if read.failures:
                    staging.keep_failures(run, read.failures)
                counts = counts.plus(Counts(failed=len(read.failures), not_taken=read.not_taken))
                if not _advance(run, len(read.cells), counts):
                    transaction.set_rollback(True)
                    return False
        except IntegrityError:
            # Somebody else wrote the same person at the same moment: the next try finds them on file.
            if attempt == 2:
                raise
        else:
            run.checkpoint += len(read.cells)
            return True
    return False


def _advance(run: ImportRun, rows: int, counts: Counts) -> bool:
    added = {name: F(name) + count for name, count in counts._asdict().items()}
    rows_on = ImportRun.objects.filter(pk=run.pk, state=State.RUNNING, checkpoint=run.checkpoint)
    return rows_on.update(checkpoint=F("checkpoint") + rows, **added) == 1


def forget_files_of(imports: QuerySet[ImportRun]) -> None:
    """Delete the contents of these files, and what was kept for resuming them."""
    of_them = Q(run__in=imports)
    ImportChunk.objects.filter(of_them).delete()
    ImportKey.objects.filter(of_them).delete()
    _forget_previews(of_them)


def _forget_previews(which: Q) -> None:
    """What rows would have become; the numbers stay, to be held against what came."""
    PreviewSlice.objects.filter(preview__in=ImportPreview.objects.filter(which)).delete()


def _change(pk: int, before: list[str], after: str, **fields: object) -> bool:
    return ImportRun.objects.filter(pk=pk, state__in=before).update(state=after, **fields) == 1
