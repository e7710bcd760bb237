"""The stand-in for Stripe does what Stripe does, as far as Lodestar can tell."""

import json
import signal
import subprocess
import sys
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

import pytest

from supporters.payments.stripe.signature import is_genuine
from tests.processes import ROOT
from tests.standins.stripe import StripeStandIn

FIELDS = {
    "mode": "payment",
    "line_items[0][price_data][currency]": "sek",
    "line_items[0][price_data][unit_amount]": "10000",
    "line_items[0][price_data][product_data][name]": "Donation",
    "line_items[0][quantity]": "1",
    "success_url": "http://localhost:1/thanks?session={CHECKOUT_SESSION_ID}",
    "cancel_url": "http://localhost:1/give",
    "customer_email": "eva@mail.se",
    "payment_intent_data[metadata][pledge]": "p1",
}


@pytest.fixture
def stripe():
    with StripeStandIn() as stripe:
        yield stripe


def call(stripe, method, path, fields=None, key="", secret="sk_test_1"):
    connection = HTTPConnection("127.0.0.1", stripe.port, timeout=10)
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/x-www-form-urlencoded"}
    if key:
        headers["Idempotency-Key"] = key
    encoded = urlencode(fields or {})
    target = f"{path}?{encoded}" if method == "GET" else path
    connection.request(method, target, None if method == "GET" else encoded, headers)
    answer = connection.getresponse()
    told = json.loads(answer.read())
    connection.close()
    return answer.status, told


def started(stripe, key="", **fields):
    status, session = call(stripe, "POST", "/v1/checkout/sessions", {**FIELDS, **fields}, key)
    assert status == 200, session
    return session


def test_the_same_key_gets_the_same_answer_and_with_other_fields_an_error(stripe):
    first, again = started(stripe, "k1"), started(stripe, "k1")
    assert first == again
    assert len([each for each in stripe.objects.values() if each["object"] == "checkout.session"]) == 1
    status, told = call(stripe, "POST", "/v1/checkout/sessions", {**FIELDS, "cancel_url": "http://x.se"}, "k1")
    assert (status, told["error"]["type"]) == (400, "idempotency_error")
    assert started(stripe, "k2")["id"] != first["id"]


@pytest.mark.parametrize(
    ("change", "code", "param"),
    [
        ({"mode": "gift"}, None, "mode"),
        ({"colour": "red"}, "parameter_unknown", "colour"),
        ({"customer_email": "nobody"}, "email_invalid", "customer_email"),
        ({"line_items[0][price_data][unit_amount]": "100"}, "amount_too_small", None),
        ({"line_items[0][price_data][recurring][interval]": "month"}, None, "line_items[0][price_data][recurring]"),
        ({"mode": "subscription"}, None, None),
    ],
)
def test_what_stripe_refuses_is_refused_in_its_form(stripe, change, code, param):
    status, told = call(stripe, "POST", "/v1/checkout/sessions", {**FIELDS, **change})
    error = told["error"]
    assert (status, error["type"], error.get("code"), error.get("param")) == (
        400,
        "invalid_request_error",
        code,
        param,
    )
    assert stripe.objects == {}


def test_keys_and_unknown_addresses_are_refused(stripe):
    assert call(stripe, "GET", "/v1/events", secret="sk_live_1")[0] == 401
    assert call(stripe, "GET", "/v1/nothing")[0] == 404
    assert call(stripe, "GET", "/v1/charges/ch_1")[1]["error"]["code"] == "resource_missing"


def visit(url, form=None):
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=10)
    connection.request("POST" if form else "GET", parts.path, urlencode(form) if form else None)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, answer.headers.get("Location"), text


def test_the_page_takes_a_card_declines_another_and_leads_back(stripe):
    session = started(stripe)
    _status, _where, text = visit(session["url"])
    assert "100.00 SEK" in text
    assert 'href="http://localhost:1/give"' in text
    status, _where, text = visit(session["url"], {"card": "4000000000000002"})
    assert (status, "Your card was declined." in text) == (402, True)
    assert stripe.events == []
    status, where, _text = visit(session["url"], {"card": "4242 4242 4242 4242", "name": "Eva"})
    assert (status, where) == (303, f"http://localhost:1/thanks?session={session['id']}")
    assert [event["type"] for event in stripe.events] == [
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
    ]
    assert visit(session["url"])[0] == 410


def test_events_are_listed_newest_first_by_the_page(stripe):
    for number in range(25):
        stripe.invent("charge.succeeded", {"id": f"ch_{number}"})
    status, page = call(stripe, "GET", "/v1/events", {"limit": "20"})
    assert (status, len(page["data"]), page["has_more"]) == (200, 20, True)
    assert page["data"][0]["data"]["object"]["id"] == "ch_24"
    _status, rest = call(stripe, "GET", "/v1/events", {"limit": "20", "starting_after": page["data"][-1]["id"]})
    assert [event["data"]["object"]["id"] for event in rest["data"]] == ["ch_4", "ch_3", "ch_2", "ch_1", "ch_0"]


def test_no_more_goes_back_than_came(stripe):
    session = started(stripe)
    stripe.pay(session["id"])
    intent = stripe.objects[session["id"]]["payment_intent"]
    assert call(stripe, "POST", "/v1/refunds", {"payment_intent": intent, "amount": "10001"})[0] == 400
    assert call(stripe, "POST", "/v1/refunds", {"payment_intent": intent, "amount": "4000"})[0] == 200
    _status, told = call(stripe, "GET", "/v1/refunds", {"payment_intent": intent})
    assert [refund["amount"] for refund in told["data"]] == [4000]


def test_webhooks_are_signed_repeated_mixed_up_and_lost(listener_raw):
    with StripeStandIn(webhook_url=listener_raw.url, webhook_secret="whsec_of_the_listener") as stripe:
        stripe.repeat(2)
        stripe.lose(1)
        for number in range(2):
            stripe.invent("charge.succeeded", {"id": f"ch_{number}"})
        stripe.repeat(1)
        stripe.hold()
        for number in range(2, 4):
            stripe.invent("charge.succeeded", {"id": f"ch_{number}"})
        stripe.release("reversed")
        stripe.settle()
    assert [json.loads(body)["data"]["object"]["id"] for body, _headers in listener_raw.got] == [
        "ch_1",
        "ch_1",
        "ch_3",
        "ch_2",
    ]
    for body, headers in listener_raw.got:
        assert is_genuine(headers["Stripe-Signature"], body, ["whsec_of_the_listener"])


def test_process_does_what_it_is_told():
    command = [sys.executable, "-m", "tests.standins.stripe", "--port", "0"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    url = json.loads(process.stdout.readline())["url"]
    connection = HTTPConnection(urlsplit(url).netloc, timeout=10)
    answers = []
    for order in ({"do": "invent", "kind": "x.y", "thing": {"id": "1"}}, {"do": "stop"}):
        connection.request("POST", "/__control__", json.dumps(order))
        answer = connection.getresponse()
        answers.append((answer.status, answer.read() and None))
    assert [status for status, _ in answers] == [200, 400]
    connection.request("GET", "/__control__")
    assert json.loads(connection.getresponse().read()) == {"count": 0, "events": ["x.y"]}
    connection.close()
    process.send_signal(signal.SIGTERM)
    process.stdout.close()
    assert process.wait(10) == 0
