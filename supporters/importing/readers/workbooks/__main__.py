"""`python -m supporters.importing.readers.workbooks FILE MOST MEMORY [KIND SHEET]`: what sheets a workbook has, or the rows of one.

Each line of the answer is JSON: of a workbook its kind and its sheets; of a sheet lists of rows, each its cells and what makes
it unreadable; of what can't be read the problem.
"""

import os
import resource
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path

import msgspec
import python_calamine

from supporters.importing.readers.workbooks import opendocument, records97, zipped
from supporters.importing.readers.workbooks.unreadable import Unreadable

TOGETHER = 500
"""Rows in one line."""
_SECONDS = 900
"""Of processor time. The largest file that may be uploaded takes a tenth of it."""
Fault = tuple[str, str] | None


def describe(path: Path, most: int) -> dict:
    """The kind, and the sheets that are not hidden, the first with anything in it in front. Raises Unreadable."""
    with path.open("rb") as file:
        of_97 = file.read(4) == b"\xd0\xcf\x11\xe0"
    if of_97:
        records97.check(path)
        kind = "xls"
    else:
        kind = zipped.kind_of(path, most)
    workbook = _opened(path)
    shown = [
        sheet.name
        for sheet in workbook.sheets_metadata
        if sheet.visible == python_calamine.SheetVisibleEnum.Visible
        and sheet.typ == python_calamine.SheetTypeEnum.WorkSheet
    ]
    if not shown:
        raise Unreadable("all_hidden")
    filled = next((name for name in shown if workbook.get_sheet_by_name(name).height), shown[0])
    return {"kind": kind, "sheets": [filled, *(name for name in shown if name != filled)]}


def read(path: Path, kind: str, name: str) -> Iterator[tuple[list[str], Fault]]:
    """Each row's cells, and what makes it unreadable, if anything does. Raises Unreadable."""
    workbook = _opened(path)
    if name not in workbook.sheet_names:
        raise Unreadable("no_such_sheet", name=name)
    sheet = workbook.get_sheet_by_name(name)
    merged = [(top + 1, bottom + 1) for (top, _left), (bottom, _right) in sheet.merged_cell_ranges or ()]
    if kind == "xls":
        empty = records97.empty_to_calamine(path, workbook.sheet_names.index(name))
    elif kind == "xlsx":
        empty = zipped.empty_to_calamine(path, name)
    else:
        seen = opendocument.look_at(path, name)
        merged, empty = seen.merged, seen.empty
    merged.sort()
    place, first, last = 0, 0, 0
    for number, cells in enumerate(sheet.iter_rows(), start=1):
        while place < len(merged) and merged[place][0] < number:
            if merged[place][1] > last:
                first, last = merged[place]
            place += 1
        fault: Fault = ("merged", str(first)) if number <= last else empty.get(number)
        yield [_as_text(cell) for cell in cells], fault


def _opened(path: Path) -> python_calamine.CalamineWorkbook:
    try:
        return python_calamine.CalamineWorkbook.from_path(path)
    except Exception:
        raise Unreadable("damaged") from None


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


def _tell(answer: object) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")


def _bound(memory: int) -> None:
    """Whoever asks for more is ended; and if the machine has less, this process before any other."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def main(path: Path, most: int, memory: int, *sheet: str) -> None:
    _bound(memory)
    try:
        if not sheet:
            _tell(describe(path, most))
            return
        rows = []
        for row in read(path, *sheet):
            rows.append(row)
            if len(rows) == TOGETHER:
                _tell(rows)
                rows = []
        _tell(rows)
    except Unreadable as error:
        _tell({"problem": error.problem, "values": error.values})
    except MemoryError:
        _tell({"problem": "too_much", "values": {}})
    except BrokenPipeError:
        os._exit(0)  # enough was read


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:])
