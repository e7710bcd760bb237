from datetime import date, timedelta

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from crm import erasure
from supporters import tallying
from supporters.models import SignatureCount, Tally, TallyScan
from supporters.retention import RULES
from supporters.signing import shown, totals
from supporters.tallying import scans
from supporters.tallying.scans import Scan
from tests.factories import make_organisation, make_petition, make_supporter
from tests.supporters.tallying.batches import JPEG, PDF, PNG, counted, make_tally, person

pytestmark = pytest.mark.django_db
State = Tally.State


@pytest.fixture
def petition(broker):
    cache.clear()
    petition = make_petition(goal=1000)
    SignatureCount.objects.create(petition=petition, country="SE", day=date(2026, 11, 2), number=100)
    return petition


def signed(petition) -> tuple[int, int, int]:
    standing = totals.standing(petition)
    return standing.signed, standing.on_paper, standing.by_partners


def test_a_batch_counts_once_somebody_else_has_found_the_same_number(petition, django_capture_on_commit_callbacks):
    tally = make_tally(petition=petition)
    assert signed(petition) == (100, 0, 0)
    assert not tallying.check(tally.pk, 40, person("enna"))
    assert not tallying.check(tally.pk, 41, person("chris"))
    assert signed(petition) == (100, 0, 0)
    with django_capture_on_commit_callbacks(execute=True):
        assert tallying.check(tally.pk, 40, person("chris"))
    assert signed(petition) == (140, 40, 0)
    assert not tallying.check(tally.pk, 40, person("dora"))
    tally.refresh_from_db()
    assert (tally.state, tally.entered_by, tally.checked_by) == (State.CHECKED, person("enna"), person("chris"))
    assert tally.checked_at is not None


def test_a_batch_that_is_withdrawn_leaves_the_total_and_stays_on_record(petition, django_capture_on_commit_callbacks):
    partner = make_organisation()
    tally = counted(petition=petition, way=Tally.Way.PARTNER, organisation=partner)
    assert signed(petition) == (140, 0, 40)
    with django_capture_on_commit_callbacks(execute=True):
        assert tallying.withdraw(tally.pk, "Counted twice", person("enna"))
    assert signed(petition) == (100, 0, 0)
    assert not tallying.withdraw(tally.pk, "Again", person("enna"))
    assert not tallying.check(tally.pk, 40, person("dora"))
    tally.refresh_from_db()
    assert (tally.withdrawn_because, tally.withdrawn_by) == ("Counted twice", person("enna"))


@pytest.mark.parametrize(
    "fields",
    [
        {"source": " "},
        {"no_scan": ""},
        {"no_scan": "  "},
        {"number": 0},
        {"number": 10_000_001},
        {"country": ""},
        {"country": "sweden"[:2]},
        {"way": "partner"},
        {"way": "guess"},
        {"gathered_on": None},
        {"gathered_on": date(1999, 12, 31)},
    ],
)
def test_the_database_refuses_a_bare_number(petition, fields):
    with pytest.raises(IntegrityError), transaction.atomic():
        make_tally(petition=petition, **fields)
    assert not Tally.objects.exists()


@pytest.mark.parametrize(
    "change",
    [
        "number = 41",
        "source = 'x'",
        "country = 'DE'",
        "gathered_on = '2020-01-01'",
        "state = 'checked', checked_by_id = entered_by_id, checked_at = now()",
        "state = 'checked'",
        "state = 'withdrawn', withdrawn_by_id = entered_by_id, withdrawn_at = now()",
    ],
)
def test_the_database_refuses_to_change_what_was_entered(petition, change):
    make_tally(petition=petition)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE supporters_tally SET {change}")


def test_nothing_is_counted_again_or_deleted(petition):
    tally = counted(petition=petition)
    tallying.withdraw(tally.pk, "Wrong", person("enna"))
    for statement in (
        "UPDATE supporters_tally SET state = 'checked', withdrawn_by_id = NULL, withdrawn_at = NULL, withdrawn_because = ''",
        "DELETE FROM supporters_tally",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_a_scan_is_kept_as_it_came_and_stands_for_a_country_once(petition):
    scan = Scan(PDF, "application/pdf")
    tally = make_tally(scan, petition=petition)
    assert bytes(TallyScan.objects.get(tally=tally).content) == PDF
    assert (tally.scan_size, tally.scan_type) == (len(PDF), "application/pdf")
    make_tally(scan, petition=petition, country="DE")
    with pytest.raises(IntegrityError), transaction.atomic():
        make_tally(scan, petition=petition, number=7)
    tallying.withdraw(tally.pk, "Wrong number", person("enna"))
    make_tally(scan, petition=petition, number=7)


@pytest.mark.parametrize(("content", "kind"), [(PDF, "application/pdf"), (PNG, "image/png"), (JPEG, "image/jpeg")])
def test_a_scan_is_known_by_what_is_in_it(content, kind):
    assert scans.read(SimpleUploadedFile("harmless.txt", content)).type == kind


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<html><script>alert(1)</script>", "A scan is a PDF"),
        (b"", "A scan is a PDF"),
        (b"GIF89a", "A scan is a PDF"),
        (PDF[:-8], "cut short"),
        (JPEG[:-2], "cut short"),
        (PDF + b"x" * 5000, "cut short"),
    ],
)
def test_what_is_no_scan_is_refused(content, said):
    with pytest.raises(scans.BadScan, match=said):
        scans.read(SimpleUploadedFile("scan.pdf", content, content_type="application/pdf"))


def test_a_scan_that_is_too_large_is_refused_before_it_is_read(settings):
    settings.SCAN_LIMIT = 1024 * 1024
    file = SimpleUploadedFile("scan.pdf", PDF + bytes(1024 * 1024))
    with pytest.raises(scans.BadScan, match="larger than 1 MB"):
        scans.read(file)
    assert file.tell() == 0


def test_totals_tell_the_ways_apart(client, petition):
    partner = make_organisation()
    counted(petition=petition)
    counted(petition=petition, country="PL", number=1_500, gathered_on=date(2026, 11, 20))
    counted(petition=petition, country="PL", number=9, way=Tally.Way.PARTNER, organisation=partner)
    make_tally(petition=petition, number=5_000)
    found = client.get(f"/p/{petition.slug}/totals.json").json()
    assert (found["signatures"], found["online"], found["countries"]) == (1_649, 100, {"SE": 100})
    assert found["on_paper"] == {
        "signatures": 1_540,
        "countries": {"PL": 1_500, "SE": 40},
        "weeks": [{"week": "2026-11-02", "signatures": 40}, {"week": "2026-11-16", "signatures": 1_500}],
    }
    assert found["by_partners"]["countries"] == {"PL": 9}
    page = client.get(f"/en/p/{petition.slug}/totals/").content.decode()
    table = page.partition('class="gathered"')[2]
    assert '<th scope="row">Poland</th><td class="number">1,500</td><td class="number">9</td>' in table
    assert "2 member states" in page


def test_the_page_says_how_the_total_comes_about(client, petition):
    url = f"/en/p/{petition.slug}/"
    assert 'class="quiet ways"' not in client.get(url).content.decode()
    counted(petition=petition)
    cache.clear()
    page = client.get(url).content.decode()
    assert "<strong>140</strong>" in page
    assert "Online: 100. On paper: 40. Counted by partners: 0." in page


def test_a_page_reads_no_batch_while_the_sums_are_fresh(client, petition, django_assert_num_queries):
    counted(petition=petition)
    url = f"/p/{petition.slug}/totals.json"
    client.get(url)
    shown.forget()
    with django_assert_num_queries(1):
        client.get(url)


def test_the_nightly_recount_sees_that_scans_are_what_was_entered(petition):
    counted(scan=Scan(PDF, "application/pdf"), petition=petition)
    assert totals.recount()["unproven"] == 0
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(r"UPDATE supporters_tallyscan SET content = '\x00'")
        cursor.execute("SET session_replication_role = DEFAULT")
    assert totals.recount()["unproven"] == 1


def test_scans_go_when_their_time_is_over_and_the_count_stays(petition, settings):
    settings.KEEP_SCANS_DAYS = 30
    [rule] = [rule for rule in RULES if rule.name == "scans"]
    tally = counted(scan=Scan(PDF, "application/pdf"), petition=petition)
    long_ago = timezone.now() - timedelta(days=31)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE supporters_tally SET entered_at = %s", [long_ago])
        cursor.execute("SET session_replication_role = DEFAULT")
    assert not rule.due().exists()
    type(petition).objects.update(state="closed")
    rule.act(rule.due())
    assert not TallyScan.objects.exists()
    tally.refresh_from_db()
    assert bytes(tally.scan_hash)
    assert totals.standing(petition).on_paper == 40


def test_erasing_somebody_takes_their_name_out_of_the_words(petition):
    ann = make_supporter(last_name="Andergren")
    tally = make_tally(petition=petition, source="Lists of Ann Andergren", no_scan="Andergren has them")
    other = make_tally(petition=petition, number=2)
    erasure.erase(ann)
    tally.refresh_from_db()
    assert (tally.source, tally.no_scan, tally.number) == ("–", "–", 40)
    other.refresh_from_db()
    assert other.source.startswith("The stall")
