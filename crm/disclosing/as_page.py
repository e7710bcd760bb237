"""What is held of a person as a page to read and to print, in their language.

Whole, it needs nothing from anywhere: staff save it or print it and hand it over. What it says is also shown within a page of
ours, to the person themselves.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import get_language, get_language_info, override

from crm.disclosing import explaining, language_of, parts, wording
from supporters import figures, places
from supporters.holdings import Holding, Row
from supporters.models import Supporter
from supporters.money import from_minor

_UNKNOWN = (None, "", [], {})


def stream(supporter: Supporter, language: str = "") -> Iterator[str]:
    """The whole document, in a language of ours, or else the person's own."""
    language = language_of(supporter, language)
    yield _piece(
        language,
        "head",
        language=get_language_info(language),
        organisation=settings.ORGANISATION_NAME,
        name=str(supporter),
    )
    yield from within(supporter, language)
    yield _piece(language, "foot")


def within(supporter: Supporter, language: str) -> Iterator[str]:
    """What it says, from its heading on."""
    with override(language):
        made_at = figures.minute(timezone.now()).removesuffix(".")  # it ends a sentence
    yield _piece(
        language,
        "opening",
        name=str(supporter),
        organisation=settings.ORGANISATION_NAME,
        address=settings.ORGANISATION_ADDRESS,
        made_at=made_at,
    )
    for holding, rows in parts(supporter):
        first = next(rows, None)
        if first is None:
            continue
        with override(language):
            title, about = wording.title(holding), explaining.explained(holding.name)
        yield _piece(language, "section", title=title, about=about)
        yield _piece(language, "row", values=_values(holding, first, language))
        for row in rows:
            yield _piece(language, "row", values=_values(holding, row, language))
        yield "</section>\n"


def _piece(spoken: str, template: str, **context: object) -> str:
    # Not over a yield: whoever reads the stream does other things between its pieces.
    with override(spoken):
        return render_to_string(f"crm/disclosure/{template}.html", context)


def _values(holding: Holding, row: Row, language: str) -> list["Shown"]:
    """What is known of a row."""
    with override(language):
        return [
            Shown.of(wording.label(holding, name), _in_words(holding, name, value))
            for name, value in _with_money(row).items()
            if value not in _UNKNOWN
        ]


def _with_money(row: Row) -> Row:
    """With each amount written together with its currency."""
    currency = row.get("currency")
    if not currency:
        return row
    if "minor_units" in row:
        written = {"minor_units": figures.money(from_minor(row["minor_units"], currency), currency)}
    else:
        written = {"amount": figures.money(row["amount"], currency)}
    return {name: value for name, value in (row | written).items() if name != "currency"}


@dataclass(frozen=True)
class Shown:
    """A value with what it is called: a text, or parts that are so too."""

    name: str
    text: str = ""
    parts: "list[Shown] | None" = None

    @classmethod
    def of(cls, name: str, value: object) -> "Shown":
        if isinstance(value, dict):
            known = value.items()
        elif isinstance(value, list) and any(isinstance(part, dict | list) for part in value):
            known = [("", part) for part in value]
        else:
            return cls(name, _text(value))
        return cls(name, parts=[cls.of(str(key), part) for key, part in known if part not in _UNKNOWN])


def _in_words(holding: Holding, name: str, value: object) -> object:
    """What a code stands for, and a number as the language writes it; in what came from elsewhere they stay as they came."""
    if isinstance(value, list):
        return [_in_words(holding, name, each) for each in value]
    if not isinstance(value, str | int | float | Decimal):
        return value
    if (words := wording.meaning(holding, name, value)) is not None:
        return words
    if name == "country":
        return places.name_of(str(value), get_language())
    if name == "language":
        return figures.locale().languages.get(str(value).partition("-")[0], value)
    return value if isinstance(value, str | bool) else figures.number(value)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return wording.flag(value)
    if isinstance(value, datetime):
        return figures.minute(value)
    if isinstance(value, date):
        return figures.day(value)
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    return str(value)
