"""Numbers, money and days as the language of the page writes them (Unicode CLDR, through Babel)."""

import re
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache

from babel import Locale
from babel.dates import format_date, format_datetime, format_time
from babel.numbers import format_compact_decimal, format_currency, format_decimal
from django.utils import timezone
from django.utils.translation import get_language, get_language_bidi


def number(value: int | float | Decimal) -> str:
    return format_decimal(value, locale=locale())


def short(value: int) -> str:
    """Such as 1.2M, where there is no room for more."""
    return number(value) if value < 100_000 else format_compact_decimal(value, locale=locale(), fraction_digits=1)


def money(amount: Decimal, currency: str, *, whole: bool = False) -> str:
    """With the currency's own number of decimals; none if it is a `whole` amount for a button."""
    if whole:
        plain = re.sub(r"[.]0+", "", locale().currency_formats["standard"].pattern)
        written = format_currency(amount, currency, plain, locale=locale(), currency_digits=False)
    else:
        written = format_currency(amount, currency, locale=locale())
    return _CODE_AND_FIGURE.sub("\u00a0", written)


_CODE_AND_FIGURE = re.compile(r"(?<=[A-Za-z])(?=\d)|(?<=\d)(?=[A-Za-z])")
"""Between them goes a space (CLDR's currencySpacing, which Babel leaves out): PLN 50, but €50."""


def code(text: str) -> str:
    """A number such as 2026-000123, which would turn round among words that run from right to left."""
    return f"\u2066{text}\u2069" if get_language_bidi() else text


def day(value: date) -> str:
    return format_date(value, "long", locale=locale())


def moment(value: datetime) -> str:
    """A day and a time of it, in settings.TIME_ZONE."""
    written = format_datetime(timezone.localtime(value), "long", locale=locale())
    return _ZONE.sub(lambda found: code(found[0]), written)


_ZONE = re.compile(r"[+-]\d{4}$")


def minute(value: datetime) -> str:
    """A day and the minute of it, in settings.TIME_ZONE."""
    local, pattern = timezone.localtime(value), locale().datetime_formats["medium"]
    return pattern.replace("{0}", format_time(local, "short", locale=locale())).replace("{1}", day(local))


def locale(language: str = "") -> Locale:
    return _locale(language or get_language() or "en")


_HERE = {"en": "en-GB", "pt": "pt-PT"}
"""As they are written in Europe: by itself each means the largest country that speaks it."""


@lru_cache(maxsize=64)
def _locale(language: str) -> Locale:
    return Locale.parse(_HERE.get(language, language), sep="-")
