"""Sending hours: an appeal that asks for it reaches each person by the day of where they live.

Nobody's zone is on file; a country's stands for it, and of a country with several the one where most people live.
"""

import json
from functools import cache

from django.db import connection

from campaigns.models import Appeal

_MOST_PEOPLE = {
    "AR": "America/Argentina/Buenos_Aires", "AU": "Australia/Sydney", "BR": "America/Sao_Paulo", "CA": "America/Toronto",
    "CD": "Africa/Kinshasa", "CL": "America/Santiago", "CN": "Asia/Shanghai", "CY": "Asia/Nicosia", "DE": "Europe/Berlin",
    "EC": "America/Guayaquil", "ES": "Europe/Madrid", "GL": "America/Nuuk", "ID": "Asia/Jakarta", "KI": "Pacific/Tarawa",
    "KZ": "Asia/Almaty", "MN": "Asia/Ulaanbaatar", "MX": "America/Mexico_City", "MY": "Asia/Kuala_Lumpur",
    "NZ": "Pacific/Auckland", "PF": "Pacific/Tahiti", "PG": "Pacific/Port_Moresby", "PS": "Asia/Gaza", "PT": "Europe/Lisbon",
    "RU": "Europe/Moscow", "UA": "Europe/Kyiv", "US": "America/New_York", "UZ": "Asia/Tashkent",
}  # fmt: skip


@cache
def zones() -> dict[str, str]:
    """Country to its time zone. Countries of several zones with few people are left to the appeal's own."""
    from babel.core import get_global  # for launching only: a worker that sends has no use for it

    single = {country: names[0] for country, names in get_global("territory_zones").items() if len(names) == 1}
    return {**single, **_MOST_PEOPLE}


def not_before(appeal: Appeal, country: str) -> tuple[str, list[object]]:
    """When somebody of this country (a column) may be written to next, as SQL with its parameters.

    That is now where their day is open, else when it opens. The wall clock decides, so that a change of the clocks moves
    nobody out of their hours.
    """
    if appeal.hours_from is None:
        return "now()", []
    sql = f"""(
        SELECT CASE WHEN local::time >= %s AND local::time < %s THEN now()
                    ELSE (local::date + %s::time + CASE WHEN local::time >= %s THEN interval '1 day' ELSE interval '0' END)
                         AT TIME ZONE zone END
        FROM (SELECT zone, now() AT TIME ZONE zone AS local
              FROM (SELECT coalesce(%s::jsonb ->> {country}, %s) AS zone) place) clock)"""
    opens, closes = appeal.hours_from, appeal.hours_until
    return sql, [opens, closes, opens, opens, json.dumps(zones()), appeal.time_zone]


def hold(appeal: Appeal) -> int:
    """What waits for people whose day is over goes out on their next one; how many that are."""
    if appeal.hours_from is None:
        return 0
    when, parameters = not_before(appeal, "s.country")
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH ready AS (
                SELECT d.id, {when} AS at FROM campaigns_delivery d JOIN supporters_supporter s ON s.id = d.supporter_id
                WHERE d.appeal_id = %s AND d.state = 'queued' AND d.not_before <= now() FOR UPDATE OF d SKIP LOCKED)
            UPDATE campaigns_delivery d SET not_before = ready.at FROM ready WHERE d.id = ready.id AND ready.at > now()
            """,
            [*parameters, appeal.pk],
        )
        return cursor.rowcount
