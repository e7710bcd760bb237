"""How many have signed, without ever counting signatures: sums of SignatureCount, kept in the cache for seconds."""

from dataclasses import dataclass
from datetime import date

from django.core.cache import cache
from django.db import connection, transaction
from django.db.models import Sum
from django.db.models.functions import TruncWeek

from supporters import figures
from supporters.models import Petition, Signature, SignatureCount, Tally
from supporters.signing import elsewhere
from supporters.signing.elsewhere import Gathered

FRESH = 5
"""Seconds that a number may be old."""
TOTALS_FRESH = 60
SIGNERS = 6


@dataclass(frozen=True)
class Standing:
    """What the page of a petition shows of its signatures."""

    signed: int
    goal: int
    latest: tuple[tuple[str, str], ...]
    """First name and country code of those who signed last and agreed to be shown."""
    on_paper: int = 0
    """Of `signed`, those that were gathered on paper,"""
    by_partners: int = 0
    """or by partners' own tools."""

    @property
    def ways(self) -> dict[str, str]:
        """How the total comes about, where not all have signed on our pages."""
        if not (self.on_paper or self.by_partners):
            return {}
        parts = {"on_paper": self.on_paper, "by_partners": self.by_partners}
        parts["online"] = self.signed - self.on_paper - self.by_partners
        return {name: figures.number(value) for name, value in parts.items()}

    @property
    def signed_written(self) -> str:
        return figures.number(self.signed)

    @property
    def goal_written(self) -> str:
        return figures.number(self.next_goal)

    @property
    def next_goal(self) -> int:
        """The goal, or, once that is reached, the next round number above."""
        if self.signed < self.goal:
            return self.goal
        step = 10 ** (len(str(self.signed)) - 1)
        return (self.signed // step + 1) * step


@dataclass(frozen=True)
class Totals:
    """Where and when a petition was signed."""

    countries: dict[str, int]
    weeks: dict[date, int]
    """By the Monday of each week."""
    gathered: dict[str, Gathered]
    """What was gathered elsewhere, by way: it is not among the countries and weeks."""

    @property
    def online(self) -> int:
        return sum(self.countries.values())

    @property
    def signed(self) -> int:
        return self.online + sum(each.signed for each in self.gathered.values())


def totals(petition: Petition) -> Totals:
    """By country and by week, at most a minute old."""
    key = _key(petition.pk, "totals")
    kept = cache.get(key)
    if kept is None:
        counts = SignatureCount.objects.filter(petition=petition).order_by()
        countries = counts.values_list("country").annotate(sum=Sum("number"))
        weeks = counts.annotate(week=TruncWeek("day")).values_list("week").annotate(sum=Sum("number"))
        kept = Totals(dict(countries), dict(weeks), elsewhere.gathered(petition))
        cache.set(key, kept, TOTALS_FRESH)
    return kept


def standing(petition: Petition) -> Standing:
    key = _key(petition.pk, "standing")
    kept = cache.get(key)
    if kept is None:
        latest = _latest(petition) if petition.shows_signers else ()
        kept = (_signed(petition), latest, elsewhere.sums(petition))
        cache.set(key, kept, FRESH)
    online, latest, apart = kept
    on_paper, by_partners = (apart.get(way, 0) for way in (Tally.Way.PAPER, Tally.Way.PARTNER))
    return Standing(online + on_paper + by_partners, petition.goal, latest, on_paper, by_partners)


def forget(petition: int) -> None:
    """Have the numbers of this petition looked up anew."""
    cache.delete_many([_key(petition, name) for name in ("totals", "standing")])


def _key(petition: int, name: str) -> str:
    return f"petition:{petition}:{name}.apart"


def _signed(petition: Petition) -> int:
    return SignatureCount.objects.filter(petition=petition).aggregate(sum=Sum("number"))["sum"] or 0


def _latest(petition: Petition) -> tuple[tuple[str, str], ...]:
    shown = Signature.objects.validated().filter(petition=petition, shown=True, supporter__isnull=False)
    rows = shown.order_by("-validated_at").values_list("supporter__first_name", "country")[:SIGNERS]
    return tuple((name, country) for name, country in rows if name)


_FOLD = """
WITH gone AS (
    DELETE FROM supporters_signaturecount
    WHERE petition_id = %(petition)s AND id <= %(last)s RETURNING country, organisation_id, day, number
)
INSERT INTO supporters_signaturecount (petition_id, country, organisation_id, day, number)
SELECT %(petition)s, country, organisation_id, day, sum(number) FROM gone GROUP BY country, organisation_id, day HAVING sum(number) <> 0
"""


def fold() -> dict[str, int]:
    """Put the rows of each count together where many have gathered; returns how many petitions that was needed for."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT petition_id, max(id) FROM supporters_signaturecount GROUP BY petition_id
            HAVING count(*) > 100 + 2 * count(DISTINCT (country, organisation_id, day))
            """
        )
        crowded = cursor.fetchall()
        for petition, last in crowded:
            with transaction.atomic():
                cursor.execute(_FOLD, {"petition": petition, "last": last})
    return {"folded": len(crowded)}


def recount() -> dict[str, int]:
    """Hold the counts against the signatures themselves, and mend what differs; returns by how many they were off.

    Of batches that were gathered elsewhere, returns how many lie beside another scan than was entered. Nothing should ever be found: whatever is, is shown with the job.
    """
    with connection.cursor() as cursor:
        # One statement sees one moment, and a trigger's row is there at the same moment as its signature: nobody has to wait.
        cursor.execute(_RECOUNT)
        off = cursor.fetchall()
    return {"off": sum(abs(number) for (number,) in off), "unproven": elsewhere.unproven()}


_RECOUNT = """
WITH truly AS (
    SELECT petition_id, country, organisation_id, (validated_at AT TIME ZONE 'UTC')::date AS day, count(*) AS number
    FROM supporters_signature WHERE state = 'validated' GROUP BY 1, 2, 3, 4
), missing AS (
    SELECT petition_id, country, organisation_id, day, sum(number) AS number FROM (
        SELECT * FROM truly
        UNION ALL SELECT petition_id, country, organisation_id, day, -number FROM supporters_signaturecount) both_sides
    GROUP BY 1, 2, 3, 4 HAVING sum(number) <> 0
)
INSERT INTO supporters_signaturecount (petition_id, country, organisation_id, day, number)
SELECT petition_id, country, organisation_id, day, number FROM missing RETURNING number
"""
