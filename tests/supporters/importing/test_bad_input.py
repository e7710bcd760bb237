"""Files as they come: what can't be read is refused by name, the rest goes in, and nothing is done by halves."""

import io
import zipfile
from datetime import date
from decimal import Decimal

import openpyxl
import pytest

from supporters.importing import run as runs
from supporters.importing.problems import FileProblem
from supporters.models import Donation, ImportRun, Supporter
from tests.factories import make_supporter

pytestmark = pytest.mark.django_db


def load(content: bytes | str, kind: str = "supporters", name: str = "list.csv") -> ImportRun:
    run = runs.upload(kind, name, [content.encode() if isinstance(content, str) else content])
    assert runs.start(run)
    while runs.work(run.pk):
        pass
    run.refresh_from_db()
    assert run.state == ImportRun.State.DONE, run.error
    return run


def refused(run: ImportRun) -> dict[int, str]:
    return dict(run.failures.filter(went_in=False).values_list("number", "reason"))


def addresses() -> set[str]:
    return set(Supporter.objects.values_list("email", flat=True))


def workbook(*rows: list, change=None) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    if change:
        change(book)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def test_one_cell_too_many_in_line_70_000_costs_that_row_alone():
    lines = ["email,city", *(f"p{n}@mail.se,Lund" for n in range(2, 70_011))]
    lines[69_999] += ",more"
    run = load("\n".join(lines))
    assert (run.rows, run.created, run.failed) == (70_009, 70_008, 1)
    assert refused(run) == {70_000: "The row has more cells than there are columns: 3 instead of 2."}


def test_a_broken_quote_costs_its_row_and_swallows_none():
    run = load('email,city\na@mail.se,"Lund\nb@mail.se,Lund\nc@mail.se,"Malmö"\n')
    assert addresses() == {"b@mail.se", "c@mail.se"}
    assert list(refused(run)) == [2]
    assert "quotation mark" in refused(run)[2]
    assert run.failures.get().values == ["a@mail.se", "Lund"]


def test_a_quote_that_is_never_closed_costs_its_row_alone():
    run = load(
        'email,city\na@mail.se,Lund\nb@mail.se,"Lund\n' + "".join(f"p{n}@mail.se,Lund\n" for n in range(9_000))
    )
    assert (run.created, list(refused(run))) == (9_001, [3])


def test_what_may_be_the_rest_of_a_broken_cell_does_not_go_in():
    run = load('name,email\n"Ek "Åsa,a@mail.se\nc/o Berg\nBo Ek,b@mail.se\n')
    assert addresses() == {"b@mail.se"}
    assert "below a broken quotation mark" in refused(run)[3]


def test_quotes_that_are_right_may_hold_lines_and_quotes():
    run = load('email,street\na@mail.se,"Gatan 1\nc/o ""Berg"""\n')
    assert not refused(run)
    assert "Berg" in Supporter.objects.get().street


def test_rows_in_another_encoding_are_refused_and_the_others_keep_their_letters():
    text = "email,city\na@mail.se,Malmö\nb@mail.se,Göteborg\n".encode() + "c@mail.se,Växjö\n".encode("cp1252")
    run = load(text)
    assert set(Supporter.objects.values_list("city", flat=True)) == {"Malmö", "Göteborg"}
    assert refused(run) == {4: "The row has letters that are not UTF-8."}


def test_a_nul_costs_its_row_wherever_it_stands():
    run = load("email,other\na@mail.se,x\x00y\nb@mail.se,x\n")
    assert addresses() == {"b@mail.se"}
    assert "NUL" in refused(run)[2]
    assert run.failures.get().values == ["a@mail.se", "x\ufffdy"]


def test_a_header_in_the_middle_is_no_person():
    run = load("First name,Last name\nÅsa,Ek\nfirst name,Last name\nBo,Ek\n")
    assert set(Supporter.objects.values_list("first_name", flat=True)) == {"Åsa", "Bo"}
    assert refused(run) == {3: "This row repeats the names of the columns."}


def test_two_columns_of_one_name_are_refused_before_anything_goes_in():
    with pytest.raises(FileProblem, match="Two columns are called “email”"):
        runs.upload("supporters", "list.csv", [b"email,Email\na@mail.se,b@mail.se\n"])
    assert not ImportRun.objects.exists()


@pytest.mark.parametrize(
    ("dates", "days"),
    [
        (["2025-12-31", "2025-01-02"], [(12, 31), (1, 2)]),
        (["31/12/2025", "01/02/2025"], [(12, 31), (2, 1)]),
        (["01/02/2025", "12/31/2025"], [(1, 2), (12, 31)]),
        (["31.12.2025", "01.02.2025"], [(12, 31), (2, 1)]),
        (["46022", "45689"], [(12, 31), (2, 1)]),
        (["31 Dec 2025", "1 februari 2025", "Feb 1, 2025"], [(12, 31), (2, 1), (2, 1)]),
    ],
)
def test_dates_are_read_as_their_column_proves(dates, days):
    load("email,amount,currency,date\n" + "".join(f'a@mail.se,5,SEK,"{text}"\n' for text in dates), "donations")
    found = Donation.objects.order_by("pk").values_list("received_on", flat=True)
    assert list(found) == [date(2025, *day) for day in days]


def test_the_proof_of_an_order_may_stand_far_down():
    rows = [f"a@mail.se,{n + 1},SEK,01/02/2025\n" for n in range(runs.SAMPLE + 5)] + ["a@mail.se,9,SEK,12/31/2025\n"]
    load("email,amount,currency,date\n" + "".join(rows), "donations")
    assert set(Donation.objects.values_list("received_on", flat=True)) == {date(2025, 1, 2), date(2025, 12, 31)}


@pytest.mark.parametrize("dates", [["01/02/2025", "03/04/2025"], ["31/12/2025", "12/31/2025"]])
def test_dates_that_can_be_read_in_two_ways_are_asked_about(dates, staff_client):
    text = "email,amount,currency,date\n" + "".join(f"a@mail.se,5,SEK,{text}\n" for text in dates)
    run = runs.upload("donations", "list.csv", [text.encode()])
    with pytest.raises(FileProblem, match="The dates in “date” can be read in two ways"):
        runs.start(run)
    page = f"/admin/supporters/importrun/{run.pk}/change/"
    assert "(please choose)" in staff_client.get(page).content.decode()
    columns = {f"column_{index}": column["field"] for index, column in enumerate(run.mapping["columns"])}
    answer = staff_client.post(page, {**columns, "start": "1"}).content.decode()
    assert "can be read in two ways" in answer
    assert not Donation.objects.exists()
    staff_client.post(page, {**columns, "order_3": "mdy"})
    run.refresh_from_db()
    assert runs.start(run)
    runs.work(run.pk)
    run.refresh_from_db()
    assert run.created == sum(text[:2] <= "12" for text in dates)


def test_amounts_in_any_notation_and_none_that_is_no_gift():
    amounts = ["1.234,56", "1 234,56", "1\u00a0234,56", "1'234.56", "1,234.56", "1234.56 kr"]
    bad = {"-5": "below 0", "(5,00)": "below 0", "0": "no donation", "0,00": "no donation", "5 of 7": "no amount"}
    run = load(
        "email;amount;currency;date\n" + "".join(f"a@mail.se;{text};SEK;2025-01-02\n" for text in [*amounts, *bad]),
        "donations",
    )
    assert set(Donation.objects.values_list("amount", flat=True)) == {Decimal("1234.56")}
    assert run.created == len(amounts)
    for reason, words in zip(refused(run).values(), bad.values(), strict=True):
        assert words in reason


def test_addresses_are_freed_of_what_mail_programs_put_around_them():
    load("email\nmailto:a@mail.se\nÅsa Ek <b@mail.se>\n<c@mail.se>\nd@mail.se.\n E@Mail.SE \n")
    assert addresses() == {f"{letter}@mail.se" for letter in "abcde"}


def test_a_sheet_of_300_columns_is_refused_with_its_number():
    with pytest.raises(FileProblem, match="300 columns"):
        runs.upload("supporters", "list.xlsx", [workbook([f"c{n}" for n in range(300)], ["x"] * 300)])


def test_formulas_are_no_values():
    run = load(
        'email,first name,phone\n=A1,Åsa,\na@mail.se,"=HYPERLINK(""http://x"")",\nb@mail.se,Bo,"=""0701234567"""\n'
    )
    assert addresses() == {"b@mail.se"}
    assert Supporter.objects.get().phone.endswith("701234567")
    assert "“First name” holds a formula" in refused(run)[3]


def test_a_formula_that_was_never_worked_out_is_not_taken_for_an_empty_cell():
    def error(book):
        book.active["B4"].data_type = "e"

    rows = [["email", "city"], ["a@mail.se", "Lund"], ["b@mail.se", '=CONCAT("Lu","nd")'], ["c@mail.se", "#N/A"]]
    run = load(workbook(*rows, change=error))
    assert addresses() == {"a@mail.se"}
    assert "Cell B3 holds a formula without a result" in refused(run)[3]
    assert "Cell B4 holds an error" in refused(run)[4]


def test_a_formula_with_its_result_is_its_result():
    book = workbook(["email", "city"], ["a@mail.se", "=1"])
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as old, zipfile.ZipFile(target, "w") as new:
        for entry in old.infolist():
            content = old.read(entry)
            if entry.filename == "xl/worksheets/sheet1.xml":
                assert b"<f>1</f>" in content
                content = content.replace(b'<c r="B2"><f>1</f><v />', b'<c r="B2" t="str"><f>1</f><v>Lund</v>')
                content = content.replace(b'<c r="B2"><f>1</f><v></v>', b'<c r="B2" t="str"><f>1</f><v>Lund</v>')
            new.writestr(entry, content)
    assert not refused(load(target.getvalue()))
    assert Supporter.objects.get().city == "Lund"


def test_merged_cells_cost_the_rows_that_lack_a_value():
    rows = [["email", "city"], ["a@mail.se", "Lund"], ["b@mail.se", ""], ["c@mail.se", "Ystad"]]
    run = load(workbook(*rows, change=lambda book: book.active.merge_cells("B2:B3")))
    assert addresses() == {"a@mail.se", "c@mail.se"}
    assert refused(run)[3].startswith("Cells of this row are merged with those of row 2.")


def test_hidden_sheets_are_left_alone():
    def hide(book):
        book.active.sheet_state = "hidden"
        shown = book.create_sheet("People")
        shown.append(["email"])
        shown.append(["a@mail.se"])

    run = load(workbook(["email"], ["secret@mail.se"], change=hide))
    assert run.layout["sheets"] == ["People"]
    assert addresses() == {"a@mail.se"}


def with_password() -> bytes:
    """The beginnings of what Excel makes of a workbook with a password: a compound file with two streams."""
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1024) + "EncryptedPackage".encode("utf-16-le") + bytes(512)


def bomb() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        for number in range(9):
            archive.writestr(f"xl/worksheets/sheet{number}.xml", bytes(100_000_000))
    return target.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"email,city\n", "no rows below"),
        (workbook(["email", "city"]), "no rows below"),
        (workbook(), "no rows"),
        (with_password(), "has a password"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1024), "damaged"),
        (b"%PDF-1.7\n%\xe2\xe3", "not a table"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "not a table"),
        (b"\r\n <HTML xmlns:x='urn'><table><tr><td>email</td></tr></table>", "web page"),
        (b'<?xml version="1.0"?><Workbook/>', "web page"),
        (b"PK\x03\x04" + bytes(100), "damaged"),
        (b'"email\na@mail.se\n', "column names can't be read"),
    ],
)
def test_a_file_that_is_something_else_is_refused_where_it_is_uploaded(content, message, staff_client):
    make_supporter(email="here@mail.se")
    file = io.BytesIO(content or b"")
    file.name = "list.xls"
    if not content:
        with pytest.raises(FileProblem, match=message):
            runs.upload("supporters", "list.csv", [content])
        return
    page = staff_client.post(
        "/admin/supporters/importrun/add/", {"kind": "supporters", "file": file}
    ).content.decode()
    assert message in page.replace("&#x27;", "'")
    assert not ImportRun.objects.exists()


def test_a_zip_bomb_is_refused_before_it_is_opened():
    with pytest.raises(FileProblem, match="larger than"):
        runs.upload("supporters", "list.xlsx", [bomb()])
    assert not ImportRun.objects.exists()
