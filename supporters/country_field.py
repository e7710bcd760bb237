"""The field that asks for a country: some 250 lines, put together once for each language and not for each form."""

from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Any

from django import forms
from django.forms.utils import flatatt
from django.utils.choices import BaseChoiceIterator
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from supporters import places
from supporters.hygiene.countries import codes


class CountrySelect(forms.Select):
    def render(self, name: str, value: Any, attrs: dict | None = None, renderer: Any = None) -> SafeString:
        first, *_others = self.choices
        lines = _lines(get_language(), str(first[1]))
        if value in _codes():
            lines = lines.replace(f'value="{value}"', f'value="{value}" selected', 1)
        attributes = flatatt({"name": name, **self.build_attrs(self.attrs, attrs)})
        return format_html("<select{}>{}</select>", attributes, mark_safe(lines))  # noqa: S308 (escaped by _lines)


class CountryField(forms.ChoiceField):
    """A code of ISO 3166. `nothing`: what the first line says, which chooses none."""

    widget = CountrySelect

    def __init__(self, *, nothing: str, **kwargs: Any) -> None:
        super().__init__(choices=_Countries(nothing), **kwargs)

    def valid_value(self, value: str) -> bool:
        return value in _codes()


class _Countries(BaseChoiceIterator):
    """In the language that is active."""

    def __init__(self, nothing: str) -> None:
        self.nothing = nothing

    def __iter__(self) -> Iterator[tuple[str, str]]:
        yield "", self.nothing
        yield from places.countries(get_language())


@lru_cache(maxsize=128)
def _lines(language: str, nothing: str) -> str:
    return format_html_join("", '<option value="{}">{}</option>', [("", nothing), *places.countries(language)])


@cache
def _codes() -> frozenset[str]:
    return frozenset(codes())
