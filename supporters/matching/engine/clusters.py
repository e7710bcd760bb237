"""Who belongs together. One wrong link would join two families, so a link alone joins nobody to a group.

Whoever is tied to each other directly or over others is looked at as a whole: every pair in it has been scored. The
strongest ties are joined first; from then on a group is compared as one person with several spellings, homes and
addresses. So what one row lacks another may bring in, and one row that looks alike is outvoted by those that don't.
"""

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import log2
from typing import NamedTuple

TORN = -6.0
"""Bits; two people of a group who speak so much against each other make it one to look at."""
LARGEST = 150
"""People looked at as a whole; of what is larger, the weakest ties are cut first."""
SUSPICIOUS = 6
"""A group of so many or more is for a person to look at closely."""

Pair = tuple[int, int]


def components(pairs: Iterable[Pair]) -> list[list[int]]:
    """Everybody who is tied to somebody, as groups that nothing ties to each other."""
    parent: dict[int, int] = {}

    def root(one: int) -> int:
        while (above := parent.setdefault(one, one)) != one:
            parent[one] = one = parent[above]
        return one

    for first, second in pairs:
        parent[root(first)] = root(second)
    groups: dict[int, list[int]] = {}
    for one in parent:
        groups.setdefault(root(one), []).append(one)
    return list(groups.values())


def bounded(ties: list[tuple[int, int, float]], threshold: float) -> Iterator[tuple[list[int], bool]]:
    """Components of at most LARGEST people, and whether weak ties had to be cut for that."""
    yield from _bounded([each for each in ties if each[2] > threshold], threshold, cut=False)


def _bounded(ties: list[tuple[int, int, float]], threshold: float, *, cut: bool) -> Iterator[tuple[list[int], bool]]:
    groups = components((first, second) for first, second, _weight in ties)
    large = {one for group in groups if len(group) > LARGEST for one in group}
    yield from ((group, cut) for group in groups if len(group) <= LARGEST)
    if large:
        rest = [each for each in ties if each[0] in large and each[2] > threshold + 1]
        yield from _bounded(rest, threshold + 1, cut=True)


class Tie(NamedTuple):
    """All that is known between two people, or two groups of them."""

    pairs: int
    ground: float
    """Bits, summed over the pairs, of what no comparison says: how rare doubles are, what a shared home takes back."""
    odds: tuple[float, ...]
    """Per comparison, the likelihood ratio, summed over the pairs that have both values."""
    known: tuple[int, ...]

    def plus(self, other: "Tie") -> "Tie":
        return Tie(
            self.pairs + other.pairs,
            self.ground + other.ground,
            tuple(a + b for a, b in zip(self.odds, other.odds, strict=True)),
            tuple(a + b for a, b in zip(self.known, other.known, strict=True)),
        )

    @property
    def weight(self) -> float:
        """Bits for one person: in each comparison, one group's value is any of its people's, with equal chances."""
        return self.ground / self.pairs + sum(
            log2(odds / known) for odds, known in zip(self.odds, self.known, strict=True) if known
        )


def tie(weight: float, comparisons: Sequence[float | None]) -> Tie:
    """What a pair's weight and those of its comparisons tell; None where a value is missing."""
    return Tie(
        1,
        weight - sum(bits for bits in comparisons if bits is not None),
        tuple(0.0 if bits is None else 2**bits for bits in comparisons),
        tuple(0 if bits is None else 1 for bits in comparisons),
    )


def agglomerate(people: list[int], ties: Mapping[Pair, Tie]) -> list[list[int]]:
    """Divide the people into groups, by what ties every pair of them: the strongest first, as long as any speaks for it."""
    groups = {number: [one] for number, one in enumerate(people)}
    between = {
        (a, b): ties[min(people[a], people[b]), max(people[a], people[b])]
        for a in range(len(people))
        for b in range(a + 1, len(people))
    }
    heap = [(-each.weight, pair) for pair, each in between.items() if each.weight > 0]
    heapq.heapify(heap)
    while heap:
        bits, (a, b) = heapq.heappop(heap)
        if a not in groups or b not in groups or between[a, b].weight != -bits:
            continue
        groups[b] += groups.pop(a)
        for other in groups:
            if other != b:
                pair = (min(b, other), max(b, other))
                between[pair] = both = between[pair].plus(between.pop((min(a, other), max(a, other))))
                if both.weight > 0:
                    heapq.heappush(heap, (-both.weight, pair))
    return list(groups.values())


def bottleneck(first: int, second: int, members: list[int], weights: Mapping[Pair, float]) -> float:
    """How strong the weakest tie is on the strongest way from one to the other within their group."""
    best = {first: float("inf")}
    settled: set[int] = set()
    while second not in settled:
        nearest = max((one for one in best if one not in settled), key=lambda one: best[one])
        settled.add(nearest)
        for other in members:
            if other not in settled:
                weakest = min(best[nearest], weights[min(nearest, other), max(nearest, other)])
                best[other] = max(best.get(other, float("-inf")), weakest)
    return best[second]
