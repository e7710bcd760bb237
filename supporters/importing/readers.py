"""Files of any common make as rows of text: csv in its dialects, xlsx and ods.

A file is what its content says, whatever its name. Rows stream; only spreadsheets, whose format allows nothing
else, are read as a whole, after their unpacked size was measured.
"""

import codecs
import csv
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import IO

import python_calamine
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from supporters.importing.problems import FileProblem

MAX_UNPACKED = 800 * 1024 * 1024
"""Bytes that a spreadsheet may have once unpacked."""
MAX_COLUMNS = 200
MAX_CELL = 100_000
"""Characters in one cell."""
ENCODINGS = {
    "utf-8-sig": "UTF-8",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16 LE",
    "utf-16-be": "UTF-16 BE",
    "cp1252": "Windows-1252 (Western Europe)",
    "cp1250": "Windows-1250 (Central Europe)",
    "cp1251": "Windows-1251 (Cyrillic)",
    "cp1253": "Windows-1253 (Greek)",
    "cp1257": "Windows-1257 (Baltic)",
}
DELIMITERS = {
    ",": gettext_lazy("commas"),
    ";": gettext_lazy("semicolons"),
    "\t": gettext_lazy("tabs"),
    "|": gettext_lazy("bars"),
}
_SAMPLE = 256 * 1024


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


def inspect(path: Path) -> Layout:
    """How to read this file. Raises FileProblem."""
    with path.open("rb") as file:
        head = file.read(_SAMPLE)
    if not head.strip():
        raise FileProblem(_("The file is empty."))
    if head.startswith(b"PK\x03\x04"):
        return _inspect_spreadsheet(path)
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raise FileProblem(
            _(
                "This is an old Excel file (.xls) or one with a password. Save it as .xlsx without a password and try again."
            )
        )
    if head.startswith((b"%PDF", b"\x1f\x8b", b"\x89PNG", b"\xff\xd8\xff", b"{\\rtf", b"<!DOCTYPE", b"<html")):
        raise FileProblem(_("This is not a table. Lodestar reads csv, xlsx and ods files."))
    encoding = _guess_encoding(path, head)
    text = codecs.getincrementaldecoder(encoding)("replace").decode(head)
    if any(letter < " " and letter not in "\t\r\n\x0b\x0c" for letter in text[:4000]):
        raise FileProblem(_("This is not a table. Lodestar reads csv, xlsx and ods files."))
    return Layout("csv", encoding, _guess_delimiter(text))


def read_header(path: Path, layout: Layout) -> list[str]:
    """The names in the first row that has any. Raises FileProblem."""
    for cells in records(path, layout):
        if any(cell.strip() for cell in cells):
            return _checked_header(cells)
    raise FileProblem(_("The file has no rows."))


def read_rows(path: Path, layout: Layout) -> Iterator[Row]:
    """The rows below the header, empty ones left out. Raises FileProblem."""
    width = 0
    for number, cells in enumerate(records(path, layout), start=1):
        if not any(cell.strip() for cell in cells):
            continue
        if not width:
            width = len(_checked_header(cells))
            continue
        if len(cells) > width and any(cell.strip() for cell in cells[width:]):
            # Kept whole: mapping refuses the row with its reason.
            yield Row(number, cells)
        else:
            yield Row(number, (cells + [""] * (width - len(cells)))[:width])


def count_rows(path: Path, layout: Layout) -> int:
    return sum(1 for _row in read_rows(path, layout))


def _checked_header(cells: list[str]) -> list[str]:
    names = [cell.strip().lstrip("\ufeff") for cell in cells]
    while names and not names[-1]:
        names.pop()
    if len(names) > MAX_COLUMNS:
        raise FileProblem(_("The file has more than %(most)s columns.") % {"most": MAX_COLUMNS})
    named = [name for name in names if name]
    double = [name for name, times in Counter(name.lower() for name in named).items() if times > 1]
    if double:
        raise FileProblem(_("Two columns are called “%(name)s”. Give each a name of its own.") % {"name": double[0]})
    return [name or _("Column %(number)s") % {"number": index} for index, name in enumerate(names, start=1)]


# Text -------------------------------------------------------------------------------------------


def _guess_encoding(path: Path, head: bytes) -> str:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    sample = head[:4000]
    if b"\x00" in sample:
        # Letters of the Latin alphabet in UTF-16 have a zero byte each, on one side.
        even, odd = sample[::2].count(0), sample[1::2].count(0)
        if max(even, odd) > len(sample) // 5 and min(even, odd) < max(even, odd) // 10:
            return "utf-16-le" if odd > even else "utf-16-be"
        raise FileProblem(_("This is not a table. Lodestar reads csv, xlsx and ods files."))
    if _decodes(path, "utf-8"):
        return "utf-8-sig"
    if _decodes(path, "cp1252"):
        return "cp1252"
    raise FileProblem(
        _(
            "The file's letters are in an unknown encoding. Save it as “CSV UTF-8” in your spreadsheet program and try again."
        )
    )


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with path.open("rb") as file:
            while piece := file.read(1 << 20):
                decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _guess_delimiter(text: str) -> str:
    first = next((line for line in text.splitlines() if line.strip()), "")
    bare = "".join(first.split('"')[::2])  # what stands outside quotes
    best = max(DELIMITERS, key=bare.count)
    return best if bare.count(best) else ","


def records(path: Path, layout: Layout) -> Iterator[list[str]]:
    """Every row as it stands there, the header and empty ones too. Raises FileProblem."""
    return _text_records(path, layout) if layout.format == "csv" else _sheet_records(path, layout)


def _text_records(path: Path, layout: Layout) -> Iterator[list[str]]:
    csv.field_size_limit(MAX_CELL)
    number = 0
    try:
        with path.open(encoding=layout.encoding or "utf-8-sig", newline="") as file:
            reader = csv.reader(file, delimiter=layout.delimiter or ",")
            for number, cells in enumerate(reader, start=1):  # noqa: B007 - the messages below name it
                yield cells
    except UnicodeDecodeError:
        raise FileProblem(
            _("Row %(number)s has letters that are not %(encoding)s. Choose another encoding.")
            % {"number": number + 1, "encoding": ENCODINGS.get(layout.encoding, layout.encoding)}
        ) from None
    except csv.Error:
        raise FileProblem(
            _("Row %(number)s can't be read: a quotation mark is not closed, or a cell is far too long.")
            % {"number": number + 1}
        ) from None


# Spreadsheets -----------------------------------------------------------------------------------


def _inspect_spreadsheet(path: Path) -> Layout:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            if "xl/workbook.xml" in names:
                kind = "xlsx"
            elif "mimetype" in names and b"opendocument.spreadsheet" in archive.read("mimetype")[:200]:
                kind = "ods"
            else:
                raise FileProblem(
                    _("This is a zip file, but no spreadsheet. Unpack it first, or save it as xlsx, ods or csv.")
                )
            _measure(archive)
    except (zipfile.BadZipFile, zlib.error, OSError, RuntimeError, NotImplementedError):
        raise FileProblem(_("The spreadsheet is damaged or has a password. Save it anew and try again.")) from None
    sheets = _workbook(path).sheet_names
    if not sheets:
        raise FileProblem(_("The spreadsheet has no sheets."))
    return Layout(kind, sheet=sheets[0], sheets=tuple(sheets))


def _measure(archive: zipfile.ZipFile) -> None:
    """Refuse what would fill the memory. Sizes are counted, for a zip file may lie about them."""
    total = 0
    for entry in archive.infolist():
        with archive.open(entry) as file:
            while piece := file.read(1 << 20):
                total += len(piece)
                if total > MAX_UNPACKED:
                    raise FileProblem(
                        _("Unpacked, this spreadsheet is larger than %(limit)s MB. Save it as csv and try again.")
                        % {"limit": MAX_UNPACKED // 1024 // 1024}
                    )


def _workbook(path: Path) -> python_calamine.CalamineWorkbook:
    try:
        return python_calamine.CalamineWorkbook.from_path(path)
    except Exception:
        raise FileProblem(_("The spreadsheet is damaged or has a password. Save it anew and try again.")) from None


def _sheet_records(path: Path, layout: Layout) -> Iterator[list[str]]:
    workbook = _workbook(path)
    if layout.sheet not in workbook.sheet_names:
        raise FileProblem(_("The spreadsheet has no sheet “%(name)s”.") % {"name": layout.sheet})
    for cells in workbook.get_sheet_by_name(layout.sheet).iter_rows():
        yield [_as_text(cell) for cell in cells]


def _as_text(cell: object) -> str:
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ")
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return str(cell)


def copy_to(source: Iterator[bytes], target: IO[bytes]) -> None:
    for piece in source:
        target.write(piece)
    target.flush()
