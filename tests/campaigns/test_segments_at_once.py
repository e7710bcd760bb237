"""A refresh, and people who read, leave and give meanwhile, each on a connection of their own."""

import pytest
from django.db import connection, transaction

from campaigns import segments
from campaigns.models import Segment
from tests.factories import make_consent, make_donation, make_supporter

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def other():
    """A second connection, which gives up rather than wait for a lock."""
    second = connection.copy()
    with second.cursor() as cursor:
        cursor.execute("SET lock_timeout = '3s'")
    yield second
    second.close()


def read(connection, statement: str, parameters: list | None = None) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []


MEMBERS = "SELECT supporter_id FROM campaigns_segmentmember ORDER BY supporter_id"


def test_a_refresh_under_way_blocks_neither_readers_nor_writers(other):
    ann, bo = make_supporter(consent=True, country="SE"), make_supporter(country="SE")
    segment = Segment.objects.create(
        name="Swedes", rules={"rules": [{"field": "country", "op": "in", "value": ["SE"]}]}
    )
    segments.refresh(segment)
    make_consent(bo)
    make_consent(ann, "withdrawn")
    with transaction.atomic():
        assert segments.refresh(segment) == {"added": 1, "removed": 1, "size": 1}
        assert read(other, MEMBERS) == [(ann.pk,)]
        assert read(other, "SELECT size FROM campaigns_segment") == [(1,)]
        leaving = "INSERT INTO supporters_consent (supporter_id, purpose, state, method) VALUES (%s, 'email', 'withdrawn', 'link')"
        read(other, leaving, [bo.pk])
        read(other, "UPDATE supporters_supporter SET city = 'Lund' WHERE id = ANY(%s)", [[ann.pk, bo.pk]])
        giving = "INSERT INTO supporters_donation (supporter_id, amount, currency, state, received_on) VALUES (%s, 1, 'SEK', 'received', now())"
        read(other, giving, [ann.pk])
    assert read(other, MEMBERS) == [(bo.pk,)]


def test_a_long_read_does_not_hold_a_refresh_up(other):
    ann = make_supporter(consent=True)
    make_donation(ann)
    segment = Segment.objects.create(name="Everybody", rules={})
    other.set_autocommit(False)
    assert read(other, MEMBERS) == []
    read(connection, "SET lock_timeout = '3s'")
    assert segments.refresh(segment) == {"added": 1, "removed": 0, "size": 1}
    read(connection, "RESET lock_timeout")
    other.rollback()
    assert read(other, MEMBERS) == [(ann.pk,)]
