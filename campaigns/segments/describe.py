"""Rules as a sentence."""

from datetime import date

from babel import Locale
from django.utils import formats
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from campaigns.segments import fields
from campaigns.segments.rules import Group, Rule, RuleProblem, parse


def describe(rules: object) -> str:
    """What the rules ask, in words; what is wrong with them if they can't be used."""
    try:
        group = parse(rules)
    except RuleProblem as problem:
        return problem.for_staff
    if not group.members:
        return _("Everybody who may be written to.")
    return _("People who may be written to and: %(rules)s.") % {"rules": _group(group, outer=True)}


def _group(group: Group, outer: bool = False) -> str:
    parts = [_group(member) if isinstance(member, Group) else _rule(member) for member in group.members]
    if not parts:
        return _("anybody")
    joined = (_(" and ") if group.match == "all" else _(" or ")).join(parts)
    if group.match == "none":
        return _("none of: %(rules)s") % {"rules": joined}
    return joined if outer or len(parts) == 1 else f"({joined})"


def _rule(rule: Rule) -> str:
    phrase = str(rule.op.phrase)
    value = _value(rule)
    words = phrase % {"value": value} if "%(value)s" in phrase else phrase
    return " ".join(f"{rule.field.label} {words}".split())


def _value(rule: Rule) -> str:
    takes, value = rule.op.takes, rule.value
    if takes == fields.MONEY:
        return f"{formats.number_format(value[0])} {value[1]}"
    if takes == fields.DATE:
        return formats.date_format(value)
    if takes == fields.DATES:
        return _("%(first)s and %(last)s") % {"first": _day(value[0]), "last": _day(value[1])}
    if takes in {fields.COUNTRIES, fields.LANGUAGES}:
        locale = Locale.parse(get_language() or "en", sep="-")
        names = locale.territories if takes == fields.COUNTRIES else locale.languages
        return _either([names.get(code, code) for code in value])
    if takes in {fields.THINGS, fields.MAYBE_THINGS}:
        if not value:
            return _("any")
        found = {thing.pk: str(thing) for thing in rule.field.model.objects.filter(pk__in=value)}
        return _either([f"“{found[key]}”" if key in found else _("(deleted)") for key in value])
    if takes == fields.YEAR:
        return str(value) if value else _("this year")
    return str(value)


def _day(day: date) -> str:
    return formats.date_format(day)


def _either(names: list[str]) -> str:
    return _(" or ").join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]
