"""What the formats have in common: how amounts and moments are written, and how many rows a sheet takes."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Any

from django.utils import timezone

from supporters.exporting.listings import Column, Kind
from supporters.exporting.rows import Row, Table
from supporters.money import WHOLE_CURRENCIES

BATCH = 500
"""Rows that are written at once."""
SHEET_ROWS = 1_048_576
"""Rows of a sheet, its head included, in Excel and LibreOffice."""
_WHOLE = frozenset(WHOLE_CURRENCIES)
Cell = Callable[[Row], str]


def decimals(currency: str) -> int:
    """How many decimals an amount of this currency is written with."""
    return 0 if currency in _WHOLE else 2


def amount(value: Decimal, currency: str) -> str:
    return f"{value:.{decimals(currency)}f}"


def currency_of(table: Table, place: int) -> Cell:
    """A function from a row to the currency of the amount at this place."""
    at = table.currency_at[place]
    return (lambda row: at) if isinstance(at, str) else (lambda row: row[at] or "")


def local(moment: datetime) -> datetime:
    """In the time of the organisation, to the second."""
    return timezone.localtime(moment).replace(microsecond=0)


def as_texts(table: Table, plain: Callable[[Column], Callable[[Any], str]], nothing: str) -> list[Cell]:
    """For each column a function from a row to its cell, as formats of text write it."""
    return [_cell(table, place, column, plain(column), nothing) for place, column in enumerate(table.columns)]


def _cell(table: Table, place: int, column: Column, write: Callable[[Any], str], nothing: str) -> Cell:
    if column.kind is Kind.MONEY:
        currency = currency_of(table, place)
        return lambda row: nothing if row[place] is None else amount(row[place], currency(row))
    return lambda row: nothing if row[place] is None else write(row[place])


def batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    rows = iter(rows)
    while batch := list(islice(rows, BATCH)):
        yield batch
