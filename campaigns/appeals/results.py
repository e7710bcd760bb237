"""What came of an appeal, worked out in the background so that its page opens at once, however many got it.

Outcomes are always right: DeliveryCount. The rest is worked out anew each minute while the appeal is young, and ever
less often as it ages (`due`).

**Clicks.** A reader counts once, however often they follow however many links. Programs that look into mail follow links
too. A message's clicks are taken for a program's, and only shown apart, where

- the last one came before the message was sent or within five seconds of that (gateways look before they deliver), or
- three or more different links were followed within five seconds.

A program that waits and follows one link looks like a person, and one of those who switched counting off is not seen:
the figures compare texts, they don't count heads.

**Gifts and signatures** are those with the appeal's source code, less what was given back; their language is that of
the giver's own message, and not known where they have none, as when somebody passed the message on.
"""

from collections import defaultdict
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from campaigns.models import (
    Appeal,
    AppealHour,
    AppealIncome,
    AppealLink,
    AppealResult,
    Click,
)
from supporters.locks import advisory_lock

HOURS = 48
"""Of which the page shows each."""
Text = tuple[str, str]
"""A language and the letter of a variant: the readers of one text."""

_DUE = """
SELECT id FROM campaigns_appeal
WHERE launched_at IS NOT NULL
  AND (counted_at IS NULL OR counted_at < now() - GREATEST(interval '50 seconds', (now() - launched_at) / 100))
ORDER BY counted_at NULLS FIRST
"""
_PUT_TOGETHER = """
WITH scattered AS (
    SELECT appeal_id FROM campaigns_deliverycount GROUP BY appeal_id
    HAVING count(*) > count(DISTINCT (language, variant, state)) OR count(*) FILTER (WHERE number = 0) > 0
), gone AS (
    DELETE FROM campaigns_deliverycount c USING scattered s WHERE c.appeal_id = s.appeal_id
    RETURNING c.appeal_id, c.language, c.variant, c.state, c.number
)
INSERT INTO campaigns_deliverycount (appeal_id, language, variant, state, number)
SELECT appeal_id, language, variant, state, sum(number) FROM gone GROUP BY 1, 2, 3, 4 HAVING sum(number) <> 0
"""
_REACTIONS = """
WITH clicks AS (
    SELECT c.*, d.language, d.variant, l.target = '' AS opening,
           coalesce(c.last_at < d.sent_at + interval '5 seconds', false) AS at_once
    FROM campaigns_appeallink l
    JOIN campaigns_click c ON c.link_id = l.id
    JOIN campaigns_delivery d ON d.id = c.delivery_id
    WHERE l.appeal_id = %(appeal)s
), judged AS (
    SELECT *, NOT opening AND (at_once
           OR (count(*) OVER message >= 3
               AND max(last_at) OVER message - min(first_at) OVER message < interval '5 seconds')) AS by_program
    FROM clicks WINDOW message AS (PARTITION BY delivery_id, opening)
)
"""
_BY_TEXT = f"""
{_REACTIONS}
SELECT language, variant,
       count(DISTINCT delivery_id) FILTER (WHERE NOT opening AND NOT by_program) AS clicked,
       coalesce(sum(times) FILTER (WHERE NOT opening AND NOT by_program), 0) AS clicks,
       count(DISTINCT delivery_id) FILTER (WHERE opening AND NOT at_once) AS opened,
       count(DISTINCT delivery_id) FILTER (WHERE NOT opening)
       - count(DISTINCT delivery_id) FILTER (WHERE NOT opening AND NOT by_program) AS by_programs
FROM judged GROUP BY 1, 2
"""
_BY_LINK = f"""
{_REACTIONS}
UPDATE campaigns_appeallink l SET people = coalesce(c.people, 0), clicks = coalesce(c.clicks, 0)
FROM campaigns_appeallink same LEFT JOIN (
    SELECT link_id, count(*) AS people, sum(times) AS clicks
    FROM judged WHERE (opening AND NOT at_once) OR (NOT opening AND NOT by_program) GROUP BY link_id
) c ON c.link_id = same.id
WHERE l.id = same.id AND same.appeal_id = %(appeal)s
  AND (l.people, l.clicks) IS DISTINCT FROM (coalesce(c.people, 0), coalesce(c.clicks, 0))
"""
_CLICKED_BY_HOUR = f"""
{_REACTIONS}
SELECT floor(extract(epoch FROM first - %(launched)s) / 3600)::int AS hour, count(*) FROM (
    SELECT min(first_at) AS first FROM judged WHERE NOT opening AND NOT by_program GROUP BY delivery_id) readers
WHERE first >= %(launched)s AND first < %(launched)s + %(hours)s * interval '1 hour' GROUP BY 1
"""
# Who left through the message itself: a bounce or a complaint withdraws too, and is counted as what it is.
_LEFT = """
SELECT d.language, d.variant, count(DISTINCT d.id)
FROM supporters_consent c JOIN campaigns_delivery d ON d.supporter_id = c.supporter_id AND d.appeal_id = %(appeal)s AND NOT d.doubled
WHERE c.state = 'withdrawn' AND c.source = 'appeal ' || %(source)s AND c.source <> '' AND c.purpose = 'email'
  AND c.method IN ('link', 'one_click')
GROUP BY 1, 2
"""
_SIGNED = """
SELECT coalesce(d.language, ''), coalesce(d.variant, ''), count(*)
FROM supporters_signature s
LEFT JOIN campaigns_delivery d ON d.appeal_id = %(appeal)s AND d.supporter_id = s.supporter_id AND NOT d.doubled
WHERE s.state = 'validated' AND s.source_code = %(source)s AND s.source_code <> ''
GROUP BY 1, 2
"""
_INCOME = """
SELECT coalesce(d.language, ''), coalesce(d.variant, ''), g.currency, count(*),
       sum(g.amount - coalesce((SELECT sum(r.amount) FROM supporters_refund r WHERE r.donation_id = g.id), 0))
FROM supporters_donation g
LEFT JOIN campaigns_delivery d ON d.appeal_id = %(appeal)s AND d.supporter_id = g.supporter_id AND NOT d.doubled
WHERE g.state = 'received' AND g.source_code = %(source)s AND g.source_code <> ''
GROUP BY 1, 2, 3
"""
_GIFTS_BY_HOUR = """
SELECT floor(extract(epoch FROM created_at - %(launched)s) / 3600)::int AS hour, count(*)
FROM supporters_donation
WHERE state = 'received' AND source_code = %(source)s AND source_code <> ''
  AND created_at >= %(launched)s AND created_at < %(launched)s + %(hours)s * interval '1 hour' GROUP BY 1
"""


def outcomes(appeal: int) -> dict[tuple[str, str, str], int]:
    """Language, variant and state to how many deliveries; right at this moment."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT language, variant, state, sum(number)::bigint FROM campaigns_deliverycount"
            " WHERE appeal_id = %s GROUP BY 1, 2, 3 HAVING sum(number) <> 0",
            [appeal],
        )
        return {(language, variant, state): number for language, variant, state, number in cursor.fetchall()}


def refresh_due() -> dict[str, int]:
    """For crm.jobs: put the counts together and work out what is due; how many appeals."""
    put_together()
    with connection.cursor() as cursor:
        cursor.execute(_DUE)
        due = [pk for (pk,) in cursor.fetchall()]
    return {"counted": sum(refresh(pk) for pk in due)}


def put_together() -> None:
    """Make one row of the many that sending leaves of each count; their sum is the same before, meanwhile and after."""
    with connection.cursor() as cursor:
        cursor.execute(_PUT_TOGETHER)


def refresh(pk: int) -> bool:
    """Work out what came of a launched appeal; False if somebody is at it, or there is nothing to work out."""
    with advisory_lock(f"appeal-results:{pk}") as ours:
        if not ours:
            return False
        with transaction.atomic():
            appeal = Appeal.objects.filter(pk=pk, launched_at__isnull=False).first()
            if appeal is None:
                return False
            _refresh(appeal)
            Appeal.objects.filter(pk=pk).update(counted_at=Now())
    return True


def with_old_clicks(days: int) -> QuerySet[Appeal]:
    """Appeals that were over so long ago, of which it is still known who clicked."""
    past = Now() - timedelta(days=days)
    return Appeal.objects.filter(
        Q(finished_at__lt=past) | Q(finished_at=None, launched_at__lt=past),
        ~Q(state=Appeal.State.SENDING),
        launched_at__isnull=False,
        clicks_forgotten_at=None,
    )


def forget_clicks_of(appeals: QuerySet[Appeal]) -> None:
    """Keep the sums of these, and delete who clicked what."""
    for pk in appeals.values_list("pk", flat=True):
        if not refresh(pk):
            continue  # Tomorrow, then.
        if Appeal.objects.filter(pk=pk, clicks_forgotten_at=None).update(clicks_forgotten_at=Now()):
            Click.objects.filter(link__in=AppealLink.objects.filter(appeal=pk)).delete()


def _refresh(appeal: Appeal) -> None:
    values = {
        "appeal": appeal.pk,
        "source": appeal.source_code,
        "launched": appeal.launched_at,
        "hours": HOURS,
    }
    texts: dict[Text, dict[str, int]] = defaultdict(dict)
    hours: dict[int, dict[str, int]] = defaultdict(dict)
    with connection.cursor() as cursor:

        def rows(sql: str) -> list[tuple[Any, ...]]:
            cursor.execute(sql, values)
            return cursor.fetchall()

        if appeal.clicks_forgotten_at:
            _keep_clicks(appeal, texts, hours)
        else:
            for language, variant, *figures in rows(_BY_TEXT):
                names = ("clicked", "clicks", "opened", "by_programs")
                texts[language, variant] |= dict(zip(names, figures, strict=True))
            for hour, number in rows(_CLICKED_BY_HOUR):
                hours[hour]["clicked"] = number
            cursor.execute(_BY_LINK, values)
        for name, sql in (("left", _LEFT), ("signatures", _SIGNED)):
            for language, variant, number in rows(sql):
                texts[language, variant][name] = number
        for hour, number in rows(_GIFTS_BY_HOUR):
            hours[hour]["gifts"] = number
        income = [
            AppealIncome(
                appeal=appeal, language=language, variant=variant, currency=currency, gifts=gifts, amount=sum_
            )
            for language, variant, currency, gifts, sum_ in rows(_INCOME)
        ]
    _replace(appeal, income, AppealIncome)
    _replace(
        appeal,
        [
            AppealResult(appeal=appeal, language=language, variant=variant, **figures)
            for (language, variant), figures in texts.items()
        ],
        AppealResult,
    )
    _replace(appeal, [AppealHour(appeal=appeal, hour=hour, **figures) for hour, figures in hours.items()], AppealHour)


def _keep_clicks(appeal: Appeal, texts: dict[Text, dict[str, int]], hours: dict[int, dict[str, int]]) -> None:
    for row in AppealResult.objects.filter(appeal=appeal).values():
        kept = ("clicked", "clicks", "opened", "by_programs")
        texts[row["language"], row["variant"]] |= {name: row[name] for name in kept}
    for hour, clicked in AppealHour.objects.filter(appeal=appeal, clicked__gt=0).values_list("hour", "clicked"):
        hours[hour]["clicked"] = clicked


def _replace(appeal: Appeal, rows: list, model: type) -> None:
    model.objects.filter(appeal=appeal).delete()
    model.objects.bulk_create(rows)
