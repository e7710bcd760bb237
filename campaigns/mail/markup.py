"""The Markdown of an appeal, as html blocks and as plain text.

Raw html is shown, not interpreted. One convention of our own: a link alone in a paragraph whose label begins
with an exclamation mark, `[!Give today]({{ donate_url }})`, becomes a button.

Merge fields are taken out before Markdown sees the text and come back afterwards as slots, so that neither
disturbs the other and no person's name is ever read as Markdown.
"""

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Literal
from urllib.parse import urlsplit

from django.utils.translation import gettext as _
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode

from campaigns.mail.fields import Field, Problem, split
from campaigns.mail.punctuation import leading

TEXT_WIDTH = 72
"""Columns of the plain-text part (RFC 3676 asks for less than 78)."""
_SCHEMES = {"http", "https", "mailto", "tel"}
_STYLES = {
    "p": "margin:0 0 16px",
    "h1": "margin:0 0 16px;font-size:26px;line-height:1.25",
    "h2": "margin:8px 0 12px;font-size:21px;line-height:1.3",
    "h3": "margin:8px 0 8px;font-size:18px;line-height:1.3",
    "ul": "margin:0 0 16px;padding-inline-start:24px",
    "ol": "margin:0 0 16px;padding-inline-start:24px",
    "li": "margin:0 0 6px",
    "blockquote": "margin:0 0 16px;padding-inline-start:16px;border-inline-start:3px solid #c8c8d0",
    "img": "max-width:100%;height:auto;border:0",
    "hr": "border:0;border-top:1px solid #c8c8d0;margin:24px 0",
}

Place = Literal["text", "url"]


@dataclass(frozen=True)
class Slot:
    """Where the value of a field goes: into running text, or into the path or query of an address."""

    field: Field
    place: Place = "text"


READER = Field("reader", itemgetter("reader"))
"""Ends the address of a counted link: which message was read. campaigns.mail.tracking makes it; no text can name it."""


@dataclass(frozen=True)
class Paragraphs:
    html: str


@dataclass(frozen=True)
class Button:
    label: str
    href: str

    @property
    def text(self) -> str:
        """In a message without HTML."""
        return f"{leading(self.label)}\n{self.href}"


class Markers:
    """Words that stand for fields while a text passes through Markdown and MJML."""

    def __init__(self, *texts: str, counted: Mapping[str, str] | None = None) -> None:
        self._counted = counted or {}
        self._prefix = "zq"
        while any(self._prefix in text.lower() for text in (*texts, *self._counted.values())):
            self._prefix += "q"
        self._slots: list[Slot] = []
        self.pattern = re.compile(rf"{self._prefix}(\d+)z")

    def add(self, slot: Slot) -> str:
        self._slots.append(slot)
        return f"{self._prefix}{len(self._slots) - 1}z"

    def mark(self, source: str) -> str:
        """The text with each field replaced by a marker; lines stay where they are."""
        return "".join(piece if isinstance(piece, str) else self.add(Slot(piece)) for piece in split(source))

    def unmark(self, text: str) -> str:
        """The text with its fields as they were written."""
        return self.pattern.sub(lambda match: f"{{{{ {self.slot(match).field.source} }}}}", text)

    def counted(self, href: str) -> str | None:
        """The address, ending in the reader's own slot, that counts this link before it leads on; None if it isn't."""
        through = self._counted.get(self.unmark(href))
        return through and through + self.add(Slot(READER))

    def slot(self, match: re.Match[str]) -> Slot:
        return self._slots[int(match[1])]

    def pieces(self, text: str) -> Iterator[str | Slot]:
        """The text as literal pieces and slots, in order."""
        end = 0
        for match in self.pattern.finditer(text):
            if match.start() > end:
                yield text[end : match.start()]
            yield self.slot(match)
            end = match.end()
        if end < len(text):
            yield text[end:]


def check_links(source: str) -> list[Problem]:
    """What is wrong with the links of a text whose fields are right."""
    markers = Markers(source)
    tokens = _markdown().parse(markers.mark(source))
    problems = []
    for token in tokens:
        line = token.map[0] + 1 if token.map else 1
        for child in token.children or ():
            message = ""
            if child.type == "link_open":
                message = _wrong_link(str(child.attrGet("href") or ""), markers)
            elif child.type == "image":
                source_url = str(child.attrGet("src") or "")
                if not source_url.startswith("https://") or markers.pattern.search(source_url):
                    message = _("A picture's address starts with https:// and has no field in it.")
            if message:
                problems.append(Problem(line, message))
    return problems


def to_addresses(source: str) -> list[str]:
    """What the links of a text lead to, their fields as they were written, in order.

    A link whose words are an address themselves is left out: where words and target differ, mail programs warn.
    """
    markers = Markers(source)
    found = []
    for token in _markdown().parse(markers.mark(source)):
        children = token.children or []
        for place, child in enumerate(children):
            if child.type == "link_open" and not _speaks_an_address(children[place + 1]):
                found.append(markers.unmark(str(child.attrGet("href") or "")))
    return list(dict.fromkeys(found))


def to_blocks(source: str, markers: Markers) -> list[Paragraphs | Button]:
    """The text as html, cut where a button stands."""
    tokens = _markdown().parse(markers.mark(source))
    blocks: list[Paragraphs | Button] = []
    run: list[Token] = []

    def flush() -> None:
        if run:
            blocks.append(Paragraphs(_render(run)))
            run.clear()

    position = 0
    while position < len(tokens):
        token = tokens[position]
        _prepare(token, markers)
        if token.type == "paragraph_open" and token.level == 0:
            inline = tokens[position + 1]
            _prepare(inline, markers)
            if link := _button(inline):
                flush()
                blocks.append(link)
                position += 3
                continue
        run.append(token)
        position += 1
    flush()
    return blocks


def to_text(source: str, markers: Markers) -> str:
    """The text as plain text: wrapped, with the addresses of its links written out.

    They are the real ones, never counted: here a reader sees where a link leads.
    """
    tokens = _markdown().parse(markers.mark(source))
    for token in tokens:
        _prepare(token, markers, counting=False)
    return "\n\n".join(_text_blocks(SyntaxTreeNode(tokens).children, TEXT_WIDTH))


def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False, "xhtmlOut": True})


def _render(tokens: Sequence[Token]) -> str:
    markdown = _markdown()
    return markdown.renderer.render(tokens, markdown.options, {})


def _prepare(token: Token, markers: Markers, *, counting: bool = True) -> None:
    """Give the tags their looks, and the fields inside of addresses their place."""
    children = token.children or []
    for place, each in enumerate((token, *children)):
        if each.meta.get("prepared"):
            continue
        each.meta["prepared"] = True
        if each.nesting >= 0 and each.tag in _STYLES and each.type != "inline":
            each.attrSet("style", _STYLES[each.tag])
        if each.type == "link_open":
            each.attrSet("class", "link")
            href = str(each.attrGet("href") or "")
            counted = markers.counted(href) if counting and not _speaks_an_address(children[place]) else None
            each.attrSet("href", counted or markers.pattern.sub(lambda match: _in_address(match, markers), href))


def _in_address(match: re.Match[str], markers: Markers) -> str:
    if match[0] == match.string:
        return match[0]
    return markers.add(Slot(markers.slot(match).field, "url"))


def _speaks_an_address(label: Token) -> bool:
    return bool(re.match(r"(https?://|www\.)", label.content.strip(), re.IGNORECASE))


def _wrong_link(href: str, markers: Markers) -> str:
    whole = markers.pattern.fullmatch(href)
    if whole:
        field = markers.slot(whole).field
        if field.is_link:
            return ""
        return _("“%(field)s” is no address: a link can lead to one of the …_url fields.") % {"field": field.source}
    inside = markers.pattern.search(href)
    fixed = href[: inside.start()] if inside else href
    parts = urlsplit(fixed)
    if parts.scheme not in _SCHEMES:
        return _("The link “%(link)s” has to start with https://.") % {"link": href[:60]}
    if inside and not (parts.scheme in {"http", "https"} and (parts.path or parts.query)):
        return _("In a link, a field can only stand behind the host: https://example.org/?code={{ … }}")
    return ""


def _button(inline: Token) -> Button | None:
    children = [child for child in inline.children or () if child.type != "text" or child.content.strip()]
    if len(children) < 3 or children[0].type != "link_open" or children[-1].type != "link_close":
        return None
    if sum(child.type == "link_open" for child in children) > 1:
        return None
    first = children[1]
    if first.type != "text" or not first.content.startswith("!"):
        return None
    label = "".join(child.content for child in children[1:-1])
    return Button(label[1:].strip(), str(children[0].attrGet("href") or ""))


def _text_blocks(nodes: Sequence[SyntaxTreeNode], width: int) -> list[str]:
    return [block for node in nodes if (block := _text_block(node, width))]


def _text_block(node: SyntaxTreeNode, width: int) -> str:
    match node.type:
        case "heading":
            title = _inline_text(node.children[0])
            return f"{title}\n{'=' * min(len(title), width)}" if node.tag in {"h1", "h2"} else title
        case "paragraph":
            link = _button(node.children[0].token) if node.children else None
            if link:
                return link.text
            return "\n".join(_wrapped(line, width) for line in _inline_text(node.children[0]).split("\n"))
        case "bullet_list" | "ordered_list":
            return "\n".join(_list_item(item, place, node, width) for place, item in enumerate(node.children))
        case "blockquote":
            inner = "\n\n".join(_text_blocks(node.children, width - 2))
            return textwrap.indent(inner, "> ", lambda line: True)
        case "fence" | "code_block":
            return textwrap.indent(node.content.rstrip("\n"), "    ")
        case "hr":
            return "-" * width
        case _:
            return node.content


def _list_item(item: SyntaxTreeNode, place: int, parent: SyntaxTreeNode, width: int) -> str:
    bullet = "- " if parent.type == "bullet_list" else f"{int(parent.attrs.get('start') or 1) + place}. "
    inner = "\n".join(_text_blocks(item.children, width - len(bullet)))
    return bullet + textwrap.indent(inner, " " * len(bullet)).lstrip()


def _inline_text(node: SyntaxTreeNode) -> str:
    match node.type:
        case "text" | "code_inline":
            return node.content
        case "softbreak":
            return " "
        case "hardbreak":
            return "\n"
        case "image":
            return node.content
        case "link":
            label = "".join(_inline_text(child) for child in node.children).lstrip("!")
            href = str(node.attrs.get("href") or "")
            return label if label in {href, href.removeprefix("mailto:")} else f"{label} ({href})"
        case _:
            return "".join(_inline_text(child) for child in node.children)


def _wrapped(line: str, width: int) -> str:
    return textwrap.fill(line, width, break_long_words=False, break_on_hyphens=False)
