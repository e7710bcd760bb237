"""Rows in the letters of COPY, which any thread can write: it is half of what a slice takes of Python.

Text format: https://www.postgresql.org/docs/current/sql-copy.html
"""

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

Row = TypeVar("Row", bound=tuple)
_ESCAPED = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})
_SPECIAL = re.compile(r"[\\\t\n\r]")
_PLAIN = {int, bool, Decimal, date, UUID}
"""Types whose values are written as they are, all of them."""
_AT_ONCE = 1_000
"""Rows whose values are there twice at a time."""
_IN_QUOTES = str.maketrans({"\\": r"\\", '"': r"\""})


class Ready(NamedTuple, Generic[Row]):
    """Rows of one kind, and how COPY reads them."""

    rows: Sequence[Row]
    text: bytes


def ready(rows: Sequence[Row]) -> Ready[Row]:
    return Ready(rows, b"".join([_text(rows[at : at + _AT_ONCE]) for at in range(0, len(rows), _AT_ONCE)]))


def copy(cursor: Any, table: str, columns: Sequence[str], text: bytes) -> None:
    with cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
        copy.write(text)


def _text(rows: Sequence[tuple]) -> bytes:
    lines = map("\t".join, zip(*map(_letters, zip(*rows, strict=True)), strict=True))
    return "".join([f"{line}\n" for line in lines]).encode()


def _letters(column: tuple) -> Sequence[str]:
    """A column's values as COPY reads them. What holds of all of them is found out once."""
    kinds = set(map(type, column))
    if kinds == {str}:
        return [value.translate(_ESCAPED) for value in column] if _SPECIAL.search("\0".join(column)) else column
    if kinds <= _PLAIN:
        return list(map(str, column))
    if len(kinds) == 1 and column.count(column[0]) == len(column):
        return [_of(column[0])] * len(column)
    return [_of(value) for value in column]


def _of(value: object) -> str:
    if value is None:
        return r"\N"
    if isinstance(value, list | tuple):
        return f"{{{','.join([_element(each) for each in value])}}}".translate(_ESCAPED)
    return str(value).translate(_ESCAPED)


def _element(value: str | None) -> str:
    return "NULL" if value is None else f'"{value.translate(_IN_QUOTES)}"'
