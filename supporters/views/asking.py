"""Asking for a gift: buttons that lead to the giving page with the amount already chosen. Nothing is chosen for anybody."""

from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings
from django.http import HttpRequest

from supporters import figures
from supporters.payments import offering
from supporters.payments.giving_form import OTHER
from supporters.public import address
from supporters.views import arriving


@dataclass(frozen=True)
class Ask:
    """Where the buttons lead, and what stands on them."""

    action: str
    carried: tuple[tuple[str, str], ...] = ()
    """What goes along, by name: the currency, and what brought the reader."""
    amounts: tuple[tuple[str, str], ...] = ()
    """What each button sends and says. None: one plain link, to a page that is not ours."""
    intervals: tuple[tuple[str, str], ...] = ()
    other: str = OTHER


def ask_to_give(request: HttpRequest, source: str) -> Ask | None:
    """In the currency that the address names, or else the reader's own; None where there is no way to give.

    `source`: what the gift is said to come from if the reader's own link said nothing.
    """
    if f"{settings.SITE_URL}/give/" != settings.DONATE_URL:
        return Ask(settings.DONATE_URL) if settings.DONATE_URL else None
    currency = request.GET.get("currency", "")
    if currency not in offering.currencies():
        currency = offering.usual_currency(arriving.country(request))
    if not currency:
        return None
    carried = {
        "currency": currency,
        "source": arriving.source(request) or source[: arriving.LONGEST],
        "via": arriving.via(request),
    }
    return Ask(
        action=address("give"),
        carried=tuple((name, value) for name, value in carried.items() if value),
        amounts=tuple(
            (str(amount), figures.money(Decimal(amount), currency, whole=True))
            for amount in settings.GIVING_AMOUNTS[currency]
        ),
        intervals=tuple(offering.intervals()),
    )
