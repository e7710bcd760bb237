"""Starting a payment on Stripe's page: https://docs.stripe.com/api/checkout/sessions/create"""

from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from supporters.models import Pledge
from supporters.payments.stripe.client import connect
from supporters.payments.stripe.currencies import to_stripe

LOCALES = {
    *("bg", "cs", "da", "de", "el", "en", "es", "et", "fi", "fr", "hr"),
    *("hu", "it", "lt", "lv", "mt", "nl", "pl", "pt", "ro", "sk", "sl", "sv"),
}
"""Our languages that Checkout speaks; in others it goes by the browser."""


def start(pledge: Pledge, paid_url: str, cancelled_url: str) -> str:
    """The address of the page where the card is typed. Raises StripeError.

    The pledge, and its idempotency key with it, is committed before: asked again for the same pledge, Stripe answers with
    the same page.
    """
    session = connect().start_checkout(_fields(pledge, paid_url, cancelled_url), str(pledge.idempotency_key))
    Pledge.objects.filter(pk=pledge.pk).update(session_id=session["id"])
    return session["url"]


def _fields(pledge: Pledge, paid_url: str, cancelled_url: str) -> dict[str, Any]:
    with translation.override(pledge.language):
        what = _("Donation to %(organisation)s") % {"organisation": settings.ORGANISATION_NAME}
    ours = {"metadata": {"pledge": str(pledge.uuid)}}
    price: dict[str, Any] = {
        "currency": pledge.currency.lower(),
        "unit_amount": to_stripe(pledge.minor_units, pledge.currency),
        "product_data": {"name": what},
    }
    if pledge.interval == Pledge.Interval.MONTH:
        price["recurring"] = {"interval": "month"}
        kind: dict[str, Any] = {"mode": "subscription", "subscription_data": ours}
    else:
        kind = {"mode": "payment", "submit_type": "donate", "payment_intent_data": ours}
    return {
        **kind,
        **ours,
        "line_items": [{"price_data": price, "quantity": 1}],
        "client_reference_id": str(pledge.uuid),
        "customer_email": pledge.email,
        "locale": pledge.language if pledge.language in LOCALES else "auto",
        "success_url": paid_url,
        "cancel_url": cancelled_url,
    }
