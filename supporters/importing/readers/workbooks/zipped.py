"""Zip files: which kind of workbook one is, and what an xlsx says of itself that calamine does not tell."""

import re
import zipfile
import zlib
from pathlib import Path
from xml.etree import ElementTree

from supporters.importing.readers.workbooks.unreadable import Unreadable

_PIECE = 1 << 20
_TORN = 64 * 1024
"""Bytes that are looked at again with the next piece, for a cell that lies across the border."""
# ECMA-376 part 1, 18.3.1.4: a cell with its address, its type, its formula and the result that was last worked out.
_NO_RESULT = re.compile(
    rb"<(?:\w+:)?c\b(?![^>]*\bt=\"str\")[^>]*?\br=\"([A-Z]{1,3})(\d+)\"[^>]*>\s*"
    rb"<(?:\w+:)?f\b(?:[^>]*/>|[^>]*>[^<]*</(?:\w+:)?f>)\s*(?:</(?:\w+:)?c>|<(?:\w+:)?v\s*/>|<(?:\w+:)?v></)"
)
_ERROR = re.compile(rb"<(?:\w+:)?c\b(?=[^>]*\bt=\"e\")[^>]*?\br=\"([A-Z]{1,3})(\d+)\"")


def kind_of(path: Path, most: int) -> str:
    """xlsx or ods, once it is known that no more than `most` bytes come out of it. Raises Unreadable."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            if "xl/workbook.xml" in names:
                kind = "xlsx"
            elif "mimetype" in names and b"opendocument.spreadsheet" in archive.read("mimetype")[:200]:
                kind = "ods"
            else:
                raise Unreadable("other_zip")
            _measure(archive, most)
    except (zipfile.BadZipFile, zlib.error, OSError, RuntimeError, NotImplementedError):
        raise Unreadable("damaged") from None
    return kind


def _measure(archive: zipfile.ZipFile, most: int) -> None:
    """Refuse what would fill the memory. Sizes are counted, for a zip file may lie about them."""
    total = 0
    for entry in archive.infolist():
        with archive.open(entry) as file:
            while piece := file.read(_PIECE):
                total += len(piece)
                if total > most:
                    raise Unreadable("too_large", limit=most // 1024 // 1024)


def empty_to_calamine(path: Path, name: str) -> dict[int, tuple[str, str]]:
    """Rows of a sheet of an xlsx of which a cell looks empty to calamine and is not: a formula that was never worked out, or an error."""
    found: dict[int, tuple[str, str]] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            part = _part_of(archive, name)
            if part is None:
                return found
            with archive.open(part) as file:
                torn = b""
                while piece := file.read(_PIECE):
                    text = torn + piece
                    for pattern, fault in ((_NO_RESULT, "formula"), (_ERROR, "error")):
                        for match in pattern.finditer(text):
                            found.setdefault(int(match[2]), (fault, (match[1] + match[2]).decode()))
                    torn = text[-_TORN:]
    except (zipfile.BadZipFile, zlib.error, OSError, ElementTree.ParseError):
        raise Unreadable("damaged") from None
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
