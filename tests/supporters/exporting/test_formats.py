"""What is written is read back by others: Python's csv and json, openpyxl, calamine, odfpy, and zipfile."""

import csv
import io
import json
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal

import openpyxl
import pytest
from defusedxml import ElementTree
from python_calamine import CalamineWorkbook

from supporters.exporting.formats import FORMATS, cells, ods, xlsx
from supporters.exporting.listings import Column, Kind
from supporters.exporting.rows import Table

COLUMNS = (
    Column("name", "Name"),
    Column("number", "Number", kind=Kind.NUMBER),
    Column("amount", "Amount", kind=Kind.MONEY),
    Column("currency", "Currency"),
    Column("day", "Day", kind=Kind.DAY),
    Column("at", "At", kind=Kind.MOMENT),
    Column("flag", "Flag", kind=Kind.FLAG),
)
AT = datetime(2026, 7, 1, 22, 30, 15, 999, tzinfo=UTC)
ROWS = [
    ("Åsa", 3, Decimal("100.50"), "SEK", date(2026, 5, 1), AT, True),
    ("=1+1", -2, Decimal("-5.00"), "JPY", date(1899, 12, 31), None, False),
    (None, None, None, None, None, None, None),
    ('a  "b";\n <c>&', 0, Decimal("999999999999.99"), "EUR", date(2000, 2, 29), AT, None),
]


def written(name: str, rows=ROWS, columns=COLUMNS) -> bytes:
    table = Table("Test", columns, iter(rows), {2: 3} if len(columns) > 3 else {}, (), 10)
    return b"".join(FORMATS[name].write(table))


def test_csv_is_as_the_rfc_says_with_the_mark_that_excel_looks_for():
    content = written("csv")
    assert content.startswith("\ufeffname,number,amount,currency,day,at,flag\r\n".encode())
    lines = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert lines[1:] == [
        ["Åsa", "3", "100.50", "SEK", "2026-05-01", "2026-07-02T00:30:15+02:00", "yes"],
        ["'=1+1", "-2", "-5", "JPY", "1899-12-31", "", "no"],
        ["", "", "", "", "", "", ""],
        ['a  "b";\n <c>&', "0", "999999999999.99", "EUR", "2000-02-29", "2026-07-02T00:30:15+02:00", ""],
    ]


def test_json_is_one_array_with_numbers_as_numbers():
    text = written("json").decode()
    found = json.loads(text, parse_float=Decimal)
    assert found[0] == {
        "name": "Åsa",
        "number": 3,
        "amount": Decimal("100.50"),
        "currency": "SEK",
        "day": "2026-05-01",
        "at": "2026-07-02T00:30:15+02:00",
        "flag": True,
    }
    assert found[1]["name"] == "=1+1"
    assert found[1]["amount"] == -5
    assert '"amount": 100.50' in text
    assert set(found[2].values()) == {None}
    assert len(text.splitlines()) == len(ROWS) + 2


def test_xlsx_has_days_as_days_and_no_formula():
    sheet = openpyxl.load_workbook(io.BytesIO(written("xlsx"))).active
    lines = [[cell.value for cell in line] for line in sheet.iter_rows(min_row=2)]
    assert lines[0] == [
        "Åsa",
        3,
        100.5,
        "SEK",
        datetime(2026, 5, 1),
        datetime(2026, 7, 2, 0, 30, 15),
        True,
    ]
    assert lines[1][:5] == ["=1+1", -2, -5, "JPY", "1899-12-31"]
    assert sheet["A3"].data_type != "f"
    assert sheet["A3"].hyperlink is None
    assert (sheet["C2"].number_format, sheet["C3"].number_format) == ("0.00", "0")
    assert lines[2] == [None] * 7
    assert lines[3][0] == ROWS[3][0]
    assert lines[3][2] == 999999999999.99


def test_ods_is_known_for_what_it_is_and_keeps_every_space():
    content = written("ods")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        first = archive.infolist()[0]
        assert (first.filename, first.compress_type, first.extra) == ("mimetype", zipfile.ZIP_STORED, b"")
        assert content[30:].startswith(b"mimetypeapplication/vnd.oasis.opendocument.spreadsheetPK")
        root = ElementTree.fromstring(archive.read("content.xml"))
    assert "formula" not in {name.split("}")[-1] for node in root.iter() for name in node.attrib}
    rows = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    assert rows[1][:5] == ["Åsa", 3, 100.5, "SEK", date(2026, 5, 1)]
    assert rows[1][5:] == [datetime(2026, 7, 2, 0, 30, 15), True]
    assert rows[2][:4] == ["=1+1", -2, -5, "JPY"]
    assert rows[4][0] == ROWS[3][0]


@pytest.mark.parametrize("name", FORMATS)
def test_a_list_of_nobody_has_its_head(name):
    content = written(name, rows=[])
    if name == "csv":
        assert content.decode("utf-8-sig").split(",")[0] == "name"
    elif name == "json":
        assert json.loads(content) == []
    else:
        sheet = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
        assert sheet == [[column.name for column in COLUMNS]]


@pytest.mark.parametrize("module", [xlsx, ods], ids=["xlsx", "ods"])
def test_what_a_sheet_does_not_hold_goes_on_in_the_next(module, monkeypatch):
    monkeypatch.setattr(module, "SHEET_ROWS", 4)
    name = module.__name__.rpartition(".")[2]
    columns = (Column("n", "N", kind=Kind.NUMBER),)
    content = written(name, rows=[(n,) for n in range(7)], columns=columns)
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    sheets = [book.get_sheet_by_index(n).to_python() for n in range(len(book.sheet_names))]
    assert sheets == [[["n"], [0], [1], [2]], [["n"], [3], [4], [5]], [["n"], [6]]]


@pytest.mark.parametrize("name", ["xlsx", "ods"])
def test_what_xml_can_not_say_breaks_no_sheet(name):
    content = written(name, rows=[("a\x0bb\x1f\ufffe",)], columns=COLUMNS[:1])
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    assert sheet[1][0][0] == "a"


@pytest.mark.parametrize("name", FORMATS)
def test_rows_are_written_as_they_come(name):
    """No format holds more than a batch, and the one before, of what it has been given."""
    alive = 0

    class Seen(str):
        def __new__(cls, text):
            nonlocal alive
            alive += 1
            return super().__new__(cls, text)

        def __del__(self):
            nonlocal alive
            alive -= 1

    most = 0

    def rows():
        nonlocal most
        for n in range(5 * cells.BATCH):
            yield (Seen(f"row {n}"),)
            most = max(most, alive)

    assert written(name, rows=rows(), columns=COLUMNS[:1])
    assert most <= 2 * cells.BATCH
