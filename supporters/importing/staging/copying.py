"""Rows in the letters of COPY, which any thread can write: it is half of what a slice takes of Python.

Text format: https://www.postgresql.org/docs/current/sql-copy.html
"""

from collections.abc import Sequence
from typing import Any, Generic, NamedTuple, TypeVar

Row = TypeVar("Row", bound=tuple)
_ESCAPED = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})
_IN_QUOTES = str.maketrans({"\\": r"\\", '"': r"\""})


class Ready(NamedTuple, Generic[Row]):
    """Rows of one kind, and how COPY reads them."""

    rows: Sequence[Row]
    text: bytes


def ready(rows: Sequence[Row]) -> Ready[Row]:
    return Ready(rows, "".join([_line(row) for row in rows]).encode())


def copy(cursor: Any, table: str, columns: Sequence[str], text: bytes) -> None:
    with cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
        copy.write(text)


def _line(row: tuple) -> str:
    return (
        "\t".join([value and value.translate(_ESCAPED) if type(value) is str else _other(value) for value in row])
        + "\n"
    )


def _other(value: object) -> str:
    if value is None:
        return r"\N"
    if isinstance(value, list | tuple):
        return f"{{{','.join([_element(each) for each in value])}}}".translate(_ESCAPED)
    return str(value).translate(_ESCAPED)


def _element(value: str | None) -> str:
    return "NULL" if value is None else f'"{value.translate(_IN_QUOTES)}"'
