"""What an ods says of itself that calamine does not tell: OpenDocument 1.3, part 3, 9.1."""

import zipfile
import zlib
from pathlib import Path
from xml.parsers import expat

from supporters.importing.readers.workbooks.places import letters
from supporters.importing.readers.workbooks.unreadable import Unreadable

_PIECE = 1 << 20
_TABLE = "urn:oasis:names:tc:opendocument:xmlns:table:1.0 "
_VALUE = "urn:oasis:names:tc:opendocument:xmlns:office:1.0 value-type"
_KIND = "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0 value-type"
"""LibreOffice's own, in which alone an error is one."""
_CELLS = (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell")


class Sheet:
    """A sheet as its cells go by: which rows are merged, and of which a cell looks empty to calamine and is not."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.merged: list[tuple[int, int]] = []
        self.empty: dict[int, tuple[str, str]] = {}
        self._inside = False
        self._row, self._next, self._column = 0, 1, 0

    def start(self, tag: str, said: dict[str, str]) -> None:
        if tag == f"{_TABLE}table":
            self._inside = said.get(f"{_TABLE}name") == self.name
        elif self._inside and tag == f"{_TABLE}table-row":
            self._row, self._column = self._next, 0
            self._next += int(said.get(f"{_TABLE}number-rows-repeated", 1))
        elif self._inside and tag in _CELLS:
            if (rows := int(said.get(f"{_TABLE}number-rows-spanned", 1))) > 1:
                self.merged.append((self._row, self._row + rows - 1))
            if said.get(_KIND) == "error":
                self._fault("error")
            elif f"{_TABLE}formula" in said and _VALUE not in said:
                self._fault("formula")
            self._column += int(said.get(f"{_TABLE}number-columns-repeated", 1))

    def _fault(self, what: str) -> None:
        self.empty.setdefault(self._row, (what, f"{letters(self._column)}{self._row}"))


def look_at(path: Path, name: str) -> Sheet:
    """Raises Unreadable."""
    sheet = Sheet(name)
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = sheet.start
    try:
        with zipfile.ZipFile(path) as archive, archive.open("content.xml") as file:
            while piece := file.read(_PIECE):
                parser.Parse(piece)
    except (zipfile.BadZipFile, zlib.error, OSError, KeyError, ValueError, expat.ExpatError):
        raise Unreadable("damaged") from None
    return sheet
