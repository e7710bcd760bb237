"""From people to pairs, step by step."""

import csv
import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from supporters.matching.engine import candidates, clusters, households, model, standards

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

CERTAIN = 10.0
"""Bits: a chance of about one in a thousand to be wrong, if the model is right."""
EVEN = 0.0
"""Bits at which one person is as likely as two: what a group needs between its people."""
NEVER = -1e6
"""Bits of a pair of whom staff said that they are two people."""
PROOFS = ("birth_date", "email", "phone")
"""What two people of one home and one name don't share. Without any of them nobody is merged unseen."""


class Found(NamedTuple):
    """A pair, in the order of the columns of the file that is written."""

    first: int
    second: int
    probability: float
    evidence: str
    cluster: int
    cluster_size: int
    loose: bool
    certain: bool
    together: bool
    """Whether they are in one group; else they look alike, and the rest of their groups speaks against it."""


def find(con: "DuckDBPyConnection", told: Callable[[int], None] = lambda percent: None) -> Iterator[Found]:
    """Find the doubles in the table `raw`, whose columns are standards.COLUMNS; `told` hears how far it
    is, in percent. Who is in the table `apart`, pair by pair, is in no group together."""
    told(5)
    standards.prepare(con)
    ((people,),) = con.execute("SELECT count(*) FROM people").fetchall()
    if people < 2 or not {"first_name", "last_name"} & set(model.used(con)):
        return
    told(10)
    candidates.propose(con)
    told(25)
    learnt = model.learn(con)
    told(45)
    model.score(con, learnt, "candidates", "scored")
    con.execute("DROP TABLE candidates")
    shift = model.relearn_prior(con, learnt, "scored") - model.prior_weight(learnt)
    con.execute(f"UPDATE scored SET match_weight = match_weight + ({shift})")
    corrections = model.correct(con, learnt, "scored")
    model.apply(con, learnt, corrections, "scored")
    homes = households.learn(con, learnt, "scored")
    for home in homes:
        home.look_again(con, "scored")
    told(75)
    con.execute("CREATE TABLE IF NOT EXISTS apart (a BIGINT, b BIGINT)")
    ties = con.execute(f"SELECT a, b, match_weight FROM scored WHERE match_weight > {EVEN}").fetchall()
    groups = list(clusters.bounded(ties, EVEN))
    apart = {(min(pair), max(pair)) for pair in con.execute("SELECT a, b FROM apart").fetchall()}
    _score_inside(con, learnt, groups, shift, corrections, homes)
    told(90)
    yield from _found(con, learnt, groups, apart)


def _score_inside(
    con: "DuckDBPyConnection",
    learnt: dict[str, Any],
    groups: list[tuple[list[int], bool]],
    shift: float,
    corrections: list[tuple[str, dict[int, float]]],
    homes: list[households.Household],
) -> None:
    """Score every pair within each group into `inside`: what nobody proposed speaks against a group too."""
    con.execute("CREATE OR REPLACE TABLE grouped (number BIGINT, id BIGINT)")
    numbers = [number for number, (group, _cut) in enumerate(groups) for _one in group]
    con.execute(
        "INSERT INTO grouped SELECT unnest(?), unnest(?)", [numbers, [one for group, _cut in groups for one in group]]
    )
    con.execute(
        """
        CREATE OR REPLACE TABLE wanted AS
        SELECT '0' AS match_key, l.id AS join_key_l, r.id AS join_key_r
        FROM grouped l JOIN grouped r ON l.number = r.number AND l.id < r.id
        """
    )
    model.score(con, learnt, "wanted", "inside", weakest=None)
    con.execute(f"UPDATE inside SET match_weight = match_weight + ({shift})")
    model.apply(con, learnt, corrections, "inside")
    for home in homes:
        home.look_again(con, "inside")


def _found(
    con: "DuckDBPyConnection", learnt: dict[str, Any], groups: list[tuple[list[int], bool]], apart: set[clusters.Pair]
) -> Iterator[Found]:
    names = [each["output_column_name"] for each in learnt["comparisons"]]
    codes = model.codes(learnt)
    columns = {row[0] for row in con.execute("DESCRIBE inside").fetchall()}
    weighs = [
        f"mw_{name}" + (f" + coalesce(mw_tf_adj_{name}, 0)" if f"mw_tf_adj_{name}" in columns else "")
        for name in names
    ]
    rows = con.cursor().execute(
        f"""
        SELECT grouped.number, a, b, match_weight, {", ".join(f"gamma_{name}" for name in names)}, {", ".join(weighs)}
        FROM inside JOIN grouped ON grouped.id = a ORDER BY grouped.number
        """
    )
    for number, pairs in _by_group(rows):
        people, cut = groups[number]
        weights = {(a, b): NEVER if (a, b) in apart else weight for a, b, weight, *_rest in pairs}
        seen = {(row[0], row[1]): row[3:] for row in pairs}
        ties = {
            pair: clusters.tie(
                weights[pair],
                [
                    bits if value >= 0 else None
                    for value, bits in zip(row[: len(names)], row[len(names) :], strict=True)
                ],
            )
            for pair, row in seen.items()
        }
        together = clusters.agglomerate(people, ties)
        home = {one: members for members in together for one in members}
        for (a, b), weight in weights.items():
            members = home[a]
            one = b in members
            if not one and weight <= EVEN:
                continue
            values = seen[a, b]
            how = {name: codes[name][value] for name, value in zip(names, values, strict=False) if value >= 0}
            loose = cut or not one or len(members) >= clusters.SUSPICIOUS or _torn(members, weights)
            bits = clusters.bottleneck(a, b, members, weights) if one else weight
            yield Found(
                a,
                b,
                round(1 / (1 + 2 ** -max(bits, -50.0)), 6),
                json.dumps(
                    [
                        {"what": name, "how": how[name], "weight": round(bits_of, 1)}
                        for name, bits_of in zip(names, values[len(names) :], strict=True)
                        if name in how
                    ]
                    + ([{"what": "group", "how": "others", "weight": 0}] if one and weight <= EVEN else [])
                ),
                min(members) if one else a,
                len(members) if one else 2,
                loose,
                one and not loose and weight >= CERTAIN and _plain(how),
                one,
            )


def _by_group(rows: "DuckDBPyConnection") -> Iterator[tuple[int, list[tuple]]]:
    current, pairs = None, []
    while batch := rows.fetchmany(10_000):
        for number, *row in batch:
            if number != current and pairs:
                yield current, pairs
                pairs = []
            current = number
            pairs.append(tuple(row))
    if pairs:
        yield current, pairs


def _torn(members: list[int], weights: dict[clusters.Pair, float]) -> bool:
    """Whether two in the group speak clearly against each other."""
    return any(weights[min(a, b), max(a, b)] < clusters.TORN for a in members for b in members if a < b)


def _plain(how: dict[str, str]) -> bool:
    """Whether name and something that is a person's own agree, and nothing speaks against it."""
    return (
        "different" not in how.values()
        and how.get("first_name") in {"same", "nickname", "typo", "swapped"}
        and (how.get("last_name") in {"same", "typo"} or how.get("first_name") == "swapped")
        and any(how.get(proof) == "same" for proof in PROOFS)
    )


def run(room: Path, *, memory: str, threads: int, told: Callable[[int], None]) -> None:
    """Read people.csv and apart.csv, without headers, write pairs.csv; what does not fit into memory goes to disk."""
    import duckdb

    logging.getLogger("splink").setLevel(logging.ERROR)
    con = duckdb.connect(str(room / "people.duckdb"))
    con.execute(f"SET memory_limit = '{memory}'; SET threads = {threads}; SET temp_directory = '{room}'")
    con.execute("SET preserve_insertion_order = false; SET enable_progress_bar = false")
    columns = {name: "BIGINT" if name == "id" else "VARCHAR" for name in standards.COLUMNS}
    _read(con, "raw", room / "people.csv", columns)
    _read(con, "apart", room / "apart.csv", {"a": "BIGINT", "b": "BIGINT"})
    with (room / "pairs.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(find(con, told))
    con.close()


def _read(con: "DuckDBPyConnection", table: str, path: Path, columns: dict[str, str]) -> None:
    con.execute(
        f"""
        CREATE TABLE {table} AS
        SELECT * FROM read_csv(?, header = false, delim = ',', quote = '"', escape = '"', columns = {columns},
                               auto_detect = false, parallel = false, null_padding = false)
        """,
        [str(path)],
    )
