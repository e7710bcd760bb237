from datetime import date, timedelta
from threading import Thread

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from supporters.models import Tally
from supporters.tallying.scans import Scan
from tests.factories import make_organisation, make_petition
from tests.processes import wait_for
from tests.supporters.tallying.batches import PDF, make_tally, person

pytestmark = pytest.mark.django_db
ADD = "/admin/supporters/tally/add/"


@pytest.fixture
def petition(broker):
    return make_petition()


@pytest.fixture
def enna(client, petition):
    return _as(client, "enna")


def _as(client, name, role="Campaigner"):
    user = person(name)
    user.groups.set([Group.objects.get(name=role)])
    client.force_login(user)
    return client


def page_of(tally, what="change") -> str:
    return reverse(f"admin:supporters_tally_{what}", args=[tally.pk])


def filled(petition, **fields) -> dict:
    return {
        "petition": petition.pk,
        "way": "paper",
        "organisation": "",
        "source": "Stall at the station",
        "number": 40,
        "country": "Sweden",
        "place": "Lund",
        "gathered_on": "2026-11-04",
        "no_scan": "",
        "upload": SimpleUploadedFile("Namen.pdf", PDF),
        **fields,
    }


def test_a_batch_is_entered_with_its_scan(enna, petition):
    answer = enna.post(ADD, filled(petition))
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    tally = Tally.objects.get()
    assert (tally.country, tally.number, tally.state, tally.entered_by.username) == ("SE", 40, "entered", "enna")
    assert bytes(tally.scan.content) == PDF
    page = enna.get(page_of(tally)).content.decode()
    assert "To be checked" in page
    assert "Save the scan" in page
    assert "Namen" not in page
    assert 'name="number"' not in page


@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        ({"upload": ""}, "upload", "say below why there is none"),
        ({"no_scan": "none"}, "no_scan", "there is a scan"),
        ({"upload": SimpleUploadedFile("a.pdf", b"<html>")}, "upload", "A scan is a PDF"),
        ({"source": " "}, "source", "required"),
        ({"number": 0}, "number", "greater than or equal"),
        ({"country": "Atlantis"}, "country", ""),
        ({"gathered_on": str(date.today() + timedelta(days=2))}, "gathered_on", "not come yet"),
        ({"gathered_on": "0206-11-04"}, "gathered_on", "too long ago"),
        ({"number": -40}, "number", "greater than or equal"),
        ({"number": 10_000_001}, "number", "less than or equal"),
        ({"way": "partner"}, "__all__", "names the partner"),
    ],
)
def test_a_bare_number_is_refused_where_the_person_looks(enna, petition, change, field, said):
    answer = enna.post(ADD, filled(petition, **change))
    assert answer.status_code == 200
    assert said in str(answer.context["adminform"].form.errors[field])
    assert not Tally.objects.exists()


def test_what_looks_like_a_batch_that_is_there_is_asked_about(enna, petition):
    assert enna.post(ADD, filled(petition, upload="", no_scan="Lost in the post")).status_code == 302
    again = filled(petition, upload="", no_scan="Lost in the post")
    answer = enna.post(ADD, again)
    assert "has the same petition" in str(answer.context["adminform"].form.errors["again"])
    assert enna.post(ADD, {**again, "again": "on"}).status_code == 302
    assert Tally.objects.count() == 2


def test_the_same_scan_is_refused(enna, petition):
    enna.post(ADD, filled(petition))
    answer = enna.post(ADD, filled(petition, number=7))
    assert "This scan was entered for this country before, as batch" in str(answer.context["adminform"].form.errors)
    assert Tally.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("proof", "field", "said"),
    [
        ({}, "upload", "This scan was entered for this country before, as batch"),
        ({"upload": "", "no_scan": "Lost in the post"}, "again", "has the same petition"),
    ],
)
def test_of_two_who_enter_the_same_at_once_one_is_told(petition, proof, field, said):
    answers = []

    def enter(client, fields):
        try:
            answers.append(client.post(ADD, fields))
        finally:
            connection.close()

    clients = [_as(Client(raise_request_exception=False), name) for name in ("enna", "dora")]
    threads = [Thread(target=enter, args=[client, filled(petition, **proof)]) for client in clients]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE supporters_tally IN SHARE MODE")  # both can look, and neither can write
        for thread in threads:
            thread.start()
        wait_for(lambda: _waiting(cursor) == 2, "both to wait")
    for thread in threads:
        thread.join(30)
    assert sorted(answer.status_code for answer in answers) == [200, 302]
    (told,) = [answer for answer in answers if answer.status_code == 200]
    assert said in str(told.context["adminform"].form.errors[field])
    assert Tally.objects.count() == 1


def _waiting(cursor) -> int:
    cursor.execute("SELECT pg_stat_clear_snapshot()")
    cursor.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    return cursor.fetchone()[0]


def test_somebody_else_checks_it_by_counting_anew(client, petition):
    tally = make_tally(petition=petition)
    mine = _as(client, "enna").get(page_of(tally, "check_batch"), follow=True).content.decode()
    assert "You entered it: somebody else checks it." in mine
    _as(client, "chris")
    asked = client.get(page_of(tally, "check_batch")).content.decode().partition('class="max-w-2xl"')[2]
    assert "The stall at the station" in asked
    assert ">40<" not in asked
    assert 'value="40"' not in asked
    answer = client.post(page_of(tally, "check_batch"), {"number": 39})
    assert "Another number was entered." in answer.content.decode()
    assert (
        client.post(page_of(tally, "check_batch"), {"number": 40}, follow=True)
        .content.decode()
        .count("It counts from now on.")
    )
    tally.refresh_from_db()
    assert (tally.state, tally.checked_by.username) == ("checked", "chris")
    assert LogEntry.objects.get(object_id=str(tally.pk), user=person("chris")).change_message == "Checked."
    assert "checked or withdrawn before" in client.get(page_of(tally, "check_batch"), follow=True).content.decode()


def test_a_batch_is_withdrawn_with_a_reason(enna, petition):
    tally = make_tally(petition=petition)
    assert enna.post(page_of(tally, "withdraw"), {"because": " "}).status_code == 200
    tally.refresh_from_db()
    assert tally.state == "entered"
    enna.post(page_of(tally, "withdraw"), {"because": "Counted twice"})
    assert "Counted twice" in enna.get(page_of(tally)).content.decode()
    tally.refresh_from_db()
    assert tally.state == "withdrawn"


def test_a_scan_is_saved_never_shown_and_that_is_kept(enna, petition):
    tally = make_tally(Scan(PDF, "application/pdf"), petition=petition)
    answer = enna.get(page_of(tally, "scan"))
    assert answer.content == PDF
    assert answer["Content-Disposition"] == f'attachment; filename="batch-{tally.pk}.pdf"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]
    assert "no-store" in answer["Cache-Control"]
    assert LogEntry.objects.get().change_message == "The scan was handed out."


def test_only_who_may_see_scans_gets_one(client, petition):
    tally = make_tally(Scan(PDF, "application/pdf"), petition=petition)
    _as(client, "vera", "Viewer")
    assert client.get(page_of(tally)).status_code == 200
    assert client.get(page_of(tally, "scan")).status_code == 404
    assert client.get(page_of(tally, "check_batch")).status_code == 403
    assert client.get(page_of(tally, "withdraw")).status_code == 403
    client.logout()
    assert client.get(page_of(tally, "scan")).status_code == 302
    assert LogEntry.objects.count() == 0


def test_the_list_takes_as_many_queries_for_many(enna, petition, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    make_tally(petition=petition)
    enna.get("/admin/supporters/tally/")
    with CaptureQueriesContext(connection) as first:
        enna.get("/admin/supporters/tally/")
    for number in range(5):
        make_tally(petition=petition, number=number + 1, organisation=make_organisation())
    with django_assert_num_queries(len(first)):
        enna.get("/admin/supporters/tally/")
