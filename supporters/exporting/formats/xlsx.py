"""Excel's format (ECMA-376), by XlsxWriter, which keeps one row in memory. No text is ever taken for a formula, a link or a
number."""

import tempfile
from collections.abc import Callable, Iterator
from datetime import date
from typing import TYPE_CHECKING, Any

from supporters.exporting.formats.cells import SHEET_ROWS, decimals, local
from supporters.exporting.formats.pieces import pieces
from supporters.exporting.listings import Kind
from supporters.exporting.rows import Row, Table

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

_FIRST_DAY = date(1900, 3, 1)
"""Excel's days before it are off by one, for it holds 1900 to have been a leap year; earlier ones it has none of."""
_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
}
_WIDTHS = {Kind.TEXT: 20, Kind.MOMENT: 19}
Write = Callable[["Worksheet", int, Row], object]


def write(table: Table) -> Iterator[bytes]:
    import xlsxwriter

    with tempfile.NamedTemporaryFile(prefix="export-", suffix=".xlsx") as file:
        book = xlsxwriter.Workbook(file.name, _OPTIONS)
        book.use_zip64()  # only comes into play beyond four gigabytes
        head = book.add_format({"bold": True})
        cells = _cells(table, book)
        sheet, line = None, SHEET_ROWS
        for row in table.rows:
            if line == SHEET_ROWS:
                sheet, line = _sheet(book, table, head), 1
            for cell in cells:
                cell(sheet, line, row)
            line += 1
        if sheet is None:
            _sheet(book, table, head)
        book.close()
        yield from pieces(file.name)


def _sheet(book: "Workbook", table: Table, head: "Format") -> "Worksheet":
    sheet = book.add_worksheet()
    for place, column in enumerate(table.columns):
        sheet.set_column(place, place, _WIDTHS.get(column.kind, 13))
        sheet.write_string(0, place, column.name, head)
    sheet.freeze_panes(1, 0)
    return sheet


def _cells(table: Table, book: "Workbook") -> list[Write]:
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    money = {0: book.add_format({"num_format": "0"}), 2: book.add_format({"num_format": "0.00"})}

    def text(sheet: "Worksheet", line: int, place: int, value: Any) -> None:
        sheet.write_string(line, place, str(value))

    def number(sheet: "Worksheet", line: int, place: int, value: Any) -> None:
        sheet.write_number(line, place, value)

    def flag(sheet: "Worksheet", line: int, place: int, value: Any) -> None:
        sheet.write_boolean(line, place, value)

    def on_day(sheet: "Worksheet", line: int, place: int, value: Any) -> None:
        if value < _FIRST_DAY:
            sheet.write_string(line, place, value.isoformat())
        else:
            sheet.write_datetime(line, place, value, day)

    def at_moment(sheet: "Worksheet", line: int, place: int, value: Any) -> None:
        sheet.write_datetime(line, place, local(value).replace(tzinfo=None), moment)

    writers = {Kind.NUMBER: number, Kind.FLAG: flag, Kind.DAY: on_day, Kind.MOMENT: at_moment}

    def cell(place: int, kind: Kind) -> Write:
        if kind is Kind.MONEY:
            at = table.currency_at[place]

            def amount(sheet: "Worksheet", line: int, row: Row) -> None:
                if row[place] is not None:
                    sheet.write_number(
                        line, place, row[place], money[decimals(at if isinstance(at, str) else row[at] or "")]
                    )

            return amount
        put = writers.get(kind, text)

        def any_other(sheet: "Worksheet", line: int, row: Row) -> None:
            value = row[place]
            if value is not None and value != "":
                put(sheet, line, place, value)

        return any_other

    return [cell(place, column.kind) for place, column in enumerate(table.columns)]
