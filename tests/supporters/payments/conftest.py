import json
import time

import pytest

from supporters.models import Pledge
from supporters.payments import applying
from supporters.payments.stripe import checkout
from tests.factories import make_pledge
from tests.standins.stripe import StripeStandIn
from tests.standins.stripe.posting import signature

SECRET = "whsec_0123456789abcdef"


@pytest.fixture
def stripe(settings, broker):
    """The stand-in; its events are delivered by `hear`."""
    with StripeStandIn() as stripe:
        settings.STRIPE_SECRET_KEY = "sk_test_abc"
        settings.STRIPE_WEBHOOK_SECRETS = (SECRET,)
        settings.STRIPE_API_URL = stripe.url
        yield stripe


@pytest.fixture
def post(client, db):
    """Post one event as Stripe does; returns the status."""

    def post(event, secrets=(SECRET,), at=None, header=None):
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        header = signature(secrets, body, int(at or time.time())) if header is None else header
        answer = client.post(
            "/webhooks/stripe/", body, content_type="application/json", headers={"Stripe-Signature": header}
        )
        return answer.status_code

    return post


@pytest.fixture
def hear(stripe, post):
    """Deliver events (all that happened, unless said) and apply them."""

    def hear(events=None):
        for event in stripe.events if events is None else events:
            assert post(event) == 200
        return applying.apply_owed()

    return hear


@pytest.fixture
def start(stripe, db):
    """Somebody pledges and is on Stripe's page: the pledge with its session."""

    def start(**fields):
        pledge = make_pledge(**fields)
        url = checkout.start(pledge, "http://localhost:1/thanks", "http://localhost:1/give")
        assert url.startswith(f"{stripe.url}/c/pay/cs_test_")
        return Pledge.objects.get(pk=pledge.pk)

    return start
