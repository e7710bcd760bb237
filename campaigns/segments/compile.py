"""Rules to one statement over supporters.

What somebody gave or signed is asked as membership of a set, written as EXISTS: PostgreSQL makes a semi-join or an
anti-join of it that goes once through everybody and spills to disk where it must, and within an `any` it looks the
person up by an index. `NOT IN` and an `IN` within an `any` would be compared row by row as soon as the set outgrows
work_mem: a segment of those who never gave would then take hours at a million people.
"""

from datetime import date, timedelta
from functools import partial

from django.db.models import Count, Exists, Max, Min, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from campaigns.models import Appeal, Campaign, Delivery, SegmentMember
from campaigns.segments.rules import Group, Rule, parse
from supporters.hygiene.marks import Mark
from supporters.models import Donation, Purpose, RecurringDonation, Signature, Supporter


def query(rules: object, purpose: str = Purpose.EMAIL) -> QuerySet[Supporter]:
    """Everybody who meets the rules and may be contacted. Raises RuleProblem."""
    return Supporter.objects.contactable(purpose).filter(_group(parse(rules)))


def _group(group: Group, negated: bool = False) -> Q:
    """Negations go down to the rules: PostgreSQL joins a NOT EXISTS only where it stands by itself."""
    negated ^= group.match == "none"
    parts = [_group(part, negated) if isinstance(part, Group) else _rule(part, negated) for part in group.members]
    if not parts:
        return Q()
    met = parts[0]
    for part in parts[1:]:
        met = met & part if (group.match == "all") != negated else met | part
    return met


def _rule(rule: Rule, negated: bool) -> Q:
    met = _COMPILERS[rule.field.name](rule.op.name, rule.value)
    return ~met if negated else met


def _those(rows: QuerySet, op: str = "has") -> Q:
    """People among the rows' owners, or not among them."""
    return _among(rows.filter(supporter__isnull=False), op not in {"has_not", "no"})


def _among(owned: QuerySet, yes: bool = True) -> Q:
    """People who own one of the rows, which may be sums over several; or people who own none."""
    owner = Exists(Supporter.objects.filter(pk=OuterRef("pk"), pk__in=owned.values("supporter")))
    return Q(owner) if yes else Q(~owner)


# Who they are, where they are -------------------------------------------------------------------


def _tag(op: str, keys: list[int]) -> Q:
    return _those(Supporter.tags.through.objects.filter(tag__in=keys), op)


def _organisation(op: str, keys: list[int]) -> Q:
    here = Q(organisation__in=keys)
    return here if op == "has" else ~here | Q(organisation=None)


def _segment(op: str, keys: list[int]) -> Q:
    return _those(SegmentMember.objects.filter(segment__in=keys), op)


def _source_code(op: str, text: str) -> Q:
    return _text("source_code", op, text)


def _language(op: str, codes: list[str]) -> Q:
    return _code("language", op, codes)


def _country(op: str, codes: list[str]) -> Q:
    return _code("country", op, codes)


def _city(op: str, text: str) -> Q:
    return _text("city", op, text)


def _postcode(op: str, text: str) -> Q:
    return _text("postcode", op, text)


def _how_often(op: str, _value: None) -> Q:
    if op in {"yes", "no"}:
        every = Q(how_often="")
        return ~every if op == "yes" else every
    return Q(how_often=op)


def _discreet(op: str, _value: None) -> Q:
    return Q(discreet=op == "yes")


def _created(op: str, value: object) -> Q:
    return _span("created_at__date", op, value)


def _marked(mark: str, op: str, _value: None) -> Q:
    here = Q(marks__contains=[mark])
    return here if op == "yes" else ~here


def _text(name: str, op: str, text: str) -> Q:
    return Q(**{f"{name}__iexact" if op == "is" else f"{name}__istartswith": text})


def _code(name: str, op: str, codes: list[str] | None) -> Q:
    if op == "unknown":
        return Q(**{name: ""})
    here = Q(**{f"{name}__in": codes})
    return here if op == "in" else ~here


# What they signed -------------------------------------------------------------------------------


def _signed(op: str, keys: list[int]) -> Q:
    rows = Signature.objects.validated()
    return _those(rows.filter(petition__in=keys) if keys else rows, op)


def _signed_when(op: str, value: object) -> Q:
    return _last(Signature.objects.validated(), Max(TruncDate("created_at")), op, value)


def _signatures(op: str, number: int) -> Q:
    return _number_of(Signature.objects.validated(), op, number)


# What they gave ---------------------------------------------------------------------------------


def _received() -> QuerySet[Donation]:
    return Donation.objects.received()


def _given_total(op: str, money: tuple) -> Q:
    return _sum(_received(), op, money)


def _given_last_year(op: str, money: tuple) -> Q:
    return _sum(_received().filter(received_on__gt=_months_ago(12)), op, money)


def _largest_gift(op: str, money: tuple) -> Q:
    amount, currency = money
    reached = _those(_received().filter(currency=currency, amount__gte=amount))
    if op == "at_least":
        return reached
    return _those(_received().filter(currency=currency)) & ~reached


def _gifts(op: str, number: int) -> Q:
    return _number_of(_received(), op, number)


def _last_gift(op: str, value: object) -> Q:
    return _last(_received(), Max("received_on"), op, value)


def _first_gift(op: str, value: object) -> Q:
    return _last(_received(), Min("received_on"), op, value)


def _gift_source(op: str, text: str) -> Q:
    return _those(_received().filter(_text("source_code", op, text)))


def _gift_designation(op: str, text: str) -> Q:
    return _those(_received().filter(_text("designation", op, text)))


def _gave_campaign(op: str, keys: list[int]) -> Q:
    """Gave through a source code of the campaign, or of one of its appeals."""
    campaigns = Campaign.objects.filter(pk__in=keys).values("source_code")
    appeals = Appeal.objects.filter(campaign__in=keys).values("source_code")
    return _those(_received().filter(Q(source_code__in=campaigns) | Q(source_code__in=appeals)), op)


def _ever_gave(op: str, _value: None) -> Q:
    return _those(_received(), op)


def _monthly(op: str, _value: None) -> Q:
    active = RecurringDonation.objects.filter(
        state=RecurringDonation.State.ACTIVE, interval=RecurringDonation.Interval.MONTH
    )
    return _those(active, op)


def _lybunt(_op: str, year: int | None) -> Q:
    year = year or timezone.localdate().year
    return _those(_in_years(year - 1, year - 1)) & ~_those(_in_years(year, year))


def _sybunt(_op: str, year: int | None) -> Q:
    year = year or timezone.localdate().year
    return _those(_in_years(1, year - 1)) & ~_those(_in_years(year, year))


def _lapsed(_op: str, months: int) -> Q:
    return _those(_received()) & ~_those(_received().filter(received_on__gt=_months_ago(months)))


def _in_years(first: int, last: int) -> QuerySet[Donation]:
    return _received().filter(received_on__gte=date(first, 1, 1), received_on__lte=date(last, 12, 31))


def _sum(rows: QuerySet, op: str, money: tuple) -> Q:
    amount, currency = money
    totals = rows.filter(currency=currency, supporter__isnull=False).values("supporter").annotate(total=Sum("amount"))
    return _among(totals.filter(total__gte=amount), op == "at_least")


# What they received -----------------------------------------------------------------------------


def _sent() -> QuerySet[Delivery]:
    return Delivery.objects.filter(sent_at__isnull=False)


def _received_appeal(op: str, keys: list[int]) -> Q:
    return _those(_sent().filter(appeal__in=keys) if keys else _sent(), op)


def _received_when(op: str, value: object) -> Q:
    return _last(_sent(), Max(TruncDate("sent_at")), op, value)


# Shared -----------------------------------------------------------------------------------------


def _number_of(rows: QuerySet, op: str, number: int) -> Q:
    counted = rows.filter(supporter__isnull=False).values("supporter").annotate(times=Count("pk"))
    if op == "at_least":
        return _among(counted.filter(times__gte=number)) if number else Q(pk__isnull=False)
    return _among(counted.filter(times__gt=number), yes=False)


def _last(rows: QuerySet, moment: Max | Min, op: str, value: object) -> Q:
    """People whose last (or first) row lies in the given time."""
    ends = rows.filter(supporter__isnull=False).values("supporter").annotate(day=moment)
    return _among(ends.filter(_span("day", op, value)))


def _span(name: str, op: str, value: object) -> Q:
    if op == "last_days":
        return Q(**{f"{name}__gt": timezone.localdate() - timedelta(days=value)})
    if op == "over_months":
        return Q(**{f"{name}__lt": _months_ago(value)})
    if op == "before":
        return Q(**{f"{name}__lt": value})
    if op == "after":
        return Q(**{f"{name}__gte": value})
    return Q(**{f"{name}__gte": value[0], f"{name}__lte": value[1]})


def _months_ago(months: int) -> date:
    """The same day so many months ago, or the last of that month."""
    today = timezone.localdate()
    month = today.year * 12 + today.month - 1 - months
    if month < 12:
        return date.min
    year, month = divmod(month, 12)
    for day in (today.day, 30, 29, 28):
        try:
            return date(year, month + 1, day)
        except ValueError:
            continue
    raise AssertionError


_COMPILERS = {
    "tag": _tag,
    "organisation": _organisation,
    "segment": _segment,
    "source_code": _source_code,
    "language": _language,
    "country": _country,
    "city": _city,
    "postcode": _postcode,
    "how_often": _how_often,
    "discreet": _discreet,
    "created": _created,
    "role_address": partial(_marked, Mark.ROLE),
    "disposable_address": partial(_marked, Mark.DISPOSABLE),
    "doubtful_phone": partial(_marked, Mark.PHONE),
    "doubtful_postcode": partial(_marked, Mark.POSTCODE),
    "signed": _signed,
    "signed_when": _signed_when,
    "signatures": _signatures,
    "given_total": _given_total,
    "given_last_year": _given_last_year,
    "largest_gift": _largest_gift,
    "gifts": _gifts,
    "last_gift": _last_gift,
    "first_gift": _first_gift,
    "gift_source": _gift_source,
    "gift_designation": _gift_designation,
    "gave_campaign": _gave_campaign,
    "ever_gave": _ever_gave,
    "monthly": _monthly,
    "lybunt": _lybunt,
    "sybunt": _sybunt,
    "lapsed": _lapsed,
    "received": _received_appeal,
    "received_when": _received_when,
}
