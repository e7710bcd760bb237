"""The rows of a listing as a stream: by a cursor on the server, so that memory stays flat however many there are."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from django.db.models import QuerySet

from supporters.exporting.listings import Asked, Column, Extent, Listing

FETCHED = 2_000
"""Rows that one trip to the database brings."""
Row = Sequence[Any]


@dataclass(frozen=True)
class Table:
    """What a file is written from. A row may be longer than the columns: what follows is for us."""

    title: str
    columns: tuple[Column, ...]
    rows: Iterator[Row]
    currency_at: dict[int, int | str]
    """The place of an amount in a row to that of its currency, or to the currency itself."""
    people_at: tuple[int, ...]
    """The places of supporters' keys."""
    expected: int

    def watched(self, watch: Callable[[Iterator[Row]], Iterator[Row]]) -> Self:
        """The same, with somebody who sees each row go by."""
        return replace(self, rows=watch(self.rows))


def table(listing: Listing, asked: Asked, extent: Extent, names: Sequence[str]) -> Table:
    columns = listing.chosen(asked, names)
    if isinstance(extent.rows, QuerySet):
        sources = [column.source for column in columns]
        currencies = {place: column.currency for place, column in enumerate(columns) if column.currency}
        hidden = [*dict.fromkeys(currencies.values()), *listing.person]
        currency_at = {place: len(sources) + hidden.index(path) for place, path in currencies.items()}
        first = len(sources) + len(hidden) - len(listing.person)
        rows = _alone(extent.rows).values_list(*sources, *hidden).iterator(FETCHED)
        people_at = tuple(range(first, first + len(listing.person)))
    else:
        offered = [column.name for column in listing.offered(asked)]
        # By their places, for the columns of a file may bear one name twice.
        taken = [place for place, column in enumerate(listing.offered(asked)) if column in columns]
        currency_at = {}
        for place, column in enumerate(columns):
            if column.currency in offered:
                currency_at[place] = len(taken)
                taken.append(offered.index(column.currency))
            elif column.currency:
                currency_at[place] = column.currency
        rows = ([row[place] for place in taken] for row in extent.rows)
        people_at = ()
    return Table(extent.what, tuple(columns), rows, currency_at, people_at, extent.count)


def count(extent: Extent) -> int:
    """How many rows there are, exactly: for whoever has the time."""
    return _alone(extent.rows).count() if isinstance(extent.rows, QuerySet) else extent.count


def _alone(rows: QuerySet) -> QuerySet:
    """Each row once, and nothing beside it."""
    if rows.query.distinct:
        rows = rows.model._default_manager.filter(pk__in=rows.order_by().values("pk")).order_by(*rows.query.order_by)
    return rows.select_related(None).prefetch_related(None)
