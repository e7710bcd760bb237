"""Warm-up: a sender's domain that receivers don't know yet sends a little more each day.

What a day allows is taken from the day's row before it is claimed, by one conditional UPDATE, and what was not needed
is given back. A worker that dies with its share leaves that day a little smaller.
"""

from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.db.models import F
from django.utils import timezone

from campaigns.models import WarmUp, WarmUpDay


@dataclass(frozen=True)
class Share:
    """What may leave from a domain in warm-up, taken from today's number; None for a domain that is warm."""

    number: int | None
    day: int | None = None
    """Key of the day's row."""

    def within(self, wanted: int) -> int:
        return wanted if self.number is None else min(wanted, self.number)


WARM = Share(None)


def today() -> date:
    return timezone.now().astimezone(ZoneInfo(settings.TIME_ZONE)).date()


def limit_on(warm_up: WarmUp, day: date) -> int | None:
    """Messages on that day; none before the plan starts, no limit (None) after it ends."""
    place = (day - warm_up.starts_on).days
    if place < 0:
        return 0
    return warm_up.plan[place] if place < len(warm_up.plan) else None


def taken_today(warm_up: WarmUp) -> int:
    return warm_up.days.filter(day=today()).values_list("taken", flat=True).first() or 0


def take(sender_email: str, wanted: int) -> Share:
    """Up to so many of what the sender's domain may send today."""
    warm_up = WarmUp.objects.filter(domain=sender_email.rpartition("@")[2].lower()).first()
    limit = limit_on(warm_up, today()) if warm_up else None
    if warm_up is None or limit is None:
        return WARM
    WarmUpDay.objects.bulk_create([WarmUpDay(warm_up=warm_up, day=today())], ignore_conflicts=True)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH held AS (
                SELECT id, greatest(least(%(wanted)s, %(limit)s - taken), 0) AS number FROM campaigns_warmupday
                WHERE warm_up_id = %(warm_up)s AND day = %(day)s FOR UPDATE)
            UPDATE campaigns_warmupday d SET taken = d.taken + held.number FROM held WHERE d.id = held.id
            RETURNING d.id, held.number
            """,
            {"wanted": wanted, "limit": limit, "warm_up": warm_up.pk, "day": today()},
        )
        row, number = cursor.fetchone()
    return Share(number, row)


def give_back(share: Share, used: int) -> None:
    """All of the share but what was used."""
    unused = (share.number or 0) - used
    if share.day is not None and unused > 0:
        WarmUpDay.objects.filter(pk=share.day, taken__gte=unused).update(taken=F("taken") - unused)
