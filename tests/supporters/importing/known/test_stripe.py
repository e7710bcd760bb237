from datetime import date
from decimal import Decimal

import pytest

from supporters.models import Donation, Refund, Supporter
from tests.factories import make_donation, make_supporter
from tests.supporters.importing.test_run import counts, load, reasons

pytestmark = pytest.mark.django_db
HEAD = (
    "id,Created date (UTC),Amount,Amount Refunded,Currency,Captured,Converted Amount,Converted Amount Refunded,Converted Currency,"
    "Decline Reason,Description,Fee,Refunded date (UTC),Statement Descriptor,Status,Seller Message,Taxes On Fee,Card ID,Customer ID,"
    "Customer Description,Customer Email,Invoice ID,Transfer,PaymentIntent ID,designation (metadata)\n"
)


def row(charge: str, amount: str, **cells) -> str:
    cells = {
        "day": "2026-03-01 12:00:00",
        "back": "0.00",
        "currency": "eur",
        "captured": "true",
        "status": "Paid",
        "customer": "",
        "email": "asa@mail.se",
        "invoice": "",
        "intent": "",
        "back_on": "",
        "fund": "",
        **cells,
    }
    return (
        f'{charge},{cells["day"]},"{amount}",{cells["back"]},{cells["currency"]},{cells["captured"]},"{amount}",0.00,eur,,"Gift, thank you",0.42,'
        f"{cells['back_on']},LODESTAR,{cells['status']},Payment complete.,0.00,card_1,{cells['customer']},,{cells['email']},{cells['invoice']},,"
        f"{cells['intent']},{cells['fund']}\n"
    )


def gifts() -> list[tuple]:
    return list(Donation.objects.order_by("provider_id").values_list("provider_id", "amount", "currency", "state"))


def test_payments_need_no_mapping_whatever_the_file_was_said_to_be():
    text = (
        HEAD
        + row("ch_1", "25.00", day="2026-03-01 23:30:00", fund="Shelter")
        + row("ch_2", "1,250.50", email="BO@mail.se")
    )
    run = load(text, "supporters", name="unified_payments.csv")
    assert (run.kind, counts(run)) == ("donations", (2, 2, 0, 0, 0))
    assert gifts() == [("ch_1", Decimal("25.00"), "EUR", "received"), ("ch_2", Decimal("1250.50"), "EUR", "received")]
    gift = Donation.objects.get(provider_id="ch_1")
    assert (gift.provider, gift.method, gift.designation, gift.supporter.email) == (
        "stripe",
        "card",
        "Shelter",
        "asa@mail.se",
    )
    assert gift.received_on == date(2026, 3, 2)  # half past eleven in UTC is after midnight here
    assert counts(load(text)) == (2, 0, 0, 2, 0)
    assert Supporter.objects.count() == 2


def test_what_did_not_succeed_is_no_donation():
    text = (
        HEAD
        + row("ch_1", "5.00", status="Failed")
        + row("ch_2", "5.00", captured="false")
        + row("ch_3", "5.00", status="canceled")
    )
    run = load(text)
    assert (counts(run), run.not_taken) == ((3, 0, 0, 0, 0), 3)
    assert not Supporter.objects.exists()


def test_refunds_are_recorded_once_and_grow_with_the_next_export():
    part = HEAD + row("ch_1", "25.00", back="10.00", back_on="2026-03-05 10:00:00")
    assert counts(load(part)) == (1, 1, 0, 0, 0)
    assert counts(load(part)) == (1, 0, 0, 1, 0)
    assert list(Refund.objects.values_list("amount", "refunded_on")) == [(Decimal("10.00"), date(2026, 3, 5))]
    whole = HEAD + row("ch_1", "25.00", back="25.00", status="Refunded", back_on="2026-03-09 10:00:00")
    assert counts(load(whole)) == (1, 0, 1, 0, 0)
    assert sum(Refund.objects.values_list("amount", flat=True)) == Decimal("25.00")
    assert gifts() == [("ch_1", Decimal("25.00"), "EUR", "refunded")]


def test_currencies_without_a_smaller_unit():
    run = load(HEAD + row("ch_1", "500", currency="jpy") + row("ch_2", "500.50", currency="jpy"))
    assert gifts() == [("ch_1", Decimal("500.00"), "JPY", "received")]
    assert reasons(run) == [(3, "JPY has no smaller unit, but the amount is 500.50.")]


def test_a_payment_that_a_webhook_told_of_stays_as_it_is():
    eva = make_supporter(email="eva@mail.se")
    make_donation(eva, provider="stripe", provider_id="pi_1", amount=Decimal("25.00"), currency="EUR")
    make_donation(eva, provider="stripe", provider_id="in_2", amount=Decimal("9.00"), currency="EUR")
    text = HEAD + row("ch_1", "25.00", intent="pi_1") + row("ch_2", "9.00", intent="pi_2", invoice="in_2")
    run = load(text)
    assert counts(run) == (2, 0, 0, 2, 0)
    assert (Donation.objects.count(), Supporter.objects.get()) == (2, eva)
    # An export with fewer columns knows them by their charges now.
    assert counts(load(HEAD + row("ch_1", "25.00") + row("ch_2", "9.00"))) == (2, 0, 0, 2, 0)
    assert Donation.objects.count() == 2


def test_a_payment_is_stored_under_the_name_that_a_webhook_uses():
    load(HEAD + row("ch_1", "25.00", intent="pi_1") + row("ch_2", "9.00", intent="pi_2", invoice="in_2"))
    assert [gift[0] for gift in gifts()] == ["in_2", "pi_1"]


def test_a_guest_without_an_address_is_known_by_their_customer():
    run = load(HEAD + row("ch_1", "5.00", email="", customer="cus_9") + row("ch_2", "5.00", email=""))
    assert counts(run) == (2, 1, 0, 0, 1)
    assert Supporter.objects.get().references.get().system == "stripe"
    assert reasons(run) == [(3, "The row does not say whose donation it is.")]


BALANCE = (
    "automatic_payout_id,automatic_payout_effective_at_utc,balance_transaction_id,created_utc,available_on_utc,currency,gross,fee,net,"
    "reporting_category,source_id,description,customer_facing_amount,customer_facing_currency,customer_id,customer_email,charge_id,"
    "payment_intent_id,invoice_id\n"
)


def movement(
    number: int, category: str, gross: str, source: str, charge: str = "", intent: str = "", email: str = ""
) -> str:
    return f"po_1,2026-03-06 00:00:00,txn_{number},2026-03-01 10:00:00,2026-03-03 00:00:00,eur,{gross},0.30,0,{category},{source},x,,,,{email},{charge},{intent},\n"


def test_a_payout_report_matches_charges_and_records_refunds():
    load(HEAD + row("ch_1", "25.00", intent="pi_1"))
    text = (
        BALANCE
        + movement(1, "charge", "25.00", "ch_1", "ch_1", "pi_1")
        + movement(2, "charge", "7.00", "ch_2", "ch_2", "pi_2", "bo@mail.se")
        + movement(3, "charge", "7.00", "ch_3", "ch_3", "pi_3")
        + movement(4, "refund", "-10.00", "re_1", "ch_1", "pi_1")
        + movement(5, "refund", "-10.00", "re_2", "ch_9", "pi_9")
        + movement(6, "payout", "-40.00", "po_1")
        + movement(7, "fee", "-2.00", "fee_1")
    )
    run = load(text)
    assert (counts(run), run.not_taken) == ((7, 2, 0, 1, 2), 2)
    assert reasons(run) == [
        (4, "The payment is not on file, and the row does not say whose donation it is."),
        (6, "The payment that went back is not on file: import it, then this file again."),
    ]
    assert [gift[0] for gift in gifts()] == ["pi_1", "pi_2"]
    assert list(Refund.objects.values_list("donation__provider_id", "amount", "provider_id")) == [
        ("pi_1", Decimal("10.00"), "re_1")
    ]
    again = load(text)
    assert (again.created, Refund.objects.count()) == (0, 1)


def test_a_refund_told_as_a_total_gets_its_name_and_is_not_doubled():
    load(HEAD + row("ch_1", "25.00", back="10.00", intent="pi_1"))
    load(BALANCE + movement(4, "refund", "-10.00", "re_1", "ch_1", "pi_1"))
    assert list(Refund.objects.values_list("amount", "provider_id")) == [(Decimal("10.00"), "re_1")]


def test_more_than_came_does_not_go_back():
    load(HEAD + row("ch_1", "25.00"))
    run = load(
        BALANCE + movement(1, "refund", "-20.00", "re_1", "ch_1") + movement(2, "refund", "-6.00", "re_2", "ch_1")
    )
    assert reasons(run) == [(3, "More would go back than came.")]
    assert Refund.objects.get().provider_id == "re_1"
