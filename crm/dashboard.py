"""The staff site's first page: a few figures, all cheap at a million rows."""

from datetime import date, timedelta

import redis
from django.contrib import messages
from django.core.cache import cache
from django.db import OperationalError, connection, transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from campaigns.models import Appeal
from supporters.models import Supporter

REMEMBERED = 15 * 60
"""Seconds that the figures are kept; a job works them out anew every five minutes."""
_KEY = "dashboard"
PATIENCE = 1000
"""Milliseconds that each figure may take while somebody waits for the page."""

_MONTHS = """
SELECT date_trunc('month', received_on)::date AS month, currency, sum(amount), count(*)
FROM supporters_donation WHERE state = 'received' AND received_on >= %s GROUP BY 1, 2 ORDER BY 1
"""


def context(request: HttpRequest, context: dict) -> dict:
    """Adds what the page shows, by what the person may see."""
    user = request.user
    figures = _remembered()
    if figures is None:
        messages.info(request, _("The figures are being added up; they are here in a few minutes."))
    tiles = []
    if figures and user.has_perm("supporters.view_supporter"):
        tiles.append(
            {
                "label": _("Supporters"),
                "value": number_format(figures["supporters"], force_grouping=True),
                "text": _("on file"),
            }
        )
        tiles.append(
            {
                "label": _("May be written to"),
                "value": number_format(figures["contactable"], force_grouping=True),
                "text": _("granted, and nothing against it"),
            }
        )
    if figures and user.has_perm("supporters.view_signature"):
        tiles.append(
            {
                "label": _("Signatures"),
                "value": number_format(figures["signatures"], force_grouping=True),
                "text": _("in the last seven days"),
            }
        )
    if figures and user.has_perm("supporters.view_donation"):
        this_month = [
            f"{number_format(total, 0, force_grouping=True)} {currency}" for currency, total in figures["this_month"]
        ]
        tiles.append({"label": _("Received"), "value": " + ".join(this_month) or "0", "text": _("this month")})
        context["chart"] = figures["chart"]
    context["title"] = _("Overview")
    context["tiles"] = tiles
    if user.has_perm("campaigns.view_appeal"):
        coming = Appeal.objects.filter(state=Appeal.State.SCHEDULED).order_by("scheduled_at")[:5]
        gone = Appeal.objects.filter(launched_at__isnull=False).order_by("-launched_at")[:5]
        context["appeal_lists"] = [
            (_("Going out next"), coming, _("Nothing is scheduled.")),
            (_("Sent lately"), gone, _("Nothing was sent yet.")),
        ]
    return context


def remember() -> dict:
    """Work the figures out afresh and keep them; what the job behind the page does."""
    figures = _figures()
    try:
        cache.set(_KEY, figures, REMEMBERED)
    except redis.RedisError:
        pass
    return figures


def refresh() -> dict:
    """For crm.jobs."""
    return {"supporters": remember()["supporters"]}


def _remembered() -> dict | None:
    """The figures as last worked out. Where there are none, nobody waits longer than PATIENCE for them."""
    try:
        kept = cache.get(_KEY)
    except redis.RedisError:
        kept = None
    if kept:
        return kept
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(PATIENCE)])
            return remember()
    except OperationalError:
        return None


def _figures() -> dict:
    today = timezone.localdate()
    first = date(today.year - 1, today.month, 1)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM supporters_supporter")
        supporters = cursor.fetchone()[0]
        cursor.execute(
            "SELECT count(*) FROM supporters_signature WHERE state = 'validated' AND created_at > %s",
            [timezone.now() - timedelta(days=7)],
        )
        signatures = cursor.fetchone()[0]
        cursor.execute(_MONTHS, [first])
        rows = cursor.fetchall()
    return {
        "supporters": supporters,
        "contactable": Supporter.objects.contactable().count(),
        "signatures": signatures,
        "this_month": [(currency, total) for month, currency, total, _count in rows if month == today.replace(day=1)],
        "chart": _chart(rows, first),
    }


def _chart(rows: list[tuple], first: date) -> dict:
    """Bars for thirteen months of the currency with the most gifts; the rest is in the reports."""
    gifts: dict[str, int] = {}
    for _month, currency, _total, count in rows:
        gifts[currency] = gifts.get(currency, 0) + count
    if not gifts:
        return {}
    main = max(gifts, key=lambda currency: gifts[currency])
    totals = {month: total for month, currency, total, _count in rows if currency == main}
    months = [date(first.year + (first.month - 1 + n) // 12, (first.month - 1 + n) % 12 + 1, 1) for n in range(13)]
    highest = max(totals.values())
    bars = [
        {
            "month": month,
            "total": totals.get(month, 0),
            "height": round(float(totals.get(month, 0) / highest * 100), 1),
        }
        for month in months
    ]
    return {"currency": main, "bars": bars}
