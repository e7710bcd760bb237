"""The layout round an appeal's text: MJML, made into html by mrml.

MJML sees only words of ours; what staff wrote comes in afterwards, so that no text can break the layout.
"""

import html
import re
from collections.abc import Sequence

import mrml
from django.template.loader import render_to_string
from django.utils.translation import get_language_bidi
from django.utils.translation import gettext as _

from campaigns.mail.markup import Button, Paragraphs

_WORD = re.compile(r"zblock(\d+)z")


def render(
    language: str,
    blocks: Sequence[Paragraphs | Button],
    *,
    preheader: str,
    leave: str,
    organisation: str,
    address: str,
) -> str:
    """The whole html document, in the language that is active."""
    contents: list[str] = []

    def word(content: str) -> str:
        contents.append(content)
        return f"zblock{len(contents) - 1}z"

    context = {
        "language": language,
        "rtl": get_language_bidi(),
        "organisation": word(html.escape(organisation)),
        "address": word(html.escape(address)) if address else "",
        "preheader": word(html.escape(preheader)) if preheader else "",
        "why": word(html.escape(why(organisation))),
        "leave_label": word(html.escape(_("Unsubscribe"))),
        "leave": word(html.escape(leave)),
        "blocks": [
            {"label": word(html.escape(block.label)), "href": word(html.escape(block.href))}
            if isinstance(block, Button)
            else {"html": word(block.html)}
            for block in blocks
        ],
    }
    # No fonts: mrml would have every reader's program fetch them from a third party.
    options = mrml.RenderOptions(fonts={})
    source = render_to_string("campaigns/mail/layout.mjml", context)
    document = mrml.to_html(source, render_options=options).content
    return _WORD.sub(lambda match: contents[int(match[1])], document)


def text_footer(organisation: str, address: str, leave: str) -> str:
    lines = [organisation, address, why(organisation), f"{_('Unsubscribe')}: {leave}"]
    return "\n".join(line for line in lines if line)


def why(organisation: str) -> str:
    return _("You get this message because you agreed to hear from %(organisation)s by email.") % {
        "organisation": organisation
    }
