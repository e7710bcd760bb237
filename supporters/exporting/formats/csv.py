"""Comma-separated text (RFC 4180) in UTF-8, with the mark by which Excel knows it for that."""

import csv
import io
from collections.abc import Callable, Iterator
from typing import Any

from supporters.exporting.formats.cells import as_texts, batches, local
from supporters.exporting.guarding import guarded
from supporters.exporting.listings import Column, Kind
from supporters.exporting.rows import Table

_MARK = "\ufeff"
_WRITERS: dict[Kind, Callable[[Any], str]] = {
    Kind.TEXT: guarded,
    Kind.NUMBER: str,
    Kind.DAY: lambda day: day.isoformat(),
    Kind.MOMENT: lambda moment: local(moment).isoformat(),
    Kind.FLAG: lambda flag: "yes" if flag else "no",
}


def write(table: Table) -> Iterator[bytes]:
    lines = io.StringIO()
    writer = csv.writer(lines)
    lines.write(_MARK)
    writer.writerow([guarded(column.name) for column in table.columns])
    cells = as_texts(table, _plain, "")
    for batch in batches(table.rows):
        writer.writerows([[cell(row) for cell in cells] for row in batch])
        yield lines.getvalue().encode()
        lines.seek(0)
        lines.truncate()
    if rest := lines.getvalue():
        yield rest.encode()


def _plain(column: Column) -> Callable[[Any], str]:
    return _WRITERS.get(column.kind, guarded)
