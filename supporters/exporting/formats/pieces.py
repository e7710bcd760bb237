from collections.abc import Iterator
from pathlib import Path

PIECE = 1 << 18


def pieces(path: str) -> Iterator[bytes]:
    """The file in pieces."""
    with Path(path).open("rb") as file:
        yield from iter(lambda: file.read(PIECE), b"")
