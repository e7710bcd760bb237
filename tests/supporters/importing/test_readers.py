import io
import zipfile

import openpyxl
import pytest

from supporters.importing import readers
from supporters.importing.problems import FileProblem

TEXT = "Förnamn;E-post;Ort\nÅsa;asa@mail.se;Malmö\n\nJürgen;jurgen@mail.de;\n"


def read(path):
    layout = readers.inspect(path)
    return (
        layout,
        readers.read_header(path, layout),
        [(row.number, row.cells) for row in readers.read_rows(path, layout)],
    )


@pytest.mark.parametrize(
    ("encoding", "guessed"),
    [
        ("utf-8", "utf-8-sig"),
        ("utf-8-sig", "utf-8-sig"),
        ("cp1252", "cp1252"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
    ],
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_text_is_read_in_any_encoding_and_dialect(tmp_path, encoding, guessed, delimiter):
    path = tmp_path / "people.csv"
    path.write_bytes(TEXT.replace(";", delimiter).encode(encoding))
    layout, header, rows = read(path)
    assert (layout.encoding, layout.delimiter) == (guessed, delimiter)
    assert header == ["Förnamn", "E-post", "Ort"]
    assert rows == [(2, ["Åsa", "asa@mail.se", "Malmö"]), (4, ["Jürgen", "jurgen@mail.de", ""])]


def test_quoted_cells_keep_line_breaks_and_delimiters(tmp_path):
    path = tmp_path / "people.csv"
    path.write_text('name,street\n"Ek, Åsa","Gatan 1\nc/o Berg"\n')
    assert read(path)[2] == [(2, ["Ek, Åsa", "Gatan 1\nc/o Berg"])]


def test_xlsx_is_read_whatever_its_name(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["Email", "Amount", "Date"])
    book.active.append(["a@mail.se", 12.5, __import__("datetime").date(2026, 3, 1)])
    book.active.append(["b@mail.se", 100, None])
    path = tmp_path / "people.csv"
    book.save(path)
    layout, _header, rows = read(path)
    assert (layout.format, layout.sheets) == ("xlsx", ("Sheet",))
    assert rows == [(2, ["a@mail.se", "12.5", "2026-03-01"]), (3, ["b@mail.se", "100", ""])]


def test_ods_is_read(tmp_path):
    import tablib

    path = tmp_path / "people.ods"
    path.write_bytes(tablib.Dataset(["a@mail.se", "Åsa"], headers=["Email", "Name"]).export("ods"))
    layout, header, rows = read(path)
    assert (layout.format, header, rows) == ("ods", ["Email", "Name"], [(2, ["a@mail.se", "Åsa"])])


def zip_bomb() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 3_000_000)
    return target.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b" \n ", "empty"),
        (b"%PDF-1.7 and so on", "not a table"),
        (b"\x00\x01\x02\x03" * 100, "not a table"),
        (b"PK\x03\x04 broken", "damaged"),
        (b"\xd0\xcf\x11\xe0" + b"x" * 600, "damaged"),
        (b"name\n\x81\x8d\xff\n", "unknown encoding"),
        (b"email,Email\na@b.se,c@d.se\n", "Two columns are called"),
        (b"a" + b"," * 300 + b"\n", None),
        (b'"name\nnever closed\n' + b"x" * 200_000, "quotation mark"),
    ],
)
def test_a_file_that_is_no_table_is_refused_with_its_reason(tmp_path, content, message):
    path = tmp_path / "people.csv"
    path.write_bytes(content)
    if message is None:
        assert read(path)[1] == ["a"]
        return
    with pytest.raises(FileProblem, match=message):
        read(path)


def test_a_zip_bomb_is_refused_before_it_is_opened(tmp_path, monkeypatch):
    monkeypatch.setattr(readers.sheets, "MAX_UNPACKED", 2_000_000)
    path = tmp_path / "people.xlsx"
    path.write_bytes(zip_bomb())
    with pytest.raises(FileProblem, match="larger than"):
        readers.inspect(path)


def test_a_zip_without_a_spreadsheet_is_refused(tmp_path):
    path = tmp_path / "people.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("people.csv", "email\n")
    with pytest.raises(FileProblem, match="no spreadsheet"):
        readers.inspect(path)
