"""The Merkle tree of RFC 9162, section 2.1: one hash over many entries, and short proofs that one is among them.

Of a day's tree only the roots of every BLOCK entries are kept: with them and the entries of one block, the way from any entry to
the root is a few thousand hashes even for a million.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256

BLOCK = 256
"""A power of two, so that a full block is a whole part of the tree."""
SIZE = 32


def leaf(entry: bytes) -> bytes:
    return sha256(b"\x00" + entry).digest()


def node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def root(hashes: Sequence[bytes]) -> bytes:
    """Over hashes of leaves, or of parts that are as large as each other, save for the last."""
    if not hashes:
        return sha256().digest()
    level = list(hashes)
    while len(level) > 1:
        level = _above(level)
    return level[0]


def path(hashes: Sequence[bytes], index: int) -> list[bytes]:
    """What has to be put to the one at `index`, step by step, to come to the root."""
    found, level = [], list(hashes)
    while len(level) > 1:
        beside = index ^ 1
        if beside < len(level):
            found.append(level[beside])
        level, index = _above(level), index // 2
    return found


def _above(level: Sequence[bytes]) -> list[bytes]:
    paired = [node(left, right) for left, right in zip(level[::2], level[1::2], strict=False)]
    return paired if len(level) % 2 == 0 else [*paired, level[-1]]


def rises_to(entry: bytes, index: int, size: int, steps: Sequence[bytes]) -> bytes | None:
    """The root that these steps lead to from the entry, one of `size` (RFC 9162, 2.1.3.2); None where they can't fit."""
    if not 0 <= index < size:
        return None
    found, last = leaf(entry), size - 1
    rest = list(steps)
    while last:
        if index % 2 or index != last:
            if not rest:
                return None
            beside = rest.pop(0)
            found = node(beside, found) if index % 2 else node(found, beside)
        index, last = index // 2, last // 2
    return None if rest else found


def blocks(entries: Iterable[bytes]) -> tuple[list[bytes], int]:
    """The roots of every BLOCK entries of a stream, and how many entries there were."""
    roots, block, number = [], [], 0
    for entry in entries:
        block.append(leaf(entry))
        number += 1
        if len(block) == BLOCK:
            roots.append(root(block))
            block = []
    if block:
        roots.append(root(block))
    return roots, number


def joined(roots: Sequence[bytes]) -> bytes:
    return b"".join(roots)


def parted(roots: bytes) -> list[bytes]:
    return [roots[start : start + SIZE] for start in range(0, len(roots), SIZE)]
