"""Languages: a code such as sv or pt-br from any code or name that people write."""

import re
from functools import cache, lru_cache

import pycountry
from babel import Locale
from django.conf import settings
from django.utils.translation import gettext as _

from supporters.hygiene import Unreadable
from supporters.hygiene.text import key

_WITH_REGION = {"pt": "pt", "zh": ""}
"""Languages whose region is kept, for people there expect other texts, and the region that goes without saying."""
_OFTEN = {
    **{"cz": "cs", "dk": "da", "gr": "el", "jp": "ja", "ua": "uk", "swe": "sv", "ger": "de", "eng": "en"},
    **{"flemish": "nl", "flamlandska": "nl", "flamisch": "nl", "vlaams": "nl", "flamand": "nl", "castellano": "es"},
    **{"castilian": "es", "kastilianisch": "es", "gaeilge": "ga", "gaelic": "ga", "norsk": "no", "bokmal": "nb"},
    **{"norsk bokmal": "nb", "norsk nynorsk": "nn", "portugues brasil": "pt-br", "brazilian": "pt-br"},
    **{"nynorsk": "nn", "moldovan": "ro", "serbo croatian": "sh", "farsi": "fa", "mandarin": "zh", "kurmanji": "ku"},
}
"""Codes of countries that are written for their language, and names that CLDR does not have."""
_TAG = re.compile(r"([a-z]{2,3})(?:[-_]([a-z]{2}|[0-9]{3}|[a-z]{4}))?(?:[-_.@][a-z0-9.@_-]*)?", re.ASCII)
_APART = re.compile(r"[()\[\]/|,;:–—]| - ")


@lru_cache(maxsize=4096)
def read_language(text: str, language: str = "") -> str:
    """A language code; `language` is that of the file, where it is known. Raises Unreadable."""
    for part in (text, *_APART.split(text)):
        if found := _tagged(part.strip().lower()) or _named(part, language):
            return found
    raise Unreadable(_("“%(value)s” is no language we know.") % {"value": text.strip()[:60]})


def _tagged(text: str) -> str:
    match = _TAG.fullmatch(text)
    if not match:
        return ""
    base, region = match.groups()
    if len(base) == 2 and pycountry.languages.get(alpha_2=base):
        told = region and len(region) == 2 and base in _WITH_REGION and region != _WITH_REGION[base]
        return f"{base}-{region}" if told else base
    if len(base) == 3:
        known = pycountry.languages.get(alpha_3=base) or pycountry.languages.get(bibliographic=base)
        if known:
            return getattr(known, "alpha_2", base)
    return ""


def _named(text: str, language: str) -> str:
    name = key(text)
    if found := _OFTEN.get(name):
        return found
    here = language.partition("-")[0]
    order = dict.fromkeys((here, "en", *(code for code, _name in settings.LANGUAGES)))
    for code in order:
        if code and (found := _names_in(code).get(name)):
            return found
    return ""


@cache
def _names_in(language: str) -> dict[str, str]:
    if language not in dict(settings.LANGUAGES):
        return {}
    names = Locale.parse(language).languages.items()
    kept = {
        key(name): code.replace("_", "-").lower()
        for code, name in names
        if len(code) == 2 or code in {"pt_BR", "zh_CN"}
    }
    if language == "en":
        listed = (each for each in pycountry.languages if hasattr(each, "alpha_2"))
        return {key(each.name): each.alpha_2 for each in listed} | kept
    return kept
