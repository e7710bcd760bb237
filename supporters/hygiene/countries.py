"""Countries: a code of ISO 3166 from any code or name that people write.

Names come from Unicode CLDR (Babel) and from the translations of ISO 3166 that pycountry brings along, in all languages of
settings.LANGUAGES; what neither has stands in country_names.txt. The language at hand is asked first, then English, then the
others, each read only when it is needed. A name of several countries is refused.
"""

import gettext
import re
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path

import pycountry
from babel import Locale, UnknownLocaleError
from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from supporters.hygiene import Unreadable
from supporters.hygiene.text import key

_KOSOVO = "XK"
"""Which ISO leaves to its users, and everybody uses."""
_ARTICLES = frozenset(
    [
        "the",
        "die",
        "der",
        "das",
        "de",
        "la",
        "le",
        "les",
        "l",
        "el",
        "los",
        "las",
        "il",
        "lo",
        "i",
        "gli",
        "o",
        "os",
        "a",
        "as",
        "den",
        "det",
        "het",
        "η",
        "ο",
        "το",
    ]
)
_EXPANDED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "Ä": "ae", "Ö": "oe", "Ü": "ue", "Å": "aa"})
_APART = re.compile(r"[()\[\]/|,;:–—]| - ")


@lru_cache(maxsize=4096)
def read_country(text: str, language: str = "") -> str:
    """The ISO 3166 code; the language is that of the file or page, where it is known. Raises Unreadable."""
    if code := _code(text.strip().upper()):
        return code
    found = _named(text, language)
    if not found:
        parts = [part for part in _APART.split(text) if part.strip()]
        each = [{code} if (code := _code(part.strip().upper())) else _named(part, language) for part in parts]
        found = frozenset().union(*each) if len(parts) > 1 else found
    if len(found) == 1:
        (code,) = found
        return code
    shown = text.strip()[:60]
    if found:
        raise Unreadable(
            _("“%(value)s” may be several countries: %(countries)s. Write the one that is meant.")
            % {"value": shown, "countries": ", ".join(sorted(map(_name, found)))}
        )
    raise Unreadable(_("“%(value)s” is no country we know.") % {"value": shown})


def codes() -> list[str]:
    return [country.alpha_2 for country in pycountry.countries] + [_KOSOVO]


def _code(text: str) -> str:
    if not (text.isascii() and text.isalnum() and 2 <= len(text) <= 3):
        return ""
    kind = "numeric" if text.isdigit() else f"alpha_{len(text)}"
    if text.isdigit() and len(text) != 3:
        return ""
    if country := pycountry.countries.get(**{kind: text}):
        return country.alpha_2
    return _KOSOVO if text in {_KOSOVO, "XKX"} else ""


def _named(text: str, language: str) -> frozenset[str]:
    """Every country that the text may name; one if all is well."""
    name = key(text)
    first, _space, rest = name.partition(" ")
    for spelling in (name, rest) if first in _ARTICLES and rest else (name,):
        if found := _own_names().get(spelling):
            return found
        for each in dict.fromkeys((language.partition("-")[0], "en", *_languages())):
            if each in _languages() and (found := _names_in(each).get(spelling)):
                return found
    return frozenset()


@cache
def _languages() -> tuple[str, ...]:
    return tuple(code for code, _name in settings.LANGUAGES)


@cache
def _names_in(language: str) -> dict[str, frozenset[str]]:
    """By CLDR first: what it names, the translations of ISO have no say in."""
    found = _keyed(_of_cldr(language))
    return _keyed(_of_iso(language)) | found


def _keyed(names: Iterator[tuple[str, str]]) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for name, code in names:
        for spelling in {key(name), key(name.translate(_EXPANDED))}:
            found[spelling] = found.get(spelling, frozenset()) | {code}
    return found


def _of_cldr(language: str) -> Iterator[tuple[str, str]]:
    known = set(codes())
    return ((name, code) for code, name in Locale.parse(language).territories.items() if code in known)


def _of_iso(language: str) -> Iterator[tuple[str, str]]:
    try:
        translated = gettext.translation("iso3166-1", pycountry.LOCALES_DIR, languages=[language]).gettext
    except FileNotFoundError:
        translated = str  # English
    for country in pycountry.countries:
        for kind in ("name", "official_name", "common_name"):
            if name := getattr(country, kind, ""):
                yield translated(name), country.alpha_2


@cache
def _own_names() -> dict[str, frozenset[str]]:
    found = {}
    for line in Path(__file__).with_name("country_names.txt").read_text(encoding="utf-8").splitlines():
        left, equals, names = line.partition("=")
        if equals and not line.startswith("#"):
            found |= {key(name): frozenset(left.split()) for name in names.split(",")}
    return found


def _name(code: str) -> str:
    try:
        return Locale.parse(get_language() or "en", sep="-").territories.get(code, code)
    except UnknownLocaleError:
        return code
