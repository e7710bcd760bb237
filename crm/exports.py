"""What can be exported of the overview: supporters.exporting."""

from datetime import date
from typing import Any

from django.db import connection
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from supporters.exporting.listings import Asked, Column, Extent, Kind, Listing, NothingThere, register

# What was given back counts in the month of the gift: a gift that was wholly given back is none.
_GIVING = """
SELECT date_trunc('month', d.received_on)::date, d.currency, d.method, count(*), count(DISTINCT d.supporter_id),
       count(*) FILTER (WHERE d.recurring_id IS NOT NULL), sum(d.amount), coalesce(sum(r.amount), 0),
       sum(d.amount) - coalesce(sum(r.amount), 0)
FROM supporters_donation d
LEFT JOIN (SELECT donation_id, sum(amount) AS amount FROM supporters_refund GROUP BY donation_id) r ON r.donation_id = d.id
WHERE d.state = 'received' AND (%(year)s = 0 OR d.received_on >= %(first)s AND d.received_on < %(next)s)
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""


def _giving(asked: Asked) -> Extent:
    """By month, currency and method; ?year=2026 for one year."""
    year = asked.number("year")
    if year and not 1900 <= year <= 2200:
        raise NothingThere
    with connection.cursor() as cursor:
        cursor.execute(_GIVING, {"year": year, "first": date(year or 1, 1, 1), "next": date((year or 1) + 1, 1, 1)})
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return Extent(rows, len(rows), gettext("Giving by month"), str(year) if year else "")


register(
    Listing(
        "giving",
        _("Giving by month"),
        extent=_giving,
        back=lambda asked: reverse("admin:index"),
        columns=(
            Column("month", _("Month"), kind=Kind.DAY),
            Column("currency", _("Currency")),
            Column("method", _("Method")),
            Column("gifts", _("Gifts"), kind=Kind.NUMBER),
            Column("donors", _("Donors"), kind=Kind.NUMBER),
            Column("recurring", _("Of them by agreement"), kind=Kind.NUMBER),
            Column("amount", _("Amount"), kind=Kind.MONEY, currency="currency"),
            Column("given_back", _("Given back"), kind=Kind.MONEY, currency="currency"),
            Column("net", _("Left"), kind=Kind.MONEY, currency="currency"),
        ),
        needs=("supporters.view_donation",),
    )
)
