"""Taking people out of the files that were uploaded for imports.

A row that is about somebody is left blank, so that the others keep their numbers and an import can go on. The file is
written anew as csv for that, whatever it was before: of a spreadsheet, what else lies in it goes. A file whose column names
are somebody's, or that can't be read to its end, is deleted whole.
"""

import csv
import tempfile
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path

from django.db import transaction
from django.utils.translation import gettext as _

from supporters import mentions
from supporters.holdings import Person
from supporters.importing import readers
from supporters.importing import run as runs
from supporters.importing.problems import FileProblem
from supporters.models import ImportChunk, ImportRun

UNDER_WAY = (ImportRun.State.QUEUED, ImportRun.State.RUNNING)
_CSV = {"format": "csv", "encoding": "utf-8-sig", "delimiter": ",", "sheet": "", "sheets": []}


def mentioned(run: ImportRun, people: Collection[Person]) -> set[int]:
    """The keys of those who stand in a stored file, on whatever sheet; of all where it can't be read."""
    try:
        with runs.stored_file(run) as path:
            layout = readers.Layout.from_json(run.layout)
            return {
                person.pk for sheet in _sheets(layout) for person, _row, _cells in _found(path, sheet, run, people)
            }
    except FileProblem:
        return {person.pk for person in people} if run.chunks.exists() else set()


def forget(run: ImportRun, people: Collection[Person]) -> int:
    """Take these people out of a stored file; returns how many rows were left blank, -1 if the file was deleted."""
    with transaction.atomic():
        run = ImportRun.objects.select_for_update().get(pk=run.pk)
        if run.state in UNDER_WAY or not run.chunks.exists():
            return 0
        try:
            with runs.stored_file(run) as path:
                return _forget(run, path, people)
        except FileProblem:
            return _delete(run)


def _forget(run: ImportRun, path: Path, people: Collection[Person]) -> int:
    layout = readers.Layout.from_json(run.layout)
    numbers = {number for _person, number, _cells in _found(path, layout, run, people)}
    elsewhere = any(_any(_found(path, sheet, run, people)) for sheet in _sheets(layout) if sheet != layout)
    if not numbers and not elsewhere:
        return 0
    data = [row.number for row in readers.read_rows(path, layout)]
    if numbers - set(data):
        return _delete(run)  # the column names
    with tempfile.NamedTemporaryFile(prefix="import-", mode="w+", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        for number, cells in enumerate(readers.records(path, layout), start=1):
            writer.writerow([] if number in numbers else cells)
        file.flush()
        run.chunks.all().delete()
        run.file_size = Path(file.name).stat().st_size
        with Path(file.name).open("rb") as written:
            for place, piece in enumerate(iter(lambda: written.read(runs.CHUNK), b"")):
                ImportChunk.objects.create(run=run, number=place, content=piece)
    run.layout |= _CSV
    run.rows -= len(numbers)
    run.checkpoint -= len(numbers.intersection(data[: run.checkpoint]))
    run.save(update_fields=["layout", "rows", "checkpoint", "file_size"])
    return len(numbers)


def _delete(run: ImportRun) -> int:
    run.chunks.all().delete()
    if run.state in {ImportRun.State.UPLOADED, ImportRun.State.FAILED}:
        run.error = _("The file was deleted, for it named somebody who was erased. Upload it again without them.")
        run.save(update_fields=["error"])
    return -1


def _sheets(layout: readers.Layout) -> list[readers.Layout]:
    return [layout, *(replace(layout, sheet=name) for name in layout.sheets if name != layout.sheet)]


def _found(
    path: Path, layout: readers.Layout, run: ImportRun, people: Collection[Person]
) -> Iterator[tuple[Person, int, list[str]]]:
    rows = (readers.Row(number, cells) for number, cells in enumerate(readers.records(path, layout), start=1))
    return mentions.lines_of(rows, run, people)


def _any(found: Iterator) -> bool:
    return next(found, None) is not None
