from datetime import date
from decimal import Decimal

import pytest

from supporters.importing import values
from supporters.importing.problems import RowProblem


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("12.00", "12.00"),
        ("1,234.56", "1234.56"),
        ("1 234,56", "1234.56"),
        ("1.234,56 €", "1234.56"),
        ("1'234.50", "1234.50"),
        ("1,234", "1234.00"),
        ("12,5", "12.50"),
        ("SEK 1 000", "1000.00"),
        ("-5,00", "-5.00"),
        ("0.00", "0.00"),
        ("12.500000", "12.50"),
    ],
)
def test_amounts_are_exact_in_any_notation(text, amount):
    assert values.parse_amount(text) == Decimal(amount)


@pytest.mark.parametrize("text", ["", "twelve", "1.2345", "9" * 14])
def test_what_is_no_amount_is_refused(text):
    with pytest.raises(RowProblem):
        values.parse_amount(text)


@pytest.mark.parametrize(
    ("text", "order", "day"),
    [
        ("2026-03-04", "mdy", date(2026, 3, 4)),
        ("2026-03-04T10:00:00Z", "dmy", date(2026, 3, 4)),
        ("04/03/2026", "dmy", date(2026, 3, 4)),
        ("04/03/2026", "mdy", date(2026, 4, 3)),
        ("4.3.26", "dmy", date(2026, 3, 4)),
    ],
)
def test_dates_are_read_in_the_order_of_their_column(text, order, day):
    assert values.parse_date(text, order) == day


@pytest.mark.parametrize("text", ["31/02/2026", "yesterday", "1066-10-14", "2026"])
def test_what_is_no_date_is_refused(text):
    with pytest.raises(RowProblem):
        values.parse_date(text)


@pytest.mark.parametrize(
    ("samples", "guessed"),
    [
        (["2026-01-02"], ("ymd", False)),
        (["01/02/2026", "13/02/2026"], ("dmy", False)),
        (["01/02/2026", "02/13/2026"], ("mdy", False)),
        (["01/02/2026"], ("dmy", True)),
        (["1.2.2026"], ("dmy", False)),
    ],
)
def test_the_order_of_dates_is_decided_by_the_whole_column(samples, guessed):
    assert values.guess_date_order(samples) == guessed
