"""What is held of people, table by table: the one list that export and erasure go by.

Each floor declares its own tables in a module `personal`; the roof joins them (crm.personal). A test fails for a table
that points at supporters or has room for something personal, and stands in none of these lists.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, reduce
from operator import or_
from typing import Any

from django.apps import apps
from django.db.models import Field, Model, QuerySet
from django.db.models.expressions import Combinable
from django.utils.functional import Promise

from supporters.models import Merge, Supporter

Row = dict[str, Any]
CHUNK = 500
"""Rows in memory at once."""
_NAMES = {"name", "title"}
_DETAILS = ("street", "postcode", "city", "phone")


@dataclass(frozen=True)
class Person:
    """By what somebody is known where no key leads to them."""

    pk: int
    email: str = ""
    first_name: str = ""
    last_name: str = ""
    references: frozenset[str] = frozenset()
    """As other systems have them, without the system's name."""
    details: frozenset[str] = frozenset()
    """What tells namesakes apart, without case and spaces."""
    guises: tuple["Person", ...] = ()
    """As they were known in records that were merged into theirs, each with their key of now."""

    @classmethod
    def of(cls, supporter: Supporter) -> "Person":
        now = cls._by(supporter)
        return replace(now, guises=tuple(cls._before(now, merge) for merge in supporter.merges.standing()))

    @classmethod
    def _before(cls, now: "Person", merge: Merge) -> "Person":
        away = merge.away
        details = [away.get(name) or "" for name in (*_DETAILS, "birth_date")]
        return cls(
            now.pk,
            merge.other_email or "",
            away.get("first_name", ""),
            away.get("last_name", ""),
            details=frozenset(filter(None, map(_bare, details))),
        )

    @classmethod
    def _by(cls, supporter: Supporter) -> "Person":
        details = [getattr(supporter, name) for name in _DETAILS]
        if supporter.birth_date:
            details.append(supporter.birth_date.isoformat())
        return cls(
            supporter.pk,
            supporter.email or "",
            supporter.first_name,
            supporter.last_name,
            frozenset(supporter.references.values_list("identifier", flat=True)),
            frozenset(filter(None, map(_bare, details))),
        )

    @cached_property
    def traces(self) -> tuple[str, ...]:
        """Texts of which one stands wherever this person is mentioned, in lower case."""
        words = re.findall(r"\w+", self.last_name.lower()) if self.first_name else []
        return tuple(filter(None, (self.email, *map(str.lower, self.references), max(words, key=len, default=""))))

    @cached_property
    def words(self) -> frozenset[str]:
        """Words of which one stands, as a whole, wherever one of the traces does."""
        told = [self.email.partition("@")[0] or self.email, *self.traces[bool(self.email) :]]
        found = [re.findall(r"\w+", each) or [each] for each in told if each]
        return frozenset(max(words, key=len) for words in found)

    @cached_property
    def _address(self) -> re.Pattern[str]:
        # Not in a longer address that begins or ends like it.
        return re.compile(rf"(?:^|[^a-z0-9._%+-]){re.escape(self.email)}(?:$|[^a-z0-9.-]|[.](?:$|[^a-z0-9]))")

    def mentioned_in(self, cells: Sequence[str], references_at: Collection[int] = ()) -> bool:
        """Whether a row of a file is about this person.

        It is if it holds their address, their reference in a column of references, or their name together with
        something else that is theirs: a name alone may be a namesake's.
        """
        low = [cell.strip().lower() for cell in cells]
        if self.email and any(self.email in cell and self._address.search(cell) for cell in low):
            return True
        if any(cells[index].strip() in self.references for index in references_at if index < len(cells)):
            return True
        return self._named_in(low) and not self.details.isdisjoint(map(_bare, low))

    def _named_in(self, low: Sequence[str]) -> bool:
        first, last = self.first_name.lower(), self.last_name.lower()
        if not (first and last):
            return False
        whole = {f"{first} {last}", f"{last} {first}", f"{last}, {first}"}
        return (first in low and last in low) or not whole.isdisjoint(low)


def _bare(text: str) -> str:
    return re.sub(r"\s", "", text.lower())


def _nothing(_person: Person) -> None:
    """It goes with what it belongs to, or may stay once the person is gone."""


@dataclass(frozen=True)
class Holding:
    """A table with something of people in it."""

    name: str
    """Its key in an export, which stays what it is."""
    title: str | Promise
    model: str
    about: Callable[[Person], QuerySet]
    """The rows about a person."""
    columns: Mapping[str, str | Combinable]
    """What an export shows, by keys that stay what they are: paths of fields, or expressions."""
    labels: Mapping[str, str | Promise] = field(default_factory=dict)
    """How people call what an expression shows; a path is called as its field is."""
    unshown: Mapping[str, str] = field(default_factory=dict)
    """Fields with room for something personal that are not shown as they are, each with the reason."""
    forget: Callable[[Person], object] = _nothing
    """Takes the person out of it, for good and as often as it is called."""
    given: bool = False
    """Whether the person gave it to us, by what they typed or did: they may take it elsewhere (GDPR, article 20)."""
    confirmed_outside: bool = False
    """Whether rows stay until a service outside has forgotten the person too, and go then: `forget` returns their keys."""
    finish: Callable[[Row], Row] = dict
    """Makes of a row what is shown of it,"""
    made: frozenset[str] = frozenset()
    """changing what these columns hold."""
    read: Callable[[Person], Iterator[Row]] | None = None
    """Finds what no query finds,"""
    by_key: bool = False
    """by the key alone, which is the same under every name."""

    @property
    def table(self) -> type[Model]:
        return apps.get_model(self.model)

    def whose(self, person: Person) -> QuerySet:
        """The rows about somebody, under whatever name they were on file."""
        return reduce(or_, (self.about(each) for each in (*person.guises, person)))

    def forget_all(self, person: Person) -> list[int]:
        """Take the person out of it, under whatever name; returns the rows that stay until somebody outside confirms."""
        left = [self.forget(each) for each in (*person.guises, person)]
        return [key for keys in left for key in keys] if self.confirmed_outside else []

    def rows(self, person: Person) -> Iterator[Row]:
        """What is held, as a stream, the oldest first."""
        if self.read:
            for each in (person, *(() if self.by_key else person.guises)):
                yield from self.read(each)
            return
        values = self.whose(person).order_by("pk").values_list(*self.columns.values())
        for row in values.iterator(CHUNK):
            yield self.finish(dict(zip(self.columns, row, strict=True)))

    def fields(self, name: str) -> list[Field]:
        """The fields on the way to what a column shows; none where an expression makes it."""
        path = self.columns[name]
        if not isinstance(path, str):
            return []
        model, found = self.table, []
        for part in path.split("__"):
            found.append(model._meta.get_field(part))
            model = found[-1].related_model
        return found

    def field(self, name: str) -> Field | None:
        """The field whose value a column shows, if it is one."""
        return next(reversed(self.fields(name)), None)

    def label(self, name: str) -> str:
        """What people call a column, in the language of the moment."""
        if name in self.labels:
            return str(self.labels[name])
        # The name of an organisation is called an organisation.
        named = [field for field in self.fields(name) if field.name not in _NAMES] or self.fields(name)
        return str(named[-1].verbose_name if named else name)


def same(*names: str) -> dict[str, str | Combinable]:
    """Columns that are called as their fields are."""
    return {name: name for name in names}


def escape_like(text: str) -> str:
    """A text as LIKE finds it, with nothing standing for anything else."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
