from datetime import timedelta
from hashlib import sha256

import pytest
from django.db import connection

from supporters.models import Receipt, ReceiptDay
from supporters.receipts import checking, days, giving, keeping, merkle, reading, sealing
from tests.factories import make_consent, make_supporter

pytestmark = pytest.mark.django_db


def ago(number: int) -> None:
    """As if what has no digest yet had been sealed so many days ago."""
    last = ReceiptDay.objects.first()
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "UPDATE supporters_receipt SET sealed_at = sealed_at - make_interval(days => %s) WHERE id > %s",
            [number, last.through if last else 0],
        )
        cursor.execute("SET session_replication_role = DEFAULT")


@pytest.mark.parametrize("number", [0, 1, 2, 3, 255, 256, 257, 512, 513, 700])
def test_the_tree_is_the_one_of_the_rfc(number):
    """RFC 9162, 2.1.1, word by word."""

    def tree(entries):
        if len(entries) < 2:
            return sha256(b"\x00" + entries[0] if entries else b"").digest()
        half = 1
        while half * 2 < len(entries):
            half *= 2
        return sha256(b"\x01" + tree(entries[:half]) + tree(entries[half:])).digest()

    entries = [sha256(str(each).encode()).digest() for each in range(number)]
    roots, counted = merkle.blocks(iter(entries))
    assert counted == number
    assert merkle.root(roots) == merkle.root([merkle.leaf(each) for each in entries]) == tree(entries)
    for index in {0, 1, number // 2, number - 1} & set(range(number)):
        block, place = divmod(index, merkle.BLOCK)
        leaves = [merkle.leaf(each) for each in entries[block * merkle.BLOCK :][: merkle.BLOCK]]
        steps = [*merkle.path(leaves, place), *merkle.path(roots, block)]
        assert merkle.rises_to(entries[index], index, number, steps) == tree(entries)
        assert merkle.rises_to(entries[index], index, number, [*steps, bytes(32)]) is None
        if number > 1:
            assert merkle.rises_to(entries[index], index, number, steps[:-1]) != tree(entries)
            assert merkle.rises_to(entries[index - 1], index, number, steps) != tree(entries)


def test_each_day_has_a_digest_over_the_one_before():
    ann = make_supporter(consent=True)
    sealing.seal()
    ago(3)
    first, empty, last = days.close()
    assert (first.receipts, empty.receipts, last.receipts) == (1, 0, 0)
    assert first.previous == bytes(32)
    assert bytes(empty.previous) == bytes(first.digest)
    assert bytes(last.previous) == bytes(empty.digest)
    assert last.day - first.day == timedelta(days=2)
    made = bytes(32) + first.day.isoformat().encode() + (1).to_bytes(8, "big") + bytes(8) + first.root
    assert first.digest == sha256(made).digest()
    assert empty.root == sha256().digest()
    make_consent(ann, "withdrawn")
    sealing.seal()
    assert days.close() == []
    assert checking.check(whole=True).findings == []
    assert keeping.keep() == {"sealed": 0, "digest": f"{last.day} {last.digest.hex()}"}


def test_a_receipt_is_proven_to_be_one_of_its_day(monkeypatch):
    people = [make_supporter(consent=True) for _each in range(300)]
    sealing.seal()
    [before] = giving.given(giving.of_person(people[280]))
    assert before["day"] is None
    ago(1)
    [day] = days.close()
    for person in (people[0], people[255], people[256], people[299]):
        [given] = giving.given(giving.of_person(person))
        assert given["day"]["digest"] == bytes(day.digest).hex()
        assert reading.troubles(given) == []
    given["day"]["index"] -= 1
    assert reading.troubles(given) == ["The receipt is not one of those of its day."]


def test_giving_takes_as_many_queries_for_many(django_assert_num_queries):
    ann, bo = make_supporter(), make_supporter()
    make_consent(ann)
    for _each in range(20):
        make_consent(bo)
    sealing.seal()
    for person in (ann, bo):
        with django_assert_num_queries(3):
            list(giving.given(giving.of_person(person)))


@pytest.fixture
def given() -> dict:
    make_supporter(consent=True)
    sealing.seal()
    ago(1)
    days.close()
    return next(giving.given(Receipt.objects.all()))


def test_a_receipt_that_somebody_changed_does_not_hold(given):
    assert reading.troubles(given) == []
    for name in given["receipt"]:
        changed = {**given, "receipt": {**given["receipt"], name: "something else"}}
        assert reading.troubles(changed) == ["The record is not the one that was sealed."]
    assert reading.troubles({**given, "number": 2}) == [
        "The hash does not follow from the record and the one before."
    ]
    later = {**given["day"], "day": "2020-01-01"}
    assert reading.troubles({**given, "day": later}) == ["The digest does not follow from its day."]


@pytest.mark.parametrize(
    "change",
    [
        {"salt": "x"},
        {"salt": 3},
        {"number": "1"},
        {"number": -1},
        {"number": 2**70},
        {"hash": None},
        {"day": []},
        {"day": {}},
        {"chain": "é"},
        {"receipt": {"text": float("nan")}, "salt": None},
    ],
)
def test_what_can_not_be_read_is_said_to_be_so(given, change):
    with pytest.raises(reading.Unreadable):
        reading.troubles({**given, **change})


@pytest.mark.parametrize(
    "text", ["", "{", "[1]", '{"format": "x"}', "[" * 100_000, '{"format": "lodestar-consent-receipt", "version": 2}']
)
def test_what_is_no_receipt_is_said_to_be_none(text):
    with pytest.raises(reading.Unreadable):
        reading.receipts_in(text)
