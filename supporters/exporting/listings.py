"""What can be exported: each app declares its lists in its module `exports`, and all are found here by their names."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from django.db.models import Manager, Model, QuerySet
from django.db.models.expressions import Combinable
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.module_loading import autodiscover_modules

from supporters.keys import key

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

    from supporters.models import Export


Row = TypeVar("Row", bound=Model)
COUNT_LIMIT = 10_000
"""Rows counted exactly, in a list of the staff site too."""


class Kind(StrEnum):
    """What a cell is to a program that reads it."""

    TEXT = "text"
    NUMBER = "number"
    MONEY = "money"
    DAY = "day"
    MOMENT = "moment"
    FLAG = "flag"


@dataclass(frozen=True)
class Column:
    name: str
    """Its head in every format, which stays what it is: programs read it, our own importer too."""
    label: str | Promise
    source: str | Combinable = ""
    """A path of fields, or an expression; nothing where the listing makes its rows itself."""
    kind: Kind = Kind.TEXT
    currency: str = ""
    """Where the currency of an amount stands: a path of fields; where the listing makes its rows, a column, or the currency."""
    needs: str = ""
    """A permission without which it is not offered."""
    fixed: bool = False
    """Whether it always goes along."""
    people: bool = False
    """Whether it names people in a list that is not one of people."""


class NothingThere(Exception):
    """What is asked for is not there, or is asked for in a way that no list knows."""


@dataclass(frozen=True)
class Asked:
    """Who asked, and for which part of a list: a query as in the address of a page."""

    query: str = ""
    by: "AbstractBaseUser | None" = None
    """Nobody, if it is whoever runs the system, from the command line."""

    @cached_property
    def params(self) -> QueryDict:
        return QueryDict(self.query)

    def may(self, *permissions: str) -> bool:
        return self.by is None or self.by.has_perms(permissions)

    def number(self, name: str) -> int:
        """A key among the parameters; 0 where there is none."""
        return key(self.params.get(name, ""))

    def one(self, rows: Manager[Row] | QuerySet[Row], name: str) -> Row:
        """The row whose key is this parameter. Raises NothingThere."""
        if row := rows.filter(pk=self.number(name)).first():
            return row
        raise NothingThere


@dataclass(frozen=True)
class Extent:
    """What was asked for, worked out: the rows, how many, and what they are in words."""

    rows: QuerySet | Iterable[Sequence[Any]]
    count: int
    """Of a long list an estimate, or the number that is counted up to."""
    what: str
    filters: str = ""
    reason: str = ""
    """The usual one, which may be changed."""


def counted(rows: QuerySet, estimate: int = 0) -> int:
    """How many rows, as the lists of the staff site count: beyond COUNT_LIMIT an estimate will do."""
    number = rows.order_by()[: COUNT_LIMIT + 1].count()
    return number if number <= COUNT_LIMIT else max(estimate, COUNT_LIMIT)


@dataclass(frozen=True)
class Listing:
    name: str
    title: str | Promise
    extent: Callable[[Asked], Extent]
    """Raises NothingThere."""
    back: Callable[[Asked], str]
    """The address of the page that it is of."""
    columns: Sequence[Column] | Callable[[Asked], Sequence[Column]]
    needs: tuple[str, ...] = ()
    also_needs: Callable[[Asked], Sequence[str]] = lambda asked: ()
    """Permissions that depend on what is asked for."""
    people: bool = False
    """Whether its rows are about people, so that a reason is asked for."""
    person: tuple[str, ...] = ()
    """Paths to the keys of the supporters in a row."""
    allowed: Callable[[Asked], bool] | None = None
    """Who may have it where permissions don't decide."""
    handing_out: Callable[["Export", Sequence[int]], None] | None = None
    """Is told of the people in each few rows before they leave."""
    traced: bool = True
    """Whether these keys find everybody in it. A file where they don't goes whenever anybody is erased."""

    def may(self, asked: Asked) -> bool:
        if self.allowed:
            return self.allowed(asked)
        return asked.may(*self.needs) and asked.may(*self.also_needs(asked))

    def offered(self, asked: Asked) -> list[Column]:
        """The columns that this person may have."""
        columns = self.columns(asked) if callable(self.columns) else self.columns
        return [column for column in columns if not column.needs or asked.may(column.needs)]

    def chosen(self, asked: Asked, names: Sequence[str]) -> list[Column]:
        """Of the columns, those that were chosen, and those that always go along."""
        return [column for column in self.offered(asked) if column.fixed or column.name in names]


_LISTINGS: dict[str, Listing] = {}


def register(*listings: Listing) -> None:
    _LISTINGS.update({listing.name: listing for listing in listings})


@cache
def _found() -> dict[str, Listing]:
    autodiscover_modules("exports")
    return _LISTINGS


def get(name: str) -> Listing:
    """Raises NothingThere."""
    try:
        return _found()[name]
    except KeyError:
        raise NothingThere(name) from None


def every() -> Iterator[Listing]:
    return iter(_found().values())
