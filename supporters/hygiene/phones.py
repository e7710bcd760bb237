"""Phone numbers: kept in the form of E.164, such as +46701234567, and shown as people write them.

The numbering plans are those of the library phonenumbers. It takes some 3 MB and 20 to 60 µs a number, so it is loaded with
the first number, and what most numbers look like is looked up in its plans directly.
"""

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from types import ModuleType
from typing import TYPE_CHECKING

from django.conf import settings

from supporters.hygiene.text import one_line

if TYPE_CHECKING:
    from phonenumbers.phonemetadata import PhoneNumberDesc

_USUAL = re.compile(r"(\+|00)?([0-9 ()/.\-]+)", re.ASCII)
_FIGURES = str.maketrans("", "", " ()/.-")
_KEPT = re.compile(r"\+[1-9][0-9]{4,14}(;ext=[0-9]{1,8})?", re.ASCII)


@lru_cache(maxsize=16_384)
def read_phone(text: str, country: str = "") -> tuple[str, bool]:
    """The number in the form of E.164 (with `;ext=` as in RFC 3966), and whether it is one; else as it was written.

    Without a country in front, it is one of this country (ISO 3166), or of the organisation's.
    """
    written = one_line(text)
    if not written:
        return "", True
    country = country or settings.ORGANISATION_COUNTRY
    bare = written.removesuffix(".0")  # a spreadsheet took it for a number
    found = _usual(bare, country) or _unusual(bare, country)
    return (found, True) if found else (written, False)


def show_phone(number: str, at: str = "") -> str:
    """A number on file as people write it: with its country in front unless it is at home there (by default, with us)."""
    if not _KEPT.fullmatch(number):
        return number
    library = _library()
    try:
        parsed = library.parse(number.replace(";ext=", " ext. "), None)
    except library.NumberParseException:
        return number
    home = library.region_code_for_number(parsed) == (at or settings.ORGANISATION_COUNTRY)
    return library.format_number(parsed, _formats().NATIONAL if home else _formats().INTERNATIONAL)


def figures_of(text: str) -> str:
    """What a search finds of a number in any spelling: its figures without zeros in front; empty if it looks like none."""
    match = _USUAL.fullmatch(text.strip())
    figures = match[2].translate(_FIGURES).lstrip("0") if match else ""
    return figures if len(figures) >= 5 else ""


@dataclass(frozen=True)
class _Plan:
    """What is needed of a country's numbering plan."""

    code: str
    trunk: re.Pattern | None
    """What stands before a number within the country, mostly 0."""
    abroad: str
    """What is dialled before the code of another country."""
    numbers: re.Pattern
    """Every number there can be, without code and trunk prefix."""


def _usual(written: str, country: str) -> str:
    """A number of figures and the usual marks between them; empty where the library has to look at it."""
    match = _USUAL.fullmatch(written)
    if not match:
        return ""
    figures = match[2].translate(_FIGURES)
    if match[1]:
        if match[1] == "00" and ((plan := _plan(country)) is None or plan.abroad != "00"):
            return ""
        plan = next(filter(None, map(_plan_of_code, (figures[:2], figures[:3], figures[:1]))), None)
        figures = figures[len(plan.code) :] if plan else ""
    else:
        plan = _plan(country)
    if plan is None:
        return ""
    trunk = plan.trunk.match(figures) if plan.trunk else None
    number = figures[trunk.end() :] if trunk else figures
    return f"+{plan.code}{number}" if plan.numbers.fullmatch(number) else ""


def _unusual(written: str, country: str) -> str:
    library = _library()
    try:
        parsed = library.parse(written, country)
    except library.NumberParseException:
        return ""
    if not library.is_valid_number(parsed):
        return ""
    kept = library.format_number(parsed, _formats().E164)
    return f"{kept};ext={parsed.extension}" if parsed.extension else kept


@cache
def _plan_of_code(code: str) -> _Plan | None:
    library = _library()
    regions = library.COUNTRY_CODE_TO_REGION_CODE.get(int(code)) if code and code[0] != "0" else None
    return _plan(regions[0]) if regions else None


@cache
def _plan(country: str) -> _Plan | None:
    """None where more than a look is needed: prefixes that change what follows, or numbers not told from each other."""
    found = _library().PhoneMetadata.metadata_for_region(country, None)
    if found is None or found.national_prefix_transform_rule:
        return None
    trunk = found.national_prefix_for_parsing
    general = found.general_desc
    kinds = (
        *(found.fixed_line, found.mobile, found.toll_free, found.premium_rate, found.shared_cost, found.voip),
        *(found.personal_number, found.pager, found.uan, found.voicemail),
    )
    numbers = "|".join(sorted({_pattern(kind, general) for kind in kinds if kind and kind.national_number_pattern}))
    return _Plan(
        str(found.country_code),
        re.compile(trunk) if trunk else None,
        found.international_prefix or "",
        re.compile(f"(?={_pattern(general, general)}\\Z)(?:{numbers})", re.ASCII),
    )


def _pattern(kind: "PhoneNumberDesc", general: "PhoneNumberDesc") -> str:
    lengths = "|".join(
        f"[0-9]{{{length}}}" for length in kind.possible_length or general.possible_length if length > 0
    )
    return f"(?=(?:{lengths})\\Z)(?:{kind.national_number_pattern})" if lengths else "(?!)"


def _library() -> ModuleType:
    import phonenumbers

    return phonenumbers


def _formats() -> type:
    return _library().PhoneNumberFormat
