"""Numbers, money and days as the language of the page writes them (Unicode CLDR, through Babel)."""

import re
from datetime import date
from decimal import Decimal
from functools import lru_cache

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal
from django.utils.translation import get_language


def number(value: int) -> str:
    return format_decimal(value, locale=locale())


def money(amount: Decimal, currency: str, *, whole: bool = False) -> str:
    """With the currency's own number of decimals; none if it is a `whole` amount for a button."""
    if whole:
        plain = re.sub(r"[.]0+", "", locale().currency_formats["standard"].pattern)
        return format_currency(amount, currency, plain, locale=locale(), currency_digits=False)
    return format_currency(amount, currency, locale=locale())


def day(value: date) -> str:
    return format_date(value, "long", locale=locale())


def locale(language: str = "") -> Locale:
    return _locale(language or get_language() or "en")


@lru_cache(maxsize=64)
def _locale(language: str) -> Locale:
    return Locale.parse(language, sep="-")
