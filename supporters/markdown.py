"""Markdown that staff write for public pages, as html. Raw html is shown, not interpreted."""

from functools import lru_cache

from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).disable("image")  # A picture would be somebody else's request.


@lru_cache(maxsize=256)
def to_html(source: str) -> SafeString:
    return mark_safe(_MARKDOWN.render(source))  # noqa: S308 (escaped by the parser)
