import json
import threading
import time

import pytest

from supporters.models import Donation, Letter, PaymentEvent
from supporters.payments import applying
from tests.processes import Worker
from tests.standins.stripe.posting import signature
from tests.supporters.payments.conftest import SECRET


def event(**fields):
    return {
        "id": "evt_1",
        "type": "invoice.paid",
        "created": 1_767_225_600,
        "livemode": False,
        "data": {"object": {}},
        **fields,
    }


@pytest.mark.django_db
def test_what_stripe_says_is_stored_as_it_came_and_once(stripe, post):
    body = json.dumps(event(), indent=3).encode()
    assert post(body) == post(body) == 200
    kept = PaymentEvent.objects.get()
    assert (kept.provider, kept.event_id, kept.kind, kept.state) == ("stripe", "evt_1", "invoice.paid", "received")
    assert kept.payload == body.decode()
    assert kept.happened_at.isoformat() == "2026-01-01T00:00:00+00:00"


@pytest.mark.django_db
def test_kinds_that_are_no_concern_are_answered_and_not_kept(stripe, post):
    assert post(event(type="customer.created")) == 200
    assert PaymentEvent.objects.count() == 0


@pytest.mark.django_db
@pytest.mark.parametrize(
    "forged",
    [
        {"secrets": ["whsec_another_one_of_them"]},
        {"secrets": []},
        {"seconds_off": -301},
        {"seconds_off": 400},
        {"header": ""},
        {"header": "t=,v1="},
        {"header": "t=9" * 900},
        {"header": "v1=abc,t=\u0661"},
    ],
)
def test_what_is_not_genuine_is_not_kept(stripe, post, forged):
    if "seconds_off" in forged:
        forged = {"at": time.time() + forged["seconds_off"]}
    assert post(event(), **forged) == 400
    assert PaymentEvent.objects.count() == 0


@pytest.mark.django_db
def test_a_signature_of_another_body_or_with_a_second_time_is_none(stripe, post):
    header = signature([SECRET], b"{}", int(time.time()))
    assert post(event(), header=header) == 400
    good = signature([SECRET], json.dumps(event()).encode(), int(time.time()))
    assert post(event(), header=good + ",t=5") == 400


@pytest.mark.django_db
def test_both_secrets_count_while_one_is_rolled(stripe, post, settings):
    settings.STRIPE_WEBHOOK_SECRETS = ("whsec_the_new_one_of_today", SECRET)
    assert post(event(id="evt_old"), secrets=[SECRET]) == 200
    assert post(event(id="evt_new"), secrets=["whsec_the_new_one_of_today"]) == 200
    assert post(event(id="evt_both"), secrets=["whsec_the_new_one_of_today", SECRET]) == 200
    settings.STRIPE_WEBHOOK_SECRETS = ("whsec_the_new_one_of_today",)
    assert post(event(id="evt_late"), secrets=[SECRET]) == 400
    assert PaymentEvent.objects.count() == 3


@pytest.mark.django_db
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b"\xff",
        b'{"id": "evt_1"}',
        b'{"id": 5, "type": "invoice.paid", "created": 1}',
        b"[" * 100_000,
        b'{"id": "evt_\\ud800", "type": "invoice.paid", "created": 1}',
        b'{"id": "evt_1", "type": "invoice.paid\\u0000", "created": 1}',
    ],
)
def test_what_is_no_event_is_refused(stripe, post, body):
    assert post(body) == 400
    assert PaymentEvent.objects.count() == 0


@pytest.mark.django_db
def test_without_a_secret_nothing_is_heard(client, settings):
    settings.STRIPE_WEBHOOK_SECRETS = ()
    assert client.post("/webhooks/stripe/", b"{}", content_type="application/json").status_code == 404


@pytest.mark.django_db
def test_storing_costs_few_statements(stripe, post, django_assert_max_num_queries):
    with django_assert_max_num_queries(2):
        post(event())


@pytest.mark.django_db(transaction=True)
def test_the_same_event_ten_times_at_once_makes_one_donation_and_one_receipt(stripe, start, live_server):
    pledge = start()
    stripe.postman.url = f"{live_server.url}/webhooks/stripe/"
    stripe.hold()
    stripe.pay(pledge.session_id)
    stripe.postman._held.clear()
    told = [
        each for each in stripe.events if each["type"] in {"checkout.session.completed", "payment_intent.succeeded"}
    ]
    gate = threading.Barrier(20)
    statuses = []

    def tell(one):
        from tests.standins.mailchimp.deliveries import request

        body = json.dumps(one).encode()
        headers = {
            "Stripe-Signature": signature([SECRET], body, int(time.time())),
            "Content-Type": "application/json",
        }
        gate.wait(30)
        statuses.append(request(stripe.postman.url, "POST", body, headers))

    def apply():
        from django.db import connection

        gate.wait(30)
        try:
            applying.apply_owed()
        finally:
            connection.close()

    tellers = [threading.Thread(target=tell, args=(one,)) for one in told * 10]
    for thread in tellers:
        thread.start()
    for thread in tellers:
        thread.join(60)
    assert statuses == [200] * 20
    assert PaymentEvent.objects.count() == 2
    appliers = [threading.Thread(target=apply) for _number in range(20)]
    for thread in appliers:
        thread.start()
    for thread in appliers:
        thread.join(60)
    assert Donation.objects.get().pledge == pledge
    assert Letter.objects.count() == 1
    assert set(PaymentEvent.objects.values_list("state", flat=True)) == {"applied"}


@pytest.mark.workers
@pytest.mark.django_db(transaction=True)
def test_a_worker_applies_what_stripe_tells_repeats_and_mixes_up(stripe, start, live_server):
    once, monthly = start(), start(interval="month")
    stripe.postman.url = f"{live_server.url}/webhooks/stripe/"
    stripe.repeat(3)
    stripe.hold()
    stripe.pay(once.session_id)
    stripe.pay(monthly.session_id)
    with Worker("default", STRIPE_SECRET_KEY="sk_test_abc", STRIPE_WEBHOOK_SECRET=SECRET, STRIPE_API_URL=stripe.url):
        stripe.release("shuffled")
        stripe.settle()
        until = time.monotonic() + 90
        while PaymentEvent.objects.filter(state="received").exists() and time.monotonic() < until:
            time.sleep(0.2)
    assert {answer for posting in stripe.postman.postings for answer in posting.answers} == {200}
    assert Donation.objects.filter(state="received").count() == 2
    assert Letter.objects.filter(kind="receipt").count() == 2
