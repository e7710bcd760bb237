"""What speaks for and against a pair, in words."""

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _L

WORDS: dict[tuple[str, str], str | Promise] = {
    ("first_name", "same"): _L("same first name"),
    ("first_name", "swapped"): _L("first and last name are swapped"),
    ("first_name", "crossed"): _L("the first name of one is the last name of the other"),
    ("first_name", "nickname"): _L("first names are forms of one name, or sound alike"),
    ("first_name", "typo"): _L("first names differ by one letter"),
    ("first_name", "initial"): _L("one first name is only an initial, which fits"),
    ("first_name", "similar"): _L("first names look alike"),
    ("first_name", "different"): _L("different first names"),
    ("last_name", "same"): _L("same last name"),
    ("last_name", "typo"): _L("last names differ by one letter, or sound alike"),
    ("last_name", "part"): _L("one part of a double last name is the same"),
    ("last_name", "similar"): _L("last names look alike"),
    ("last_name", "different"): _L("different last names"),
    ("birth_date", "same"): _L("same birth date"),
    ("birth_date", "typo"): _L("birth dates differ by one digit, or day and month are swapped"),
    ("birth_date", "two_parts"): _L("two of day, month and year of birth are the same"),
    ("birth_date", "near"): _L("birth dates are close or look alike"),
    ("birth_date", "decade"): _L("birth dates lie within ten years"),
    ("birth_date", "different"): _L("different birth dates"),
    ("email", "same"): _L("same email address"),
    ("email", "both"): _L("one person confirmed from the inboxes of both"),
    ("email", "typo"): _L("email addresses differ by a letter or two"),
    ("email", "name"): _L("email addresses have the same part before the @"),
    ("email", "similar"): _L("email addresses look alike"),
    ("email", "different"): _L("different email addresses"),
    ("phone", "same"): _L("same phone number"),
    ("phone", "typo"): _L("phone numbers differ by one digit"),
    ("phone", "different"): _L("different phone numbers"),
    ("address", "same"): _L("same street and house number"),
    ("address", "street"): _L("same postcode and street, another house number"),
    ("address", "moved_digit"): _L("same street and house number, another postcode or town"),
    ("address", "postcode"): _L("same postcode"),
    ("address", "city"): _L("same town"),
    ("address", "across_town"): _L("same town, another postcode and street"),
    ("address", "city_typo"): _L("towns look alike"),
    ("address", "different"): _L("different addresses"),
    ("organisation", "same"): _L("same organisation"),
    ("organisation", "different"): _L("different organisations"),
    ("group", "others"): _L("tied to each other through others of their group"),
}
SLIGHT = 0.5
"""Bits; what weighs less speaks neither for nor against."""


def reasons(evidence: list[dict]) -> tuple[list[str], list[str]]:
    """What speaks for one person and what against, each the weightiest first."""
    known = [
        (each.get("weight", 0), str(WORDS[each.get("what"), each.get("how")]))
        for each in evidence
        if (each.get("what"), each.get("how")) in WORDS
    ]
    speaking = [words for weight, words in sorted(known, reverse=True) if weight > SLIGHT]
    against = [words for weight, words in sorted(known) if weight < -SLIGHT]
    others = [str(WORDS["group", "others"])] if any(each.get("what") == "group" for each in evidence) else []
    return speaking + others, against


def sentence(evidence: list[dict]) -> str:
    """Both in one line."""
    speaking, against = reasons(evidence)
    if not against:
        return ", ".join(speaking)
    return _("%(speaking)s; but %(against)s") % {"speaking": ", ".join(speaking), "against": ", ".join(against)}
