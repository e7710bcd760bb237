"""What supporters and partners read is there in every language of the Union, Ukrainian and Arabic: pages, forms, letters, consents."""

import io
import re
from functools import cache
from gettext import c2py
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import read_mo
from babel.messages.plurals import get_plural
from babel.messages.pofile import read_po
from django.conf import settings
from django.utils.translation.template import templatize

from crm.disclosing import wording
from tests.processes import ROOT

PUBLIC = {
    "supporters": (
        "templates/*.html",
        "templates/supporters/[!t]*.html",
        "templates/supporters/t[!o]*.html",
        "templates/supporters/totals.html",
        "templates/partners/*.html",
        "views/*.py",
        "forms.py",
        "partners/forms.py",
        "partners/views/*.py",
        "public.py",
        "preferences.py",
        "explaining.py",
        "signing/*.py",
        "receipts/showing.py",
        "payments/giving_form.py",
        "payments/offering.py",
        "payments/paying.py",
        "payments/stripe/checkout.py",
    ),
    "campaigns": (
        "templates/campaigns/*.html",
        "views/unsubscribe.py",
        "letters/*.py",
        "letters/partners/*.py",
        "mail/layout.py",
        "mail/discretion.py",
        "mail/punctuation.py",
    ),
    "crm": ("templates/crm/disclosure/*.html",),
}
"""Where the words are that supporters and partners meet, by app. Those of staff are in English."""
KEYWORDS = {
    "gettext": None,
    "_": None,
    "gettext_lazy": None,
    "_L": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
TRANSLATED = sorted(code for code, _name in settings.LANGUAGES if code != "en")
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")


@cache
def shown(app: str) -> frozenset[tuple[str | None, str, str]]:
    """Context, words and plural (empty if there is none) of all that an app shows to supporters."""
    found = set()
    for pattern in PUBLIC[app]:
        files = sorted((ROOT / app).glob(pattern))
        assert files, pattern
        for file in files:
            source = file.read_text(encoding="utf-8")
            if file.suffix == ".html":
                source = templatize(source)
            for _line, words, _comments, context in extract(
                "python", io.BytesIO(source.encode()), KEYWORDS, options={"encoding": "utf-8"}
            ):
                one, many = words if isinstance(words, tuple) else (words, "")
                found.add((context, one, many))
    if app == "crm":
        found |= {(wording.CONTEXT, words, "") for words, _where in wording.every_word()}
    return frozenset(found)


def path_of(app: str, language: str, suffix: str = "po") -> Path:
    return ROOT / app / "locale" / language.replace("-", "_") / "LC_MESSAGES" / f"django.{suffix}"


@cache
def catalogue(app: str, language: str) -> Catalog:
    with path_of(app, language).open("rb") as file:
        return read_po(file, locale=language if language != "mt" else None, abort_invalid=True)


def texts(message: Message) -> list[str]:
    return list(message.string) if isinstance(message.string, list | tuple) else [message.string]


def _text(context: str | bytes | None) -> str:
    return context.decode() if isinstance(context, bytes) else context or ""


def told(catalogue: Catalog) -> dict[tuple[str, str], list[str]]:
    # Babel gives the context of a compiled message in bytes.
    return {
        (_text(message.context), message.id if isinstance(message.id, str) else message.id[0]): texts(message)
        for message in catalogue
        if message.id and message.string
    }


@pytest.mark.parametrize("language", TRANSLATED)
@pytest.mark.parametrize("app", PUBLIC)
def test_everything_that_supporters_read_is_translated(app, language):
    there = catalogue(app, language)
    missing = []
    for context, one, many in shown(app):
        message = there.get(one, context)
        if message is None or message.fuzzy or not all(texts(message)) or bool(many) != isinstance(message.id, tuple):
            missing.append(one)
    assert not missing, f"{len(missing)} of {len(shown(app))}: {missing[:5]}"


@pytest.mark.parametrize("language", TRANSLATED)
@pytest.mark.parametrize("app", PUBLIC)
def test_placeholders_and_plurals_are_whole(app, language):
    there = catalogue(app, language)
    plurals = get_plural(language)
    assert there.num_plurals == plurals.num_plurals
    form, known = c2py(there.plural_expr), c2py(plurals.plural_expr)
    assert [form(number) for number in range(1_200)] == [known(number) for number in range(1_200)]
    for message in there:
        if not message.id:
            continue
        ids = list(message.id) if isinstance(message.id, tuple) else [message.id]
        wanted = set(PLACEHOLDER.findall(ids[-1]))
        if isinstance(message.id, tuple):
            assert len(texts(message)) == plurals.num_plurals, message.id
        for text in texts(message):
            found = set(PLACEHOLDER.findall(text))
            # A form for one alone, or for two, may leave its number to the words.
            left_out = wanted - found
            assert found <= wanted, (message.id, text)
            assert not left_out or (isinstance(message.id, tuple) and len(left_out) == 1), (message.id, text)
            assert text.strip() == text or text.strip() == ids[0].strip(), text


@pytest.mark.parametrize("language", TRANSLATED)
@pytest.mark.parametrize("app", PUBLIC)
def test_what_is_compiled_is_what_was_written(app, language):
    with path_of(app, language, "mo").open("rb") as file:
        compiled = read_mo(file)
    assert told(compiled) == told(catalogue(app, language))
