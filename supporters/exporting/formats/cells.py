"""What the formats have in common: how amounts and moments are written, and how cells are, a column of a batch at a time."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import islice, repeat
from typing import Any

from django.utils import timezone

from supporters.exporting.listings import Kind
from supporters.exporting.rows import Row, Table
from supporters.money import WHOLE_CURRENCIES

BATCH = 500
"""Rows that are written at once."""
SHEET_ROWS = 1_048_576
"""Rows of a sheet, its head included, in Excel and LibreOffice."""
_WHOLE = frozenset(WHOLE_CURRENCIES)
Columns = Sequence[Sequence[Any]]
"""The values of a batch, column by column."""
Cells = Callable[[Columns], Iterable[str]]
"""The cells of one column of a batch."""


def decimals(currency: str) -> int:
    """How many decimals an amount of this currency is written with."""
    return 0 if currency in _WHOLE else 2


def amount(value: Decimal, currency: str) -> str:
    return f"{value:.{decimals(currency)}f}"


def local(moment: datetime) -> datetime:
    """In the time of the organisation, to the second."""
    return moment.astimezone(timezone.get_default_timezone()).replace(microsecond=0)


def in_text(
    table: Table,
    plain: dict[Kind, Callable[[Any], str]],
    *,
    money: Callable[[Any, str], str] = amount,
    nothing: str = "",
) -> Callable[[Sequence[Row]], Iterator[tuple[str, ...]]]:
    """A function from a batch of rows to their cells, as a format of text writes them: each kind by a function of its own."""
    writers = [_writer(table, place, plain, money, nothing) for place in range(len(table.columns))]

    def written(batch: Sequence[Row]) -> Iterator[tuple[str, ...]]:
        columns = list(zip(*batch, strict=True))
        return zip(*[write(columns) for write in writers], strict=True)

    return written


def _writer(
    table: Table, place: int, plain: dict[Kind, Callable[[Any], str]], money: Callable[[Any, str], str], nothing: str
) -> Cells:
    kind = table.columns[place].kind
    if kind is Kind.MONEY:
        at = table.currency_at[place]

        def amounts(columns: Columns) -> list[str]:
            currencies = repeat(at) if isinstance(at, str) else columns[at]
            return [
                nothing if value is None else money(value, currency or "")
                for value, currency in zip(columns[place], currencies, strict=False)
            ]

        return amounts
    write = plain[kind]
    return lambda columns: [nothing if value is None else write(value) for value in columns[place]]


def batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    rows = iter(rows)
    while batch := list(islice(rows, BATCH)):
        yield batch
