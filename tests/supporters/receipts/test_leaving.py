"""What becomes of receipts where lines of the ledger are lawfully deleted or given to another record."""

import pytest
from django.db import connection, transaction

from crm import erasure
from supporters import merging
from supporters.models import Consent, ImportRun, Merge, Receipt, ReceiptDay
from supporters.privacy import ledger_open_for
from supporters.receipts import checking, days, giving, reading, sealing
from tests.factories import make_consent, make_supporter

pytestmark = pytest.mark.django_db(transaction=True)


def holds() -> bool:
    return checking.check(whole=True).findings == []


def given(person) -> list[dict]:
    return list(giving.given(giving.of_person(person)))


def test_erasure_takes_the_contents_and_leaves_the_chain_whole():
    ann, bo = make_supporter(consent=True), make_supporter(consent=True)
    make_consent(ann, "withdrawn")
    sealing.seal()
    kept = given(ann)
    erasure.erase(ann)
    gone = Receipt.objects.exclude(taken_at=None)
    assert set(gone.values_list("line", "asked", "salt", "taken_for")) == {(None, None, None, "erase")}
    assert gone.count() == 2
    assert list(giving.given(gone)) == []
    assert len(given(bo)) == 1
    assert holds()
    assert [reading.troubles(each) for each in kept] == [[], []]
    for receipt in kept:
        assert bytes(Receipt.objects.get(pk=receipt["position"]).hash).hex() == receipt["hash"]


def test_erasure_is_told_in_the_next_digest_and_changes_no_digest_before():
    ann = make_supporter(consent=True)
    sealing.seal()
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE supporters_receipt SET sealed_at = sealed_at - interval '2 days'")
        cursor.execute("SET session_replication_role = DEFAULT")
    before = [day.digest for day in days.close()]
    erasure.erase(ann)
    assert days.close() == []
    assert [bytes(each) for each in ReceiptDay.objects.order_by("day").values_list("digest", flat=True)] == before
    assert holds()
    with (
        connection.cursor() as cursor
    ):  # as if the two digests had been made before the erasure, and this were the next night
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE supporters_receiptday SET day = day - 1")
        cursor.execute("SET session_replication_role = DEFAULT")
    [after] = days.close()
    assert (after.receipts, after.taken) == (0, 1)
    assert Receipt.objects.get().told_on == after.day


def test_a_merge_and_its_undoing_leave_all_chains_whole():
    ann, twin = make_supporter(), make_supporter()
    make_consent(ann)
    make_consent(twin)
    sealing.seal()
    late = make_consent(twin, "withdrawn", purpose="post")
    merge = merging.merge(ann.pk, twin.pk)
    sealing.seal()
    after = make_consent(ann, purpose="phone")
    sealing.seal()
    assert holds()
    assert len(given(ann)) == 4
    chains = dict(Receipt.objects.values_list("line", "chain"))
    theirs = Receipt.objects.exclude(chain=chains[after.pk]).values_list("line", flat=True)
    assert late.pk in theirs
    assert {each["receipt"]["person"] for each in given(ann)} == {str(ann.uuid), str(twin.uuid)}
    assert all(reading.troubles(each) == [] for each in given(ann))
    merging.undo(merge.pk)
    assert holds()
    assert len(given(ann)) == len(given(twin)) == 2
    make_consent(twin, purpose="phone")
    sealing.seal()
    assert [each["number"] for each in given(twin)] == [1, 2, 3]
    assert holds()


def test_who_was_merged_twice_is_still_who_they_were():
    one, two, three = make_supporter(consent=True), make_supporter(consent=True), make_supporter(consent=True)
    merging.merge(two.pk, one.pk)
    merging.merge(three.pk, two.pk)
    sealing.seal()
    assert {each["receipt"]["person"] for each in given(three)} == {str(each.uuid) for each in (one, two, three)}
    assert holds()
    erasure.erase(three)
    assert not Merge.objects.exists()
    assert holds()


def test_a_no_that_a_merge_wrote_goes_with_it_and_is_told():
    ann, twin = make_supporter(consent=True), make_supporter()
    make_consent(twin, "withdrawn", happened_at="2020-01-01T00:00Z")
    merge = merging.merge(ann.pk, twin.pk)
    assert Consent.objects.filter(method="merge").count() == 1
    sealing.seal()
    merging.undo(merge.pk)
    assert Receipt.objects.get(taken_for="merge").line_id is None
    assert holds()


def test_a_grant_that_an_undone_import_wrote_goes_with_it_and_is_told():
    ann = make_supporter()
    run = ImportRun.objects.create(kind="supporters", file_name="list.csv", file_size=1)
    line = make_consent(ann, method="import", import_run=run)
    make_consent(ann, "withdrawn", purpose="post")
    sealing.seal()
    with transaction.atomic(), ledger_open_for("undo"):
        Consent.objects.filter(pk=line.pk).delete()
    assert Receipt.objects.get(taken_for="undo").line_id is None
    assert len(given(ann)) == 1
    assert holds()


def test_who_signs_or_imports_while_a_slice_is_sealed_waits_for_nothing():
    from django.db import connections

    ann = make_supporter(consent=True)
    sealing._name_parties()
    other = connections.create_connection("default")
    try:
        with transaction.atomic():
            assert sealing._seal_slice(0, 10**9)[0] == 1
            with other.cursor() as cursor:
                cursor.execute("SET lock_timeout = '500ms'")
                cursor.execute("SELECT FROM supporters_supporter WHERE id = %s FOR UPDATE", [ann.pk])
                cursor.execute(
                    "INSERT INTO supporters_consent (supporter_id, purpose, state, wording, method)"
                    " SELECT %s, 'email', 'granted', 'Yes', 'form' FROM generate_series(1, 20)",
                    [ann.pk],
                )
    finally:
        other.close()
    assert sealing.seal() == 20
    assert [each["number"] for each in given(ann)] == list(range(1, 22))
    assert holds()


def test_a_deletion_while_a_slice_is_being_sealed_waits_for_it(monkeypatch):
    """The receipt would else keep a line that is no more."""
    import threading

    from django.db import connections

    ann = make_supporter(consent=True)
    sealed, told = threading.Event(), []
    usual = sealing._seal_slice

    def slowly(after, last):
        from django.db import transaction

        with transaction.atomic():
            result = usual(after, last)
            if result[0]:
                eraser.start()
                told.append(sealed.wait(0.5))
        return result

    def erase():
        erasure.erase(ann)
        sealed.set()
        connections.close_all()

    eraser = threading.Thread(target=erase)
    monkeypatch.setattr(sealing, "_seal_slice", slowly)
    assert sealing.seal() == 1
    eraser.join(20)
    assert told == [False]
    assert Receipt.objects.get().taken_for == "erase"
    assert holds()
