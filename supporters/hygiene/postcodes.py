"""Postcodes as each country's post writes them.

The forms are those of the Universal Postal Union's addressing guides
(https://www.upu.int/en/postal-solutions/programmes-services/addressing-solutions). In them N stands for a figure, A for a
letter, X for either; anything else stands for itself. Several forms of one country differ in length.
"""

import re
import unicodedata
from functools import cache, lru_cache

from supporters.hygiene.text import one_line

_FORMS = {
    **dict.fromkeys(
        [
            "AT",
            "BE",
            "BG",
            "CH",
            "CY",
            "DK",
            "HU",
            "LI",
            "LU",
            "MK",
            "NO",
            "SI",
            "AM",
            "AU",
            "GE",
            "NZ",
            "PH",
            "TN",
            "ZA",
        ],
        "NNNN",
    ),
    **dict.fromkeys(
        [
            "DE",
            "EE",
            "ES",
            "FI",
            "FR",
            "HR",
            "IT",
            "LT",
            "MC",
            "ME",
            "RS",
            "SM",
            "UA",
            "VA",
            "TR",
            "AX",
            "BA",
            "DZ",
            "EG",
            "ID",
            "IL",
            "KW",
            "MA",
            "MX",
            "MY",
            "TH",
            "XK",
        ],
        "NNNNN",
    ),
    **dict.fromkeys(["RO", "BY", "CN", "CO", "IN", "KG", "KZ", "RU", "SG", "VN"], "NNNNNN"),
    **dict.fromkeys(["CZ", "GR", "SE", "SK"], "NNN NN"),
    **dict.fromkeys(["FO", "IS"], "NNN"),
    **dict.fromkeys(["GF", "GP", "MQ", "NC", "PF", "PM", "RE", "YT"], "NNNNN"),
    "AD": "ADNNN",
    "AL": "NNNN",
    "BR": "NNNNN-NNN",
    "CA": "ANA NAN",
    "GL": "NNNN",
    "IE": "ANX XXXX",
    "JP": "NNN-NNNN",
    "KR": "NNNNN",
    "LV": "LV-NNNN",
    "MD": "MD-NNNN",
    "MT": "AAA NNNN",
    "NL": "NNNN AA",
    "PL": "NN-NNN",
    "PT": "NNNN-NNN",
    "SJ": "NNNN",
    "US": "NNNNN|NNNNN-NNNN",
    "GB": "AN NAA|ANN NAA|AAN NAA|AANN NAA|ANA NAA|AANA NAA",
}
_FORMS |= dict.fromkeys(("GG", "IM", "JE"), "AAN NAA|AANN NAA")
_PREFIXES = {
    **{
        "AT": "A",
        "BE": "B",
        "BG": "BG",
        "CH": "CH",
        "CY": "CY",
        "CZ": "CZ",
        "DE": "D",
        "DK": "DK",
        "EE": "EST",
        "ES": "E",
    },
    **{
        "FI": "FIN",
        "FO": "FO",
        "FR": "F",
        "GR": "GR",
        "HR": "HR",
        "HU": "H",
        "IS": "IS",
        "IT": "I",
        "LI": "FL",
        "LT": "LT",
    },
    **{"LU": "L", "LV": "LV", "MC": "MC", "MD": "MD", "NO": "N", "PL": "PL", "PT": "P", "RO": "RO", "RS": "SRB"},
    **{"SE": "S", "SI": "SLO", "SK": "SK", "SM": "RSM", "UA": "UA", "AX": "AX", "AL": "AL", "NL": "NL", "VA": "V"},
}
"""The signs of vehicles that used to stand before a postcode; the code of the country does too (EL for Greece)."""
_ZEROS = dict.fromkeys(
    ["DE", "EE", "ES", "FR", "LT", "MX", "NO", "PT", "RO", "SK", "TR", "UA", "US"], 1
) | dict.fromkeys(("FI", "IT", "PL"), 2)
"""How many zeros codes of the country begin with at most: a spreadsheet program drops them."""
_DASHES = str.maketrans(dict.fromkeys("-‐‑‒–—−. ·_", ""))


@lru_cache(maxsize=65_536)
def read_postcode(text: str, country: str) -> tuple[str, bool]:
    """The postcode as the country (ISO 3166) writes it, and whether it fits; as it was written where it doesn't.

    Of a country whose form isn't known, anything fits.
    """
    written = one_line(text)
    forms = _forms(country)
    if not written or not forms:
        return written, True
    if fitting := _fitted(written.replace(" ", ""), forms):
        return fitting, True
    bare = unicodedata.normalize("NFKC", written.removesuffix(".0")).upper().translate(_DASHES)
    for candidate in _candidates(bare, country):
        if fitting := _fitted(candidate, forms):
            return fitting, True
    return written, False


def _fitted(bare: str, forms: list[tuple[re.Pattern, str]]) -> str:
    for pattern, places in forms:
        if found := pattern.fullmatch(bare):
            return places.format(*found.groups())
    return ""


def _candidates(bare: str, country: str) -> list[str]:
    found = [bare]
    for prefix in (country, _PREFIXES.get(country, country), "EL" if country == "GR" else country):
        if bare.startswith(prefix) and len(bare) > len(prefix):
            found.append(bare[len(prefix) :])
    figures = found[-1]
    if figures.isascii() and figures.isdigit():
        if country in {"LV", "MD", "AD"}:
            found.append(country + figures)
        else:
            length = _FORMS[country].partition("|")[0].count("N")
            if length - _ZEROS.get(country, 0) <= len(figures) < length:
                found.append(figures.zfill(length))
    elif country == "GB" and len(bare) in {5, 6, 7}:
        # O for 0 and the other way round, where only one of them can be.
        found.append(f"{bare[:-3]}{bare[-3].replace('O', '0')}{bare[-2:].replace('0', 'O')}")
    return found


@cache
def _forms(country: str) -> list[tuple[re.Pattern, str]]:
    """Each form as a pattern for the code without spaces and dashes, and where these go."""
    return [_form(form) for form in _FORMS.get(country, "").split("|") if form]


def _form(form: str) -> tuple[re.Pattern, str]:
    classes = {"N": "[0-9]", "A": "[A-Z]", "X": "[0-9A-Z]"}
    literal = form[:2] if form[:2] in {"AD", "LV", "MD"} else ""
    pattern, places = re.escape(literal), literal
    for place in form[len(literal) :]:
        if place in classes:
            pattern += f"({classes[place]})"
            places += "{}"
        else:
            places += place
    return re.compile(pattern), places
