from collections import defaultdict
from decimal import Decimal

from django.contrib import admin
from django.db import connection
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from campaigns.models import Campaign
from supporters.admin.base import RecordAdmin, RecordList
from supporters.admin.donation import in_words

# Through a campaign's own source code or that of one of its appeals.
_RAISED = """
WITH codes AS (
    SELECT id AS campaign_id, source_code FROM campaigns_campaign WHERE id = ANY(%(campaigns)s)
    UNION SELECT campaign_id, source_code FROM campaigns_appeal WHERE campaign_id = ANY(%(campaigns)s)
)
SELECT codes.campaign_id, d.currency, sum(d.amount)
FROM codes JOIN supporters_donation d ON d.source_code = codes.source_code AND d.source_code <> ''
WHERE d.state = 'received' GROUP BY 1, 2 ORDER BY 1, 2
"""


class _CampaignList(RecordList):
    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        sums = raised([campaign.pk for campaign in self.result_list])
        for campaign in self.result_list:
            campaign.sums = sums[campaign.pk]


def raised(campaigns: list[int]) -> dict[int, list[tuple[str, Decimal]]]:
    """Campaign to what came in through it, per currency; one query for all of them."""
    with connection.cursor() as cursor:
        cursor.execute(_RAISED, {"campaigns": campaigns})
        sums = defaultdict(list)
        for campaign, currency, amount in cursor.fetchall():
            sums[campaign].append((currency, amount))
    return sums


@admin.register(Campaign)
class CampaignAdmin(RecordAdmin):
    list_display = ["name", "source_code", "raised", "goal", "starts_on", "ends_on"]
    search_fields = ["name", "source_code"]
    prepopulated_fields = {"source_code": ["name"]}
    list_per_page = 20
    fieldsets = [
        (
            None,
            {
                "fields": [
                    "name",
                    "source_code",
                    ("goal_amount", "goal_currency"),
                    ("starts_on", "ends_on"),
                    "description",
                ]
            },
        )
    ]

    def get_changelist(self, request: HttpRequest, **kwargs: object) -> type[RecordList]:
        return _CampaignList

    @display(description=_("Raised"))
    def raised(self, campaign: Campaign) -> str:
        return " + ".join(in_words(amount, currency) for currency, amount in campaign.sums) or "–"

    @display(description=_("Goal"), ordering="goal_amount")
    def goal(self, campaign: Campaign) -> str:
        return in_words(campaign.goal_amount, campaign.goal_currency) if campaign.goal_amount else "–"
