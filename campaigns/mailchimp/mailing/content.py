"""An appeal's text as content of a Mailchimp campaign: our merge fields said in Mailchimp's merge tags.

What is the same for every reader of a text is filled in here. What differs becomes a merge tag, a choice becomes
`*|IF:…|*` (https://mailchimp.com/help/use-conditional-merge-tag-blocks/), and what can't be said so is pointed out
before the appeal can be scheduled. Choices can't be nested there.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _
from jinja2 import nodes

from campaigns.mail import compose, fields
from campaigns.mail.compose import Skeleton, one_line
from campaigns.mail.fields import Field, FieldError
from campaigns.mail.markup import Slot
from campaigns.mail.message import shared_values
from campaigns.mailchimp.mapping import DEFAULT_MERGE_FIELDS
from campaigns.models import Appeal, AppealText, Audience

UNSUBSCRIBE = "*|UNSUB|*"
_CASES = {"upper": "UPPER", "lower": "LOWER", "title": "TITLE"}
_PASSED_OVER = {"trim", "default"}
"""Filters that change nothing of a value that is always there and never has spaces round it."""


class Untranslatable(ValueError):
    """It can't be said in Mailchimp; the text says what, for staff."""


@dataclass(frozen=True)
class Content:
    """What a campaign there is made of."""

    subject: str
    preview: str
    html: str
    text: str


def content(appeal: Appeal, text: AppealText) -> Content:
    """Raises Untranslatable."""
    tags = _Tags(shared_values(text.language, appeal.source_code), appeal.audience)
    template = compose.compile_text(
        text.language, text.subject, text.preheader, text.body, choices=f"{settings.SITE_URL}/me/"
    )
    return Content(
        subject=tags.fill(template.subject),
        preview=tags.fill(Skeleton(tuple(_pieces(text.preheader)), one_line)),
        html=tags.fill(template.html),
        text=tags.fill(template.text),
    )


def campaign_settings(appeal: Appeal, made: Content, title: str) -> dict:
    """The settings of the campaign. `title` is for staff there."""
    first_name = _merge_tags(appeal.audience).get("first_name")
    return {
        "title": title,
        "subject_line": made.subject,
        "preview_text": made.preview,
        "from_name": appeal.sender_name,
        "reply_to": appeal.reply_to or appeal.sender_email,
        "to_name": f"*|{first_name}|*" if first_name else "",
        "auto_footer": False,
        "inline_css": False,
    }


def tracking(appeal: Appeal) -> dict:
    """What Mailchimp may count, by the same switches as our own mail."""
    return {
        "opens": settings.COUNT_OPENS,
        "html_clicks": settings.COUNT_CLICKS and appeal.count_clicks,
        "text_clicks": False,
    }


def obstacles(appeal: Appeal, texts: Iterable[AppealText]) -> list[str]:
    """What keeps this appeal from going out through Mailchimp, for staff."""
    found = []
    if not appeal.audience.links.filter(segment=appeal.segment_id).exists():
        found.append(
            _("The segment “%(segment)s” does not go to the audience “%(audience)s”: add it there first.")
            % {"segment": appeal.segment, "audience": appeal.audience}
        )
    if appeal.audience.paused:
        found.append(_("The audience “%(audience)s” is paused.") % {"audience": appeal.audience})
    if appeal.variants.exists():
        found.append(_("A test of several wordings is for our own mail only: take the other wordings out."))
    for text in texts:
        if why := problem(appeal, text):
            found.append(f"{text.get_language_display()}: {why}")
    return found


def problem(appeal: Appeal, text: AppealText) -> str:
    """What of this text can't be said in Mailchimp; empty if all can."""
    if fields.check(text.body) or fields.check(text.subject) or fields.check(text.preheader):
        return ""  # told as such
    try:
        content(appeal, text)
    except (Untranslatable, FieldError) as why:
        return str(why)
    return ""


def _pieces(source: str) -> Iterable[str | Slot]:
    return (piece if isinstance(piece, str) else Slot(piece) for piece in fields.split(source))


def _merge_tags(audience: Audience) -> dict[str, str]:
    return {field: tag for tag, field in (audience.merge_fields or DEFAULT_MERGE_FIELDS).items()}


class _Tags:
    """Puts one text's shared values in, and merge tags for the rest."""

    def __init__(self, shared: Mapping[str, str], audience: Audience) -> None:
        self.shared = shared
        self.audience = audience
        self.tag_of = _merge_tags(audience)

    def fill(self, skeleton: Skeleton) -> str:
        return "".join(
            _plain(piece) if isinstance(piece, str) else self._slot(piece, skeleton) for piece in skeleton.pieces
        )

    def _slot(self, slot: Slot, skeleton: Skeleton) -> str:
        field = slot.field
        if field.is_shared:
            return _plain(Skeleton((slot,), skeleton.escape).fill(self.shared))
        if field.source == "unsubscribe_url":
            return UNSUBSCRIBE
        if slot.place == "url":
            raise _cannot(field, _("in a link"))
        return self._said(field.tree, field, skeleton.escape, choices=True)

    def _said(self, node: nodes.Node, field: Field, escape: Callable[[str], str], *, choices: bool) -> str:
        match node:
            case nodes.Const():
                return _plain(escape(str(node.value)))
            case nodes.Name(name="name"):
                return f"*|{self._tag('first_name')}|* *|{self._tag('last_name')}|*"
            case nodes.Name() if node.name in self.shared:
                return _plain(escape(self.shared[node.name]))
            case nodes.Name():
                return f"*|{self._tag(node.name)}|*"
            case nodes.Filter(node=nodes.Name() as inner) if node.name in _CASES and inner.name in fields.PERSONAL:
                return f"*|{_CASES[node.name]}:{self._tag(inner.name)}|*"
            case nodes.Filter() if node.name in _PASSED_OVER and not node.args[1:]:
                return self._said(node.node, field, escape, choices=choices)
        if choices and isinstance(node, nodes.Or | nodes.CondExpr):
            return self._choice(node, field, escape)
        raise _cannot(field)

    def _choice(self, node: nodes.Or | nodes.CondExpr, field: Field, escape: Callable[[str], str]) -> str:
        if isinstance(node, nodes.Or):
            test, yes, no = node.left, node.left, node.right
        else:
            test, yes, no = node.test, node.expr1, node.expr2
        if isinstance(test, nodes.Not):
            test, yes, no = test.node, no, yes
        condition, negated = self._condition(test, field)
        if negated:
            yes, no = no, yes
        said = [self._said(part, field, escape, choices=False) if part is not None else "" for part in (yes, no)]
        return f"*|IF:{condition}|*{said[0]}*|ELSE:|*{said[1]}*|END:IF|*"

    def _condition(self, test: nodes.Node, field: Field) -> tuple[str, bool]:
        """What Mailchimp asks, and whether it stands for the opposite."""
        match test:
            case nodes.Name() if test.name not in self.shared:
                return self._tag("first_name" if test.name == "name" else test.name), False
            case nodes.Compare(
                expr=nodes.Name() as left, ops=[nodes.Operand(expr=nodes.Const() as right) as operand]
            ):
                plain = isinstance(right.value, str) and not set(right.value) & set("|*<>&\"'")
                personal = left.name in fields.PERSONAL and left.name not in self.shared and left.name != "name"
                if personal and plain and operand.op in {"eq", "ne"}:
                    return f"{self._tag(left.name)}={right.value}", operand.op == "ne"
        raise _cannot(field)

    def _tag(self, name: str) -> str:
        if tag := self.tag_of.get(name):
            return tag
        raise Untranslatable(
            _("“%(field)s” does not go along to the audience “%(audience)s”: add it to its fields first.")
            % {"field": name, "audience": self.audience}
        )


def _cannot(field: Field, where: str = "") -> Untranslatable:
    return Untranslatable(
        _("Mailchimp has no way to say %(field)s%(where)s.")
        % {"field": f"{{{{ {field.source} }}}}", "where": f" {where}" if where else ""}
    )


def _plain(literal: str) -> str:
    """Text of ours, which must not be taken for a merge tag."""
    if "*|" in literal or "|*" in literal:
        raise Untranslatable(_("“*|” and “|*” have a meaning of their own in Mailchimp. Write them differently."))
    return literal
