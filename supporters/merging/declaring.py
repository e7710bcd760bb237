"""What a merge does with each table that points at supporters.

Each app declares its tables in MOVES of its module `moves`, which is found by its name: what lies above is not imported here.
A test fails for a table that points at supporters and stands in none of these lists; until somebody declares it, its rows
simply go over.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache

from django.apps import apps
from django.db import connection
from django.db.models import Model
from django.utils.functional import Promise

from supporters.declared import declared, pointing_at
from supporters.models import Supporter

Kept = dict[str, object]
"""What a table had to give up, in JSON: what `restore` needs to give it back. `fewer` says by how many rows it is shorter."""


@dataclass(frozen=True)
class Pair:
    """The people of a merge, by their keys."""

    survivor: int
    away: int
    other_email: str = ""
    """The address that is given up, if both had one."""
    keeps_address: int = 0
    """Whose address stays."""

    def run(self, statement: str, **parameters: object) -> list[tuple]:
        """The rows of a statement in which %(survivor)s and %(away)s are the two."""
        with connection.cursor() as cursor:
            cursor.execute(
                statement,
                {
                    "survivor": self.survivor,
                    "away": self.away,
                    "other_email": self.other_email,
                    "keeps_address": self.keeps_address,
                    **parameters,
                },
            )
            return cursor.fetchall() if cursor.description else []


def _nothing(_pair: Pair) -> Kept:
    return {}


def _leave(_pair: Pair, _kept: Kept) -> None:
    """What was given up was nothing."""


@dataclass(frozen=True)
class Move:
    """The rows of one table that go over to the survivor."""

    model: str
    field: str = "supporter"
    settle: Callable[[Pair], Kept] = _nothing
    """Called before: gives up what there can only be one of."""
    restore: Callable[[Pair, Kept], None] = _leave
    """Called once the rows have gone back: undoes `settle`."""
    key: str = "id"
    condition: str = "true"
    """Which of the rows go over, in SQL."""
    cast: str = ""
    """What the key of a person has to be made into."""
    always: bool = False
    """Whether `settle` may make rows of somebody who has none."""
    locked_first: bool = False
    """Whether its rows are locked before the people: whoever writes them holds on to them and reaches for the person then."""
    counted: bool = True
    """Whether as many rows have to be there after as before, less those that `settle` gave up."""
    title: str | Promise = ""
    """What staff call the rows, where that is not what the table is called;"""
    shown: bool = True
    """whether they are told how many there are."""
    twice: str | Promise = ""
    """What staff are told of what there can only be one of."""

    @property
    def table(self) -> type[Model]:
        return apps.get_model(self.model)

    @property
    def name(self) -> str:
        return f"{self.model}.{self.field}"

    @property
    def label(self) -> str:
        return str(self.title or self.table._meta.verbose_name_plural)

    @property
    def _names(self) -> tuple[str, str]:
        return self.table._meta.db_table, self.table._meta.get_field(self.field).column

    def lock(self, pks: Iterable[int]) -> None:
        table, column = self._names
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT FROM {table} WHERE {column} = ANY(%s) ORDER BY {column}, {self.key} FOR UPDATE",
                [sorted(pks)],
            )

    def counting(self) -> str:
        """A statement that counts the rows of these people: %(pks)s."""
        table, column = self._names
        people = "%(pks)s::text[]" if self.cast else "%(pks)s"
        return f"""SELECT '{self.name}', {column}::bigint, count(*) FROM {table}
                   WHERE {column} = ANY({people}) AND {self.condition} GROUP BY {column}"""

    def go(self, pair: Pair) -> list[int]:
        """Give the rows to the survivor; returns their keys."""
        table, column = self._names
        return [
            key
            for (key,) in pair.run(
                f"""
                UPDATE {table} SET {column} = %(survivor)s{self.cast}
                WHERE {column} = %(away)s{self.cast} AND {self.condition} RETURNING {self.key}
                """
            )
        ]

    def go_back(self, pair: Pair, keys: list[int]) -> None:
        table, column = self._names
        pair.run(
            f"""
            UPDATE {table} SET {column} = %(away)s{self.cast}
            WHERE {column} = %(survivor)s{self.cast} AND {self.key} = ANY(%(keys)s)
            """,
            keys=keys,
        )


@cache
def moves() -> tuple[Move, ...]:
    """Of all apps, in the order in which they are done."""
    found = declared("moves", "MOVES")
    named = {move.name for move in found}
    found += [Move(*place.split(":")) for place in pointing_at(Supporter) if place.replace(":", ".") not in named]
    return tuple(found)


def count(pks: Iterable[int]) -> dict[str, dict[int, int]]:
    """How many rows each of these people has, by table."""
    found: dict[str, dict[int, int]] = {move.name: {} for move in moves()}
    with connection.cursor() as cursor:
        cursor.execute(_counting(), {"pks": list(pks)})
        for name, pk, number in cursor.fetchall():
            found[name][pk] = number
    return found


@cache
def _counting() -> str:
    return " UNION ALL ".join(move.counting() for move in moves())


def one_per(model: str, other: str, field: str = "supporter", **more: object) -> Move:
    """For a table with one row per person and something else: who has two gives up that of the record merged away."""

    def settle(pair: Pair) -> Kept:
        rows = pair.run(
            f"""
            DELETE FROM {table()} gone WHERE {field}_id = %(away)s AND EXISTS (
                SELECT FROM {table()} other WHERE other.{field}_id = %(survivor)s AND other.{other} = gone.{other})
            RETURNING to_jsonb(gone)::text
            """
        )
        return {"rows": [json.loads(row) for (row,) in rows], "fewer": len(rows)} if rows else {}

    def restore(pair: Pair, kept: Kept) -> None:
        put_back(table(), kept["rows"])

    def table() -> str:
        return apps.get_model(model)._meta.db_table

    return Move(model, field, settle, restore, **more)


def put_back(table: str, rows: object, columns: Iterable[str] = ()) -> None:
    """Insert rows as they were; one that is there again stays."""
    names = ", ".join(f'"{name}"' for name in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO {table} {f"({names})" if names else ""}
            SELECT {names or "*"} FROM jsonb_populate_recordset(NULL::{table}, %s::jsonb) ON CONFLICT DO NOTHING
            """,
            [json.dumps(rows)],
        )
