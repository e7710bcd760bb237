"""Cells as values: dates, amounts, countries and languages, however they are spelt."""

import re
import unicodedata
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import cache, lru_cache

import pycountry
from babel import Locale
from django.conf import settings
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


@lru_cache(maxsize=4096)
def parse_country(text: str) -> str:
    """An ISO 3166 code from a code or from a name in any official language of the EU. Raises RowProblem."""
    key = plain(text)
    if len(key) == 2:
        code = {"UK": "GB", "EL": "GR"}.get(key.upper(), key.upper())
        if pycountry.countries.get(alpha_2=code) or code == "XK":
            return code
    if len(key) == 3 and (country := pycountry.countries.get(alpha_3=key.upper())):
        return country.alpha_2
    if code := _country_names().get(key):
        return code
    raise RowProblem(_("“%(value)s” is no country we know.") % {"value": text.strip()[:60]})


@lru_cache(maxsize=4096)
def parse_language(text: str) -> str:
    """A language code such as sv or pt-br, from a code or a name. Raises RowProblem."""
    code = text.strip().lower().replace("_", "-")
    base, _dash, region = code.partition("-")
    if re.fullmatch(r"[a-z]{2}", base) and pycountry.languages.get(alpha_2=base):
        return f"{base}-{region}" if re.fullmatch(r"[a-z]{2}", region) and base in {"pt", "zh"} else base
    if re.fullmatch(r"[a-z]{3}", base) and (language := pycountry.languages.get(alpha_3=base)):
        return getattr(language, "alpha_2", base)
    if found := _language_names().get(plain(text)):
        return found
    raise RowProblem(_("“%(value)s” is no language we know.") % {"value": text.strip()[:60]})


def split_name(text: str) -> tuple[str, str]:
    """First and last name from one cell: “Last, First” or “First Last”."""
    text = " ".join(text.split())
    if "," in text:
        last, first = (part.strip() for part in text.split(",", 1))
        return first, last
    first, _space, last = text.partition(" ")
    return first, last


def plain(text: str) -> str:
    """Text without case, accents and doubled spaces, for comparing."""
    letters = unicodedata.normalize("NFKD", text.strip().casefold())
    return " ".join("".join(letter for letter in letters if not unicodedata.combining(letter)).split())


def _locales() -> list[Locale]:
    return [Locale.parse(code) for code, _name in settings.LANGUAGES]


@cache
def _country_names() -> dict[str, str]:
    names = {
        plain(getattr(country, kind)): country.alpha_2
        for country in pycountry.countries
        for kind in ("name", "official_name", "common_name")
        if hasattr(country, kind)
    }
    for locale in _locales():
        names |= {plain(name): code for code, name in locale.territories.items() if len(code) == 2 and code.isalpha()}
    return names | {"england": "GB", "scotland": "GB", "wales": "GB", "holland": "NL", "usa": "US"}


@cache
def _language_names() -> dict[str, str]:
    names = {
        plain(language.name): language.alpha_2 for language in pycountry.languages if hasattr(language, "alpha_2")
    }
    for locale in _locales():
        names |= {plain(name): code for code, name in locale.languages.items() if len(code) == 2}
    return names
