"""The operations: https://docs.stripe.com/api"""

import re

from tests.standins.stripe import objects
from tests.standins.stripe.problems import invalid, missing, no_such, unknown, unrecognised

LOCALES = {
    "auto", "bg", "cs", "da", "de", "el", "en", "en-GB", "es", "es-419", "et", "fi", "fil", "fr", "fr-CA",
    "hr", "hu", "id", "it", "ja", "ko", "lt", "lv", "ms", "mt", "nb", "nl", "pl", "pt", "pt-BR", "ro", "ru",
    "sk", "sl", "sv", "th", "tr", "vi", "zh", "zh-HK", "zh-TW",
}  # fmt: skip
LEAST = {"sek": 300, "nok": 300, "dkk": 250, "eur": 50, "pln": 200, "czk": 1500, "usd": 50}
"""https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts"""
_SESSION = {
    *("mode", "line_items", "success_url", "cancel_url", "customer_email", "client_reference_id", "metadata"),
    *("payment_intent_data", "subscription_data", "locale", "submit_type", "payment_method_types"),
}


def answer(standin, method, path, fields):
    for wanted, pattern, operation in _OPERATIONS:
        found = re.fullmatch(pattern, path)
        if found and wanted == method:
            return operation(standin, fields, *found.groups())
    raise unrecognised(method, path)


def too_much_back(amount, left):
    return invalid(f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})", "amount")


def _start_session(standin, fields):
    for name in fields:
        if name not in _SESSION:
            raise unknown(name)
    mode = fields.get("mode")
    if mode not in {"payment", "subscription"}:
        raise invalid("Invalid mode: must be one of payment, setup, or subscription", "mode")
    if not fields.get("success_url", "").startswith(("http://", "https://")):
        raise invalid("Not a valid URL", "success_url", "url_invalid")
    if fields.get("locale", "auto") not in LOCALES:
        raise invalid("Invalid locale", "locale")
    email = fields.get("customer_email")
    if email is not None and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", email):
        raise invalid(f"Invalid email address: {email}", "customer_email", "email_invalid")
    if mode == "subscription" and ("payment_intent_data" in fields or "submit_type" in fields):
        raise invalid("You can not pass `payment_intent_data` or `submit_type` in `subscription` mode.")
    if mode == "payment" and "subscription_data" in fields:
        raise invalid("You can not pass `subscription_data` in `payment` mode.", "subscription_data")
    lines = [_line(line, mode) for line in fields.get("line_items") or []]
    if not lines:
        raise missing("line_items")
    made = objects.session(fields, lines, standin.url)
    standin.objects[made["id"]] = made
    standin.lines[made["id"]] = {
        "name": lines[0]["name"],
        "recurring": lines[0]["recurring"],
        "payment_metadata": fields.get("payment_intent_data", {}).get("metadata", {}),
        "subscription_metadata": fields.get("subscription_data", {}).get("metadata", {}),
    }
    return made


def _line(line, mode):
    price = line.get("price_data") or {}
    place = "line_items[0][price_data]"
    if not price.get("product_data", {}).get("name"):
        raise missing(f"{place}[product_data][name]")
    if not re.fullmatch(r"[a-z]{3}", price.get("currency", "").lower()):
        raise invalid("Invalid currency", f"{place}[currency]")
    if not re.fullmatch(r"\d+", price.get("unit_amount", "")):
        raise invalid("Invalid integer", f"{place}[unit_amount]", "parameter_invalid_integer")
    amount, currency = int(price["unit_amount"]), price["currency"].lower()
    if amount < LEAST.get(currency, 50):
        raise invalid(
            "The Checkout Session's total amount must convert to at least 50 cents.", None, "amount_too_small"
        )
    if amount > 99_999_999:
        raise invalid("The amount is too large.", f"{place}[unit_amount]", "amount_too_large")
    recurring = price.get("recurring")
    if bool(recurring) != (mode == "subscription"):
        raise invalid("`recurring` goes with `subscription` mode, and only with it.", f"{place}[recurring]")
    if recurring and recurring.get("interval") not in {"day", "week", "month", "year"}:
        raise invalid("Invalid interval", f"{place}[recurring][interval]")
    quantity = int(line.get("quantity", "1"))
    name = price["product_data"]["name"]
    return {"unit_amount": amount, "currency": currency, "quantity": quantity, "recurring": recurring, "name": name}


def _one(prefix, kind):
    def find(standin, fields, name):
        thing = standin.objects.get(name)
        if thing is None or not name.startswith(prefix):
            raise no_such(kind, name)
        return thing

    return find


def _refund(standin, fields):
    intent = fields.get("payment_intent") or ""
    if intent not in standin.objects:
        raise no_such("payment_intent", intent)
    return standin.objects[standin.refund(intent, fields.get("amount"))]


def _refunds(standin, fields):
    intent = fields.get("payment_intent")
    return _list(fields, [each for each in _all(standin, "refund") if intent in (None, each["payment_intent"])])


def _invoice_payments(standin, fields):
    intent = (fields.get("payment") or {}).get("payment_intent")
    found = [each for each in _all(standin, "invoice_payment") if intent in (None, each["payment"]["payment_intent"])]
    return _list(fields, found)


def _events(standin, fields):
    since = int((fields.get("created") or {}).get("gte", 0))
    return _list(fields, [event for event in standin.events if event["created"] >= since])


def _cancel(standin, fields, name):
    if _one("sub_", "subscription")(standin, fields, name)["status"] == "canceled":
        raise no_such("subscription", name)  # as of one that never was
    standin.cancel_subscription(name)
    return standin.objects[name]


def _all(standin, kind):
    return [each for each in standin.objects.values() if each["object"] == kind]


def _list(fields, found):
    """A page, the newest first."""
    found = found[::-1]
    if after := fields.get("starting_after"):
        place = next((place for place, each in enumerate(found) if each["id"] == after), None)
        if place is None:
            raise no_such("object", after)
        found = found[place + 1 :]
    limit = int(fields.get("limit", "10"))
    if not 1 <= limit <= 100:
        raise invalid("Invalid limit: must be between 1 and 100", "limit")
    return {"object": "list", "data": found[:limit], "has_more": len(found) > limit, "url": "/v1"}


_OPERATIONS = [
    ("POST", r"/v1/checkout/sessions", _start_session),
    ("GET", r"/v1/checkout/sessions/(\w+)", _one("cs_", "checkout.session")),
    ("GET", r"/v1/payment_intents/(\w+)", _one("pi_", "payment_intent")),
    ("GET", r"/v1/charges/(\w+)", _one("ch_", "charge")),
    ("GET", r"/v1/invoices/(\w+)", _one("in_", "invoice")),
    ("GET", r"/v1/subscriptions/(\w+)", _one("sub_", "subscription")),
    ("DELETE", r"/v1/subscriptions/(\w+)", _cancel),
    ("GET", r"/v1/refunds", _refunds),
    ("POST", r"/v1/refunds", _refund),
    ("GET", r"/v1/invoice_payments", _invoice_payments),
    ("GET", r"/v1/events", _events),
]
