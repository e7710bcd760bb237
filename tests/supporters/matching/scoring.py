"""Precision, recall and F1 over pairs."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import NamedTuple


class Score(NamedTuple):
    precision: float
    recall: float
    f1: float


def score(pairs: Iterable[tuple[int, int]], truth: Mapping[int, object]) -> Score:
    """How well the pairs agree with the truth, which says of each row whose it is."""
    found = {(min(pair), max(pair)) for pair in pairs}
    rows = defaultdict(list)
    for row, person in truth.items():
        rows[person].append(row)
    real = {(min(pair), max(pair)) for same in rows.values() for pair in combinations(same, 2)}
    right = len(found & real)
    precision, recall = right / max(len(found), 1), right / max(len(real), 1)
    return Score(precision, recall, 2 * precision * recall / max(precision + recall, 1e-9))
