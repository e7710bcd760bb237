"""What a rule can ask of a person, in the words that staff see.

Each field has operators; each operator says what value it takes. compile.py turns a rule into SQL, describe.py into
a sentence, and the builder on the staff site draws its widgets from here.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from django.db.models import Model
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _L

from campaigns.models import Appeal, Campaign, Segment
from supporters.models import Organisation, Petition, Tag

Text = str | Promise

# Kinds of values.
NONE, TEXT, NUMBER, MONEY, DAYS, MONTHS, DATE, DATES, YEAR, COUNTRIES, LANGUAGES, THINGS, MAYBE_THINGS = (
    *("none", "text", "number", "money", "days", "months", "date", "dates", "year", "countries", "languages"),
    *("things", "maybe_things"),
)


@dataclass(frozen=True)
class Op:
    """A way to compare; `phrase` goes into the sentence, with %(value)s where the value stands."""

    name: str
    label: Text
    takes: str
    phrase: Text


@dataclass(frozen=True)
class Field:
    name: str
    label: Text
    group: Text
    ops: tuple[Op, ...]
    model: type[Model] | None = None
    """What the values are primary keys of."""

    def op(self, name: str) -> Op | None:
        return next((op for op in self.ops if op.name == name), None)


WHO, PLACE, SIGNED, GAVE, GOT = (
    _L("Who they are"),
    _L("Where they are"),
    _L("What they signed"),
    _L("What they gave"),
    _L("What they received"),
)


def _in(kind: str) -> tuple[Op, ...]:
    return (
        Op("in", _L("is one of"), kind, _L("is %(value)s")),
        Op("not_in", _L("is none of"), kind, _L("is not %(value)s")),
        Op("unknown", _L("is not known"), NONE, _L("is not known")),
    )


def _when() -> tuple[Op, ...]:
    return (
        Op("last_days", _L("in the last … days"), DAYS, _L("in the last %(value)s days")),
        Op("over_months", _L("more than … months ago"), MONTHS, _L("more than %(value)s months ago")),
        Op("between", _L("between"), DATES, _L("between %(value)s")),
        Op("before", _L("before"), DATE, _L("before %(value)s")),
        Op("after", _L("on or after"), DATE, _L("on or after %(value)s")),
    )


_COUNT = (
    Op("at_least", _L("at least"), NUMBER, _L("at least %(value)s")),
    Op("at_most", _L("at most"), NUMBER, _L("at most %(value)s")),
)
_MONEY = (
    Op("at_least", _L("at least"), MONEY, _L("at least %(value)s")),
    Op("less_than", _L("less than"), MONEY, _L("less than %(value)s")),
)
_TEXT = (
    Op("is", _L("is"), TEXT, _L("is “%(value)s”")),
    Op("starts_with", _L("starts with"), TEXT, _L("starts with “%(value)s”")),
)
_YES = (Op("yes", _L("yes"), NONE, ""), Op("no", _L("no"), NONE, _L("not")))

FIELDS: dict[str, Field] = {
    field.name: field
    for field in (
        Field("tag", _L("Tag"), WHO, (Op("has", _L("has one of"), THINGS, _L("is %(value)s")), Op("has_not", _L("has none of"), THINGS, _L("is not %(value)s"))), Tag),
        Field("organisation", _L("Organisation"), WHO, (Op("has", _L("is one of"), THINGS, _L("is %(value)s")), Op("has_not", _L("is none of"), THINGS, _L("is not %(value)s"))), Organisation),
        Field("source_code", _L("Source code"), WHO, _TEXT),
        Field("language", _L("Language"), WHO, _in(LANGUAGES)),
        Field("how_often", _L("Wants fewer than every appeal"), WHO, (Op("yes", _L("yes"), NONE, ""), Op("no", _L("no"), NONE, _L("not")), Op("week", _L("one a week"), NONE, _L("one a week")), Op("month", _L("one in four weeks"), NONE, _L("one in four weeks")))),
        Field("discreet", _L("Discreet mail"), WHO, _YES),
        Field("created", _L("On file since"), WHO, _when()),
        Field("segment", _L("Other segment"), WHO, (Op("has", _L("is in"), THINGS, _L("is %(value)s")), Op("has_not", _L("is not in"), THINGS, _L("is not %(value)s"))), Segment),
        Field("role_address", _L("Role address"), WHO, _YES),
        Field("disposable_address", _L("Disposable address"), WHO, _YES),
        Field("doubtful_phone", _L("Doubtful phone number"), WHO, _YES),
        Field("doubtful_postcode", _L("Doubtful postcode"), PLACE, _YES),
        Field("country", _L("Country"), PLACE, _in(COUNTRIES)),
        Field("city", _L("City"), PLACE, _TEXT),
        Field("postcode", _L("Postcode"), PLACE, _TEXT),
        Field("signed", _L("Signed"), SIGNED, (Op("has", _L("any petition of"), MAYBE_THINGS, _L("%(value)s")), Op("has_not", _L("no petition of"), MAYBE_THINGS, _L("never %(value)s"))), Petition),
        Field("signed_when", _L("Last signed"), SIGNED, _when()),
        Field("signatures", _L("Number of signatures"), SIGNED, _COUNT),
        Field("given_total", _L("Given in total"), GAVE, _MONEY),
        Field("given_last_year", _L("Given in the last 12 months"), GAVE, _MONEY),
        Field("largest_gift", _L("Largest gift"), GAVE, _MONEY),
        Field("gifts", _L("Number of gifts"), GAVE, _COUNT),
        Field("last_gift", _L("Last gift"), GAVE, _when()),
        Field("first_gift", _L("First gift"), GAVE, _when()),
        Field("gift_source", _L("Gave through source code"), GAVE, _TEXT),
        Field("gift_designation", _L("Gave for"), GAVE, _TEXT),
        Field("gave_campaign", _L("Gave to campaign"), GAVE, (Op("has", _L("one of"), THINGS, _L("%(value)s")), Op("has_not", _L("none of"), THINGS, _L("not %(value)s"))), Campaign),
        Field("ever_gave", _L("Has given"), GAVE, _YES),
        Field("monthly", _L("Gives monthly"), GAVE, _YES),
        Field("lybunt", _L("LYBUNT: gave last year but not this"), GAVE, (Op("year", _L("in the year"), YEAR, _L("as seen from %(value)s")),)),
        Field("sybunt", _L("SYBUNT: gave some year but not this"), GAVE, (Op("year", _L("in the year"), YEAR, _L("as seen from %(value)s")),)),
        Field("lapsed", _L("Lapsed: gave, but not for"), GAVE, (Op("months", _L("… months"), MONTHS, _L("%(value)s months")),)),
        Field("received", _L("Received appeal"), GOT, (Op("has", _L("any of"), MAYBE_THINGS, _L("%(value)s")), Op("has_not", _L("none of"), MAYBE_THINGS, _L("not %(value)s"))), Appeal),
        Field("received_when", _L("Last received an appeal"), GOT, _when()),
    )
}  # fmt: skip


class ValueProblem(ValueError):
    """The value does not fit the operator; the message says how."""


def read_value(op: Op, value: object) -> object:
    """The value of a rule as compile.py wants it. Raises ValueProblem."""
    if op.takes == NONE:
        return None
    if op.takes == TEXT:
        if not isinstance(value, str) or not value.strip() or len(value) > 250 or "\x00" in value:
            raise ValueProblem(_("Write a text of at most 250 characters."))
        return value.strip()
    if op.takes in {NUMBER, DAYS, MONTHS}:
        return _whole(value, 0 if op.takes == NUMBER else 1, 100_000 if op.takes == NUMBER else 10_000)
    if op.takes == YEAR:
        return _whole(value, 1900, 2200) if value not in (None, "") else None
    if op.takes == MONEY:
        return _money(value)
    if op.takes == DATE:
        return _day(value)
    if op.takes == DATES:
        if not isinstance(value, list) or len(value) != 2:
            raise ValueProblem(_("Give two dates."))
        first, last = _day(value[0]), _day(value[1])
        if first > last:
            raise ValueProblem(_("The first date is after the second."))
        return first, last
    if op.takes in {COUNTRIES, LANGUAGES}:
        return _codes(value)
    return _keys(value, may_be_empty=op.takes == MAYBE_THINGS)


def _whole(value: object, least: int, most: int) -> int:
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
        value = int(value.strip()[:12])
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueProblem(_("Give a whole number from %(least)s to %(most)s.") % {"least": least, "most": most})
    return value


def _money(value: object) -> tuple[Decimal, str]:
    if not isinstance(value, dict):
        raise ValueProblem(_("Give an amount and a currency."))
    currency = value.get("currency")
    if not isinstance(currency, str) or len(currency) != 3 or not (currency.isascii() and currency.isupper()):
        raise ValueProblem(_("Give a currency, such as SEK."))
    try:
        amount = Decimal(str(value.get("amount")).strip()[:20])
    except InvalidOperation:
        raise ValueProblem(_("Give an amount, such as 250 or 99.50.")) from None
    if not amount.is_finite() or not 0 <= amount < Decimal("1e12"):
        raise ValueProblem(_("Give an amount, such as 250 or 99.50."))
    return amount, currency


def _day(value: object) -> date:
    try:
        return date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise ValueProblem(_("Give a date.")) from None


def _codes(value: object) -> list[str]:
    if not isinstance(value, list) or not value or len(value) > 300:
        raise ValueProblem(_("Choose at least one."))
    if not all(isinstance(code, str) and 2 <= len(code) <= 12 and code.isascii() for code in value):
        raise ValueProblem(_("One of the choices is not known."))
    return value


def _keys(value: object, may_be_empty: bool) -> list[int]:
    if value in (None, "") and may_be_empty:
        return []
    if not isinstance(value, list) or len(value) > 300 or (not value and not may_be_empty):
        raise ValueProblem(_("Choose at least one."))
    if not all(isinstance(key, int) and not isinstance(key, bool) and 0 < key < 2**62 for key in value):
        raise ValueProblem(_("One of the choices is not known."))
    return value
