"""Refreshing a segment at two sizes: the cost per person should not grow with the file."""

from django.db import connection

from campaigns.models import Segment
from campaigns.segments import refresh
from tests.benchmarks.measuring import line, seconds

SMALL, LARGE = 20_000, 200_000
RULES = {
    "match": "all",
    "rules": [
        {"field": "country", "op": "in", "value": ["SE", "DE"]},
        {
            "match": "any",
            "rules": [
                {"field": "given_total", "op": "at_least", "value": {"amount": "250", "currency": "SEK"}},
                {"field": "lapsed", "op": "months", "value": 12},
            ],
        },
        {"field": "monthly", "op": "no", "value": None},
    ],
}


def run() -> None:
    small, large = (_per_second(number) for number in (SMALL, LARGE))
    line("segment.refresh.growth", large, small, f"{SMALL} people", "people/s")


def _per_second(people: int) -> float:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE supporters_supporter, campaigns_segment CASCADE")
        cursor.execute(
            """
            INSERT INTO supporters_supporter (email, first_name, country)
            SELECT 'p' || n || '@mail.se', 'P', (ARRAY['SE', 'DE', 'FR'])[1 + n %% 3] FROM generate_series(1, %(people)s) n;
            INSERT INTO supporters_consent (supporter_id, purpose, state, wording, method)
            SELECT id, 'email', 'granted', 'Yes.', 'form' FROM supporters_supporter WHERE id %% 5 > 0;
            INSERT INTO supporters_donation (supporter_id, amount, currency, state, received_on)
            SELECT s.id, 10 + s.id %% 300, 'SEK', 'received', current_date - (s.id * 7 * n %% 1200)::int
            FROM supporters_supporter s, generate_series(1, 2) n WHERE s.id %% 2 = 0;
            """,
            {"people": people},
        )
        cursor.execute("VACUUM ANALYZE supporters_supporter, supporters_consent, supporters_donation")
    segment = Segment.objects.create(name="Bench", rules=RULES)
    taken = seconds(lambda: refresh(segment))
    segment.refresh_from_db()
    if not segment.size:
        raise SystemExit(f"The segment stayed empty: {segment.error}")
    return people / taken
