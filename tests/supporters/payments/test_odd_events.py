"""What providers may tell that is broken, hostile, early or too much: nothing is lost, and nothing is booked that does not fit."""

import json
import threading
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone

from supporters.models import Dispute, Donation, Letter, PaymentEvent, Pledge, RecurringDonation, Refund
from supporters.payments import applying, reconciling, storing, swish
from supporters.payments.applying import Undecidable
from supporters.payments.books import Approval
from supporters.payments.incoming import Incoming
from supporters.payments.stripe import checkout
from supporters.views import paid
from tests.factories import make_pledge
from tests.standins.stripe import StripeStandIn
from tests.supporters.payments.test_books import in_doubt, subscribe

pytestmark = pytest.mark.django_db


def told(stripe, kind):
    return next(event for event in stripe.events if event["type"] == kind)


@pytest.mark.parametrize(
    ("changed", "doubt"), [({"amount_paid": 9_999}, "amount"), ({"currency": "eur"}, "currency")]
)
def test_an_instalment_of_another_amount_or_currency_than_agreed_goes_to_review(
    stripe, start, hear, staff, changed, doubt
):
    _pledge, agreement = subscribe(stripe, start)
    hear()
    stripe.wait(30 * 86_400)
    stripe.renew(agreement)
    [*_before, invoice] = [event for event in stripe.events if event["type"] == "invoice.paid"]
    invoice["data"]["object"] |= changed
    hear([invoice])
    assert in_doubt() == [doubt]
    assert (Donation.objects.count(), Letter.objects.count()) == (1, 1)
    assert applying.approve(PaymentEvent.objects.get(state="review"), Approval(), staff)
    assert (Donation.objects.count(), Letter.objects.count()) == (2, 2)
    assert RecurringDonation.objects.get().amount == Decimal("100.00")


def test_a_dispute_told_before_its_payment_waits_for_it(stripe, start, hear):
    pledge = start()
    stripe.pay(pledge.session_id, card="4000 0000 0000 0259")
    hear([told(stripe, "charge.dispute.created")])
    waiting = PaymentEvent.objects.get()
    assert (waiting.state, waiting.waits_for) == ("received", stripe.objects[pledge.session_id]["payment_intent"])
    hear([told(stripe, "payment_intent.succeeded")])
    hear([])
    assert Dispute.objects.get().donation == Donation.objects.get()
    assert not PaymentEvent.objects.filter(state="received").exists()


def test_more_back_than_came_goes_to_review(stripe, start, hear):
    pledge = start()
    stripe.pay(pledge.session_id, card="4000 0000 0000 0259")
    stripe.refund(stripe.objects[pledge.session_id]["payment_intent"], 6_000)
    hear()
    stripe.close_dispute(Dispute.objects.get().provider_id, "lost")
    hear()
    assert in_doubt() == ["too_much"]
    assert [refund.amount for refund in Refund.objects.all()] == [Decimal("60.00")]
    assert Donation.objects.get().state == "received"


@pytest.mark.parametrize("amount", [-10_000, 0, 10**14, 10**30, 1.5, True, None, "10000", [1]])
def test_an_absurd_amount_is_never_booked(stripe, start, hear, staff, amount):
    pledge = start()
    stripe.pay(pledge.session_id)
    for event in stripe.events:
        event["data"]["object"] |= {"amount_total": amount, "amount_received": amount}
    hear()
    assert Donation.objects.count() == Letter.objects.count() == 0
    assert not PaymentEvent.objects.filter(state="received").exists()
    for event in PaymentEvent.objects.filter(state="review"):
        with pytest.raises(Undecidable):
            applying.approve(event, Approval(), staff)
    assert Donation.objects.count() == 0


@pytest.mark.parametrize("minor", [-5, 10**14, "5", None])
def test_an_absurd_line_of_the_bank_is_never_booked(broker, minor):
    line = Incoming("T1", 5_000, "SEK", timezone.localdate())
    payload = json.loads(line.told().payload) | {"minor": minor, "reference": make_pledge(method="bank").reference}
    PaymentEvent.objects.create(provider="bank", event_id="T1", kind="money.came", payload=json.dumps(payload))
    applying.apply_owed()
    assert len(in_doubt()) == 1
    assert Donation.objects.count() == 0


def test_a_message_that_is_too_large_is_not_read(stripe, post):
    assert post(b" " * (paid.MOST_BYTES + 1)) == 413
    assert PaymentEvent.objects.count() == 0


def test_the_first_of_two_messages_with_one_id_counts_whoever_told_it(stripe, start, post):
    pledge = start()
    stripe.pay(pledge.session_id)
    real = told(stripe, "payment_intent.succeeded")
    changed = json.loads(json.dumps(real))
    changed["data"]["object"]["amount_received"] = 1
    assert post(real) == post(changed) == post(real) == 200
    assert reconciling.fetch_missed()["missed"] == 1  # the other event, about the page
    applying.apply_owed()
    assert (str(Donation.objects.get()), Letter.objects.count()) == ("100.00 SEK", 1)
    assert in_doubt() == []


def test_a_replayed_message_changes_nothing_long_after(stripe, start, hear):
    stripe.pay(start().session_id)
    hear()
    Donation.objects.update(amount=Decimal("50.00"))  # corrected by staff meanwhile
    Letter.objects.update(state="sent")
    hear()
    assert Donation.objects.get().amount == Decimal("50.00")
    assert Letter.objects.get().state == "sent"


@pytest.mark.parametrize(
    ("typed", "first", "last"),
    [
        ("Zoë 🌸 Ek", "Zoë", "🌸 Ek"),
        ("\u202eEva\u202c Ek", "Eva", "Ek"),
        ("Eva\r\nBcc: all@mail.se", None, None),
        ("x" * 5_000, None, None),
        ("", "", ""),
    ],
)
def test_what_a_payer_typed_at_stripe_is_kept_in_one_line_and_within_bounds(
    stripe, start, hear, staff, typed, first, last
):
    pledge = start()
    stripe.pay(pledge.session_id, name=typed)
    Pledge.objects.all().delete()  # so that the name is Stripe's
    hear([told(stripe, "checkout.session.completed")])
    assert applying.approve(PaymentEvent.objects.get(), Approval(), staff)
    person = Donation.objects.get().supporter
    name = f"{person.first_name} {person.last_name}"
    assert len(name.splitlines()) <= 1
    assert len(name) <= 302
    assert not set(name) & set("\r\n\u202e\u202c")
    if first is not None:
        assert (person.first_name, person.last_name) == (first, last)


def test_an_address_that_is_none_makes_an_anonymous_gift(stripe, start, hear, staff):
    pledge = start()
    stripe.pay(pledge.session_id)
    event = told(stripe, "checkout.session.completed")
    event["data"]["object"]["customer_details"]["email"] = "a@b.se\r\nBcc: c@d.se"
    Pledge.objects.all().delete()
    hear([event])
    assert applying.approve(PaymentEvent.objects.get(), Approval(), staff)
    assert (Donation.objects.get().supporter, Letter.objects.count()) == (None, 0)


def test_the_code_for_swish_fills_in_payee_amount_and_reference():
    assert swish.qr_text("123 467 93 04", Decimal("100"), "1234567897") == "C1234679304;100,00;1234567897;0"
    assert swish.qr_text("1234679304", Decimal("1250.5"), "1234567897") == "C1234679304;1250,50;1234567897;0"


def test_money_swished_finds_its_pledge_by_the_message(broker):
    pledge = make_pledge(method="swish", minor_units=10_000)
    line = Incoming("S1", 10_000, "SEK", timezone.localdate(), reference=pledge.reference, payer="Eva Ek")
    for _twice in range(2):
        storing.keep("swish", [line.told()])
        applying.apply_owed()
    gift = Donation.objects.get()
    assert (gift.pledge, gift.method, gift.supporter.email) == (pledge, "swish", pledge.email)
    assert (Letter.objects.get().kind, Letter.objects.get().language) == ("receipt", pledge.language)


class Witness(StripeStandIn):
    """Looks into the database at the moment when it is asked, from a connection of its own."""

    seen = ()

    def answer(self, method, path, fields, key):
        try:
            self.seen = (*self.seen, (path, key, Pledge.objects.filter(idempotency_key=key).exists()))
        finally:
            connection.close()
        return super().answer(method, path, fields, key)


@pytest.mark.django_db(transaction=True)
def test_the_key_is_stored_for_all_to_see_before_stripe_is_asked(settings, client, broker):
    settings.STRIPE_SECRET_KEY, settings.GIVING_AMOUNTS = "sk_test_abc", {"SEK": (100, 250)}
    with Witness() as stripe:
        settings.STRIPE_API_URL = stripe.url
        typed = {"currency": "SEK", "interval": "once", "amount": "100", "method": "card", "first_name": "Eva"}
        answer = client.post("/en/give/", {**typed, "email": "eva@mail.se"})
        assert answer.status_code == 303
        pledge = Pledge.objects.get()
        assert stripe.seen == (("/v1/checkout/sessions", str(pledge.idempotency_key), True),)


@pytest.mark.django_db(transaction=True)
def test_two_who_start_one_pledge_at_once_are_led_to_one_page(settings, broker):
    settings.STRIPE_SECRET_KEY = "sk_test_abc"
    with StripeStandIn() as stripe:
        settings.STRIPE_API_URL = stripe.url
        pledge = make_pledge()
        gate, pages = threading.Barrier(4), []

        def start():
            gate.wait(30)
            try:
                pages.append(checkout.start(pledge, "http://localhost:1/thanks", "http://localhost:1/give"))
            finally:
                connection.close()

        threads = [threading.Thread(target=start) for _number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert len(pages) == 4
        assert len(set(pages)) == 1
        assert len([thing for thing in stripe.objects.values() if thing["object"] == "checkout.session"]) == 1
