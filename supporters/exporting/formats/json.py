"""One JSON array with an object a line (RFC 8259), amounts as numbers with their own decimals, days and moments as ISO 8601."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from supporters.exporting.formats.cells import batches, in_text, local
from supporters.exporting.listings import Kind
from supporters.exporting.rows import Table

_text = json.JSONEncoder(ensure_ascii=False).encode
_WRITERS: dict[Kind, Callable[[Any], str]] = {
    Kind.TEXT: lambda value: _text(str(value)),
    Kind.NUMBER: str,
    Kind.DAY: lambda day: f'"{day.isoformat()}"',
    Kind.MOMENT: lambda moment: f'"{local(moment).isoformat()}"',
    Kind.FLAG: lambda flag: "true" if flag else "false",
}


def write(table: Table) -> Iterator[bytes]:
    heads = [f"{_text(column.name)}: ".replace("%", "%%") for column in table.columns]
    line = "{" + ", ".join(f"{head}%s" for head in heads) + "}"
    cells = in_text(table, _WRITERS, nothing="null")
    before = "[\n"
    for batch in batches(table.rows):
        yield (before + ",\n".join([line % row for row in cells(batch)])).encode()
        before = ",\n"
    yield b"[]\n" if before == "[\n" else b"\n]\n"
