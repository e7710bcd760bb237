"""Countries by name, in the language of the page."""

from functools import lru_cache

from babel.languages import get_official_languages
from django.conf import settings

from supporters import figures
from supporters.hygiene.countries import codes
from supporters.hygiene.text import plain

EU = frozenset(
    (
        *("AT", "BE", "BG", "HR", "CY", "CZ", "DK", "EE", "FI", "FR", "DE", "GR", "HU", "IE"),
        *("IT", "LV", "LT", "LU", "MT", "NL", "PL", "PT", "RO", "SK", "SI", "ES", "SE"),
    )
)
"""The member states (https://european-union.europa.eu/principles-countries-history/eu-countries_en)."""


@lru_cache(maxsize=64)
def countries(language: str) -> tuple[tuple[str, str], ...]:
    """Code and name of every country, in the order of the names."""
    return tuple(sorted(((code, name_of(code, language)) for code in codes()), key=lambda each: plain(each[1])))


def name_of(code: str, language: str) -> str:
    """The country's name; its code where the language has no name for it."""
    return figures.locale(language).territories.get(code, code)


def language_of(country: str) -> str:
    """The first of a country's official languages (CLDR) that is one of ours; else ours."""
    ours = dict(settings.LANGUAGES)
    spoken = get_official_languages(country, de_facto=True) if country else ()
    return next((code for code in spoken if code in ours), settings.LANGUAGE_CODE)
