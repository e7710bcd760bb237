"""Stripe's objects, with the fields that matter to a charity's books."""

import secrets
import time

VERSION = "2025-03-31.basil"


def new_id(prefix):
    return f"{prefix}_{secrets.token_hex(12)}"


def session(fields, lines, url):
    name = new_id("cs_test")
    return {
        "id": name,
        "object": "checkout.session",
        "mode": fields["mode"],
        "status": "open",
        "payment_status": "unpaid",
        "amount_total": sum(line["unit_amount"] * line["quantity"] for line in lines),
        "currency": lines[0]["currency"],
        "client_reference_id": fields.get("client_reference_id"),
        "customer_email": fields.get("customer_email"),
        "customer_details": None,
        "metadata": fields.get("metadata", {}),
        "payment_intent": None,
        "subscription": None,
        "invoice": None,
        "locale": fields.get("locale"),
        "success_url": fields["success_url"],
        "cancel_url": fields.get("cancel_url"),
        "livemode": False,
        "created": int(time.time()),
        "expires_at": int(time.time()) + 86_400,
        "url": f"{url}/c/pay/{name}",
    }


def intent(amount, currency, metadata, charge):
    return {
        "id": new_id("pi"),
        "object": "payment_intent",
        "amount": amount,
        "amount_received": amount,
        "currency": currency,
        "status": "succeeded",
        "latest_charge": charge,
        "metadata": metadata,
        "livemode": False,
        "created": int(time.time()),
    }


def charge(amount, currency, email, name):
    return {
        "id": new_id("ch"),
        "object": "charge",
        "amount": amount,
        "amount_refunded": 0,
        "refunded": False,
        "disputed": False,
        "currency": currency,
        "status": "succeeded",
        "paid": True,
        "payment_intent": None,
        "billing_details": {"email": email, "name": name},
        "metadata": {},
        "livemode": False,
        "created": int(time.time()),
    }


def subscription(amount, currency, recurring, metadata):
    end = int(time.time()) + 30 * 86_400
    price = {
        "id": new_id("price"),
        "object": "price",
        "unit_amount": amount,
        "currency": currency,
        "recurring": recurring,
    }
    return {
        "id": new_id("sub"),
        "object": "subscription",
        "status": "active",
        "cancel_at_period_end": False,
        "pause_collection": None,
        "currency": currency,
        "items": {
            "object": "list",
            "data": [{"id": new_id("si"), "quantity": 1, "price": price, "current_period_end": end}],
        },
        "metadata": metadata,
        "livemode": False,
        "created": int(time.time()),
    }


def invoice(subscription, email, name, reason, paid, old_form, intent):
    item = subscription["items"]["data"][0]
    amount = item["price"]["unit_amount"] * item["quantity"]
    made = {
        "id": new_id("in"),
        "object": "invoice",
        "billing_reason": reason,
        "amount_due": amount,
        "amount_paid": amount if paid else 0,
        "currency": subscription["currency"],
        "customer_email": email,
        "customer_name": name,
        "status": "paid" if paid else "open",
        "livemode": False,
        "created": int(time.time()),
    }
    details = {"metadata": subscription["metadata"]}
    if old_form:
        return {**made, "subscription": subscription["id"], "subscription_details": details, "payment_intent": intent}
    parent = {"type": "subscription_details", "subscription_details": {**details, "subscription": subscription["id"]}}
    return {**made, "parent": parent}


def refund(charge, amount, reason):
    return {
        "id": new_id("re"),
        "object": "refund",
        "amount": amount,
        "charge": charge["id"],
        "payment_intent": charge["payment_intent"],
        "currency": charge["currency"],
        "reason": reason,
        "status": "succeeded",
        "metadata": {},
        "created": int(time.time()),
    }


def dispute(charge, reason):
    return {
        "id": new_id("dp"),
        "object": "dispute",
        "amount": charge["amount"],
        "charge": charge["id"],
        "payment_intent": charge["payment_intent"],
        "currency": charge["currency"],
        "reason": reason,
        "status": "needs_response",
        "livemode": False,
        "created": int(time.time()),
    }


def event(kind, thing, created):
    return {
        "id": new_id("evt"),
        "object": "event",
        "api_version": VERSION,
        "created": created,
        "data": {"object": thing},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": kind,
    }
