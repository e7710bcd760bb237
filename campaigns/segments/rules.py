"""Rules as staff save them, checked.

A group is `{"match": "all" | "any" | "none", "rules": [rule or group, …]}`, a rule is `{"field", "op", "value"}`. An empty
group asks for nothing: everybody who may be contacted is in.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from campaigns.models import Segment
from campaigns.segments.fields import FIELDS, Field, Op, ValueProblem, read_value

MATCHES = ("all", "any", "none")
MAX_DEPTH = 10
MAX_RULES = 200


class RuleProblem(ValueError):
    """The rules can't be used. `problems` pairs a rule's place in the tree, such as `0.2`, with a message."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        self.problems = problems
        self.for_staff = " ".join(message for _place, message in problems)
        super().__init__(self.for_staff)


@dataclass(frozen=True)
class Rule:
    field: Field
    op: Op
    value: object


@dataclass(frozen=True)
class Group:
    match: str
    members: tuple["Rule | Group", ...]


def parse(rules: object) -> Group:
    """The rules as a tree of checked values. Raises RuleProblem."""
    problems: list[tuple[str, str]] = []
    group = _group(rules or {}, "", 0, problems)
    if sum(1 for _rule in walk(group)) > MAX_RULES:
        problems.append(("", _("There are more than %(most)s rules.") % {"most": MAX_RULES}))
    if problems:
        raise RuleProblem(problems)
    return group


def validate(rules: object, segment: Segment | None = None) -> list[str]:
    """What is wrong with the rules, in words for staff; empty when they can be used."""
    return [message for _place, message in problems_of(rules, segment)]


def problems_of(rules: object, segment: Segment | None = None) -> list[tuple[str, str]]:
    """Each problem with the place of its rule in the tree."""
    try:
        group = parse(rules)
    except RuleProblem as problem:
        return problem.problems
    found = _missing(group, "")
    if segment and segment.pk and _reaches(group, segment.pk, set()):
        found.append(("", _("The segment would depend on itself.")))
    return found


def walk(group: Group) -> Iterator[Rule]:
    for member in group.members:
        if isinstance(member, Group):
            yield from walk(member)
        else:
            yield member


def _group(raw: object, place: str, depth: int, problems: list[tuple[str, str]]) -> Group:
    if not isinstance(raw, dict):
        problems.append((place, _("This is no group of rules.")))
        return Group("all", ())
    if depth > MAX_DEPTH:
        problems.append((place, _("Groups are nested more than %(most)s deep.") % {"most": MAX_DEPTH}))
        return Group("all", ())
    match, raw_rules = raw.get("match", "all"), raw.get("rules", [])
    if match not in MATCHES or not isinstance(raw_rules, list) or set(raw) - {"match", "rules"}:
        problems.append((place, _("A group matches all, any or none of its rules.")))
        return Group("all", ())
    if len(raw_rules) > MAX_RULES:
        problems.append((place, _("There are more than %(most)s rules.") % {"most": MAX_RULES}))
        return Group("all", ())
    members = []
    for index, member in enumerate(raw_rules):
        here = f"{place}.{index}" if place else str(index)
        if isinstance(member, dict) and "field" not in member:
            members.append(_group(member, here, depth + 1, problems))
        elif rule := _rule(member, here, problems):
            members.append(rule)
    return Group(match, tuple(members))


def _rule(raw: object, place: str, problems: list[tuple[str, str]]) -> Rule | None:
    if not isinstance(raw, dict) or not isinstance(raw.get("field"), str) or raw["field"] not in FIELDS:
        problems.append((place, _("There is no such rule.")))
        return None
    field = FIELDS[raw["field"]]
    op = field.op(raw["op"]) if isinstance(raw.get("op"), str) else None
    if op is None:
        problems.append((place, _("“%(field)s” can't be compared that way.") % {"field": field.label}))
        return None
    try:
        return Rule(field, op, read_value(op, raw.get("value")))
    except ValueProblem as problem:
        problems.append((place, f"{field.label}: {problem}"))
        return None


def _missing(group: Group, place: str) -> list[tuple[str, str]]:
    """Rules that name something which has been deleted."""
    found = []
    for index, member in enumerate(group.members):
        here = f"{place}.{index}" if place else str(index)
        if isinstance(member, Group):
            found += _missing(member, here)
        elif member.field.model and member.value:
            there = member.field.model.objects.filter(pk__in=member.value).count()
            if there < len(set(member.value)):
                name = member.field.model._meta.verbose_name
                found.append(
                    (
                        here,
                        _("%(field)s: the %(thing)s it names has been deleted.")
                        % {"field": member.field.label, "thing": name},
                    )
                )
    return found


def _reaches(group: Group, target: int, seen: set[int]) -> bool:
    named = {key for rule in walk(group) if rule.field.model is Segment for key in rule.value}
    if target in named:
        return True
    fresh = named - seen
    seen |= fresh
    for other in Segment.objects.filter(pk__in=fresh):
        try:
            if _reaches(parse(other.rules), target, seen):
                return True
        except RuleProblem:
            continue
    return False
