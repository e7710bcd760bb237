"""An appeal's text, compiled once per language, then filled in for one person after another.

Compiling runs Markdown and MJML; filling in only joins strings. Each value is escaped for the place it goes
to: html, an address, plain text, or a header.
"""

import html
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from urllib.parse import quote

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from campaigns.mail import discretion, fields, layout
from campaigns.mail.fields import FieldError, Problem
from campaigns.mail.markup import READER, Markers, Slot, check_links, to_blocks, to_text


@dataclass(frozen=True)
class Counting:
    """Which links of a text lead through us, and whether a picture tells of opening: campaigns.mail.tracking.

    Each address wants a value for markup.READER behind it.
    """

    links: tuple[tuple[str, str], ...] = ()
    """What a link leads to, as it was written, and the address to put there instead."""
    picture: str = ""


NOTHING_COUNTED = Counting()

LEAVE = "{{ unsubscribe_url }}"
CHOICES = f"{LEAVE}choices/"
"""The same value once more, which costs a message nothing."""
_BREAKS = re.compile(r"\s*[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+\s*")


@dataclass(frozen=True)
class Letter:
    """What one person reads."""

    language: str
    subject: str
    text: str
    html: str


@dataclass(frozen=True)
class Skeleton:
    """A text with slots for the values of one person."""

    pieces: tuple[str | Slot, ...]
    escape: Callable[[str], str]

    def fill(self, values: Mapping[str, str]) -> str:
        return "".join(piece if isinstance(piece, str) else self.value(piece, values) for piece in self.pieces)

    def value(self, slot: Slot, values: Mapping[str, str]) -> str:
        """What goes into a slot, escaped for its place. Raises fields.FieldError."""
        value = slot.field.value(values)
        return self.escape(quote(value, safe="") if slot.place == "url" else value)

    def settled(self, values: Mapping[str, str]) -> "Skeleton":
        """With the slots filled in that need no more than these values."""
        return replace(self, pieces=tuple(self._merged(values)))

    def _merged(self, values: Mapping[str, str]) -> Iterator[str | Slot]:
        literal = ""
        for piece in self.pieces:
            if isinstance(piece, Slot):
                try:
                    piece = self.value(piece, values)
                except FieldError:
                    pass  # for want of a person, or for everybody: told of each
            if isinstance(piece, str):
                literal += piece
                continue
            if literal:
                yield literal
            literal = ""
            yield piece
        if literal:
            yield literal


@dataclass(frozen=True)
class Template:
    """A text ready to be filled in."""

    language: str
    subject: Skeleton
    text: Skeleton
    html: Skeleton

    def fill(self, values: Mapping[str, str]) -> Letter:
        """Raises fields.FieldError where a value is missing."""
        return Letter(self.language, self.subject.fill(values), self.text.fill(values), self.html.fill(values))


def check(source: str) -> list[Problem]:
    """What is wrong with a text; nothing, if it can be sent."""
    return fields.check(source) or check_links(source)


def check_line(source: str) -> list[Problem]:
    """What is wrong with a subject or preview line."""
    if "\n" in source or "\r" in source:
        return [Problem(1, _("This has to be a single line."))]
    return fields.check(source)


def compile_text(
    language: str,
    subject: str,
    preheader: str,
    body: str,
    counting: Counting = NOTHING_COUNTED,
    *,
    discreet: bool = False,
    choices: str = CHOICES,
) -> Template:
    """The text in its layout. It must have passed the checks.

    Discreet, subject and preview line are others (campaigns.mail.discretion). `choices` is where its foot leads to who
    wants to choose what they hear.
    """
    organisation, address = settings.ORGANISATION_NAME, settings.ORGANISATION_ADDRESS
    return _compile(language, subject, preheader, body, organisation, address, counting, discreet, choices)


@lru_cache(maxsize=128)
def _compile(
    language: str,
    subject: str,
    preheader: str,
    body: str,
    organisation: str,
    address: str,
    counting: Counting,
    discreet: bool,
    choices: str,
) -> Template:
    with translation.override(language):
        if discreet:
            subject, preheader = discretion.subject(), discretion.preview()
        markers = Markers(subject, preheader, body, organisation, address, counted=dict(counting.links))
        blocks = to_blocks(body, markers)
        mail = layout.render(
            language,
            blocks,
            preheader=markers.mark(preheader),
            leave=markers.mark(LEAVE),
            choices=markers.mark(choices),
            title=subject if discreet else "",
            organisation=organisation,
            address=address,
            picture=counting.picture and counting.picture + markers.add(Slot(READER)),
        )
        footer = layout.text_footer(
            organisation, address, markers.mark(LEAVE), markers.mark(choices), opens=bool(counting.picture)
        )
        text = f"{to_text(body, markers)}\n\n-- \n{footer}\n"
        if discreet:
            text = discretion.plain(text)
    title = tuple(markers.pieces(markers.mark(subject)))
    return Template(
        language,
        Skeleton(title, unbroken),
        Skeleton(tuple(markers.pieces(text)), unbroken),
        Skeleton(tuple(markers.pieces(mail)), lambda value: html.escape(unbroken(value))),
    )


def one_line(value: str) -> str:
    return unbroken(value).strip()


def unbroken(value: str) -> str:
    """The value without line breaks and control characters, which would begin a header or line of its own.

    A space at either end stays: the writer may mean it, as in {{ " and " ~ first_name }}.
    """
    return value if value.isprintable() else _BREAKS.sub(" ", value)
