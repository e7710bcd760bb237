"""Stripe's API in the few calls that we make: https://docs.stripe.com/api

By plain HTTP rather than Stripe's own library (decision 0023). Our version of the API is named in every call, so that an
answer keeps its form whatever the account is set to.
"""

import json
import logging
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlencode

import urllib3
from django.conf import settings
from django.utils.translation import gettext as _

logger = logging.getLogger(__name__)
API_URL = "https://api.stripe.com"
VERSION = "2025-03-31.basil"
TIMES = 3
"""How often a call is made before it is given up. What writes carries an idempotency key: Stripe does it once."""
PAUSE = 0.4
TIMEOUT = urllib3.Timeout(connect=4, read=10)


class StripeError(Exception):
    """Stripe could not be asked, or said no. The message has no data of anybody in it."""

    def __init__(self, status: int | None, kind: str = "", code: str = "") -> None:
        super().__init__(f"{status or 'no answer'} {kind} {code}".strip())
        self.status, self.kind, self.code = status, kind, code

    @property
    def for_staff(self) -> str:
        if self.status is None:
            return _("Stripe could not be reached.")
        if self.status in {401, 403}:
            return _("Stripe does not take our key. See STRIPE_SECRET_KEY.")
        return _("Stripe refused: %(what)s.") % {"what": self.code or self.kind or self.status}


class Stripe:
    """One account. Raises StripeError from every call."""

    def __init__(self, key: str, url: str = "") -> None:
        self._url = (url or API_URL).rstrip("/")
        self._headers = {"Authorization": f"Bearer {key}", "Stripe-Version": VERSION}
        self._pool = urllib3.PoolManager(timeout=TIMEOUT, retries=False, maxsize=4)

    def start_checkout(self, fields: Mapping[str, Any], idempotency_key: str) -> dict:
        return self._call("POST", "/v1/checkout/sessions", fields, idempotency_key)

    def refunds(self, payment_intent: str) -> list[dict]:
        """The refunds of a payment; Stripe allows a hundred at most on a page, and nobody gives back in more parts."""
        return self._call("GET", "/v1/refunds", {"payment_intent": payment_intent, "limit": 100})["data"]

    def invoice_of(self, payment_intent: str) -> str:
        """The invoice that a payment settled; empty if none. An invoice no longer names its payment, nor the reverse:
        https://docs.stripe.com/changelog/basil/2025-03-31/add-support-for-multiple-partial-payments-on-invoices"""
        asked = {"payment": {"type": "payment_intent", "payment_intent": payment_intent}, "limit": 1}
        found = self._call("GET", "/v1/invoice_payments", asked)["data"]
        return found[0]["invoice"] if found else ""

    def subscription(self, name: str) -> dict:
        return self._call("GET", f"/v1/subscriptions/{name}", {})

    def end_subscription(self, name: str, idempotency_key: str) -> dict:
        """End it at once: https://docs.stripe.com/api/subscriptions/cancel"""
        return self._call("DELETE", f"/v1/subscriptions/{name}", {}, idempotency_key)

    def events(self, since: datetime) -> Iterator[dict]:
        """What happened since then, the newest first. Stripe keeps events for 30 days."""
        asked: dict[str, Any] = {"created": {"gte": int(since.timestamp())}, "limit": 100}
        while True:
            page = self._call("GET", "/v1/events", asked)
            yield from page["data"]
            if not page["has_more"] or not page["data"]:
                return
            asked["starting_after"] = page["data"][-1]["id"]

    def _call(self, method: str, path: str, fields: Mapping[str, Any], idempotency_key: str = "") -> dict:
        encoded = urlencode(list(_flat(fields)))
        headers = dict(self._headers)
        target = self._url + quote(path)
        body = None
        if method == "GET":
            target += f"?{encoded}"
        else:
            headers |= {"Content-Type": "application/x-www-form-urlencoded", "Idempotency-Key": idempotency_key}
            body = encoded.encode()
        for attempt in range(1, TIMES + 1):
            last = attempt == TIMES
            try:
                answer = self._pool.request(method, target, body=body, headers=headers, redirect=False)
            except urllib3.exceptions.HTTPError as error:
                logger.warning("Stripe can't be reached (%s)", type(error).__name__)
                if last:
                    raise StripeError(None) from None
            else:
                if not _worth_another(answer) or last:
                    return _read(answer)
            time.sleep(PAUSE * attempt)
        raise StripeError(None)


def _worth_another(answer: urllib3.BaseHTTPResponse) -> bool:
    """https://docs.stripe.com/error-low-level"""
    said = answer.headers.get("Stripe-Should-Retry")
    return said == "true" if said in {"true", "false"} else answer.status in {409, 429} or answer.status >= 500


def _read(answer: urllib3.BaseHTTPResponse) -> dict:
    try:
        document = json.loads(answer.data)
    except ValueError:
        document = {}
    if answer.status >= 300 or not isinstance(document, dict) or not document:
        error = document.get("error") if isinstance(document, dict) else None
        error = error if isinstance(error, dict) else {}
        raise StripeError(answer.status, str(error.get("type", "")), str(error.get("code", "")))
    return document


def _flat(fields: Mapping[str, Any] | list, name: str = "") -> Iterator[tuple[str, str]]:
    """Nested fields as forms write them: a[b]=1, a[0][c]=2."""
    pairs = enumerate(fields) if isinstance(fields, list) else fields.items()
    for key, value in pairs:
        full = f"{name}[{key}]" if name else str(key)
        if isinstance(value, Mapping | list):
            yield from _flat(value, full)
        elif value is not None and value != "":
            yield full, str(value)


def connect() -> Stripe:
    return _connect(settings.STRIPE_SECRET_KEY, settings.STRIPE_API_URL)


@lru_cache(maxsize=4)
def _connect(key: str, url: str) -> Stripe:
    return Stripe(key, url)
