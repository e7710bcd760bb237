"""Signatures through a partner's links: sums of SignatureCount, never a look at signatures.

Countries with fewer than FEW signatures are not told apart: one signature in a small country may be somebody whom the partner knows,
and it tells a political opinion (GDPR, article 9). Weeks are not told apart by country at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import QuerySet, Sum
from django.db.models.functions import TruncWeek

from supporters.models import Organisation, Petition, SignatureCount, Tally

FEW = 5


@dataclass(frozen=True)
class Figures:
    signed: int
    countries: list[tuple[str, int]]
    """Code and number, the most first; of those that are told apart."""
    elsewhere: int
    """In all other countries together."""
    weeks: dict[date, int]
    """By the Monday of each week."""


def of_petitions(organisation: Organisation) -> list[tuple[Petition, int]]:
    """Every petition that may be seen, the open ones first, with the partner's signatures."""
    sums = _counts(organisation).values_list("petition").annotate(sum=Sum("number"))
    signed = dict(sums)
    shown = Petition.objects.exclude(state=Petition.State.DRAFT).order_by("-state", "-created_at", "-pk")
    return [
        (petition, signed.get(petition.pk, 0))
        for petition in shown.prefetch_related("texts")
        if petition.state == Petition.State.OPEN or signed.get(petition.pk)
    ]


def of_petition(organisation: Organisation, petition: Petition) -> Figures:
    counts = _counts(organisation).filter(petition=petition)
    countries = counts.values_list("country").annotate(sum=Sum("number")).order_by("-sum", "country")
    weeks = counts.annotate(week=TruncWeek("day")).values_list("week").annotate(sum=Sum("number")).order_by("week")
    return _told(list(countries), dict(weeks))


def gathered_elsewhere(organisation: Organisation, petition: Petition) -> int:
    """What the partner gathered on paper or by its own tool, which is counted apart (supporters.tallying)."""
    batches = Tally.objects.counted().filter(organisation=organisation, petition=petition)
    return batches.aggregate(sum=Sum("number"))["sum"] or 0


def _told(countries: Sequence[tuple[str, int]], weeks: dict[date, int]) -> Figures:
    signed = sum(number for _code, number in countries)
    apart = [(code, number) for code, number in countries if code and number >= FEW]
    elsewhere = signed - sum(number for _code, number in apart)
    return Figures(signed, apart, elsewhere, {week: number for week, number in weeks.items() if number})


def _counts(organisation: Organisation) -> QuerySet[SignatureCount]:
    return SignatureCount.objects.filter(organisation=organisation).order_by()
