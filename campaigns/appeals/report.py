"""What came of appeals, read from what is kept of it: a handful of small rows, for a million recipients as for ten."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import reduce

from django.db.models import Sum

from campaigns.appeals import results
from campaigns.models import Appeal, AppealHour, AppealIncome, AppealLink, AppealResult, Delivery, DeliveryCount

State = Delivery.State
HANDED_OVER = (State.SENT, State.BOUNCED, State.COMPLAINED)
"""The states of messages that a mail server took over, whatever became of them later."""


@dataclass
class Figures:
    """What came of the messages of one text, or of several."""

    states: Counter = field(default_factory=Counter)
    clicked: int = 0
    clicks: int = 0
    opened: int = 0
    by_programs: int = 0
    left: int = 0
    signatures: int = 0
    gifts: int = 0
    income: dict[str, Decimal] = field(default_factory=dict)
    """Currency to sum. Currencies are never added up."""

    @property
    def recipients(self) -> int:
        return sum(self.states.values())

    @property
    def sent(self) -> int:
        return sum(self.states[state] for state in HANDED_OVER)

    @property
    def bounced(self) -> int:
        return self.states[State.BOUNCED]

    @property
    def complained(self) -> int:
        return self.states[State.COMPLAINED]

    def rate(self, number: int) -> float | None:
        """Per cent of what was sent; None where nothing was."""
        return 100 * number / self.sent if self.sent else None

    def __add__(self, other: "Figures") -> "Figures":
        amounts = defaultdict(Decimal, self.income)
        for currency, amount in other.income.items():
            amounts[currency] += amount
        counts = ("clicked", "clicks", "opened", "by_programs", "left", "signatures", "gifts")
        together = {name: getattr(self, name) + getattr(other, name) for name in counts}
        states = Counter(self.states)
        states.update(other.states)
        return Figures(states, income=dict(amounts), **together)


@dataclass
class Report:
    """An appeal's results by text."""

    texts: dict[results.Text, Figures]

    @property
    def total(self) -> Figures:
        return _sum(self.texts.values())

    def by_language(self) -> list[tuple[str, Figures]]:
        """Most recipients first; those whose language can't be told come last."""
        return sorted(self._by(0).items(), key=lambda row: (row[0] == "", -row[1].recipients, row[0]))

    def by_variant(self) -> list[tuple[str, Figures]]:
        return sorted(self._by(1).items())

    def _by(self, part: int) -> dict[str, Figures]:
        groups = defaultdict(list)
        for text, figures in self.texts.items():
            groups[text[part]].append(figures)
        return {key: _sum(group) for key, group in groups.items()}


def of(appeal: Appeal) -> Report:
    """Three statements."""
    texts: dict[results.Text, Figures] = defaultdict(Figures)
    for (language, variant, state), number in results.outcomes(appeal.pk).items():
        texts[language, variant].states[state] += number
    for row in AppealResult.objects.filter(appeal=appeal):
        figures = texts[row.language, row.variant]
        for name in ("clicked", "clicks", "opened", "by_programs", "left", "signatures"):
            setattr(figures, name, getattr(row, name))
    for row in AppealIncome.objects.filter(appeal=appeal).order_by("currency"):
        figures = texts[row.language, row.variant]
        figures.gifts += row.gifts
        figures.income[row.currency] = row.amount
    return Report(dict(texts))


def totals(appeals: Iterable[int]) -> dict[int, Figures]:
    """Appeal to its figures together, for a list of them. Three statements."""
    appeals = list(appeals)
    found: dict[int, Figures] = defaultdict(Figures)
    counts = DeliveryCount.objects.filter(appeal__in=appeals).values_list("appeal", "state")
    for appeal, state, number in counts.annotate(together=Sum("number")):
        found[appeal].states[state] += number
    reactions = AppealResult.objects.filter(appeal__in=appeals).values_list("appeal")
    for appeal, clicked, signatures in reactions.annotate(Sum("clicked"), Sum("signatures")):
        found[appeal].clicked, found[appeal].signatures = clicked, signatures
    income = AppealIncome.objects.filter(appeal__in=appeals).values_list("appeal", "currency").order_by("currency")
    for appeal, currency, gifts, amount in income.annotate(Sum("gifts"), Sum("amount")):
        found[appeal].gifts += gifts
        found[appeal].income[currency] = amount
    return {appeal: found[appeal] for appeal in appeals}


def hours(appeal: Appeal) -> list[tuple[int, int, int]]:
    """Each hour since the launch, with how many first clicked and how many gifts came in it; nothing if nothing came."""
    rows = {row.hour: row for row in AppealHour.objects.filter(appeal=appeal)}
    if not rows:
        return []
    return [
        (hour, rows[hour].clicked, rows[hour].gifts) if hour in rows else (hour, 0, 0)
        for hour in range(results.HOURS)
    ]


def links(appeal: Appeal, most: int = 20) -> list[AppealLink]:
    """The links that were followed most."""
    found = AppealLink.objects.filter(appeal=appeal).exclude(target="")
    return list(found.order_by("-people", "-clicks", "pk")[:most])


def _sum(figures: Iterable[Figures]) -> Figures:
    return reduce(Figures.__add__, figures, Figures())
