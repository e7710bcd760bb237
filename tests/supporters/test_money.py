from decimal import Decimal

import pytest

from supporters import money


@pytest.mark.parametrize(
    ("minor", "currency", "amount"),
    [(10050, "SEK", "100.50"), (1, "EUR", "0.01"), (500, "ISK", "500"), (500, "JPY", "500"), (7, "HUF", "0.07")],
)
def test_minor_units_are_those_of_the_currency(minor, currency, amount):
    assert money.from_minor(minor, currency) == Decimal(amount)
    assert money.to_minor(Decimal(amount), currency) == minor


@pytest.mark.parametrize(
    ("amount", "currency"), [("0.001", "EUR"), ("1.5", "ISK"), ("NaN", "EUR"), ("Infinity", "EUR"), ("1", "KWD")]
)
def test_what_the_currency_has_no_unit_for_is_refused(amount, currency):
    with pytest.raises(ValueError):
        money.to_minor(Decimal(amount), currency)
