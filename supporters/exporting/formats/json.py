"""One JSON array with an object a line (RFC 8259), amounts as numbers with their own decimals, days and moments as ISO 8601."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from supporters.exporting.formats.cells import as_texts, batches, local
from supporters.exporting.listings import Column, Kind
from supporters.exporting.rows import Table

_text = json.JSONEncoder(ensure_ascii=False).encode
_WRITERS: dict[Kind, Callable[[Any], str]] = {
    Kind.NUMBER: str,
    Kind.DAY: lambda day: f'"{day.isoformat()}"',
    Kind.MOMENT: lambda moment: f'"{local(moment).isoformat()}"',
    Kind.FLAG: lambda flag: "true" if flag else "false",
}


def write(table: Table) -> Iterator[bytes]:
    heads = [f"{_text(column.name)}: " for column in table.columns]
    cells = list(zip(heads, as_texts(table, _plain, "null"), strict=True))
    before = "[\n"
    for batch in batches(table.rows):
        lines = ["{" + ", ".join([head + cell(row) for head, cell in cells]) + "}" for row in batch]
        yield (before + ",\n".join(lines)).encode()
        before = ",\n"
    yield b"[]\n" if before == "[\n" else b"\n]\n"


def _plain(column: Column) -> Callable[[Any], str]:
    return _WRITERS.get(column.kind, lambda value: _text(str(value)))
