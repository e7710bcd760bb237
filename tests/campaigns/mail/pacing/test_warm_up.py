from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.mail.pacing import warm_up
from campaigns.models import WarmUp, WarmUpDay

pytestmark = pytest.mark.django_db
SENDER = "hej@new.realstars.se"


def make_warm_up(days_ago, plan=(50, 100)):
    starts_on = warm_up.today() - timedelta(days=days_ago)
    return WarmUp.objects.create(domain="new.realstars.se", starts_on=starts_on, plan=list(plan))


def test_a_domain_without_a_plan_is_warm():
    assert warm_up.take(SENDER, 500).within(500) == 500


@pytest.mark.parametrize(("days_ago", "allowed"), [(-1, 0), (0, 50), (1, 100), (2, 500)])
def test_each_day_allows_more_until_the_plan_ends(days_ago, allowed):
    make_warm_up(days_ago)
    assert warm_up.take(SENDER, 500).within(500) == allowed


def test_a_day_is_shared_by_all_who_take_from_it():
    make_warm_up(0)
    assert [warm_up.take(SENDER, 30).number for _each in range(3)] == [30, 20, 0]
    assert WarmUpDay.objects.get().taken == 50


def test_what_did_not_leave_goes_back():
    row = make_warm_up(0)
    share = warm_up.take(SENDER, 40)
    warm_up.give_back(share, used=15)
    assert warm_up.taken_today(row) == 15
    warm_up.give_back(warm_up.WARM, used=0)
    assert warm_up.taken_today(row) == 15


def test_a_warm_domain_costs_one_query():
    with CaptureQueriesContext(connection) as captured:
        warm_up.take(SENDER, 500)
    assert len(captured) == 1
