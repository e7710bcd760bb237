"""Text with delimiters, in its encodings and dialects.

A row that can't be read is told by its fault, and the next line is read as if nothing had been: one broken quotation mark
must not swallow the rows below it.
"""

import codecs
import csv
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from supporters.importing.problems import FileProblem

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
BROKEN_QUOTE = gettext_lazy(
    "A quotation mark in this row is not closed, or stands inside a quoted cell, where it has to be doubled."
)
_TOO_LONG = gettext_lazy("A cell of this row is far too long.")
_NUL = gettext_lazy("The row has a character that no text may have (NUL).")
_LOST = "\ufffd"


def records(path: Path, encoding: str, delimiter: str) -> Iterator[tuple[list[str], str]]:
    """Each row's cells, and what makes it unreadable, if anything does. Raises FileProblem."""
    csv.field_size_limit(MAX_CELL)
    wide = encoding.startswith("utf-16")
    read = 0
    try:
        with path.open(encoding=encoding, newline="", errors="strict" if wide else "replace") as file:
            for cells, fault in _records(file, delimiter, ENCODINGS.get(encoding, encoding)):
                read += 1
                yield cells, fault
    except UnicodeError:
        raise FileProblem(
            _("Row %(number)s has letters that are not %(encoding)s. Choose another encoding.")
            % {"number": read + 1, "encoding": ENCODINGS.get(encoding, encoding)}
        ) from None


def _records(file: Iterator[str], delimiter: str, encoding: str) -> Iterator[tuple[list[str], str]]:
    again: deque[str] = deque()
    held: list[str] = []

    def lines() -> Iterator[str]:
        while again:
            held.append(again.popleft())
            yield held[-1]
        for line in file:
            held.append(line)
            yield line

    while True:
        try:
            for cells in csv.reader(lines(), delimiter=delimiter, strict=True):
                text = held[0] if len(held) == 1 else "".join(held)
                if "\x00" in text:
                    yield [cell.replace("\x00", _LOST) for cell in cells], str(_NUL)
                elif not text.isascii() and _LOST in text:
                    yield cells, _("The row has letters that are not %(encoding)s.") % {"encoding": encoding}
                else:
                    yield cells, ""
                held.clear()
        except csv.Error:
            first, *rest = held
            again.extendleft(reversed(rest))
            held.clear()
            cells = first.rstrip("\r\n").replace("\x00", _LOST).split(delimiter)
            too_long = not rest and len(first) > MAX_CELL
            yield [cell.strip().strip('"')[:MAX_CELL] for cell in cells], str(_TOO_LONG if too_long else BROKEN_QUOTE)
        else:
            return


def guess_encoding(path: Path, head: bytes) -> str:
    """Raises FileProblem. Of a file that is UTF-8 for the better part, the rows that are not are refused one by one."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    sample = head[:4000]
    if b"\x00" in sample:
        # Letters of the Latin alphabet in UTF-16 have a zero byte each, on one side.
        even, odd = sample[::2].count(0), sample[1::2].count(0)
        if max(even, odd) > len(sample) // 5 and min(even, odd) < max(even, odd) // 10:
            return "utf-16-le" if odd > even else "utf-16-be"
    if _decodes(path, "utf-8") or _mostly_utf_8(path):
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


def _mostly_utf_8(path: Path) -> bool:
    """Whether more lines with other letters than ASCII's are UTF-8 than are not. Hardly a line is so by chance."""
    right = wrong = 0
    with path.open("rb") as file:
        for line in file:
            if not line.isascii():
                try:
                    line.decode()
                    right += 1
                except UnicodeDecodeError:
                    wrong += 1
    return right > wrong


def guess_delimiter(text: str) -> str:
    first = next((line for line in text.splitlines() if line.strip()), "")
    bare = "".join(first.split('"')[::2])  # what stands outside quotes
    best = max(DELIMITERS, key=bare.count)
    return best if bare.count(best) else ","
