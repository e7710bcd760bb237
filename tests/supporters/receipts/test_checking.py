"""Whoever can write to the database and turns off what guards the ledger is found."""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from supporters.models import Receipt, ReceiptBook, ReceiptDay
from supporters.receipts import checking, days, keeping, sealing
from tests.factories import make_consent, make_supporter

pytestmark = pytest.mark.django_db


@contextmanager
def unguarded():
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        yield cursor
        cursor.execute("SET session_replication_role = DEFAULT")


def found(*, whole: bool = True) -> set[tuple]:
    return {(each.what, each.receipt, each.line, each.day) for each in checking.check(whole=whole).findings}


@pytest.fixture
def book():
    """Two people with five lines each, all sealed two days ago, digests made."""
    people = make_supporter(), make_supporter()
    for number in range(5):
        for each in people:
            make_consent(each, "granted" if number % 2 else "withdrawn", wording=f"Words {number}")
    assert sealing.seal() == 10
    with unguarded() as cursor:
        cursor.execute("UPDATE supporters_receipt SET sealed_at = sealed_at - interval '2 days'")
    assert len(days.close()) == 2
    assert found() == set()
    return people


def receipt(number: int) -> Receipt:
    return Receipt.objects.get(pk=number)


def test_a_changed_line_is_found(book):
    line = receipt(4).line_id
    with unguarded() as cursor:
        cursor.execute("UPDATE supporters_consent SET wording = wording || '.' WHERE id = %s", [line])
    assert found() == {("changed", 4, line, None)}


@pytest.mark.parametrize(
    "change",
    [
        "state = 'granted', wording = 'x'",
        "purpose = 'post'",
        "wording_version = '2'",
        "language = 'sv'",
        "method = 'staff'",
        "source = 'petition x'",
        "happened_at = happened_at - interval '1 microsecond'",
        "recorded_at = recorded_at - interval '1 day'",
        r"address_hash = '\x00'",
    ],
)
def test_every_column_of_a_line_is_sealed(book, change):
    line = receipt(1).line_id
    with unguarded() as cursor:
        cursor.execute(f"UPDATE supporters_consent SET {change} WHERE id = %s", [line])
    assert found() == {("changed", 1, line, None)}


def test_a_line_given_to_somebody_else_is_found(book):
    line = receipt(1).line_id
    with unguarded() as cursor:
        cursor.execute("UPDATE supporters_consent SET supporter_id = %s WHERE id = %s", [book[1].pk, line])
    assert found() == {("other_person", 1, line, None)}


def test_a_removed_line_is_found(book):
    line = receipt(7).line_id
    with unguarded() as cursor:
        cursor.execute("DELETE FROM supporters_consent WHERE id = %s", [line])
    assert found() == {("line_gone", 7, line, None)}


def test_a_line_removed_with_its_receipt_is_found(book):
    last = receipt(10)
    with unguarded() as cursor:
        cursor.execute("DELETE FROM supporters_consent WHERE id = %s", [last.line_id])
        cursor.execute("DELETE FROM supporters_receipt WHERE id = 10")
    assert {what for what, *_where in found()} == {"gone", "day_changed"}


def test_a_receipt_removed_from_the_middle_is_found_in_its_chain_and_its_day(book):
    line = receipt(3).line_id
    with unguarded() as cursor:
        cursor.execute("DELETE FROM supporters_receipt WHERE id = 3")
    assert {what for what, *_where in found()} == {"gap", "chain_gap", "unsealed", "day_changed"}
    assert ("unsealed", None, line, None) in found()


def test_two_receipts_that_change_places_are_found(book):
    with unguarded() as cursor:
        cursor.execute("UPDATE supporters_receipt SET id = 1000 WHERE id = 2")
        cursor.execute("UPDATE supporters_receipt SET id = 2 WHERE id = 3")
        cursor.execute("UPDATE supporters_receipt SET id = 3 WHERE id = 1000")
    assert {what for what, *_where in found()} == {"day_changed"}


def test_two_of_a_chain_that_change_places_are_found(book):
    first, second = Receipt.objects.filter(chain=receipt(1).chain).order_by("number")[:2]
    with unguarded() as cursor:
        cursor.execute("UPDATE supporters_receipt SET number = 1000 WHERE id = %s", [first.pk])
        cursor.execute("UPDATE supporters_receipt SET number = %s WHERE id = %s", [first.number, second.pk])
        cursor.execute("UPDATE supporters_receipt SET number = %s WHERE id = %s", [second.number, first.pk])
    assert {(what, where) for what, where, *_rest in found()} >= {("broken", first.pk), ("broken", second.pk)}


def test_a_chain_that_was_hashed_anew_is_found_by_its_digest(book):
    """Somebody who knows how it is done changes a line and all that hangs on it."""
    chain = receipt(1).chain
    with unguarded() as cursor:
        cursor.execute("SELECT line_id FROM supporters_receipt WHERE chain = %s", [chain])
        lines = [line for (line,) in cursor.fetchall()]
        cursor.execute("UPDATE supporters_consent SET wording = 'Other words' WHERE id = %s", [min(lines)])
        cursor.execute("CREATE TEMP TABLE kept ON COMMIT DROP AS SELECT * FROM supporters_receipt")
        cursor.execute("DELETE FROM supporters_receipt")
        cursor.execute("UPDATE supporters_receiptbook SET sealed_through = 0, checked_lines = 0")
    assert sealing.seal() == 10
    assert {what for what, *_where in found()} == {"day_changed"}


def test_a_line_written_past_sealing_is_found(book):
    with unguarded() as cursor:
        cursor.execute(
            "INSERT INTO supporters_consent (id, supporter_id, purpose, state, wording, method, happened_at)"
            " OVERRIDING SYSTEM VALUE SELECT max(id) + 1, %s, 'email', 'granted', 'Yes', 'form', now() FROM supporters_consent",
            [book[0].pk],
        )
        cursor.execute("SELECT max(id) FROM supporters_consent")
        line = cursor.fetchone()[0]
        cursor.execute("UPDATE supporters_receiptbook SET sealed_through = %s", [line])
    assert found() == {("unsealed", None, line, None)}


@pytest.mark.parametrize(
    "change",
    [r"digest = '\x00'", r"root = '\x00'", "receipts = 3", "taken = 1", r"blocks = '\x00'", r"previous = '\x00'"],
)
def test_a_changed_digest_is_found(book, change):
    with unguarded() as cursor:
        cursor.execute(
            f"UPDATE supporters_receiptday SET {change} WHERE day = (SELECT min(day) FROM supporters_receiptday)"
        )
    first = ReceiptDay.objects.earliest("day").day
    assert first in {day for *_what, day in found()}


def test_a_digest_that_was_removed_is_found(book):
    first = ReceiptDay.objects.earliest("day").day
    with unguarded() as cursor:
        cursor.execute("DELETE FROM supporters_receiptday WHERE day = %s", [first])
    assert {what for what, *_where in found()} == {"day_changed", "day_broken"}


def test_contents_cant_be_taken_away_in_silence(book):
    with unguarded() as cursor:
        cursor.execute(
            "UPDATE supporters_receipt SET line_id = NULL, salt = NULL, taken_at = now(), taken_for = 'erase', told_on = %s"
            " WHERE id = 1",
            [ReceiptDay.objects.earliest("day").day],
        )
        cursor.execute("DELETE FROM supporters_consent WHERE id = (SELECT min(id) FROM supporters_consent)")
    assert {what for what, *_where in found()} == {"day_changed"}


def test_the_nightly_check_looks_at_what_is_new_and_each_week_at_all(book, monkeypatch):
    assert keeping.check_due() == {"checked": 0, "days": 0}
    make_consent(book[0])
    sealing.seal()
    assert keeping.check_due() == {"checked": 1, "days": 0}
    with unguarded() as cursor:
        cursor.execute("UPDATE supporters_consent SET wording = 'x' WHERE id = %s", [receipt(2).line_id])
    assert keeping.check_due() == {"checked": 0, "days": 0}
    ReceiptBook.objects.update(whole_at=datetime.now(UTC) - timedelta(days=7))
    with pytest.raises(checking.NotWhole) as failure:
        keeping.check_due()
    assert (
        f"receipt 2, line {receipt(2).line_id}: the line of the ledger is not what was sealed"
        in failure.value.for_staff
    )
    assert book[0].email not in failure.value.for_staff


@pytest.mark.parametrize("whole", [True, False])
def test_the_last_receipts_are_missed_though_no_digest_holds_them_yet(book, whole):
    line = make_consent(book[0])
    sealing.seal()
    assert found() == set()
    with unguarded() as cursor:
        cursor.execute("DELETE FROM supporters_receipt WHERE id = 11")
        cursor.execute("DELETE FROM supporters_consent WHERE id = %s", [line.pk])
    assert found(whole=whole) == {("gone", 11, None, None)}


def test_what_the_nightly_job_finds_stands_where_staff_see_it(book):
    from crm import jobs
    from crm.models import Job

    jobs.take_due()
    with unguarded() as cursor:
        cursor.execute("UPDATE supporters_consent SET wording = 'x' WHERE id = %s", [receipt(2).line_id])
    ReceiptBook.objects.update(whole_at=None)
    with pytest.raises(checking.NotWhole):
        jobs.run("receipts-check")
    assert Job.objects.get(name="receipts-check").error.startswith(
        "Receipts of consent and the ledger do not agree in 1 place"
    )


def test_what_was_found_is_found_again_until_it_is_mended(book):
    line = make_consent(book[0])
    sealing.seal()
    with unguarded() as cursor:
        cursor.execute("UPDATE supporters_consent SET wording = 'x' WHERE id = %s", [line.pk])
    assert found(whole=False) == found(whole=False) == {("changed", 11, line.pk, None)}
