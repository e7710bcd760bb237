"""What came of an appeal, for its page and the list of appeals."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from campaigns.appeals import report, texts
from campaigns.appeals.report import Figures
from campaigns.models import Appeal, Delivery
from supporters.admin.donation import in_words

State = Delivery.State
NOT_SENT = (State.FAILED, State.SKIPPED, State.UNKNOWN)


@dataclass(frozen=True)
class Tile:
    label: str
    value: str
    text: str = ""


@dataclass(frozen=True)
class Bar:
    """One hour of a chart; its place and height in the units of the picture."""

    hour: int
    number: int
    height: float

    @property
    def top(self) -> float:
        return 100 - self.height


@dataclass(frozen=True)
class _Sight:
    """What of the results this person may see."""

    gifts: bool
    signatures: bool
    opens: bool

    @classmethod
    def of(cls, request: HttpRequest, total: Figures) -> "_Sight":
        user = request.user
        opens = settings.COUNT_OPENS or total.opened > 0
        return cls(user.has_perm("supporters.view_donation"), user.has_perm("supporters.view_signature"), opens)


def results_of(request: HttpRequest, appeal: Appeal, found: report.Report) -> dict[str, Any]:
    """What the page shows of a launched appeal."""
    total = found.total
    sight = _Sight.of(request, total)
    hours = report.hours(appeal)
    if not sight.gifts:
        hours = [(hour, clicked, 0) for hour, clicked, _gifts in hours]
    charts = [(_("People who clicked first"), [(hour, clicked) for hour, clicked, _gifts in hours])]
    charts += [(_("Gifts"), [(hour, gifts) for hour, _clicked, gifts in hours])]
    return {
        "sight": sight,
        "tiles": _tiles(total, sight),
        "total": _row(_("Together"), total),
        "languages": with_bars([_row(_language(code), figures) for code, figures in found.by_language()]),
        "links": report.links(appeal),
        "hours": [row for row in hours if row[1] or row[2]],
        "charts": [
            (label, _bars(rows), max(n for _hour, n in rows)) for label, rows in charts if any(n for _h, n in rows)
        ],
        "counted_at": appeal.counted_at,
        "by_programs": total.by_programs,
        "clicks_counted": settings.COUNT_CLICKS and appeal.count_clicks,
    }


class AppealList(ChangeList):
    """The list of appeals with the results of those on the page, in three statements for all of them."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        found = report.totals(appeal.pk for appeal in self.result_list)
        may_see_gifts = request.user.has_perm("supporters.view_donation")
        for appeal in self.result_list:
            appeal.figures = found[appeal.pk]
            appeal.income_in_words = income(appeal.figures) if may_see_gifts else ""


def income(figures: Figures) -> str:
    """The sums, each in its currency."""
    return " + ".join(in_words(amount, currency) for currency, amount in sorted(figures.income.items()))


def per_cent(rate: float | None) -> str:
    return "–" if rate is None else _("%(rate)s %%") % {"rate": number_format(round(rate, 1), 1)}


def grouped(number: int) -> str:
    return number_format(number, force_grouping=True)


def _tiles(total: Figures, sight: _Sight) -> list[Tile]:
    tiles = [Tile(_("Sent"), grouped(total.sent), _("of %(all)s") % {"all": grouped(total.recipients)})]
    clicks = _("%(rate)s; %(number)s clicks") % {
        "rate": per_cent(total.rate(total.clicked)),
        "number": grouped(total.clicks),
    }
    tiles.append(Tile(_("People who clicked"), grouped(total.clicked), clicks))
    if sight.opens:
        tiles.append(Tile(_("Opened"), grouped(total.opened), per_cent(total.rate(total.opened))))
    if sight.gifts:
        tiles.append(Tile(_("Gifts"), grouped(total.gifts), income(total)))
    if sight.signatures:
        tiles.append(Tile(_("Signatures"), grouped(total.signatures)))
    for label, number in (
        (_("Unsubscribed"), total.left),
        (_("Bounced"), total.bounced),
        (_("Complained"), total.complained),
    ):
        tiles.append(Tile(label, grouped(number), per_cent(total.rate(number))))
    return tiles


def with_bars(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Gives each row the length of its bar: the share of those who clicked, beside the largest."""
    rates = [row["figures"].rate(row["figures"].clicked) or 0 for row in rows]
    for row, rate in zip(rows, rates, strict=True):
        row["click_bar"] = rate / max(rates) if rate else 0
    return rows


def _row(label: str, figures: Figures) -> dict[str, Any]:
    return {
        "label": label,
        "figures": figures,
        "not_sent": sum(figures.states[state] for state in NOT_SENT),
        "click_rate": per_cent(figures.rate(figures.clicked)),
        "open_rate": per_cent(figures.rate(figures.opened)),
        "income": income(figures),
    }


def _language(code: str) -> str:
    return texts.language_name(code) if code else _("not known")


def _bars(rows: list[tuple[int, int]]) -> list[Bar]:
    highest = max(number for _hour, number in rows)
    return [Bar(hour, number, round(100 * number / highest, 1)) for hour, number in rows]
