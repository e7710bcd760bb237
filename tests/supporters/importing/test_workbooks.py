"""Spreadsheets of all kinds that are not as they should be, in the process that opens them."""

import io
import struct
from datetime import date, datetime

import openpyxl
import pytest
import xlwt
from odf.opendocument import OpenDocumentSpreadsheet
from odf.style import Style, TableProperties
from odf.table import CoveredTableCell, Table, TableCell, TableRow
from odf.text import P
from xlwt.Cell import FormulaCell, StrCell
from xlwt.CompoundDoc import XlsDoc

from supporters.importing import readers
from supporters.importing.problems import FileProblem
from supporters.importing.readers import sheets
from supporters.importing.readers.workbooks.places import letters

HEADER = ["email", "city"]
PLAIN = xlwt.easyxf()
SHAPES = {
    date: xlwt.easyxf(num_format_str="YYYY-MM-DD"),
    datetime: xlwt.easyxf(num_format_str="YYYY-MM-DD HH:MM"),
}


def xls(rows, change=None, **settings) -> bytes:
    book = xlwt.Workbook()
    for name, value in settings.items():
        setattr(book, name, value)
    sheet = book.add_sheet("People")
    for number, row in enumerate(rows):
        for column, value in enumerate(row):
            sheet.write(number, column, value, SHAPES.get(type(value), PLAIN))
    if change:
        change(book, sheet)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


class Result(StrCell):
    """A formula as Excel leaves it: [MS-XLS] 2.4.127. Its result is eight bytes, a text follows in a record of its own."""

    def __init__(self, row, column, result, text=None):
        self.rowx, self.colx, self.xf_idx, self.result, self.text = row, column, 15, result, text

    def get_biff_data(self):
        body = struct.pack("<3H", self.rowx, self.colx, self.xf_idx) + self.result + struct.pack("<HLH", 0, 0, 0)
        records = struct.pack("<2H", 0x06, len(body)) + body
        if self.text is not None:
            text = struct.pack("<HB", len(self.text), 0) + self.text.encode("latin-1")
            records += struct.pack("<2H", 0x207, len(text)) + text
        return records


def kind_of_result(kind: int) -> bytes:
    return bytes([kind, 0, 0, 0, 0, 0, 0xFF, 0xFF])


def read(tmp_path, content):
    path = tmp_path / "people"
    path.write_bytes(content)
    layout = readers.inspect(path)
    rows = list(readers.read_rows(path, layout))
    return (
        layout,
        readers.read_header(path, layout),
        {row.number: row.cells for row in rows if not row.fault},
        {row.number: row.fault for row in rows if row.fault},
    )


def test_xls_is_read_with_its_letters_days_and_numbers(tmp_path):
    rows = [
        ["email", "name", "amount", "day", "moment", "yes", "number"],
        ["a@mail.se", "Åsa Łuczak Ωmega", 12.5, date(2026, 3, 1), datetime(2026, 3, 1, 10, 5), True, 46012345678],
        [],
        ["b@mail.se", "", 100, None, None, False, None],
    ]
    layout, header, right, wrong = read(tmp_path, xls(rows))
    assert (layout.format, layout.sheets, header) == ("xls", ("People",), rows[0])
    assert right == {
        2: ["a@mail.se", "Åsa Łuczak Ωmega", "12.5", "2026-03-01", "2026-03-01 10:05:00", "yes", "46012345678"],
        4: ["b@mail.se", "", "100", "", "", "no", ""],
    }
    assert not wrong


def test_days_of_an_xls_from_a_macintosh_count_from_1904(tmp_path):
    rows = [["email", "day"], ["a@mail.se", date(2026, 3, 1)]]
    assert read(tmp_path, xls(rows, dates_1904=True))[2] == {2: ["a@mail.se", "2026-03-01"]}


def test_rows_above_the_names_are_counted(tmp_path):
    _layout, header, right, _wrong = read(tmp_path, xls([[], [], HEADER, ["a@mail.se", "Lund"]]))
    assert (header, right) == (HEADER, {4: ["a@mail.se", "Lund"]})


def test_hidden_sheets_of_an_xls_are_left_alone(tmp_path):
    def hide(book, _sheet):
        for name, visibility in (("Hidden", 1), ("Deeply", 2)):
            hidden = book.add_sheet(name)
            hidden.visibility = visibility
            hidden.write(0, 0, "email")

    assert read(tmp_path, xls([HEADER, ["a@mail.se", "Lund"]], hide))[0].sheets == ("People",)


def test_an_xls_all_hidden_is_refused(tmp_path):
    def hide(book, sheet):
        sheet.visibility = 1

    with pytest.raises(FileProblem, match="no sheet that is not hidden"):
        read(tmp_path, xls([HEADER], hide))


def test_formulas_of_an_xls_are_their_results_and_what_is_no_result_costs_its_row(tmp_path):
    def compute(_book, sheet):
        cells = [
            Result(1, 1, kind_of_result(0), "Lund"),
            Result(2, 1, struct.pack("<d", 7.5)),
            Result(3, 1, kind_of_result(3)),
            Result(4, 1, kind_of_result(2)),
        ]
        for cell in cells:
            sheet.row(cell.rowx).insert_cell(1, cell)
        sheet.row(5).set_cell_error(1, 42)
        sheet.row(6).insert_cell(1, FormulaCell(6, 1, 15, xlwt.Formula('CONCATENATE("Lu","nd")'), calc_flags=2))

    rows = [HEADER, *([f"{letter}@mail.se"] for letter in "abcdef")]
    right, wrong = read(tmp_path, xls(rows, compute))[2:]
    assert right == {2: ["a@mail.se", "Lund"], 3: ["b@mail.se", "7.5"], 4: ["c@mail.se", ""]}
    assert wrong == {
        5: "Cell B5 holds an error in place of a value.",
        6: "Cell B6 holds an error in place of a value.",
        7: "Cell B7 holds a formula without a result. Open the file in a spreadsheet program and save it.",
    }


def test_faults_are_those_of_the_sheet_that_is_read(tmp_path):
    def other(book, _sheet):
        second = book.add_sheet("Zweites")
        second.row(1).set_cell_error(0, 42)

    assert not read(tmp_path, xls([HEADER, ["a@mail.se", "Lund"]], other))[3]


def ods() -> bytes:
    """As LibreOffice writes it: cells that are merged, errors and formulas, and a hidden sheet with the same in other rows."""
    book = OpenDocumentSpreadsheet()
    hidden = Style(name="hidden", family="table")
    hidden.addElement(TableProperties(display="false"))
    book.automaticstyles.addElement(hidden)
    for name, empty in (("Hidden", 9), ("People", 2)):
        sheet = Table(name=name, **({"stylename": hidden} if name == "Hidden" else {}))
        book.spreadsheet.addElement(sheet)
        error = TableCell(formula="of:=1/0", valuetype="string", stringvalue="")
        error.setAttrNS("urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0", "value-type", "error")
        result = TableCell(formula='of:="Lund"', valuetype="string", stringvalue="Lund")
        result.addElement(P(text="Lund"))
        for cells, more in (
            ([text("email"), text("city")], {}),
            ([text("a@mail.se"), text("Lund", numberrowsspanned=2)], {}),
            ([text("b@mail.se"), CoveredTableCell()], {}),
            ([TableCell()], {"numberrowsrepeated": empty}),
            ([text("c@mail.se"), TableCell(formula='of:=CONCATENATE("Lu";"nd")')], {}),
            ([text("d@mail.se"), error], {}),
            ([text("e@mail.se"), result], {}),
        ):
            row = TableRow(**more)
            for cell in cells:
                row.addElement(cell)
            sheet.addElement(row)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def text(value: str, **more) -> TableCell:
    cell = TableCell(valuetype="string", **more)
    cell.addElement(P(text=value))
    return cell


def test_an_ods_costs_the_same_rows(tmp_path):
    layout, _header, right, wrong = read(tmp_path, ods())
    assert (layout.format, layout.sheets) == ("ods", ("People",))
    assert right == {2: ["a@mail.se", "Lund"], 8: ["e@mail.se", "Lund"]}
    assert wrong == {
        3: "Cells of this row are merged with those of row 2. Take them apart, and fill in each row.",
        6: "Cell B6 holds a formula without a result. Open the file in a spreadsheet program and save it.",
        7: "Cell B7 holds an error in place of a value.",
    }


@pytest.mark.parametrize(("column", "head"), [(0, "A"), (25, "Z"), (26, "AA"), (255, "IV"), (702, "AAA")])
def test_columns_are_called_as_a_spreadsheet_program_calls_them(column, head):
    assert letters(column) == head


def test_merged_cells_of_an_xls_cost_the_rows_that_lack_a_value(tmp_path):
    def merge(_book, sheet):
        sheet.write_merge(1, 2, 1, 1, "Lund")

    right, wrong = read(tmp_path, xls([HEADER, ["a@mail.se"], ["b@mail.se"], ["c@mail.se", "Ystad"]], merge))[2:]
    assert set(right) == {2, 4}
    assert wrong[3].startswith("Cells of this row are merged with those of row 2.")


def with_password() -> bytes:
    """An xls as it is with a password: a record that tells how, right behind the first. [MS-XLS] 2.4.117"""
    book = xlwt.Workbook()
    book.add_sheet("People").write(0, 0, "email")
    stream = book.get_biff_data()
    end = 4 + struct.unpack_from("<H", stream, 2)[0]
    key = struct.pack("<2H", 0x2F, 54) + bytes(54)
    target = io.BytesIO()
    XlsDoc().save(target, stream[:end] + key + stream[end:])
    return target.getvalue()


def other_compound() -> bytes:
    """What Word and many others save: the same kind of file, and no workbook in it."""
    target = io.BytesIO()
    XlsDoc().save(target, bytes(5000))
    return target.getvalue().replace("Workbook".encode("utf-16-le"), "WordDocu".encode("utf-16-le"))


def modern_with_password() -> bytes:
    target = io.BytesIO()
    XlsDoc().save(target, bytes(5000))
    name, other = "Workbook".encode("utf-16-le"), "EncryptedPackage".encode("utf-16-le")
    at = target.getvalue().index(name)
    content = bytearray(target.getvalue())
    content[at : at + len(other)] = other
    content[at + 64 : at + 66] = struct.pack("<H", len(other) + 2)  # the length of a name: [MS-CFB] 2.6.1
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (with_password(), "^This workbook has a password"),
        (modern_with_password(), "^This workbook has a password"),
        (other_compound(), "not a table"),
        (xls([HEADER])[:3000], "damaged"),
        (xls([HEADER])[:1024], "damaged"),
    ],
)
def test_an_xls_that_cant_be_read_is_refused_with_its_reason(tmp_path, content, message):
    with pytest.raises(FileProblem, match=message):
        read(tmp_path, content)


def far_away() -> bytes:
    book = openpyxl.Workbook()
    book.active.append(HEADER)
    book.active["XFD1048576"] = " "
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def test_one_cell_at_the_end_of_a_sheet_ends_only_the_process_that_opens_it(tmp_path):
    with pytest.raises(FileProblem, match="too much memory or time"):
        read(tmp_path, far_away())


def test_a_sheet_that_needs_more_memory_than_it_may_have_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(sheets, "MAX_MEMORY", 256 << 20)
    sparse = xls([HEADER], lambda _book, sheet: sheet.write(65_535, 255, "x"))
    with pytest.raises(FileProblem, match="too much memory or time"):
        read(tmp_path, sparse)


def test_whoever_has_read_enough_leaves_no_process_behind(tmp_path):
    import psutil

    path = tmp_path / "people"
    path.write_bytes(xls([HEADER, *([f"p{n}@mail.se", "Lund" * 50] for n in range(5_000))]))
    rows = readers.read_rows(path, readers.inspect(path))
    assert next(rows).cells[0] == "p0@mail.se"
    assert psutil.Process().children()
    rows.close()
    assert not [child for child in psutil.Process().children() if "readers.workbooks" in " ".join(child.cmdline())]
