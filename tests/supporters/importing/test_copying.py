import uuid
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from supporters.importing.staging.copying import copy, ready

pytestmark = pytest.mark.django_db
COLUMNS = {
    "number": "bigint",
    "key": "uuid",
    "name": "text",
    "day": "date",
    "at": "timestamptz",
    "amount": "numeric",
    "sure": "boolean",
    "names": "text[]",
}
_LETTERS = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\x00"), max_size=20)
_AWKWARD = _LETTERS | st.sampled_from([r"\N", r"\.", "\\", "\t", "a\r\nb", "NULL", '"', "{}", ","])
ROWS = st.tuples(
    st.integers(-(2**63), 2**63 - 1),
    st.none() | st.uuids(),
    st.none() | _AWKWARD,
    st.none() | st.dates(date(1, 1, 1), date(9999, 12, 31)),
    st.none() | st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
    st.none() | st.decimals(-(10**12), 10**12, allow_nan=False, places=2),
    st.none() | st.booleans(),
    st.none() | st.lists(st.none() | _AWKWARD, max_size=4),
)


def back(rows: list[tuple]) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMP TABLE copied ({', '.join(map(' '.join, COLUMNS.items()))}, nr serial)")
        copy(cursor, "copied", list(COLUMNS), ready(rows).text)
        cursor.execute(f"SELECT {', '.join(COLUMNS)} FROM copied ORDER BY nr")
        found = cursor.fetchall()
        cursor.execute("DROP TABLE copied")
    return found


@given(st.lists(ROWS, max_size=5))
def test_what_goes_in_is_what_was_read(rows):
    assert back(rows) == rows


def test_no_value_ends_the_row_or_the_file():
    row = (
        1,
        uuid.uuid4(),
        "\\.\n\\N\t\r",
        date(2026, 1, 2),
        None,
        Decimal("1E+3"),
        True,
        ['"a\\"', "\\N", "NULL", None, ""],
    )
    assert back([row, row]) == [row, row]
