"""Days, numbers and money as Europe writes them."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.utils.translation import override

from supporters import figures, places

AT = datetime(2026, 11, 26, 23, 5, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("language", "written"),
    [
        ("en", "27 November 2026, 00:05"),
        ("sv", "27 november 2026 00:05"),
        ("hu", "2026. november 27. 0:05"),
        ("mt", "27 ta’ Novembru 2026 00:05"),
        ("ar", "27 نوفمبر 2026، 12:05 ص"),
    ],
)
def test_a_minute_is_told_in_our_zone_without_its_seconds(language, written):
    with override(language):
        assert figures.minute(AT).replace("\xa0", " ") == written


def test_english_and_portuguese_are_those_of_europe():
    with override("en"):
        assert figures.day(date(2026, 5, 1)) == "1 May 2026"
    with override("pt"):
        assert figures.money(Decimal("1200.50"), "EUR") == "1\xa0200,50\xa0€"
    assert places.name_of("PL", "pt") == "Polónia"


def test_a_zone_keeps_its_order_among_words_from_right_to_left():
    with override("ar"):
        assert figures.moment(AT).endswith("\u2066+0100\u2069")
    with override("fi"):
        assert figures.moment(AT).endswith(" +0100")
