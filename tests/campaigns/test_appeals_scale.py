"""What a slice costs has nothing to do with how many people are on file, or how many deliveries on the ledger."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.appeals import ledger
from campaigns.appeals.outcomes import Outcome
from campaigns.mail.pacing import Permits
from campaigns.models import Appeal
from tests.campaigns.conftest import make_appeal

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("journals")]
PEOPLE, SLICE = 5_000, 500


@pytest.fixture
def appeal():
    appeal = make_appeal()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO supporters_supporter (email, first_name, language, country)
            SELECT 'person' || n || '@mail.example', 'First ' || n, 'en', 'SE' FROM generate_series(1, %s) n;
            INSERT INTO supporters_consent (supporter_id, purpose, state, wording, method)
            SELECT id, 'email', 'granted', 'Yes.', 'form' FROM supporters_supporter;
            INSERT INTO campaigns_segmentmember (segment_id, supporter_id) SELECT %s, id FROM supporters_supporter
            """,
            [PEOPLE, appeal.segment_id],
        )
        assert ledger.write(appeal) == PEOPLE
        cursor.execute("ANALYZE supporters_supporter, supporters_consent, campaigns_delivery")
    Appeal.objects.filter(pk=appeal.pk).update(state="sending", launched_at="2026-01-01T00:00Z")
    return appeal


def plan_of(statement):
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN " + statement.replace("%", "%%"), [])
        return "\n".join(row for (row,) in cursor.fetchall())


def test_a_slice_reads_its_own_rows_only(appeal):
    hold = ledger.claim(appeal, "0" * 32)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        taken, skipped = hold.take(Permits(SLICE, {"": SLICE}))
        assert (len(taken), skipped) == (SLICE, 0)
        assert len(hold.look([addressee.pk for addressee in taken])) == SLICE
        assert hold.settle([Outcome(addressee.pk, "sent") for addressee in taken]) == SLICE
    take, look, settle = (plan_of(query["sql"]) for query in queries)
    for plan in (take, look, settle):
        assert "Seq Scan on supporters_supporter" not in plan
        assert "Seq Scan on campaigns_delivery" not in plan
    assert "Index Scan using campaigns_delivery_pkey on campaigns_delivery " in settle
