"""From what Stripe tells to the books, in every order and any number of times."""

from datetime import timedelta
from decimal import Decimal
from itertools import permutations

import pytest
from django.db.models import F
from django.utils import timezone

from crm import retention
from crm.erasure import erase
from supporters import consent
from supporters.models import Consent, Dispute, Donation, Letter, PaymentEvent, RecurringDonation, Refund, Supporter
from supporters.payments import applying, reconciling
from supporters.payments.books import Approval
from tests.factories import make_pledge, make_supporter

pytestmark = pytest.mark.django_db
WORDING = {"purpose": "email", "text": "Yes.", "language": "sv", "organisation": None, "version": "v1"}


def in_doubt():
    return list(PaymentEvent.objects.filter(state="review").values_list("doubt", flat=True))


def test_a_payment_makes_a_donation_a_supporter_and_one_receipt(stripe, start, hear):
    pledge = start(source_code="spring", email="eva@mail.se", first_name="Eva", last_name="Ek")
    assert stripe.pay(pledge.session_id) == "paid"
    assert Donation.objects.count() == 0
    hear()
    gift = Donation.objects.get()
    assert (gift.amount, gift.currency, gift.method, gift.state) == (Decimal("100.00"), "SEK", "card", "received")
    assert (gift.provider, gift.source_code, gift.recurring) == ("stripe", "spring", None)
    assert gift.received_on == timezone.localdate()
    person = gift.supporter
    assert (person.email, person.first_name, person.last_name, person.language) == ("eva@mail.se", "Eva", "Ek", "sv")
    assert person.consents.count() == 0
    assert not Supporter.objects.contactable().filter(pk=person.pk).exists()
    pledge.refresh_from_db()
    assert (pledge.state, pledge.donation, pledge.supporter) == ("paid", gift, person)
    letter = Letter.objects.get()
    assert (letter.kind, letter.donation, letter.language, letter.state) == ("receipt", gift, "sv", "owed")
    assert set(PaymentEvent.objects.values_list("kind", "state")) == {
        ("payment_intent.succeeded", "applied"),
        ("checkout.session.completed", "applied"),
    }


def test_the_same_events_again_change_nothing(stripe, start, hear):
    stripe.pay(start().session_id)
    for _again in range(3):
        hear()
    assert (Donation.objects.count(), Letter.objects.count(), PaymentEvent.objects.count()) == (1, 1, 2)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_any_order_of_paid_and_refunded_ends_in_the_same_books(stripe, start, hear, order):
    pledge = start()
    stripe.pay(pledge.session_id)
    intent = stripe.objects[pledge.session_id]["payment_intent"]
    stripe.refund(intent, 3000)
    told = {event["type"]: event for event in stripe.events}
    kinds = ["payment_intent.succeeded", "checkout.session.completed", "charge.refunded"]
    for place in order:
        hear([told[kinds[place]]])
    gift = Donation.objects.get()
    assert (gift.state, gift.amount) == ("received", Decimal("100.00"))
    assert [refund.amount for refund in gift.refunds.all()] == [Decimal("30.00")]
    assert not PaymentEvent.objects.filter(state="received").exists()
    assert in_doubt() == []


@pytest.mark.parametrize("backwards", [False, True])
def test_a_refund_that_several_messages_list_is_booked_once(stripe, start, hear, backwards):
    pledge = start()
    stripe.pay(pledge.session_id)
    hear()
    intent = stripe.objects[pledge.session_id]["payment_intent"]
    for minor in (3000, 2000):
        stripe.refund(intent, minor)
    told = stripe.events[2:]
    for event in reversed(told) if backwards else told:
        hear([event])
    gift = Donation.objects.get()
    assert gift.state == "received"
    assert sorted(gift.refunds.values_list("amount", flat=True)) == [Decimal("20.00"), Decimal("30.00")]
    assert in_doubt() == []
    assert not PaymentEvent.objects.filter(state="received").exists()


def test_giving_back_the_rest_makes_it_refunded(stripe, start, hear):
    pledge = start()
    stripe.pay(pledge.session_id)
    intent = stripe.objects[pledge.session_id]["payment_intent"]
    stripe.refund(intent, 3000)
    stripe.refund(intent)
    hear(reversed(stripe.events))
    gift = Donation.objects.get()
    assert gift.state == "refunded"
    assert sorted(gift.refunds.values_list("amount", flat=True)) == [Decimal("30.00"), Decimal("70.00")]
    assert set(gift.refunds.values_list("provider", flat=True)) == {"stripe"}
    assert in_doubt() == []


def test_a_refund_that_fails_is_for_a_person_to_decide(stripe, start, hear, staff):
    pledge = start()
    stripe.pay(pledge.session_id)
    refund = stripe.refund(stripe.objects[pledge.session_id]["payment_intent"])
    hear()
    stripe.fail_refund(refund)
    hear()
    assert in_doubt() == ["refund_failed"]
    assert Donation.objects.get().state == "refunded"
    assert applying.approve(PaymentEvent.objects.get(state="review"), Approval(), staff)
    assert Donation.objects.get().state == "received"
    assert Refund.objects.count() == 0


def test_somebody_on_file_is_found_and_not_written_over(stripe, start, hear):
    known = make_supporter(email="eva@mail.se", first_name="Evalena", last_name="", language="", consent=True)
    stripe.pay(start(email="eva@mail.se", first_name="Mallory", language="pl").session_id)
    hear()
    assert Donation.objects.get().supporter == known
    known.refresh_from_db()
    assert (known.first_name, known.last_name, known.language) == ("Evalena", "", "")
    assert Supporter.objects.contactable().filter(pk=known.pk).exists()


def test_ticked_news_is_asked_for_and_not_granted(stripe, start, hear):
    stripe.pay(start(news=WORDING).session_id)
    hear()
    line = Consent.objects.get()
    assert (line.state, line.purpose, line.wording, line.wording_version) == ("requested", "email", "Yes.", "v1")
    assert not Supporter.objects.contactable().exists()


@pytest.mark.parametrize(
    ("changed", "doubt", "note"),
    [
        ({"minor_units": 9_999}, "amount", "100.00 SEK ≠ 99.99 SEK"),
        ({"currency": "EUR"}, "currency", "100.00 SEK ≠ 100.00 EUR"),
    ],
)
def test_another_amount_or_currency_than_pledged_goes_to_review(stripe, start, hear, staff, changed, doubt, note):
    pledge = start()
    stripe.pay(pledge.session_id)
    type(pledge).objects.filter(pk=pledge.pk).update(**changed)
    hear()
    assert in_doubt() == [doubt, doubt]
    assert set(PaymentEvent.objects.values_list("note", flat=True)) == {note}
    assert Donation.objects.count() == Letter.objects.count() == 0
    first, second = PaymentEvent.objects.filter(state="review")
    assert applying.approve(first, Approval(), staff)
    assert not applying.approve(first, Approval(), staff)
    assert (Donation.objects.get().amount, Donation.objects.get().currency) == (Decimal("100.00"), "SEK")
    assert applying.refuse(second, staff)
    second.refresh_from_db()
    assert (second.state, second.decided_by) == ("refused", staff)
    assert (Donation.objects.count(), Letter.objects.count()) == (1, 1)


def test_a_second_payment_of_one_pledge_goes_to_review(stripe, start, hear):
    pledge = start()
    stripe.pay(pledge.session_id)
    hear()
    other = {**stripe.objects[stripe.objects[pledge.session_id]["payment_intent"]], "id": "pi_other"}
    stripe.invent("payment_intent.succeeded", other)
    hear()
    assert in_doubt() == ["paid_before"]
    assert Donation.objects.count() == 1


def test_a_payment_for_an_unknown_pledge_is_kept_and_can_be_booked(stripe, start, hear, staff):
    pledge = start(email="eva@mail.se")
    stripe.pay(pledge.session_id)
    pledge.delete()
    hear([event for event in stripe.events if event["type"] == "checkout.session.completed"])
    assert in_doubt() == ["unknown"]
    assert Donation.objects.count() == 0
    assert applying.approve(PaymentEvent.objects.get(), Approval(), staff)
    assert Donation.objects.get().supporter.email == "eva@mail.se"


def test_a_refund_of_nothing_we_know_waits_and_then_asks_staff(stripe, start, hear):
    pledge = start()
    stripe.pay(pledge.session_id)
    stripe.refund(stripe.objects[pledge.session_id]["payment_intent"])
    hear([event for event in stripe.events if event["type"] == "charge.refunded"])
    event = PaymentEvent.objects.get()
    assert (event.state, event.waits_for) == ("received", stripe.objects[pledge.session_id]["payment_intent"])
    PaymentEvent.objects.update(received_at=F("received_at") - timedelta(days=4), due_at=timezone.now())
    applying.apply_owed()
    assert in_doubt() == ["unknown"]


def test_money_that_takes_days_counts_when_it_has_come(stripe, start, hear):
    came, never = start(), start()
    for pledge in (came, never):
        assert stripe.pay(pledge.session_id, later=True) == "later"
    hear()
    assert Donation.objects.count() == 0
    stripe.settle_payment(came.session_id)
    stripe.settle_payment(never.session_id, succeeded=False)
    hear()
    assert Donation.objects.get().pledge == came
    never.refresh_from_db()
    assert never.state == "failed"


def test_a_page_that_expired_lets_the_pledge_lapse_but_money_counts_all_the_same(stripe, start, hear):
    pledge = start()
    stripe.expire(pledge.session_id)
    hear()
    pledge.refresh_from_db()
    assert pledge.state == "lapsed"
    stripe.objects[pledge.session_id]["status"] = "open"
    stripe.pay(pledge.session_id)
    hear()
    pledge.refresh_from_db()
    assert (pledge.state, Donation.objects.count()) == ("paid", 1)


# Each month


def subscribe(stripe, start, **fields):
    pledge = start(interval="month", **fields)
    stripe.pay(pledge.session_id)
    return pledge, stripe.objects[pledge.session_id]["subscription"]


@pytest.mark.parametrize("order", ["forwards", "backwards"])
@pytest.mark.parametrize("old_forms", [False, True])
def test_each_month_is_a_donation_of_one_agreement(stripe, start, hear, order, old_forms):
    stripe.old_forms = old_forms
    pledge, agreement = subscribe(stripe, start)
    stripe.wait(30 * 86_400)
    stripe.renew(agreement)
    hear(stripe.events if order == "forwards" else reversed(stripe.events))
    recurring = RecurringDonation.objects.get()
    assert (recurring.amount, recurring.currency, recurring.state) == (Decimal("100.00"), "SEK", "active")
    assert (recurring.provider_id, recurring.pledge) == (agreement, pledge)
    assert Donation.objects.filter(recurring=recurring, supporter=recurring.supporter).count() == 2
    assert Letter.objects.filter(language="sv").count() == 2
    assert not PaymentEvent.objects.filter(state__in=["received", "review"]).exists()


@pytest.mark.parametrize("old_forms", [False, True])
def test_an_instalment_given_back_is_found_by_its_invoice(stripe, start, hear, old_forms):
    stripe.old_forms = old_forms
    subscribe(stripe, start)
    intent = next(thing["id"] for thing in stripe.objects.values() if thing["object"] == "payment_intent")
    stripe.refund(intent)
    hear()
    assert Donation.objects.get().state == "refunded"


def test_an_agreement_fails_recovers_and_ends_by_stripes_clock(stripe, start, hear):
    _pledge, agreement = subscribe(stripe, start)
    hear()
    stripe.wait(60)
    stripe.renew(agreement, succeeded=False)
    hear()
    assert RecurringDonation.objects.get().state == "failing"
    stripe.wait(60)
    stripe.renew(agreement)
    stripe.wait(60)
    stripe.cancel_subscription(agreement)
    hear(reversed(stripe.events))
    ended = RecurringDonation.objects.get()
    assert (ended.state, ended.ended_on, ended.next_due_on) == ("ended", timezone.localdate(), None)
    assert Donation.objects.count() == 2


def test_old_news_of_an_agreement_is_no_news(stripe, start, hear):
    _pledge, agreement = subscribe(stripe, start)
    stripe.wait(60)
    stripe.renew(agreement, succeeded=False)
    stripe.wait(60)
    stripe.renew(agreement)
    late = [event for event in stripe.events if event["type"] in {"invoice.payment_failed"}]
    hear([event for event in stripe.events if event not in late])
    hear(late)
    assert RecurringDonation.objects.get().state == "active"


# Disputes


@pytest.mark.parametrize(("outcome", "state", "donation"), [("lost", "lost", "refunded"), ("won", "won", "received")])
@pytest.mark.parametrize("backwards", [False, True])
def test_a_dispute_ends_once(stripe, start, hear, outcome, state, donation, backwards):
    pledge = start()
    stripe.pay(pledge.session_id, card="4000 0000 0000 0259")
    hear()
    dispute = Dispute.objects.get()
    assert (dispute.state, dispute.amount, dispute.donation.state) == ("open", Decimal("100.00"), "received")
    Dispute.objects.all().delete()
    PaymentEvent.objects.filter(kind="charge.dispute.created").delete()
    stripe.close_dispute(dispute.provider_id, outcome)
    events = [event for event in stripe.events if "dispute" in event["type"]]
    for event in reversed(events) if backwards else events:
        hear([event])
    dispute = Dispute.objects.get()
    assert (dispute.state, dispute.donation.state) == (state, donation)
    assert Refund.objects.count() == (outcome == "lost")


# What got lost


def test_what_never_came_is_fetched_at_night(stripe, start):
    paid, other = start(), start(interval="month")
    stripe.pay(paid.session_id)
    stripe.pay(other.session_id)
    for _number in range(120):
        stripe.invent("charge.succeeded", {"id": "ch_x"})
    assert reconciling.fetch_missed()["missed"] == 5
    applying.apply_owed()
    assert Donation.objects.count() == 2
    assert reconciling.fetch_missed()["missed"] == 0


def test_stripe_out_of_reach_puts_an_event_off(stripe, start, hear):
    pledge = start()
    stripe.pay(pledge.session_id)
    hear()
    stripe.refund(stripe.objects[pledge.session_id]["payment_intent"])
    stripe.fail(times=None, path="/v1/refunds")
    hear()
    event = PaymentEvent.objects.get(kind="charge.refunded")
    assert (event.state, event.done_at) == ("received", None)
    stripe.calm()
    PaymentEvent.objects.update(due_at=timezone.now() - timedelta(days=1))
    hear([])
    assert Donation.objects.get().state == "refunded"


@pytest.mark.parametrize("thing", [{}, {"id": 5}, {"id": "in_1", "subscription": 5, "amount_paid": "x"}, []])
@pytest.mark.parametrize("kind", ["invoice.paid", "checkout.session.completed", "charge.refunded"])
def test_what_can_t_be_read_is_kept_for_staff(stripe, hear, kind, thing):
    stripe.invent(kind, {**thing} if thing else {})
    stripe.events[0]["data"]["object"] = thing
    hear()
    event = PaymentEvent.objects.get()
    assert (event.state, event.doubt) in {("review", "unreadable"), ("ignored", "")}
    assert Donation.objects.count() == 0


def test_an_event_of_the_other_mode_is_ignored(stripe, start, hear):
    stripe.pay(start().session_id)
    for event in stripe.events:
        event["livemode"] = True
    hear()
    assert set(PaymentEvent.objects.values_list("state", flat=True)) == {"ignored"}
    assert Donation.objects.count() == 0


# Forgetting


def test_erasing_a_donor_empties_what_was_told_and_typed(stripe, start, hear, staff):
    pledge = start(email="eva@mail.se")
    stripe.pay(pledge.session_id)
    hear()
    assert PaymentEvent.objects.filter(payload__contains="eva@mail.se").exists()
    erase(Supporter.objects.get(), staff)
    assert not PaymentEvent.objects.exclude(payload="").exists()
    pledge.refresh_from_db()
    assert (pledge.email, pledge.first_name, pledge.supporter) == ("", "", None)
    assert Donation.objects.get().supporter is None
    hear()  # Stripe tells it again
    assert (Donation.objects.count(), Supporter.objects.count()) == (1, 0)
    assert consent.is_suppressed("eva@mail.se")


def test_old_events_and_unpaid_pledges_are_forgotten(stripe, start, hear):
    paid = start()
    stripe.pay(paid.session_id)
    hear()
    unpaid, fresh = make_pledge(), make_pledge()
    type(paid).objects.exclude(pk=fresh.pk).update(created_at=F("created_at") - timedelta(days=61))
    PaymentEvent.objects.filter(kind="payment_intent.succeeded").update(done_at=F("done_at") - timedelta(days=91))
    assert retention.apply() == {"pledges": 2, "payments": 1}
    unpaid.refresh_from_db()
    assert (unpaid.state, unpaid.email, unpaid.last_name) == ("lapsed", "", "")
    fresh.refresh_from_db()
    assert fresh.email != ""
