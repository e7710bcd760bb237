"""Cells as values: dates and amounts, however they are spelt. See supporters.hygiene for the rest."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation

import pycountry
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from supporters.importing.problems import RowProblem

DATE_FORMATS = {
    "ymd": gettext_lazy("year-month-day"),
    "dmy": gettext_lazy("day.month.year"),
    "mdy": gettext_lazy("month/day/year"),
}
_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ].*)?")
_OTHER = re.compile(r"(\d{1,2})[-/. ]+(\d{1,2})[-/. ]+(\d{4}|\d{2})(?:[T ,].*)?")
_CURRENCIES = {"€": "EUR", "$": "USD", "£": "GBP", "kr": "SEK", "zł": "PLN", "kč": "CZK", "ft": "HUF", "lei": "RON"}
EARLIEST = date(1880, 1, 1)


def parse_date(text: str, order: str = "dmy") -> date:
    """A day. ISO dates are read whatever the order; the order is for 03/04/2025. Raises RowProblem."""
    text = text.strip()
    try:
        if len(text) == 10 and text[4] == "-":
            parsed = date.fromisoformat(text)
        elif match := _ISO.fullmatch(text):
            parsed = date(*map(int, match.groups()))
        elif match := _OTHER.fullmatch(text):
            first, second, year = map(int, match.groups())
            day, month = (first, second) if order != "mdy" else (second, first)
            parsed = date(year if year > 99 else 2000 + year, month, day)
        else:
            raise ValueError
    except ValueError:
        raise RowProblem(_("“%(value)s” is no date.") % {"value": text[:40]}) from None
    if parsed < EARLIEST:
        raise RowProblem(_("The date %(value)s is too long ago to be true.") % {"value": text[:40]})
    return parsed


def guess_date_order(samples: list[str]) -> tuple[str, bool]:
    """The order of day, month and year in a column, and whether it could be otherwise."""
    could = {"dmy", "mdy"}
    for text in samples:
        match = _OTHER.fullmatch(text.strip())
        if match:
            first, second = int(match[1]), int(match[2])
            if first > 12:
                could.discard("mdy")
            if second > 12:
                could.discard("dmy")
            if "." in text:
                could.discard("mdy")
        elif _ISO.fullmatch(text.strip()):
            return "ymd", False
    if len(could) == 1:
        return could.pop(), False
    return "dmy", True


def parse_moment(text: str) -> datetime:
    """A point in time as Mailchimp's exports write it: UTC, `2024-03-01 12:00:00`. Raises RowProblem."""
    text = text.strip()
    try:
        parsed = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        parsed = datetime.combine(parse_date(text), datetime.min.time())
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def parse_amount(text: str) -> Decimal:
    """An exact amount from 1,234.56, 1 234,56, 1.234,56 or €12. Raises RowProblem."""
    bare = re.sub(r"[^\d.,\-()]", "", text)
    negative = bare.startswith("-") or (bare.startswith("(") and bare.endswith(")"))
    bare = bare.strip("-()").strip(".,")
    last = max(bare.rfind("."), bare.rfind(","))
    if last >= 0:
        after, mark = len(bare) - last - 1, bare[last]
        # Three digits behind the only kind of mark are thousands: no amount has three decimals.
        if after == 3 and bare.count(mark) >= 1 and not ({".", ","} <= set(bare)) and not bare.startswith("0"):
            whole, fraction = bare, ""
        else:
            whole, fraction = bare[:last], bare[last + 1 :]
        bare = re.sub(r"[.,]", "", whole) + ("." + fraction if fraction else "")
    try:
        amount = Decimal(bare or "x")
    except InvalidOperation:
        raise RowProblem(_("“%(value)s” is no amount.") % {"value": text.strip()[:40]}) from None
    if -amount.as_tuple().exponent > 2 and amount != round(amount, 2):
        raise RowProblem(_("The amount %(value)s has more than two decimals.") % {"value": text.strip()[:40]})
    if amount >= Decimal("1e12"):
        raise RowProblem(_("The amount %(value)s is too large to be true.") % {"value": text.strip()[:40]})
    amount = round(amount, 2)
    return -amount if negative else amount


def parse_currency(text: str) -> str:
    """An ISO 4217 code. Raises RowProblem."""
    code = _CURRENCIES.get(text.strip().lower(), text.strip().upper())
    if not pycountry.currencies.get(alpha_3=code):
        raise RowProblem(_("“%(value)s” is no currency.") % {"value": text.strip()[:20]})
    return code
