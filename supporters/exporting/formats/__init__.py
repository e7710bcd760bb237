"""Files, written as the rows come. Each module has one function, from a table to the bytes of its file in pieces.

A sheet that is a zip archive (xlsx, ods) is put together in a temporary file and handed on when it is whole; nothing of it
is kept in memory.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from supporters.exporting.formats import csv, json, ods, xlsx
from supporters.exporting.rows import Table


@dataclass(frozen=True)
class Format:
    name: str
    label: str | Promise
    content_type: str
    write: Callable[[Table], Iterator[bytes]]


FORMATS = {
    each.name: each
    for each in (
        Format(
            "xlsx",
            _("Excel (xlsx)"),
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            xlsx.write,
        ),
        Format("ods", _("LibreOffice (ods)"), "application/vnd.oasis.opendocument.spreadsheet", ods.write),
        Format("csv", _("Comma-separated text (csv)"), "text/csv; charset=utf-8", csv.write),
        Format("json", _("For programs (json)"), "application/json", json.write),
    )
}
