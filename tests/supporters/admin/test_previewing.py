import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from supporters.importing import preview
from supporters.importing import run as runs
from supporters.models import ImportPreview, ImportRun, Supporter
from tests.factories import make_supporter

pytestmark = pytest.mark.django_db
CHANGE = "admin:supporters_importrun_change"
PAGE = "admin:supporters_importrun_preview"


@pytest.fixture(autouse=True)
def empty_broker(broker):
    """Asking for a preview sends a message."""


@pytest.fixture
def run(staff_client):
    make_supporter(email="asa@mail.se", first_name="Åsa", last_name="Ek", city="Lund")
    content = "email,first name,last name,city\nasa@mail.se,Åsa,Ek,Malmö\nnew@mail.se,Nya,<b>,\nbroken,,,\n".encode()
    file = SimpleUploadedFile("people.csv", content)
    staff_client.post(reverse("admin:supporters_importrun_add"), {"kind": "supporters", "file": file})
    return ImportRun.objects.get()


COLUMNS = {"column_0": "email", "column_1": "first_name", "column_2": "last_name", "column_3": "city"}


def ask(client, run) -> str:
    answer = client.post(reverse(CHANGE, args=[run.pk]), {**COLUMNS, "preview": "1"})
    assert answer["Location"] == reverse(PAGE, args=[run.pk])
    return answer["Location"]


def text_of(client, page: str, **parameters) -> str:
    return client.get(page, parameters).content.decode()


def test_staff_see_what_would_change_and_look_at_any_row(staff_client, run):
    page = ask(staff_client, run)
    assert "A worker goes through the whole file" in text_of(staff_client, page)
    assert "Preview of an import: people.csv" in text_of(staff_client, reverse("crm:background"))
    preview.work(run.pk)
    text = text_of(staff_client, page, part=1)
    assert "replaces 1 value" in text
    assert "<del>Lund</del>" in text
    text = text_of(staff_client, page, row=3)
    assert "&lt;b&gt;" in text
    assert "<b>," not in text
    assert "is no email address" in text_of(staff_client, page, show="failed")
    for number in ("99", "x", "", "9" * 40, "²"):
        assert staff_client.get(page, {"row": number}).status_code == 200
    assert "no row of this number" in text_of(staff_client, page, row=99)
    assert Supporter.objects.get().city == "Lund"


def test_the_record_can_win(staff_client, run):
    page = ask(staff_client, run)
    preview.work(run.pk)
    chosen = {"email": "file", "first_name": "file", "last_name": "fill", "city": "record", "policy": "1"}
    staff_client.post(page, chosen)
    run.refresh_from_db()
    assert run.options["policy"] == {"city": "record", "last_name": "fill"}
    preview.work(run.pk)
    assert preview.of(run).counts["updated"] == 0
    # Correcting the columns leaves it as it is.
    staff_client.post(reverse(CHANGE, args=[run.pk]), {**COLUMNS, "apply": "1"})
    run.refresh_from_db()
    assert run.options["policy"] == {"city": "record", "last_name": "fill"}
    staff_client.post(page, {"start": "1"})
    while runs.work(run.pk):
        pass
    assert Supporter.objects.get(email="asa@mail.se").city == "Lund"


def test_a_policy_of_nonsense_changes_nothing(staff_client, run):
    page = ask(staff_client, run)
    staff_client.post(page, {"email": "drop table", "city": "record", "policy": "1"})
    run.refresh_from_db()
    assert "policy" not in run.options


def test_it_starts_the_import_and_is_gone_then(staff_client, run):
    page = ask(staff_client, run)
    preview.work(run.pk)
    answer = staff_client.post(page, {"start": "1"})
    assert answer["Location"] == reverse(CHANGE, args=[run.pk])
    run.refresh_from_db()
    assert run.state == "queued"
    assert staff_client.get(page)["Location"] == reverse(CHANGE, args=[run.pk])


def test_other_settings_lead_back_to_the_columns(staff_client, run):
    page = ask(staff_client, run)
    ImportRun.objects.filter(pk=run.pk).update(options={"tags": "x"})
    assert staff_client.get(page)["Location"] == reverse(CHANGE, args=[run.pk])


def test_a_mapping_that_says_too_little_has_no_preview(staff_client, run):
    answer = staff_client.post(
        reverse(CHANGE, args=[run.pk]), {"column_0": "city", "column_1": "city", "preview": "1"}
    )
    assert "Two columns are set to" in answer.content.decode()
    assert not ImportPreview.objects.exists()


def test_only_who_may_import_sees_it(client, django_user_model, run):
    user = django_user_model.objects.create_user("vera", password="x", is_staff=True)
    client.force_login(user)
    assert client.get(reverse(PAGE, args=[run.pk])).status_code == 403
