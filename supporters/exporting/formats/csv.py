"""Comma-separated text (RFC 4180) in UTF-8, with the mark by which Excel knows it for that."""

import csv
import io
from collections.abc import Callable, Iterator
from typing import Any

from supporters.exporting.formats.cells import batches, in_text, local
from supporters.exporting.guarding import guarded
from supporters.exporting.listings import Kind
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
    cells = in_text(table, _WRITERS)
    for batch in batches(table.rows):
        writer.writerows(cells(batch))
        yield lines.getvalue().encode()
        lines.seek(0)
        lines.truncate()
    if rest := lines.getvalue():
        yield rest.encode()
