"""Cells as values: dates and amounts, however they are spelt. See supporters.hygiene for the rest."""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache, lru_cache

import pycountry
from babel import Locale
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from supporters.hygiene.text import plain
from supporters.importing.problems import RowProblem

DATE_FORMATS = {
    "ymd": gettext_lazy("year-month-day"),
    "dmy": gettext_lazy("day.month.year"),
    "mdy": gettext_lazy("month/day/year"),
}
_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ].*)?")
_OTHER = re.compile(r"(\d{1,2})[-/. ]+(\d{1,2})[-/. ]+(\d{4}|\d{2})(?:[T ,].*)?")
_DAY_FIRST = re.compile(
    r"(\d{1,2})(?:st|nd|rd|th|er|º|\.)?[\s/-]*(?:de |of )?([^\W\d_]+)\.?,?[\s/-]*(?:de |of )?(\d{4})(?:[T ,].*)?"
)
_MONTH_FIRST = re.compile(r"([^\W\d_]+)\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})(?:[ ,].*)?")
_SERIAL = re.compile(r"(\d{5})(?:[.,]\d+)?")
_SERIALS_BEGIN = date(1899, 12, 30)
"""Day 0 of Excel's count, as of its day 61: it takes 1900 for a leap year (ECMA-376 part 1, 18.17.4.1)."""
_CURRENCIES = {"€": "EUR", "$": "USD", "£": "GBP", "kr": "SEK", "zł": "PLN", "kč": "CZK", "ft": "HUF", "lei": "RON"}
EARLIEST = date(1880, 1, 1)


def parse_date(text: str, order: str = "dmy") -> date:
    """A day: 2025-12-31, 31.12.2025, 31 Dec 2025, or as Excel counts days. The order is for 03/04/2025. Raises RowProblem."""
    text = text.strip()
    try:
        if (len(text) == 10 and text[4] == "-") or (len(text) == 8 and text.isdecimal()):
            parsed = date.fromisoformat(text)
        elif match := _OTHER.fullmatch(text):
            first, second, year = map(int, match.groups())
            day, month = (first, second) if order != "mdy" else (second, first)
            parsed = date(year if year > 99 else 2000 + year, month, day)
        elif match := _SERIAL.fullmatch(text):
            parsed = _SERIALS_BEGIN + timedelta(days=int(match[1]))
        elif match := _ISO.fullmatch(text):
            parsed = date(*map(int, match.groups()))
        elif match := _DAY_FIRST.fullmatch(text):
            parsed = date(int(match[3]), _months()[plain(match[2])], int(match[1]))
        elif match := _MONTH_FIRST.fullmatch(text):
            parsed = date(int(match[3]), _months()[plain(match[1])], int(match[2]))
        else:
            raise ValueError
    except (ValueError, KeyError):
        raise RowProblem(_("“%(value)s” is no date.") % {"value": text[:40]}) from None
    if parsed < EARLIEST:
        raise RowProblem(_("The date %(value)s is too long ago to be true.") % {"value": text[:40]})
    return parsed


@cache
def _months() -> dict[str, int]:
    """Names of months, long and short, in the languages we know; without those that are another month elsewhere."""
    found: dict[str, set[int]] = {}
    for code, _name in settings.LANGUAGES:
        months = Locale.parse(code, sep="-").months
        for form in (months["format"], months["stand-alone"]):
            for width in ("wide", "abbreviated"):
                for number, name in form[width].items():
                    found.setdefault(plain(name).strip("."), set()).add(number)
    return {name: numbers.pop() for name, numbers in found.items() if len(numbers) == 1 and not name[:1].isdigit()}


class DateOrder:
    """The order of day, month and year in a column, as its own cells prove it."""

    def __init__(self) -> None:
        self._iso = self._either = self._day_first = self._month_first = False

    def see(self, text: str) -> None:
        text = text.strip()
        if self._iso and text[:4].isdecimal():
            return  # whatever it is, it has nothing new to say
        if match := _OTHER.fullmatch(text):
            first, second = int(match[1]), int(match[2])
            if first > 12 or "." in text[:6]:
                self._day_first = True
            elif second > 12:
                self._month_first = True
            elif first != second:
                self._either = True
        elif _ISO.fullmatch(text):
            self._iso = True

    def told(self) -> tuple[str, bool]:
        """The order, and whether it could be otherwise: then somebody has to say."""
        if self._day_first != self._month_first:
            return ("dmy" if self._day_first else "mdy"), False
        if self._day_first:
            return "dmy", True  # proof of both
        return ("ymd" if self._iso and not self._either else "dmy"), self._either


def guess_date_order(samples: Iterable[str]) -> tuple[str, bool]:
    """The order of day, month and year in a column, and whether it could be otherwise."""
    order = DateOrder()
    for text in samples:
        order.see(text)
    return order.told()


def looks_like_dates(samples: Sequence[str]) -> bool:
    """Whether most of these cells are dates of which the order matters."""
    return sum(bool(_OTHER.fullmatch(text.strip())) for text in samples) > len(samples) * 0.6


def parse_moment(text: str) -> datetime:
    """A point in time as Mailchimp's exports write it: UTC, `2024-03-01 12:00:00`. Raises RowProblem."""
    text = text.strip()
    try:
        parsed = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        parsed = datetime.combine(parse_date(text), datetime.min.time())
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


_ALIKE = str.maketrans(
    dict.fromkeys("\u00a0\u202f\u2009\u2007\t", " ") | dict.fromkeys("’`´", "'") | dict.fromkeys("−–—", "-")
)
_PLAIN_AMOUNT = re.compile(r"\d{1,12}(?:\.\d{1,2})?", re.ASCII)
_MONEY = r"(?:[^\W\d_]{1,4}\.?[$€£]?|[$€£¥₴₺])?"
_AMOUNT = re.compile(rf"([+-]?) ?{_MONEY} ?([+-]?) ?([0-9][0-9.,' ]*|[.,][0-9]+) ?([+-]?) ?{_MONEY} ?([+-]?)")
_NOTHING_SMALLER = re.compile(r"[.,:]-+(?=$|[^\d])")
"""As in 100:- and 100,-"""


def parse_amount(text: str) -> Decimal:
    """An exact amount from 1,234.56, 1 234,56, 1'234.56, 1.234,56, (12.00), 12- or €12. Raises RowProblem."""
    text = text.strip()
    if _PLAIN_AMOUNT.fullmatch(text):
        return round(Decimal(text), 2)
    bare = _NOTHING_SMALLER.sub("", text.translate(_ALIKE))
    in_brackets = bare.startswith("(") and bare.endswith(")")
    match = _AMOUNT.fullmatch(bare[1:-1].strip() if in_brackets else bare)
    number = _plain_number(match[3].strip(" '").rstrip(".,")) if match else ""
    signs = [sign for sign in match.group(1, 2, 4, 5) if sign] if match else []
    if not number or len(signs) + in_brackets > 1:
        raise RowProblem(_("“%(value)s” is no amount.") % {"value": text[:40]})
    amount = Decimal(number)
    if -amount.as_tuple().exponent > 2 and amount != round(amount, 2):
        raise RowProblem(_("The amount %(value)s has more than two decimals.") % {"value": text[:40]})
    if amount >= Decimal("1e12"):
        raise RowProblem(_("The amount %(value)s is too large to be true.") % {"value": text[:40]})
    amount = round(amount, 2)
    return -amount if in_brackets or signs == ["-"] else amount


def _plain_number(bare: str) -> str:
    """1234.56 from any notation of it; nothing if it is none."""
    grouped = False
    for mark in " '":
        if mark in bare:
            if grouped or not re.fullmatch(rf"\d{{1,3}}(?:{mark}\d{{3}})+(?:[.,]\d+)?", bare):
                return ""
            bare, grouped = bare.replace(mark, ""), True
    mark = max(".,", key=bare.rfind)
    if mark not in bare:
        return bare
    whole, _mark, fraction = bare.rpartition(mark)
    if not re.search(r"[.,]", whole):
        # Three digits behind the only mark are thousands: no amount has three decimals.
        if len(fraction) == 3 and 1 <= len(whole) <= 3 and not whole.startswith("0") and not grouped:
            return whole + fraction
        return f"{whole or 0}.{fraction}"
    other = whole.replace(mark, "")
    if grouped or not re.fullmatch(r"\d{1,3}(?:([.,])\d{3})(?:\1\d{3})*", whole):
        return ""
    if other != whole:  # the same mark again: 1.234.567
        return other + fraction if len(fraction) == 3 else ""
    return re.sub(r"[.,]", "", whole) + f".{fraction}"


@lru_cache(maxsize=64)
def parse_currency(text: str) -> str:
    """An ISO 4217 code. Raises RowProblem."""
    code = _CURRENCIES.get(text.strip().lower(), text.strip().upper())
    if not pycountry.currencies.get(alpha_3=code):
        raise RowProblem(_("“%(value)s” is no currency.") % {"value": text.strip()[:20]})
    return code
