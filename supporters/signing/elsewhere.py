"""How many signatures were gathered elsewhere: sums of the batches themselves, each of which is a count already."""

from dataclasses import dataclass
from datetime import date

from django.db import connection
from django.db.models import Sum
from django.db.models.functions import TruncWeek

from supporters.models import Petition, Tally


@dataclass(frozen=True)
class Gathered:
    """Of one way, where and when."""

    countries: dict[str, int]
    weeks: dict[date, int]
    """By the Monday of each week."""

    @property
    def signed(self) -> int:
        return sum(self.countries.values())


def sums(petition: Petition) -> dict[str, int]:
    """By way."""
    rows = Tally.objects.counted().filter(petition=petition).order_by().values_list("way")
    return dict(rows.annotate(sum=Sum("number")))


def gathered(petition: Petition) -> dict[str, Gathered]:
    """By way, every way."""
    rows = Tally.objects.counted().filter(petition=petition).order_by()
    found = {way: Gathered({}, {}) for way in Tally.Way.values}
    for way, country, week, number in (
        rows.annotate(week=TruncWeek("gathered_on")).values_list("way", "country", "week").annotate(sum=Sum("number"))
    ):
        part = found[way]
        part.countries[country] = part.countries.get(country, 0) + number
        part.weeks[week] = part.weeks.get(week, 0) + number
    return found


def unproven() -> int:
    """How many counted batches have another scan than was entered."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*) FROM supporters_tally t JOIN supporters_tallyscan s ON s.tally_id = t.id
            WHERE t.state = 'checked' AND t.scan_hash IS DISTINCT FROM sha256(s.content)
            """
        )
        return cursor.fetchone()[0]
