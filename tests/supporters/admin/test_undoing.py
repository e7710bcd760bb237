import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from supporters.importing import run as runs
from supporters.importing import undoing
from supporters.models import ImportRun, Supporter
from tests.factories import make_donation

pytestmark = pytest.mark.django_db
CHANGE = "admin:supporters_importrun_change"
PAGE = "admin:supporters_importrun_undo"


@pytest.fixture(autouse=True)
def empty_broker(broker):
    """Asking for it sends a message."""


@pytest.fixture
def run(staff_client):
    content = b"email,first name\nasa@mail.se,Asa\nbo@mail.se,<b>Bo\n"
    file = SimpleUploadedFile("people.csv", content)
    staff_client.post(reverse("admin:supporters_importrun_add"), {"kind": "supporters", "file": file})
    run = ImportRun.objects.get()
    runs.start(run)
    work(runs, run)
    return run


def work(module, run) -> None:
    while module.work(run.pk):
        pass


def text_of(client, page: str, **parameters) -> str:
    return client.get(page, parameters).content.decode()


def test_staff_see_what_can_be_undone_undo_it_and_see_what_stayed(staff_client, run):
    make_donation(Supporter.objects.get(email="bo@mail.se"))
    change, page = (reverse(name, args=[run.pk]) for name in (CHANGE, PAGE))
    assert "Undo this import…" in text_of(staff_client, change)
    assert staff_client.get(page)["Location"] == change
    assert staff_client.post(page, {"look": "1"})["Location"] == page
    assert "A worker does it" in text_of(staff_client, page)
    assert "Undoing an import: people.csv" in text_of(staff_client, reverse("crm:background"))
    work(undoing, run)
    text = text_of(staff_client, page)
    assert "What stands in the way" in text
    assert "donations" in text
    assert "&lt;b&gt;Bo" in text
    assert Supporter.objects.count() == 2
    staff_client.post(page, {"undo": "1"})
    assert "Being undone" in text_of(staff_client, page, part=1)
    assert "is being undone" in text_of(staff_client, change)
    work(undoing, run)
    assert "What had to stay" in text_of(staff_client, page)
    assert "This import was undone" in text_of(staff_client, change)
    assert Supporter.objects.get().email == "bo@mail.se"
    assert LogEntry.objects.filter(change_message__contains="Undone").exists()


def test_nothing_is_undone_twice_or_without_a_look(staff_client, run):
    page = reverse(PAGE, args=[run.pk])
    for _time in range(2):
        assert staff_client.post(page, {"undo": "1"})["Location"] == reverse(CHANGE, args=[run.pk])
    assert Supporter.objects.count() == 2


def test_only_who_may_import_undoes(client, django_user_model, run):
    client.force_login(django_user_model.objects.create_user("vera", password="x", is_staff=True))
    assert client.post(reverse(PAGE, args=[run.pk]), {"look": "1"}).status_code == 403
