"""Files of any common make as rows of text: csv in its dialects, xlsx, xls and ods.

A file is what its content says, whatever its name. Rows stream; only spreadsheets, whose format allows nothing
else, are read as a whole, after their unpacked size was measured.
"""

import codecs
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from django.utils.translation import gettext as _

from supporters.importing.problems import FileProblem
from supporters.importing.readers import sheets, text
from supporters.importing.readers.text import DELIMITERS, ENCODINGS

__all__ = ["DELIMITERS", "ENCODINGS", "Layout", "Row"]
MAX_COLUMNS = 200
_SAMPLE = 256 * 1024
_NO_TABLE = (b"%PDF", b"\x1f\x8b", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"{\\rtf")
_WEB_PAGE = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|head|body|table|meta|\?xml)\b", re.IGNORECASE)
_WORKBOOK = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""A zip file, and the compound file of older programs: [MS-CFB] 2.2."""


@dataclass
class Layout:
    """How a file is read. Guessed by `inspect`, corrected by staff, kept with the run."""

    format: str = "csv"
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    sheets: tuple[str, ...] = ()

    def as_json(self) -> dict:
        return {**asdict(self), "sheets": list(self.sheets)}

    @classmethod
    def from_json(cls, stored: dict) -> "Layout":
        known = {name: stored[name] for name in cls.__dataclass_fields__ if name in stored}
        return cls(**{**known, "sheets": tuple(known.get("sheets", ()))})


@dataclass
class Row:
    """A row below the header; `number` counts as a spreadsheet does, the header being row 1."""

    number: int
    cells: list[str]
    fault: str = ""
    """Why it can't be taken in, whatever its cells seem to say; for staff."""


def inspect(path: Path) -> Layout:
    """How to read this file. Raises FileProblem."""
    with path.open("rb") as file:
        head = file.read(_SAMPLE)
    if not head.strip():
        raise FileProblem(_("The file is empty."))
    if head.startswith(_WORKBOOK):
        kind, names = sheets.inspect(path)
        return Layout(kind, sheet=names[0], sheets=tuple(names))
    if _WEB_PAGE.match(head):
        raise FileProblem(
            _(
                "This is a web page, whatever its name: some systems call it an Excel file. Open it in a spreadsheet program, "
                "save it as xlsx or csv, and try again."
            )
        )
    if head.startswith(_NO_TABLE):
        raise FileProblem(sheets.PROBLEMS["no_table"])
    encoding = text.guess_encoding(path, head)
    letters = codecs.getincrementaldecoder(encoding)("replace").decode(head)
    sample = letters[:4000]
    if sum(letter < " " and letter not in "\t\r\n\x0b\x0c" for letter in sample) > 5 + len(sample) // 50:
        raise FileProblem(sheets.PROBLEMS["no_table"])
    return Layout("csv", encoding, text.guess_delimiter(letters))


def read_header(path: Path, layout: Layout) -> list[str]:
    """The names in the first row that has any. Raises FileProblem."""
    for cells, fault in _records(path, layout):
        if any(cell.strip() for cell in cells):
            if fault:
                raise FileProblem(_("The row of column names can't be read. %(fault)s") % {"fault": fault})
            return _checked_header(cells)
    raise FileProblem(_("The file has no rows."))


def read_rows(path: Path, layout: Layout) -> Iterator[Row]:
    """The rows below the header, empty ones left out. Raises FileProblem."""
    names: list[str] = []
    width, torn = 0, False
    for number, (cells, fault) in enumerate(_records(path, layout), start=1):
        if not any(map(str.strip, cells)):
            continue
        if not width:
            width = len(_checked_header(cells))
            names = [_plain(cell) for cell in cells[:width]]
            continue
        if fault:
            torn = fault == text.BROKEN_QUOTE
        elif torn and len(cells) != width:
            # It may be the rest of the cell whose quotation mark was broken.
            fault = _("This row stands below a broken quotation mark, and may be a part of the row above.")
        elif (
            len(cells) >= width and _plain(cells[0]) == names[0] and [_plain(cell) for cell in cells[:width]] == names
        ):
            fault = _("This row repeats the names of the columns.")
        else:
            torn = False
        if len(cells) > width and any(cell.strip() for cell in cells[width:]):
            # Kept whole: mapping refuses the row with its reason.
            yield Row(number, cells, fault)
        else:
            yield Row(number, (cells + [""] * (width - len(cells)))[:width], fault)


def records(path: Path, layout: Layout) -> Iterator[list[str]]:
    """All rows as they stand, from the first one of the file. Raises FileProblem."""
    return (cells for cells, _fault in _records(path, layout))


def _records(path: Path, layout: Layout) -> Iterator[tuple[list[str], str]]:
    if layout.format == "csv":
        return text.records(path, layout.encoding or "utf-8-sig", layout.delimiter or ",")
    return sheets.records(path, layout.format, layout.sheet)


def _plain(name: str) -> str:
    return name.strip().lstrip("\ufeff").casefold()


def _checked_header(cells: list[str]) -> list[str]:
    names = [cell.strip().lstrip("\ufeff") for cell in cells]
    while names and not names[-1]:
        names.pop()
    if len(names) > MAX_COLUMNS:
        raise FileProblem(
            _("The file has %(columns)s columns; more than %(most)s can't be read. Leave out those you don't need.")
            % {"columns": len(names), "most": MAX_COLUMNS}
        )
    named = [name for name in names if name]
    double = [name for name, times in Counter(name.lower() for name in named).items() if times > 1]
    if double:
        raise FileProblem(_("Two columns are called “%(name)s”. Give each a name of its own.") % {"name": double[0]})
    return [name or _("Column %(number)s") % {"number": index} for index, name in enumerate(names, start=1)]


def copy_to(source: Iterator[bytes], target: IO[bytes]) -> None:
    for piece in source:
        target.write(piece)
    target.flush()
