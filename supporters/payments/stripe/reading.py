"""Stripe's events in our words: https://docs.stripe.com/api/events/types

Events come in the form of the version that the account is set to. Where forms differ between versions, both are read.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.conf import settings

from supporters.models import Donation, PaymentEvent, RecurringDonation
from supporters.payments.events import (
    AgreementTold,
    Disputed,
    Fact,
    GivenBack,
    Nothing,
    NotPaid,
    Paid,
    Refunded,
    Started,
    Sum,
    Told,
    Unreadable,
)
from supporters.payments.stripe.client import connect
from supporters.payments.stripe.currencies import from_stripe

STRIPE = PaymentEvent.Provider.STRIPE
State = RecurringDonation.State
AGREEMENTS = {
    "active": State.ACTIVE,
    "trialing": State.ACTIVE,
    "past_due": State.FAILING,
    "unpaid": State.FAILING,
    "incomplete": State.PENDING,
    "incomplete_expired": State.ENDED,
    "canceled": State.ENDED,
    "paused": State.PAUSED,
}
"""https://docs.stripe.com/api/subscriptions/object#subscription_object-status"""
DISPUTES = {"lost": "lost", "won": "won", "warning_closed": "won", "prevented": "won"}
"""Any other status is of an open one: https://docs.stripe.com/api/disputes/object#dispute_object-status"""
Object = Mapping[str, Any]
_NO_TEXT = re.compile(r"[\x00\ud800-\udfff]")
"""What JSON can say and no database keeps."""


def told(body: bytes | str) -> Told:
    """The message as it is to be stored. Raises Unreadable."""
    try:
        text = body if isinstance(body, str) else body.decode()
        event = json.loads(text)
        return Told(_text(event["id"], 190), _text(event["type"], 64), text, _moment(event["created"]))
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise Unreadable(type(error).__name__) from None


def read(payload: str) -> Fact:
    """What it tells. Raises Unreadable; StripeError where Stripe must be asked and can't be."""
    try:
        event = json.loads(payload)
        reader = _READERS.get(event["type"])
        if reader is None:
            return Nothing("another kind of event")
        if bool(event["livemode"]) != ("_live_" in settings.STRIPE_SECRET_KEY):
            return Nothing("of the other mode, test or live, than our key")
        return reader(event["data"]["object"], _moment(event["created"]))
    except Unreadable:
        raise
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise Unreadable(type(error).__name__) from None


def _session_paid(session: Object, at: datetime) -> Fact:
    pledge = _pledge(session)
    payer = session.get("customer_details") or {}
    person = {"email": payer.get("email") or "", "name": payer.get("name") or ""}
    total = from_stripe(session["amount_total"], session["currency"])
    if session["mode"] == "subscription":
        return Started(_text(_id(session["subscription"])), at, pledge, total, **person)
    if session["payment_status"] != "paid":
        return Nothing("the money is still on its way")
    return Paid(_text(_id(session["payment_intent"])), total, at, pledge, **person)


def _session_failed(session: Object, at: datetime) -> Fact:
    return NotPaid(_pledge(session), "failed")


def _session_expired(session: Object, at: datetime) -> Fact:
    return NotPaid(_pledge(session), "lapsed")


def _intent_paid(intent: Object, at: datetime) -> Fact:
    pledge = _pledge(intent)
    if pledge is None:
        return Nothing("told by an invoice or a checkout, if it is ours")
    return Paid(_text(intent["id"]), from_stripe(intent["amount_received"], intent["currency"]), at, pledge)


def _invoice_paid(invoice: Object, at: datetime) -> Fact:
    agreement, metadata = _agreement_of(invoice)
    if not agreement or invoice["amount_paid"] == 0:
        return Nothing("no instalment")
    return Paid(
        _text(invoice["id"]),
        from_stripe(invoice["amount_paid"], invoice["currency"]),
        at,
        _pledge({"metadata": metadata}),
        agreement=agreement,
        email=invoice.get("customer_email") or "",
        name=invoice.get("customer_name") or "",
    )


def _invoice_failed(invoice: Object, at: datetime) -> Fact:
    agreement, _metadata = _agreement_of(invoice)
    return AgreementTold(agreement, at, State.FAILING) if agreement else Nothing("no instalment")


def _subscription(subscription: Object, at: datetime) -> Fact:
    state = AGREEMENTS[subscription["status"]]
    if state == State.ACTIVE and subscription.get("pause_collection"):
        state = State.PAUSED
    item = subscription["items"]["data"][0]
    due = subscription.get("current_period_end") or item.get("current_period_end")
    price = item["price"]
    each = from_stripe(price["unit_amount"], price["currency"])
    total = Sum(each.minor * item.get("quantity", 1), each.currency)
    return AgreementTold(_text(subscription["id"]), at, state, _moment(due) if due else None, total)


def _charge_refunded(charge: Object, at: datetime) -> Fact:
    intent = _text(_id(charge["payment_intent"]))
    listed = charge.get("refunds") or {}
    whole = bool(listed.get("data")) and not listed.get("has_more")
    refunds = listed["data"] if whole else connect().refunds(intent)
    done = tuple(_given_back(each) for each in refunds if each["status"] == "succeeded")
    return Refunded(_names(intent, _id(charge.get("invoice"))), done)


def _refund(refund: Object, at: datetime) -> Fact:
    if refund["status"] not in {"succeeded", "failed", "canceled"}:
        return Nothing("the refund is still on its way")
    names = _names(_text(_id(refund["payment_intent"])), "")
    return Refunded(names, (_given_back(refund),), failed=refund["status"] != "succeeded")


def _dispute(dispute: Object, at: datetime) -> Fact:
    return Disputed(
        _names(_text(_id(dispute["payment_intent"])), ""),
        _text(dispute["id"]),
        from_stripe(dispute["amount"], dispute["currency"]),
        at,
        DISPUTES.get(dispute["status"], "open"),
        _text(dispute.get("reason") or "", 64),
    )


_READERS: dict[str, Callable[[Object, datetime], Fact]] = {
    "checkout.session.completed": _session_paid,
    "checkout.session.async_payment_succeeded": _session_paid,
    "checkout.session.async_payment_failed": _session_failed,
    "checkout.session.expired": _session_expired,
    "payment_intent.succeeded": _intent_paid,
    "invoice.paid": _invoice_paid,
    "invoice.payment_failed": _invoice_failed,
    "customer.subscription.updated": _subscription,
    "customer.subscription.deleted": _subscription,
    "customer.subscription.paused": _subscription,
    "customer.subscription.resumed": _subscription,
    "charge.refunded": _charge_refunded,
    "refund.updated": _refund,
    "refund.failed": _refund,
    "charge.refund.updated": _refund,
    "charge.dispute.created": _dispute,
    "charge.dispute.updated": _dispute,
    "charge.dispute.closed": _dispute,
}
KINDS = frozenset(_READERS)
"""What the endpoint at Stripe is to be subscribed to."""


def _names(intent: str, invoice: str) -> tuple[str, ...]:
    """What the books may call this payment: an instalment is known by its invoice."""
    if invoice:
        return (invoice, intent)
    if Donation.objects.filter(provider=STRIPE, provider_id=intent).exists():
        return (intent,)
    return tuple(filter(None, (connect().invoice_of(intent), intent)))


def _agreement_of(invoice: Object) -> tuple[str, Object]:
    """The subscription of an invoice, and what we wrote on it."""
    parent = (invoice.get("parent") or {}).get("subscription_details") or {}
    details = parent or invoice.get("subscription_details") or {}
    return _id(parent.get("subscription") or invoice.get("subscription")), details.get("metadata") or {}


def _given_back(refund: Object) -> GivenBack:
    total = from_stripe(refund["amount"], refund["currency"])
    return GivenBack(_text(refund["id"]), total, _moment(refund["created"]), _text(refund.get("reason") or "", 250))


def _pledge(thing: Object) -> UUID | None:
    try:
        return UUID((thing.get("metadata") or {}).get("pledge") or "")
    except ValueError:
        return None


def _id(thing: object) -> str:
    """An id, where Stripe may have put the whole object."""
    return (thing["id"] if isinstance(thing, Mapping) else thing) or ""


def _text(value: object, longest: int = 190) -> str:
    if not isinstance(value, str) or len(value) > longest or _NO_TEXT.search(value):
        raise Unreadable("an id or word in no form that we know")
    return value


def _moment(seconds: object) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, TypeError):
        raise Unreadable("a time in no form that we know") from None
