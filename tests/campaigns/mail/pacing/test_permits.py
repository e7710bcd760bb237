import pytest

from campaigns.mail import pacing
from campaigns.mail.pacing import control, receivers
from campaigns.models import Receiver, SendingControl
from tests.campaigns.conftest import make_appeal

pytestmark = pytest.mark.django_db


@pytest.fixture
def only(buckets):
    """No receivers but those that a test makes."""
    Receiver.objects.all().delete()


def make_receiver(code, **fields):
    return Receiver.objects.create(code=code, name=code, **fields)


def test_without_limits_everything_may_go(only):
    make_receiver("free")
    permits = pacing.ask(make_appeal(), 500)
    assert (permits.total, permits.of, permits.waits) == (500, {"": 500, "free": 500}, {})


def test_a_receiver_gets_no_more_than_it_bears(only):
    make_receiver("small", per_minute=1, burst=20)
    appeal = make_appeal()
    permits = pacing.ask(appeal, 500)
    assert permits.of == {"": 500, "small": 20}
    pacing.settle(permits, {"": 100, "small": 20})
    permits = pacing.ask(appeal, 500)
    assert permits.of == {"": 500}
    assert permits.waits.keys() == {"small"}
    assert 0 < permits.waits["small"] <= 60


def test_a_limit_on_everything_lets_everybody_wait_until_it_gives_again(only):
    make_receiver("small", per_minute=1, burst=20)
    SendingControl.objects.create(per_minute=60, per_hour=60)
    appeal = make_appeal()
    pacing.settle(pacing.ask(appeal, 60), {"": 40, "small": 20})
    permits = pacing.ask(appeal, 60)
    assert (permits.total, permits.of) == (0, {})
    assert permits.waits.keys() == {"", "small"}
    assert 1 < permits.waits[""] <= 60  # the hour gives one a minute, the minute one a second


def test_what_was_not_claimed_is_there_for_the_next(only):
    make_receiver("small", per_minute=1, burst=20)
    SendingControl.objects.create(per_minute=30)
    appeal = make_appeal()
    permits = pacing.ask(appeal, 500)
    assert (permits.total, permits.of["small"]) == (30, 20)
    pacing.settle(permits, {"": 4, "small": 5})
    permits = pacing.ask(appeal, 500)
    assert (permits.total, permits.of["small"]) == (21, 15)


def test_the_stop_button_lets_nothing_go(only):
    control.stop(None)
    permits = pacing.ask(make_appeal(), 500)
    assert (permits.total, permits.of) == (0, {})
    control.go_on()
    assert pacing.ask(make_appeal(), 500).total == 500


def test_the_button_is_pressed_once():
    assert [control.stop(None), control.stop(None), control.go_on(), control.go_on()] == [True, False, True, False]


def test_a_receiver_that_defers_us_gets_one_a_minute(only):
    receivers.ensure()
    assert receivers.slow_down("hotmail.se", "451 4.7.650 temporarily rate limited") == "microsoft"
    permits = pacing.ask(make_appeal(), 500)
    assert permits.of["microsoft"] == 1
    assert permits.of["google"] == 250
    pacing.settle(permits, {"microsoft": 1})
    permits = pacing.ask(make_appeal(), 500)
    assert "microsoft" not in permits.of
    assert receivers.back_to_normal(Receiver.objects.get(code="microsoft"))
    assert pacing.ask(make_appeal(), 500).of["microsoft"] == 250
