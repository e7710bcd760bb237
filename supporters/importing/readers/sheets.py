"""Spreadsheets, xlsx and ods, through calamine. Their format allows nothing else than being read as a whole."""

import re
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from xml.etree import ElementTree

import python_calamine
from django.utils.translation import gettext as _

from supporters.importing.problems import FileProblem

MAX_UNPACKED = 800 * 1024 * 1024
"""Bytes that a spreadsheet may have once unpacked."""
_PIECE = 1 << 20
_TORN = 64 * 1024
"""Bytes that are looked at again with the next piece, for a cell that lies across the border."""
# ECMA-376 part 1, 18.3.1.4: a cell with its address, its type, its formula and the result that was last worked out.
_NO_RESULT = re.compile(
    rb"<(?:\w+:)?c\b(?![^>]*\bt=\"str\")[^>]*?\br=\"([A-Z]{1,3})(\d+)\"[^>]*>\s*"
    rb"<(?:\w+:)?f\b(?:[^>]*/>|[^>]*>[^<]*</(?:\w+:)?f>)\s*(?:</(?:\w+:)?c>|<(?:\w+:)?v\s*/>|<(?:\w+:)?v></)"
)
_ERROR = re.compile(rb"<(?:\w+:)?c\b(?=[^>]*\bt=\"e\")[^>]*?\br=\"([A-Z]{1,3})(\d+)\"")


def inspect(path: Path) -> tuple[str, list[str]]:
    """The format, and the sheets that are not hidden, the first with anything in it in front. Raises FileProblem."""
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
    workbook = _workbook(path)
    shown = [
        sheet.name
        for sheet in workbook.sheets_metadata
        if sheet.visible == python_calamine.SheetVisibleEnum.Visible
        and sheet.typ == python_calamine.SheetTypeEnum.WorkSheet
    ]
    if not shown:
        raise FileProblem(_("The spreadsheet has no sheet that is not hidden."))
    filled = next((name for name in shown if workbook.get_sheet_by_name(name).height), shown[0])
    return kind, [filled, *(name for name in shown if name != filled)]


def _measure(archive: zipfile.ZipFile) -> None:
    """Refuse what would fill the memory. Sizes are counted, for a zip file may lie about them."""
    total = 0
    for entry in archive.infolist():
        with archive.open(entry) as file:
            while piece := file.read(_PIECE):
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


def records(path: Path, kind: str, name: str) -> Iterator[tuple[list[str], str]]:
    """Each row's cells, and what makes it unreadable, if anything does. Raises FileProblem."""
    workbook = _workbook(path)
    if name not in workbook.sheet_names:
        raise FileProblem(_("The spreadsheet has no sheet “%(name)s”.") % {"name": name})
    sheet = workbook.get_sheet_by_name(name)
    empty = _without_result(path, name) if kind == "xlsx" else {}
    merged = sorted((top + 1, bottom + 1) for (top, _left), (bottom, _right) in sheet.merged_cell_ranges or ())
    place, first, last = 0, 0, 0
    for number, cells in enumerate(sheet.iter_rows(), start=1):
        while place < len(merged) and merged[place][0] < number:
            if merged[place][1] > last:
                first, last = merged[place]
            place += 1
        fault = empty.get(number, "")
        if number <= last:
            fault = _(
                "Cells of this row are merged with those of row %(row)s. Take them apart, and fill in each row."
            ) % {"row": first}
        yield [_as_text(cell) for cell in cells], fault


def _as_text(cell: object) -> str:
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ")
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return str(cell).replace("\x00", "\ufffd")


def _without_result(path: Path, name: str) -> dict[int, str]:
    """Rows of which a cell looks empty to calamine and is not: a formula that was never worked out, or an error."""
    found: dict[int, str] = {}
    formula = _("Cell %(cell)s holds a formula without a result. Open the file in a spreadsheet program and save it.")
    error = _("Cell %(cell)s holds an error in place of a value.")
    try:
        with zipfile.ZipFile(path) as archive:
            part = _part_of(archive, name)
            if part is None:
                return found
            with archive.open(part) as file:
                torn = b""
                while piece := file.read(_PIECE):
                    text = torn + piece
                    for pattern, words in ((_NO_RESULT, formula), (_ERROR, error)):
                        for match in pattern.finditer(text):
                            found.setdefault(int(match[2]), words % {"cell": (match[1] + match[2]).decode()})
                    torn = text[-_TORN:]
    except (zipfile.BadZipFile, zlib.error, OSError, ElementTree.ParseError):
        raise FileProblem(_("The spreadsheet is damaged or has a password. Save it anew and try again.")) from None
    return found


def _part_of(archive: zipfile.ZipFile, name: str) -> str | None:
    """The file within an xlsx that holds a sheet."""
    book = ElementTree.fromstring(archive.read("xl/workbook.xml"))  # noqa: S314 - its size was measured; expat bounds entities
    for sheet in book.iter():
        if sheet.tag.rpartition("}")[2] == "sheet" and sheet.get("name") == name:
            wanted = next((value for key, value in sheet.attrib.items() if key.endswith("}id")), None)
            links = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))  # noqa: S314 - as above
            for link in links:
                if link.get("Id") == wanted:
                    target = link.get("Target", "")
                    part = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
                    return part if part in archive.namelist() else None
    return None
