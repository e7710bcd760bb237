"""Text as the octets of a MIME part, piece by piece: what stands in a text once, what is put in for each person.

Eight bits where the server takes them, quoted-printable elsewhere. Base64 can't take a value in the middle, and filters
distrust text in it; quoted-printable costs more only for the words of a script other than Latin, and only at servers
without 8BITMIME.
"""

import re
import sys
from binascii import b2a_qp
from collections.abc import Sequence
from dataclasses import dataclass

LONGEST_LINE = 998
"""Octets of a line without its end (RFC 5322, 2.1.1; RFC 5321, 4.5.3.1.6, does not count a stuffed dot)."""
Pieces = Sequence[bytes | None]
"""The octets of a part; None where a value goes."""
_DOT = re.compile(rb"^\.", re.MULTILINE)


@dataclass(frozen=True)
class Place:
    """Where a value goes."""

    room: int
    """Octets that it may have there."""
    begins_line: bool
    """Whether nothing but other values stands before it in its line."""


class EightBit:
    """UTF-8 as it is. The values of a line share what its own octets leave."""

    name = b"8bit"

    @staticmethod
    def literal(text: str, *, value_follows: bool) -> bytes:
        return _lines(text).encode().replace(b"\n", b"\r\n")

    @staticmethod
    def value(text: str) -> bytes:
        return text.encode()

    @staticmethod
    def places(pieces: Pieces) -> list[Place] | None:
        """Those of its values; None if a line is too long already."""
        found: list[Place] = []
        starts: list[bool] = []  # of the values in the line
        length = 0
        for piece in [*pieces, b"\r\n"]:
            if piece is None:
                starts.append(not length)
                continue
            first, *rest = piece.split(b"\r\n")
            length += len(first)
            for line in rest:
                if length > LONGEST_LINE:
                    return None
                found.extend(Place((LONGEST_LINE - length) // len(starts), start) for start in starts)
                starts, length = [], len(line)
        return found


class QuotedPrintable:
    """RFC 2045, 6.7. Each value stands on lines of its own between soft line breaks, so its length moves nothing.

    No line begins with a dot, so nothing has to be stuffed.
    """

    name = b"quoted-printable"

    @staticmethod
    def literal(text: str, *, value_follows: bool) -> bytes:
        text = _lines(text)
        if value_follows and not text.endswith("\n"):
            return _broken_off(text)
        return _quoted(b2a_qp(text.encode()))

    @staticmethod
    def value(text: str) -> bytes:
        return _broken_off(text)

    @staticmethod
    def places(pieces: Pieces) -> list[Place]:
        return [Place(sys.maxsize, False) for piece in pieces if piece is None]


Encoding = type[EightBit] | type[QuotedPrintable]


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _broken_off(text: str) -> bytes:
    """Ending in a soft line break. The last line leaves room for its sign: it was made with one character more."""
    return _quoted(b2a_qp(text.encode() + b"-")[:-1]) + b"=\r\n"


def _quoted(encoded: bytes) -> bytes:
    while _DOT.search(encoded):
        encoded = _DOT.sub(b"=2E=\n", encoded)
    return encoded.replace(b"\n", b"\r\n")
