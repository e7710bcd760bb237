"""Our client against the stand-in: what is asked twice is done once."""

import pytest

from supporters.models import Pledge
from supporters.payments.stripe import checkout, client
from supporters.payments.stripe.client import StripeError, connect
from tests.factories import make_pledge

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(client, "PAUSE", 0)


def start(pledge):
    return checkout.start(pledge, "http://localhost:1/thanks", "http://localhost:1/give")


def test_the_pledge_s_key_goes_along_and_the_session_is_noted(stripe):
    pledge = make_pledge(language="ga", email="eva@mail.se")
    url = start(pledge)
    [(method, path, fields, headers)] = stripe.requests
    assert (method, path) == ("POST", "/v1/checkout/sessions")
    assert headers["Idempotency-Key"] == str(pledge.idempotency_key)
    assert headers["Stripe-Version"] == "2025-03-31.basil"
    assert fields["locale"] == "auto"  # Checkout has no Irish
    assert (fields["mode"], fields["customer_email"], fields["submit_type"]) == ("payment", "eva@mail.se", "donate")
    assert fields["payment_intent_data"] == {"metadata": {"pledge": str(pledge.uuid)}}
    assert fields["line_items"][0]["price_data"]["unit_amount"] == "10000"
    assert url.endswith(Pledge.objects.get().session_id)


@pytest.mark.parametrize("lost", ["drop", "fail"])
def test_an_answer_that_got_lost_is_asked_for_again_and_one_page_is_made(stripe, lost):
    getattr(stripe, lost)(times=2, applied=True)
    start(make_pledge())
    assert len(stripe.requests) == 3
    assert len(stripe.objects) == 1


def test_asking_again_for_the_same_pledge_leads_to_the_same_page(stripe):
    pledge = make_pledge()
    assert start(pledge) == start(pledge)
    assert len(stripe.objects) == 1


def test_what_stripe_refuses_is_not_asked_again(stripe):
    with pytest.raises(StripeError) as refused:
        start(make_pledge(minor_units=100))
    assert (refused.value.status, refused.value.code) == (400, "amount_too_small")
    assert len(stripe.requests) == 1


def test_stripe_out_of_reach_is_given_up_after_three_times(stripe):
    stripe.drop(times=None, applied=False)
    with pytest.raises(StripeError) as lost:
        start(make_pledge())
    assert lost.value.status is None
    assert "mail.se" not in str(lost.value)
    assert len(stripe.requests) == 3
    assert Pledge.objects.get().session_id == ""


def test_a_key_that_stripe_does_not_take_is_told_to_staff(stripe):
    stripe.api_key = "sk_test_other"
    with pytest.raises(StripeError) as refused:
        list(connect().refunds("pi_1"))
    assert refused.value.for_staff == "Stripe does not take our key. See STRIPE_SECRET_KEY."


@pytest.mark.parametrize(
    ("minor", "currency", "amount"), [(500, "ISK", "50000"), (500, "JPY", "500"), (10_000, "HUF", "10000")]
)
def test_amounts_are_in_stripes_units(stripe, minor, currency, amount):
    start(make_pledge(minor_units=minor, currency=currency))
    price = stripe.requests[0][2]["line_items"][0]["price_data"]
    assert (price["unit_amount"], price["currency"]) == (amount, currency.lower())
