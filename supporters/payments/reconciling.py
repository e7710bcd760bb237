"""Asking Stripe each night what happened, in case a message of it got lost."""

import json
from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from supporters.models import PaymentEvent
from supporters.payments import storing
from supporters.payments.events import Told
from supporters.payments.stripe import reading
from supporters.payments.stripe.client import connect

LOOK_BACK = timedelta(days=4)
"""Stripe itself tries for three days to deliver (https://docs.stripe.com/webhooks#retries); it keeps events for thirty."""
BATCH = 100


def fetch_missed(look_back: timedelta = LOOK_BACK) -> dict[str, int]:
    """Store what Stripe lists and we never heard; a worker applies it. Raises StripeError."""
    if not settings.STRIPE_SECRET_KEY:
        return {}
    missed = 0
    batch: list[Told] = []
    for told in _told(connect().events(timezone.now() - look_back)):
        batch.append(told)
        if len(batch) == BATCH:
            missed += storing.keep(PaymentEvent.Provider.STRIPE, batch)
            batch = []
    missed += storing.keep(PaymentEvent.Provider.STRIPE, batch)
    if missed:
        storing.wake()
    return {"missed": missed}


def _told(events: Iterable[dict]) -> Iterable[Told]:
    return (reading.told(json.dumps(event)) for event in events if event["type"] in reading.KINDS)
