"""What an xls says of itself that calamine does not tell: [MS-XLS], a compound file with a stream of records."""

from collections.abc import Iterator
from pathlib import Path
from struct import Struct

import olefile

from supporters.importing.readers.workbooks.places import letters
from supporters.importing.readers.workbooks.unreadable import Unreadable

# [MS-XLS] 2.3.1
_FORMULA, _EOF, _FILEPASS, _BOUNDSHEET, _BOOLERR, _BOF = 0x06, 0x0A, 0x2F, 0x85, 0x205, 0x809
_HEAD = Struct("<HH")
_PLACE = Struct("<HH")
_OFFSET = Struct("<I")


def check(path: Path) -> None:
    """Raises Unreadable if it has a password or is no workbook at all."""
    if any(kind == _FILEPASS for kind, _body in _records(_stream(path), 0)):
        raise Unreadable("password")


def empty_to_calamine(path: Path, place: int) -> dict[int, tuple[str, str]]:
    """Rows of the sheet at this place of which a cell looks empty to calamine and is not, as in an xlsx.

    A formula's result is no number if its last two bytes are ones; the first then tells what it is: 2 an error, 3 an empty
    text ([MS-XLS] 2.5.133). An empty text that is to be worked out at once on opening never was.
    """
    stream = _stream(path)
    sheets = [body for kind, body in _records(stream, 0) if kind == _BOUNDSHEET]
    found: dict[int, tuple[str, str]] = {}
    for kind, body in _records(stream, _OFFSET.unpack_from(sheets[place])[0]):
        fault = ""
        if kind == _BOOLERR and len(body) >= 8 and body[7]:
            fault = "error"
        elif kind == _FORMULA and len(body) >= 16 and body[12:14] == b"\xff\xff":
            fault = {2: "error", 3: "formula" if body[14] & 3 else ""}.get(body[6], "")
        if fault:
            row, column = _PLACE.unpack_from(body)
            found.setdefault(row + 1, (fault, f"{letters(column)}{row + 1}"))
    return found


def _stream(path: Path) -> bytes:
    try:
        with olefile.OleFileIO(path) as file:
            if file.exists("EncryptedPackage"):  # an xlsx with a password: [MS-OFFCRYPTO] 2.3.4.4
                raise Unreadable("password")
            name = next((name for name in ("Workbook", "Book") if file.exists(name)), None)
            if name is None:
                raise Unreadable("no_table")
            with file.openstream(name) as stream:
                return stream.read()
    except OSError:
        raise Unreadable("damaged") from None


def _records(stream: bytes, offset: int) -> Iterator[tuple[int, bytes]]:
    """The records of one sheet, or of what is said of all in front of them; a chart within it has an end of its own."""
    depth = 0
    while offset + _HEAD.size <= len(stream):
        kind, length = _HEAD.unpack_from(stream, offset)
        offset += _HEAD.size
        depth += (kind == _BOF) - (kind == _EOF)
        if depth <= 0:
            return
        yield kind, stream[offset : offset + length]
        offset += length
