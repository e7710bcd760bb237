"""The layout round an appeal's text: MJML, made into html by mrml.

MJML sees only words of ours; what staff wrote comes in afterwards, so that no text can break the layout.
"""

import html
import re
from collections.abc import Sequence
from pathlib import Path

import mrml
from django.template import Context, Engine
from django.utils.translation import get_language_bidi
from django.utils.translation import gettext as _

from campaigns.mail.markup import Button, Paragraphs
from campaigns.mail.punctuation import leading

_ENGINE = Engine(dirs=[Path(__file__).parent.parent / "templates"])
"""One that knows no tags but Django's: those of every app, the staff site's too, would come into each worker."""
LINE = 400
"""Octets of a line of html, where there is a space to cut it at."""
_PREFORMATTED = re.compile(r"(<pre\b.*?</pre>)", re.DOTALL)
_CONDITION = re.compile(r"<!--\[if[^>]*>")
_TAG = re.compile(r"<[a-zA-Z][^<>]*>")
_QUOTED = re.compile(r'"[^"]*"')
_KEPT_SPACE = "\0"
_WORD = re.compile(r"zblock(\d+)z")


def render(
    language: str,
    blocks: Sequence[Paragraphs | Button],
    *,
    preheader: str,
    leave: str = "",
    choices: str = "",
    title: str = "",
    organisation: str,
    address: str,
    picture: str = "",
    reason: str = "",
) -> str:
    """The whole html document, in the language that is active; the reason is the one of appeals unless said."""
    contents: list[str] = []

    def word(content: str) -> str:
        contents.append(content)
        return f"zblock{len(contents) - 1}z"

    context = {
        "language": language,
        "rtl": get_language_bidi(),
        "title": word(html.escape(title or organisation)),
        "organisation": word(html.escape(organisation)),
        "address": word(html.escape(address)) if address else "",
        "preheader": word(html.escape(preheader)) if preheader else "",
        "why": word(html.escape(reason or why(organisation, opens=bool(picture)))),
        "leave_label": word(html.escape(_("Unsubscribe"))),
        "leave": word(html.escape(leave)) if leave else "",
        "choices_label": word(html.escape(_("Choose what you hear from us"))),
        "choices": word(html.escape(choices)) if choices else "",
        "blocks": [
            {"label": word(html.escape(block.label)), "href": word(html.escape(block.href))}
            if isinstance(block, Button)
            else {"html": word(block.html)}
            for block in blocks
        ],
    }
    # No fonts: mrml would have every reader's program fetch them from a third party.
    options = mrml.RenderOptions(fonts={})
    source = _ENGINE.get_template("campaigns/mail/layout.mjml").render(Context(context, autoescape=False))
    document = mrml.to_html(source, render_options=options).content
    document = _WORD.sub(lambda match: contents[int(match[1])], document)
    return folded(_with_picture(document, picture) if picture else document)


def folded(document: str) -> str:
    """The document in lines that leave room for values, and of which none begins with a dot, as SMTP likes them.

    Html takes a line break for a space, and a space more for nothing, everywhere but in preformatted text. What stands
    in quotes inside a tag stays whole, for a line break within the name of a font ends the style; so do Outlook's conditions.
    """
    document = _TAG.sub(lambda tag: _QUOTED.sub(_unbreakable, tag[0]), _CONDITION.sub(_unbreakable, document))
    document = "".join(
        part if part.startswith("<pre") else re.sub(r"^\.", " .", _fold(part), flags=re.MULTILINE)
        for part in _PREFORMATTED.split(document)
    )
    return document.replace(_KEPT_SPACE, " ")


def _unbreakable(match: re.Match[str]) -> str:
    return match[0].replace(" ", _KEPT_SPACE)


def _fold(text: str) -> str:
    """Each line cut at its last space before LINE octets, or, lacking that, at the first one behind."""
    lines = []
    for line in text.split("\n"):
        while len(line.encode()) > LINE:
            cut = line.rfind(" ", 0, len(line.encode()[:LINE].decode(errors="ignore")))
            cut = cut if cut > 0 else line.find(" ", 1)
            if cut < 0:
                break
            lines.append(line[:cut])
            line = line[cut + 1 :]
        lines.append(line)
    return "\n".join(lines)


def text_footer(organisation: str, address: str, leave: str, choices: str, *, opens: bool = False) -> str:
    lines = [
        *(organisation, address, why(organisation, opens=opens)),
        f"{leading(_('Unsubscribe'))} {leave}",
        f"{leading(_('Choose what you hear from us'))} {choices}",
    ]
    return "\n".join(line for line in lines if line)


def why(organisation: str, *, opens: bool = False) -> str:
    """Why the reader gets this, and that we notice when it is opened, where we do."""
    reason = _("You get this message because you agreed to hear from %(organisation)s by email.") % {
        "organisation": organisation
    }
    noticed = _("We can see whether it was opened.")
    return f"{reason} {noticed}" if opens else reason


def _with_picture(document: str, address: str) -> str:
    """A picture of one point at the end, which says nothing to anybody whom the message is read out to."""
    body, end, rest = document.rpartition("</body>")
    picture = f'<img src="{html.escape(address)}" width="1" height="1" alt="" style="display:block;border:0" />'
    return f"{body}{picture}{end}{rest}"
