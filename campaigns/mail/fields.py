"""Merge fields: what a text may say of the person it goes to, and nothing else.

A field stands in double braces: `{{ first_name }}`, `{{ first_name or "friend" }}`,
`{{ "Kära" if language == "sv" else "Dear" }}`. The language is Jinja2's, cut down to expressions over an
allow-list of names and filters: no statements, no attributes, no calls, so nothing in it can loop, reach into
Python or grow without bound. Mistakes are found when the text is saved.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, cached_property, lru_cache

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

PERSONAL = {
    "first_name": gettext_lazy("First name; may be empty"),
    "last_name": gettext_lazy("Last name; may be empty"),
    "name": gettext_lazy("First and last name"),
    "city": gettext_lazy("City; may be empty"),
    "country": gettext_lazy("Two letters, as in SE; may be empty"),
    "language": gettext_lazy("The language of this text, as in sv"),
}
LINKS = {
    "unsubscribe_url": gettext_lazy("The person's own page to leave; the foot of every message has it"),
    "site_url": gettext_lazy("The address of this site"),
    "donate_url": gettext_lazy("Where to give, with the appeal's source code"),
    "petition_url": gettext_lazy("The petition, with the appeal's source code"),
}
OTHERS = {
    "organisation_name": gettext_lazy("The organisation's name"),
    "source_code": gettext_lazy("The appeal's source code"),
}
FIELDS = {**PERSONAL, **LINKS, **OTHERS}
SHARED = {*LINKS, *OTHERS, "language"} - {"unsubscribe_url"}
"""The same for everybody who reads one text of an appeal."""
FILTERS = ("upper", "lower", "capitalize", "title", "trim", "default")
_ALLOWED = (
    *(nodes.Name, nodes.Const, nodes.Or, nodes.And, nodes.Not, nodes.CondExpr, nodes.Compare, nodes.Operand),
    *(nodes.Filter, nodes.Concat),
)
LONGEST_VALUE = 2000
"""Characters that one field may put into a message."""


@dataclass(frozen=True)
class Problem:
    """What is wrong with a text, and on which line of it."""

    line: int
    message: str

    def __str__(self) -> str:
        return _("Line %(line)d: %(message)s") % {"line": self.line, "message": self.message}


class FieldError(ValueError):
    """A field could not be filled in for somebody."""


@dataclass(frozen=True)
class Field:
    """One `{{ … }}` of a text, ready to be filled in."""

    source: str
    evaluate: Callable[..., object]

    @property
    def is_link(self) -> bool:
        return self.source in LINKS

    @cached_property
    def names(self) -> frozenset[str]:
        """The values that it needs."""
        return frozenset(meta.find_undeclared_variables(self._parsed))

    @property
    def is_shared(self) -> bool:
        """Whether it says the same to everybody who reads this text."""
        return self.names <= SHARED

    @property
    def tree(self) -> nodes.Expr:
        """The expression, for who has to say it in another language."""
        return self._parsed.body[0].nodes[0]

    @property
    def _parsed(self) -> nodes.Template:
        return _environment().parse(f"{{{{ {self.source} }}}}")

    def value(self, values: Mapping[str, str]) -> str:
        """Raises FieldError."""
        # Jinja takes some 5 µs for the simplest of expressions: names need none, and people share first names.
        plain = values.get(self.source)
        if plain is not None:
            return plain[:LONGEST_VALUE]
        return _evaluated(self, tuple((name, values[name]) for name in self.names if name in values))


def available() -> dict[str, str]:
    """The fields that can be used here, with what each stands for."""
    missing = {name for name, address in _configured_links().items() if not address}
    return {name: str(meaning) for name, meaning in FIELDS.items() if name not in missing}


def check(source: str) -> list[Problem]:
    """What is wrong with the fields of a text."""
    if problem := _misplaced(source):
        return [problem]
    try:
        tree = _environment().parse(source)
        return list(_forbidden(tree))
    except TemplateSyntaxError as error:
        return [Problem(error.lineno, error.message or _("This field can't be read."))]
    except RecursionError:
        return [Problem(1, _("A field is nested too deeply to be read."))]


def split(source: str) -> Iterator[str | Field]:
    """The text as literal pieces and fields, in order. The text must have passed check()."""
    inside: list[str] | None = None
    for _line, kind, text in _environment().lex(source):
        if kind == "variable_begin":
            inside = []
        elif kind == "variable_end" and inside is not None:
            yield _compiled("".join(inside).strip())
            inside = None
        elif inside is not None:
            inside.append(text)
        else:
            yield text


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True
    )
    environment.globals.clear()
    environment.filters = {name: environment.filters[name] for name in FILTERS}
    return environment


@lru_cache(maxsize=2048)
def _evaluated(field: Field, known: tuple[tuple[str, str], ...]) -> str:
    try:
        return str(field.evaluate(dict(known)))[:LONGEST_VALUE]
    except (TemplateError, TypeError, ValueError, LookupError, ArithmeticError) as error:
        raise FieldError(f"{{{{ {field.source} }}}}: {error}") from None


@lru_cache(maxsize=1024)
def _compiled(source: str) -> Field:
    return Field(source, _environment().compile_expression(source, undefined_to_none=False))


def _misplaced(source: str) -> Problem | None:
    """A statement or comment: only fields are understood."""
    try:
        for line, kind, text in _environment().lex(source):
            if kind in {"block_begin", "comment_begin", "raw_begin"}:
                return Problem(
                    line,
                    _("“%(text)s” has no meaning here: only {{ … }} does. For a choice write %(example)s.")
                    % {"text": text.strip()[:2], "example": '{{ "Kära" if language == "sv" else "Dear" }}'},
                )
    except TemplateSyntaxError as error:
        return Problem(error.lineno, error.message or "")
    return None


def _forbidden(tree: nodes.Template) -> Iterator[Problem]:
    usable = available()
    for output in tree.body:
        for node in _walk(output):
            if isinstance(node, nodes.Output | nodes.TemplateData):
                continue
            if not isinstance(node, _ALLOWED):
                yield Problem(node.lineno, _not_allowed(node))
            elif isinstance(node, nodes.Name) and node.name not in usable:
                yield Problem(node.lineno, _unknown_field(node.name, usable))
            elif isinstance(node, nodes.Filter):
                if node.name not in FILTERS:
                    yield Problem(node.lineno, _unknown("|" + node.name, ["|" + name for name in FILTERS]))
                elif not all(isinstance(argument, nodes.Const) for argument in node.args):
                    yield Problem(node.lineno, _("What stands in (…) after a | must be plain text."))


def _walk(node: nodes.Node) -> Iterator[nodes.Node]:
    yield node
    if isinstance(node, nodes.Getattr | nodes.Getitem | nodes.Call):
        return
    for child in node.iter_child_nodes():
        yield from _walk(child)


def _not_allowed(node: nodes.Node) -> str:
    if isinstance(node, nodes.Getattr):
        return _("“.%(name)s” can't be used: a field is a single name.") % {"name": node.attr}
    if isinstance(node, nodes.Call):
        return _("A field can't be called with (…).")
    return _("This can't be used in a field; names, texts, “or”, and “… if … else …” can.")


def _unknown_field(name: str, usable: Mapping[str, str]) -> str:
    if name in FIELDS:
        return _("%(field)s is not set up here: whoever runs Lodestar sets %(variable)s.") % {
            "field": name,
            "variable": name.upper(),
        }
    return _unknown(name, list(usable))


def _unknown(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=1, cutoff=0.5)
    if close:
        return _("There is no “%(name)s”. Did you mean “%(close)s”?") % {"name": name, "close": close[0]}
    return _("There is no “%(name)s”. There are: %(known)s.") % {"name": name, "known": ", ".join(known)}


def _configured_links() -> dict[str, str]:
    return {"donate_url": settings.DONATE_URL, "petition_url": settings.PETITION_URL}
