"""Spreadsheets: xlsx, ods, and the xls of Excel 97 to 2003, through calamine.

Their formats allow nothing else than being read as a whole, which a process of its own does: supporters.importing.readers.workbooks.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
from django.conf import settings
from django.utils.translation import gettext_lazy

from supporters.importing.problems import FileProblem

MAX_UNPACKED = 800 * 1024 * 1024
"""Bytes that a spreadsheet may have once unpacked."""
MAX_MEMORY = 3 * 1024 * 1024 * 1024
"""Bytes of addresses that the process which opens it may have. A million rows of ten columns take a third."""
_TOO_MUCH = gettext_lazy("This spreadsheet takes too much memory or time to open. Save it as csv and try again.")
PROBLEMS = {
    "all_hidden": gettext_lazy("The spreadsheet has no sheet that is not hidden."),
    "damaged": gettext_lazy("The spreadsheet is damaged or has a password. Save it anew and try again."),
    "no_such_sheet": gettext_lazy("The spreadsheet has no sheet “%(name)s”."),
    "no_table": gettext_lazy("This is not a table. Lodestar reads csv, xlsx, xls and ods files."),
    "other_zip": gettext_lazy(
        "This is a zip file, but no spreadsheet. Unpack it first, or save it as xlsx, ods or csv."
    ),
    "password": gettext_lazy("This workbook has a password. Save it without one and try again."),
    "too_large": gettext_lazy(
        "Unpacked, this spreadsheet is larger than %(limit)s MB. Save it as csv and try again."
    ),
    "too_much": _TOO_MUCH,
}
FAULTS = {
    "error": gettext_lazy("Cell %(place)s holds an error in place of a value."),
    "formula": gettext_lazy(
        "Cell %(place)s holds a formula without a result. Open the file in a spreadsheet program and save it."
    ),
    "merged": gettext_lazy(
        "Cells of this row are merged with those of row %(place)s. Take them apart, and fill in each row."
    ),
}


def inspect(path: Path) -> tuple[str, list[str]]:
    """The format, and the sheets that are not hidden, the first with anything in it in front. Raises FileProblem."""
    with closing(_answers(path)) as answers:
        found = next(answers)
    return found["kind"], found["sheets"]


def records(path: Path, kind: str, name: str) -> Iterator[tuple[list[str], str]]:
    """Each row's cells, and what makes it unreadable, if anything does. Raises FileProblem."""
    with closing(_answers(path, kind, name)) as answers:
        for rows in answers:
            for cells, fault in rows:
                yield cells, FAULTS[fault[0]] % {"place": fault[1]} if fault else ""


def _answers(path: Path, *sheet: str) -> Iterator[Any]:
    """What the process says, line by line. It ends with whoever listens. Raises FileProblem."""
    limits = (str(MAX_UNPACKED), str(MAX_MEMORY))
    command = [sys.executable, "-m", "supporters.importing.readers.workbooks", str(path), *limits, *sheet]
    environment = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(settings.BASE_DIR)}
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
    ) as process:
        try:
            for line in process.stdout:
                answer = msgspec.json.decode(line)
                if isinstance(answer, dict) and "problem" in answer:
                    raise FileProblem(PROBLEMS[answer["problem"]] % answer["values"])
                yield answer
            if ended := process.wait():
                raise FileProblem(PROBLEMS["damaged"] if ended > 0 else _TOO_MUCH)
        finally:
            process.kill()
