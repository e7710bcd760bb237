import csv
import io
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from supporters import consent, merging
from supporters.importing import run as runs
from supporters.models import ImportRun, Reference, SavedMapping, Supporter
from tests.factories import make_supporter

pytestmark = pytest.mark.django_db
ADD = "admin:supporters_importrun_add"
CHANGE = "admin:supporters_importrun_change"


@pytest.fixture(autouse=True)
def empty_broker(broker):
    """Starting an import sends a message."""


def upload(client, content: bytes, name: str = "people.csv", kind: str = "supporters"):
    return client.post(reverse(ADD), {"kind": kind, "file": SimpleUploadedFile(name, content)})


def finish(run: ImportRun) -> ImportRun:
    while runs.work(run.pk):
        pass
    run.refresh_from_db()
    return run


def test_a_file_is_looked_at_corrected_and_started(staff_client):
    answer = upload(staff_client, "Mejl;Namn;Stad\nasa@mail.se;Åsa Ek;Lund\nno address;Bo;\n".encode())
    run = ImportRun.objects.get()
    page = reverse(CHANGE, args=[run.pk])
    assert answer["Location"] == page
    text = staff_client.get(page).content.decode()
    assert "asa@mail.se" in text
    assert not Supporter.objects.exists()
    wanted = {
        "column_0": "email",
        "column_1": "first_name",
        "column_2": "city",
        "tags": "fair",
        "encoding": "utf-8-sig",
        "delimiter": ";",
    }
    staff_client.post(page, {**wanted, "apply": "1"})
    assert "is no email address" in staff_client.get(page).content.decode()
    staff_client.post(page, {**wanted, "start": "1"})
    run = finish(run)
    assert (run.state, run.created, run.failed) == ("done", 1, 1)
    asa = Supporter.objects.get()
    assert (asa.first_name, asa.city, asa.tags.get().name) == ("Åsa Ek", "Lund", "fair")
    inside = staff_client.get(page, {"part": 1}).content.decode()
    assert "2 of 2 rows" in inside
    assert "is no email address" in inside


def test_failed_rows_come_back_mended(staff_client):
    upload(staff_client, "email,first name,country\nasa@mail.se,Åsa,SE\nbo@mail.se,-Bo,Atlantis\n".encode())
    run = ImportRun.objects.get()
    runs.start(run)
    finish(run)
    link = reverse("admin:supporters_export_new", args=["refused-rows"], query={"run": run.pk})
    assert f'href="{link}"' in staff_client.get(reverse(CHANGE, args=[run.pk])).content.decode()
    form = staff_client.get(link).context["form"]
    columns = [box["column"].name for box in form.boxes()]
    told = {"format": "csv", "columns": columns, "reason": form.initial["reason"]}
    text = staff_client.post(link, told).getvalue().decode("utf-8-sig")
    assert text.splitlines()[0].startswith("email,first name,country,Lodestar: reason,Lodestar: may_be_emailed,")
    assert text.splitlines()[1].startswith("bo@mail.se,'-Bo,Atlantis,")
    upload(staff_client, text.replace("Atlantis", "DK").encode())
    again = ImportRun.objects.latest("pk")
    assert again.mapping["columns"][3]["field"] == ""
    runs.start(again)
    assert finish(again).created == 1
    assert Supporter.objects.get(email="bo@mail.se").first_name == "-Bo"


def test_what_the_people_of_failed_rows_allow_stands_beside_them(staff_client, staff):
    yes = make_supporter(email="yes@mail.se", consent=True)
    merging.merge(yes.pk, make_supporter(email="other@mail.se").pk, by=staff)
    numbered = make_supporter(email="numbered@mail.se", consent=True)
    Reference.objects.create(supporter=numbered, system="donor", identifier="7")
    left = make_supporter(email="left@mail.se", consent=True)
    consent.withdraw(left, "email", method="staff")
    who = ["Yes@mail.se,", "other@mail.se,", ",7", "left@mail.se,7", "new@mail.se,", "@@,"]
    upload(staff_client, "\n".join(["email,id,birth date", *(f"{row},1700-01-01,more" for row in who)]).encode())
    run = ImportRun.objects.get()
    runs.start(run)
    assert finish(run).failed == len(who)
    link = reverse("admin:supporters_export_new", args=["refused-rows"], query={"run": run.pk})
    told = {"format": "csv", "columns": ["email"], "reason": "To mend them"}
    with CaptureQueriesContext(connection) as queries:
        text = staff_client.post(link, told).getvalue().decode("utf-8-sig")
    assert sum('"supporters_merge"' in query["sql"] for query in queries) == 1
    found = list(csv.DictReader(io.StringIO(text)))
    assert [(row["Lodestar: may_be_emailed"], row["Lodestar: email_consent"]) for row in found] == [
        ("yes", "granted"),
        ("yes", "granted"),
        ("yes", "granted"),
        ("no", "withdrawn"),
        ("no", ""),
        ("no", ""),
    ]


def test_mended_rows_are_mapped_as_their_file_was_and_gain_no_column_each_time(staff_client):
    upload(staff_client, b"kontakt,wer,land\na@mail.se,Anna,SE\nb@mail.se,Bo,Atlantis\n")
    run = ImportRun.objects.get()
    page = reverse(CHANGE, args=[run.pk])
    staff_client.post(page, {"column_0": "email", "column_1": "first_name", "column_2": "country", "start": "1"})
    header = []
    for number in range(1, 3):
        assert finish(run).failed == 1
        link = reverse("admin:supporters_export_new", args=["refused-rows"], query={"run": run.pk})
        columns = [box["column"].name for box in staff_client.get(link).context["form"].boxes()]
        told = {"format": "csv", "columns": columns, "reason": "To mend them"}
        text = staff_client.post(link, told).getvalue().decode("utf-8-sig")
        header.append(text.splitlines()[0])
        upload(staff_client, text.encode(), name=f"again{number}.csv")
        run = ImportRun.objects.latest("pk")
        assert [column["field"] for column in run.mapping["columns"]][:4] == ["email", "first_name", "country", ""]
        runs.start(run)
    assert header[0] == header[1]
    assert SavedMapping.objects.count() == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"%PDF-1.4", "not a table"),
        (b"PK\x03\x04zzz", "damaged"),
        (b"a,a\n1,2\n", "Two columns are called"),
    ],
)
def test_what_is_no_table_is_said_at_the_field_and_nothing_is_kept(staff_client, content, message):
    answer = upload(staff_client, content)
    assert any(message in error for error in answer.context["form"].errors["file"])
    assert not ImportRun.objects.exists()


def test_an_upload_of_two_gigabytes_is_refused_unread(staff_client):
    class Never(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            raise AssertionError("The body was read.")

    answer = staff_client.generic(
        "POST",
        reverse(ADD),
        b"",
        content_type="multipart/form-data; boundary=x",
        CONTENT_LENGTH=str(2 * 1024**3),
        **{"wsgi.input": Never()},
    )
    assert answer.status_code == 413
    assert "up to 200 MB" in answer.content.decode()


def test_a_statement_of_consent_needs_all_of_its_proof(staff_client):
    upload(staff_client, b"email\nasa@mail.se\n")
    run = ImportRun.objects.get()
    answer = staff_client.post(
        reverse(CHANGE, args=[run.pk]), {"column_0": "email", "consent_purpose": "email", "start": "1"}
    )
    assert set(answer.context["options"].errors) == {"consent_wording", "consent_on", "consent_how"}
    run.refresh_from_db()
    assert (run.state, run.consent_purpose) == ("uploaded", "")


def test_a_mapping_that_says_too_little_is_not_started(staff_client):
    upload(staff_client, b"a,b\n1,2\n", kind="donations")
    run = ImportRun.objects.get()
    answer = staff_client.post(
        reverse(CHANGE, args=[run.pk]), {"column_0": "amount", "column_1": "amount", "start": "1"}
    )
    assert re.search("Two columns are set to", answer.content.decode())
    run.refresh_from_db()
    assert run.state == "uploaded"


def test_a_file_is_read_again_in_another_encoding(staff_client):
    upload(staff_client, "email,ort\nasa@mail.se,Łódź\n".encode("cp1250"))
    run = ImportRun.objects.get()
    staff_client.post(reverse(CHANGE, args=[run.pk]), {"encoding": "cp1250", "delimiter": ",", "read": "1"})
    run.refresh_from_db()
    assert run.layout["encoding"] == "cp1250"
    assert "Łódź" in staff_client.get(reverse(CHANGE, args=[run.pk])).content.decode()


def test_an_import_is_thrown_away(staff_client):
    upload(staff_client, b"email\nasa@mail.se\n")
    run = ImportRun.objects.get()
    staff_client.post(reverse(CHANGE, args=[run.pk]), {"cancel": "1"})
    run.refresh_from_db()
    assert run.state == "cancelled"
    assert not Supporter.objects.exists()


def test_the_page_of_an_import_says_which_file_whose_and_what_was_stated(staff_client, staff):
    upload(staff_client, b"email\nasa@mail.se\n", "spring fair.csv")
    run = ImportRun.objects.get()
    assert "spring fair.csv" in staff_client.get(reverse(CHANGE, args=[run.pk])).content.decode()
    proof = {
        "consent_purpose": "email",
        "consent_wording": "May we write?",
        "consent_on": "2026-03-08",
        "consent_how": "A list at the stall",
    }
    staff_client.post(reverse(CHANGE, args=[run.pk]), {"column_0": "email", "start": "1", **proof})
    text = staff_client.get(reverse(CHANGE, args=[finish(run).pk])).content.decode()
    for said in ("spring fair.csv", staff.username, "May we write?", "8 Mar 2026", "A list at the stall"):
        assert said in text


def test_rows_that_lack_a_value_are_told_from_rows_that_failed(staff_client):
    upload(staff_client, b"reference,email\nD1,asa(at)mail.se\n")
    run = ImportRun.objects.get()
    runs.start(run)
    text = staff_client.get(reverse(CHANGE, args=[finish(run).pk])).content.decode()
    assert "Rows to look at" in text
    assert "1 row went in without a value" in text
    assert "Rows that failed" not in text
