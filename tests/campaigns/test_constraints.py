import pytest
from django.db import IntegrityError, connection, transaction

from campaigns.models import Campaign

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("goal_amount = 0", "campaign_goal_amount_positive"),
        ("goal_amount = 'NaN'", "campaign_goal_amount_positive"),
        ("goal_currency = 'kr'", "campaign_currency_iso"),
        ("starts_on = '2026-05-02', ends_on = '2026-05-01'", "campaign_ends_after_start"),
    ],
)
def test_campaign_makes_sense_whatever_code_writes_it(change, constraint):
    Campaign.objects.create(name="Spring", source_code="spring")
    with (
        pytest.raises(IntegrityError, match=constraint),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"UPDATE campaigns_campaign SET {change}")
