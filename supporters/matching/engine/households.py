"""A second look at pairs who share a home, a phone or an address on the net.

Splink's two classes are one person and two strangers. Relatives are neither: they agree in family name, street, town and
phone, all at once, so the sum of those weights makes a couple one person. Among pairs who share a home, what the home
brings along tells nothing; how often two people there agree is learnt from these pairs alone, and what makes two rows
one person is what housemates don't share.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from supporters.matching.engine.model import numbered

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SHARED = (
    ("address", ("same", "street")),
    ("address", ("postcode",)),
    ("phone", ("same",)),
    ("email", ("same",)),
)
OWN = ("first_name", "birth_date", "email")
"""What relatives choose or get as strangers do: how they agree in these is not learnt from them, for that is where one
person and two are told apart."""
_NAMESAKES = 0.01
"""How often a child has the first name of a parent."""
_BELIEF = 40
"""What we assume before looking counts as so many pairs."""
_ONE_PERSON = 0.5
_RELATIVES = {"last_name": {"same": 0.75, "typo": 0.02, "part": 0.03, "similar": 0.02, "different": 0.18}}


Levels = dict[int, tuple[str, float, float]]
"""Splink's number of a level to what it is called, its m and its u."""


@dataclass
class Household:
    """What is known of pairs who share one thing: how likely they are one person, and how housemates agree."""

    key: str
    values: list[int]
    names: list[str]
    same: list[dict[int, float]]
    mates: list[dict[int, float]]
    share: float = _ONE_PERSON

    def weigh(self, pattern: Sequence[int]) -> float:
        """Bits for one person, of a pattern of agreement in `names`."""
        return math.log2(self.share / (1 - self.share)) + sum(
            math.log2(self.same[place][value] / self.mates[place][value])
            for place, value in enumerate(pattern)
            if value >= 0
        )

    def patterns(self, con: "DuckDBPyConnection", scored: str) -> list[tuple]:
        """The patterns of agreement there are among such pairs, each with their number at its end."""
        columns = ", ".join(f"gamma_{name}" for name in self.names)
        return con.execute(f"SELECT {columns}, count(*) FROM {scored} WHERE {self._shared()} GROUP BY ALL").fetchall()

    def look_again(self, con: "DuckDBPyConnection", scored: str) -> None:
        """Lower match_weight of such pairs to what is known of them, where that is less."""
        weights = [(*pattern[:-1], self.weigh(pattern[:-1])) for pattern in self.patterns(con, scored)]
        if not weights:
            return
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE weights ({', '.join(f'gamma_{name} INT' for name in self.names)}, weight DOUBLE)"
        )
        con.executemany(f"INSERT INTO weights VALUES ({', '.join('?' * (len(self.names) + 1))})", weights)
        con.execute(
            f"""
            UPDATE {scored} SET match_weight = least(match_weight, weights.weight) FROM weights
            WHERE {self._shared()} AND {" AND ".join(f"{scored}.gamma_{name} = weights.gamma_{name}" for name in self.names)}
            """
        )

    def _shared(self) -> str:
        return f"gamma_{self.key} IN ({', '.join(map(str, self.values))})"


def learn(con: "DuckDBPyConnection", model: dict[str, Any], scored: str) -> list[Household]:
    """What the scored pairs tell of those who share a home."""
    comparisons = {each["output_column_name"]: levels(each["comparison_levels"]) for each in model["comparisons"]}
    found = []
    for key, codes in SHARED:
        if key not in comparisons:
            continue
        names = [name for name in comparisons if name != key]
        household = Household(
            key,
            [value for value, (code, _m, _u) in comparisons[key].items() if code in codes],
            names,
            [{value: m for value, (_code, m, _u) in comparisons[name].items()} for name in names],
            [
                {
                    value: _RELATIVES.get(name, {}).get(code, u)
                    + (_NAMESAKES if (name, code) == ("first_name", "same") else 0)
                    for value, (code, _m, u) in comparisons[name].items()
                }
                for name in names
            ],
        )
        if patterns := household.patterns(con, scored):
            _maximise(household, [(pattern[:-1], pattern[-1]) for pattern in patterns])
            found.append(household)
    return found


def _maximise(household: Household, counted: list[tuple[tuple, int]]) -> None:
    """Fit how housemates agree, and how many are one person, by expectation maximisation."""
    assumed = [dict(values) for values in household.mates]
    for _turn in range(60):
        sums = [dict.fromkeys(values, 0.0) for values in assumed]
        one, pairs = 0.0, 0
        for pattern, count in counted:
            probability = 1 / (1 + 2 ** -max(min(household.weigh(pattern), 500), -500))
            one, pairs = one + probability * count, pairs + count
            for place, value in enumerate(pattern):
                if value >= 0:
                    sums[place][value] += (1 - probability) * count
        household.share = (one + _BELIEF * _ONE_PERSON) / (pairs + _BELIEF)
        for place, values in enumerate(sums):
            if household.names[place] in OWN:
                continue
            total = sum(values.values()) + _BELIEF
            for value, count in values.items():
                household.mates[place][value] = (count + _BELIEF * assumed[place][value]) / total


def levels(counted: list[dict[str, Any]]) -> Levels:
    """What each level is called, with its m and its u."""
    return {
        number: (level["label_for_charts"], level["m_probability"], level["u_probability"])
        for number, level in numbered(counted).items()
    }
