"""What is held of a person as a page to read and to print, in their language as far as we speak it.

It needs nothing from anywhere: staff save it or print it and hand it over.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import get_language_info, override
from django.utils.translation import gettext as _

from crm.disclosing import PERSON, explaining, parts
from supporters.holdings import Holding, Row
from supporters.models import Supporter

_UNTRANSLATED = "You"
_UNKNOWN = (None, "", [], {})


def stream(supporter: Supporter) -> Iterator[str]:
    language = _language(supporter)

    def piece(template: str, **context: object) -> str:
        # Not over a yield: whoever reads the stream does other things between its pieces.
        with override(language):
            return render_to_string(f"crm/disclosure/{template}.html", context)

    yield piece(
        "head",
        language=get_language_info(language),
        name=str(supporter),
        organisation=settings.ORGANISATION_NAME,
        address=settings.ORGANISATION_ADDRESS,
        made_at=timezone.now(),
    )
    for holding, rows in parts(supporter):
        first = next(rows, None)
        if first is None:
            continue
        with override(language):
            about = explaining.explained(holding.name)
        yield piece("section", title=holding.title, about=about)
        yield piece("row", values=_values(holding, first, language))
        for row in rows:
            yield piece("row", values=_values(holding, row, language))
        yield "</section>\n"
    yield piece("foot")


def _language(supporter: Supporter) -> str:
    """The person's, if this page is translated into it; a page in two languages helps nobody."""
    wanted = supporter.preferred_language
    for code in (wanted, wanted.partition("-")[0]):
        with override(code):
            if str(PERSON.title) != _UNTRANSLATED:
                return code
    return settings.LANGUAGE_CODE


def _values(holding: Holding, row: Row, language: str) -> list["Shown"]:
    """What is known of a row."""
    with override(language):
        return [
            Shown.of(capfirst(holding.label(name)), _in_words(holding, name, value))
            for name, value in row.items()
            if value not in _UNKNOWN
        ]


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
    """What a code stands for."""
    field = holding.field(name)
    if field is None or not field.choices:
        return value
    return dict(field.flatchoices).get(value, value)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, datetime):
        return date_format(timezone.localtime(value), "DATETIME_FORMAT")
    if isinstance(value, date):
        return date_format(value, "DATE_FORMAT")
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    return str(value)
