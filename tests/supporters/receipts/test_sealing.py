import json
from hashlib import sha256
from uuid import UUID

import pytest
from django.db import connection

from supporters import consent
from supporters.models import Consent, Purpose, Receipt, ReceiptBook
from supporters.receipts import checking, giving, reading, sealing
from tests.factories import make_consent, make_organisation, make_supporter

pytestmark = pytest.mark.django_db


def given(supporter) -> list[dict]:
    return list(giving.given(giving.of_person(supporter)))


def test_each_grant_and_withdrawal_is_sealed_once(settings):
    ann = make_supporter()
    partner = make_organisation(name="Les Étoiles")
    asked = consent.request(
        ann, Purpose.PARTNER, wording='Åh, «ja»\n\t\x7f\u2028😀 \\ "', method="form", organisation=partner
    )
    granted = consent.grant(
        ann,
        Purpose.PARTNER,
        wording=asked.wording,
        wording_version="abc",
        language="sv",
        method="confirmed",
        organisation=partner,
        source="petition a-law",
    )
    consent.withdraw(ann, Purpose.PARTNER, method="link", organisation=partner, source="me")
    assert sealing.seal() == 2
    assert sealing.seal() == 0
    first, second = given(ann)
    granted.refresh_from_db()
    asked.refresh_from_db()
    assert first["receipt"] == {
        "address_hash": None,
        "asked_at": asked.happened_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "asked_how": "form",
        "controller": settings.ORGANISATION_NAME,
        "entered_by": None,
        "happened_at": granted.happened_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "how": "confirmed",
        "import": None,
        "language": "sv",
        "line": granted.pk,
        "page": f"{settings.SITE_URL}/p/a-law/",
        "partner": "Les Étoiles",
        "partner_number": partner.pk,
        "person": str(ann.uuid),
        "purpose": "partner",
        "recorded_at": granted.recorded_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "source": "petition a-law",
        "state": "granted",
        "text": 'Åh, «ja»\n\t\x7f\u2028😀 \\ "',
        "version": "abc",
    }
    assert second["receipt"]["state"] == "withdrawn"
    assert second["receipt"]["page"] == f"{settings.SITE_URL}/me/"
    assert (first["number"], second["number"]) == (1, 2)
    assert second["previous"] == first["hash"]
    assert first["previous"] == "00" * 32
    assert reading.troubles(first) == reading.troubles(second) == []
    assert checking.check(whole=True).findings == []


def test_the_hashes_are_what_is_written_of_them():
    ann = make_supporter(consent=True)
    sealing.seal()
    [receipt] = given(ann)
    record = json.dumps(receipt["receipt"], ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    commitment = sha256(UUID(receipt["salt"]).bytes + record).digest()
    assert receipt["commitment"] == commitment.hex()
    chained = bytes(32) + UUID(receipt["chain"]).bytes + (1).to_bytes(8, "big") + commitment
    assert receipt["hash"] == sha256(chained).hexdigest()


def test_chains_go_on_from_slice_to_slice(monkeypatch):
    monkeypatch.setattr(sealing, "SLICE", 4)
    ann, bo = make_supporter(), make_supporter()
    for number in range(11):
        make_consent(ann if number % 3 else bo, "granted" if number % 2 else "withdrawn")
    assert sealing.seal() == 11
    make_consent(ann, "withdrawn")
    assert sealing.seal() == 1
    assert [each["number"] for each in given(ann)] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert [each["number"] for each in given(bo)] == [1, 2, 3, 4]
    assert list(Receipt.objects.order_by("pk").values_list("pk", flat=True)) == list(range(1, 13))
    assert checking.check(whole=True).findings == []


def test_what_was_only_asked_gets_no_receipt():
    make_consent(make_supporter(), "requested")
    assert sealing.seal() == 0
    assert ReceiptBook.objects.get().sealed_through == Consent.objects.latest("pk").pk


def test_a_name_is_the_one_of_the_day():
    ann = make_supporter()
    partner = make_organisation(name="Before")
    make_consent(ann, purpose="partner", organisation=partner)
    sealing.seal()
    partner.name = "After"
    partner.save()
    make_consent(ann, "withdrawn", purpose="partner", organisation=partner)
    sealing.seal()
    assert [each["receipt"]["partner"] for each in given(ann)] == ["Before", "After"]
    assert checking.check(whole=True).findings == []


def test_queries_do_not_grow_with_lines(django_assert_num_queries):
    sealing.book()
    for number in (1, 30):
        for _each in range(number):
            make_supporter(consent=True)
        with django_assert_num_queries(17):
            assert sealing.seal() == number


def test_no_table_is_gone_through_as_a_whole_for_a_slice():
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH people AS (INSERT INTO supporters_supporter (email) SELECT n || '@mail.se' FROM generate_series(1, 8000) n RETURNING id)
            INSERT INTO supporters_consent (supporter_id, purpose, state, wording, method)
            SELECT id, 'email', 'granted', 'Yes', 'form' FROM people
            """
        )
        assert sealing.seal() == 8000
        cursor.execute("SELECT max(id) FROM supporters_consent")
        last = cursor.fetchone()[0]
        plans = []
        for statement, bounds in (
            (sealing._SEAL, {**sealing._parties(), "slice": 500, "after": last - 500, "last": last}),
            (checking._RECEIPTS, {"after": 7500, "last": 8000}),
            (checking._UNSEALED, {"after": last - 500, "last": last}),
        ):
            cursor.execute(f"EXPLAIN {statement}", bounds)
            plans += [row for (row,) in cursor.fetchall()]
    large = ("supporters_receipt", "supporters_consent", "supporters_supporter")
    assert not [row for row in plans if "Seq Scan" in row and any(f" {name} " in f"{row} " for name in large)]


def test_nobody_seals_beside_another():
    from django.db import connections

    make_supporter(consent=True)
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(hashtextextended('receipts', 0))")
        assert sealing.seal() is None
    finally:
        other.close()
    assert not Receipt.objects.exists()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE supporters_receipt SET number = 2",
        "UPDATE supporters_receipt SET salt = NULL, line_id = NULL, asked = NULL, taken_at = now(), taken_for = 'erase'",
        "DELETE FROM supporters_receipt",
    ],
)
def test_the_database_refuses_to_change_a_receipt(statement):
    from django.db import DatabaseError, transaction

    make_supporter(consent=True)
    sealing.seal()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
