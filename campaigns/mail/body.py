"""The body of a message, text and html, compiled into octets with holes for the values of one person."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from secrets import token_hex
from typing import NamedTuple

from campaigns.mail.compose import Skeleton
from campaigns.mail.encoding import EightBit, Encoding, QuotedPrintable
from campaigns.mail.markup import Slot


class Unfit(Exception):
    """A value does not go into this body: too long for its line, or it looks like the border between the parts."""


@dataclass(frozen=True)
class _Value:
    """One slot of a part, once for all places where it stands."""

    skeleton: Skeleton
    encoding: Encoding
    slot: Slot
    room: int
    begins_line: bool
    holes: tuple[int, ...]


class Filled(NamedTuple):
    octets: bytes
    dotted: bool
    """Whether a line may begin with a dot, which SMTP wants doubled (RFC 5321, 4.5.2)."""


class Body:
    """multipart/alternative, as EmailMessage would lay it out."""

    def __init__(self, text: Skeleton, html: Skeleton, *, eight_bit: bool) -> None:
        parts = {b"plain": _Part(text, eight_bit), b"html": _Part(html, eight_bit)}
        self._boundary = boundary = _unused_boundary(parts.values())
        self.content_type = b'multipart/alternative; boundary="%b"' % boundary
        self.eight_bit = any(part.encoding is EightBit for part in parts.values())
        self._pieces: list[bytes] = []
        self._values: list[_Value] = []
        for subtype, part in parts.items():
            self._pieces.append(
                b"--%b\r\nContent-Type: text/%b; charset=utf-8\r\nContent-Transfer-Encoding: %b\r\n\r\n"
                % (boundary, subtype, part.encoding.name)
            )
            self._values.extend(part.values(len(self._pieces)))
            self._pieces.extend(piece or b"" for piece in part.pieces)
            self._pieces.append(b"\r\n")
        self._pieces.append(b"--%b--\r\n" % boundary)
        self._dotted = b"\n." in b"".join(self._pieces)

    def fill(self, values: Mapping[str, str]) -> Filled:
        """Raises fields.FieldError, and Unfit."""
        pieces = self._pieces.copy()
        dotted = self._dotted
        for each in self._values:
            octets = each.encoding.value(each.skeleton.value(each.slot, values))
            if len(octets) > each.room:
                raise Unfit
            if each.begins_line and octets[:1] in b".":  # or empty: then what follows begins the line
                dotted = True
            for hole in each.holes:
                pieces[hole] = octets
        body = b"".join(pieces)
        if self.eight_bit and body.count(self._boundary) != 3:
            raise Unfit
        return Filled(body, dotted)


class _Part:
    """Octets of one part, None where a value goes; in eight bits if its lines allow."""

    def __init__(self, skeleton: Skeleton, eight_bit: bool) -> None:
        self._skeleton = skeleton
        *before, last = skeleton.pieces or ("",)
        end = [last, "\n"] if isinstance(last, Slot) else [last if last.endswith("\n") else f"{last}\n"]
        self._source = [*before, *end]
        self.encoding: Encoding = EightBit if eight_bit else QuotedPrintable
        self.pieces = self._encoded()
        if self.encoding.places(self.pieces) is None:
            self.encoding = QuotedPrintable
            self.pieces = self._encoded()

    def values(self, offset: int) -> Iterator[_Value]:
        """What is to be put in, if the first piece has this place."""
        slots = [piece for piece in self._source if isinstance(piece, Slot)]
        holes = [offset + number for number, piece in enumerate(self.pieces) if piece is None]
        places = self.encoding.places(self.pieces) or []
        for slot in dict.fromkeys(slots):
            of_slot = [number for number, each in enumerate(slots) if each == slot]
            yield _Value(
                self._skeleton,
                self.encoding,
                slot,
                room=min(places[number].room for number in of_slot),
                begins_line=any(places[number].begins_line for number in of_slot),
                holes=tuple(holes[number] for number in of_slot),
            )

    def _encoded(self) -> list[bytes | None]:
        return [
            None
            if isinstance(piece, Slot)
            else self.encoding.literal(piece, value_follows=isinstance(following, Slot))
            for piece, following in zip(self._source, [*self._source[1:], None], strict=True)
        ]


def _unused_boundary(parts: Iterable[_Part]) -> bytes:
    """Quoted-printable has a hexadecimal digit or the end of the line behind each equals sign, so never this."""
    literal = b"".join(piece or b"" for part in parts for piece in part.pieces)
    while True:
        boundary = b"=_" + token_hex(16).encode()
        if boundary not in literal:
            return boundary
