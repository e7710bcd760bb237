"""Stripe: the dashboard's payments (unified_payments.csv) and the itemised balance and payout reports.

Columns: https://docs.stripe.com/reports/report-types/balance (balance_change_from_activity.itemized,
payout_reconciliation.itemized) and the export dialog of Payments, https://support.stripe.com/questions/exporting-payment-reports.

A payment goes by the name that a webhook would give it: its invoice, else its payment intent, else its charge. It is
looked for under all three, so neither a webhook nor another of these files has it a second time.
"""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _L

from supporters.importing.known.base import (
    OWN,
    Known,
    Row,
    amount_or_none,
    day_or_none,
    local_day,
    not_taken,
    one_of,
    own,
)
from supporters.importing.problems import RowProblem
from supporters.importing.values import parse_amount

PROVIDER = "stripe"
_CAME = {"paid", "succeeded", "refunded", "partially refunded", "partial refund", "disputed"}
_METHODS = {"sepa_debit": "sepa direct debit", "bacs_debit": "direct debit", "swish": "swish", "paypal": "paypal"}
_BANK = {"customer_balance", "bank_transfer", "ideal", "bancontact", "eps", "giropay", "p24", "sofort", "blik"}


def _names(row: Row) -> list[str]:
    """What the payment may be on file under, as a webhook would name it first."""
    return [name for key in ("invoice", "intent", "charge") if (name := own(row, key))]


def _named(row: Row) -> Row:
    """The row with the payment's name, and the other names that it may be on file under."""
    names = _names(row)
    if not names:
        raise RowProblem(_("The row does not name its payment."))
    source = own(row, "source").lower()
    method = _METHODS.get(source) or ("bank" if source in _BANK else "card")
    row = {**row, "provider_id": names[0], "names": names, "method": row.get("method") or method}
    if "email" in row:
        row.pop("reference", None)  # an address says more, and a customer who changed it is still the same
    return row


def _payment(row: Row) -> Row:
    status = own(row, "status").lower()
    if status not in _CAME or own(row, "captured").lower() in {"false", "no"}:
        raise not_taken(status)
    row = _named({**row, "received_on": local_day(row.get("received_on", ""))})
    if "email" not in row and (email := own(row, "metadata_email")):
        row["email"] = email
    if refunded := amount_or_none(own(row, "refunded")):
        row |= {"refunded": refunded, "refunded_on": day_or_none(own(row, "refunded_on"))}
    return row


PAYMENTS = Known(
    name="stripe_payments",
    label=_L("a Stripe payments export"),
    kind="donations",
    told=_L(
        "Payments that succeeded become donations, what was refunded is recorded as refunds, failed ones are left out. Payments on file stay as they are."
    ),
    signs=(
        one_of("id"),
        one_of("createdutc", "createddateutc"),
        one_of("amountrefunded"),
        one_of("status"),
        one_of("currency"),
    ),
    columns={
        "id": OWN + "charge",
        "paymentintentid": OWN + "intent",
        "invoiceid": OWN + "invoice",
        "createdutc": "received_on",
        "createddateutc": "received_on",
        "amount": "amount",
        "amountrefunded": OWN + "refunded",
        "refundeddateutc": OWN + "refunded_on",
        "currency": "currency",
        "status": OWN + "status",
        "captured": OWN + "captured",
        "customeremail": "email",
        "customername": "name",
        "customerid": "reference",
        "paymentsourcetype": OWN + "source",
        "emailmetadata": OWN + "metadata_email",
        "designationmetadata": "designation",
        "sourcecodemetadata": "source_code",
    },
    prepare=_payment,
    provider=PROVIDER,
    reference_system=PROVIDER,
)


def _movement(row: Row) -> Row:
    category = own(row, "category").lower()
    day = local_day(row.get("received_on", ""))
    if category in {"charge", "payment"}:
        row = {**row, "received_on": day}
        if own(row, "facing_amount") and own(row, "facing_currency"):
            row |= {"amount": own(row, "facing_amount"), "currency": own(row, "facing_currency")}
        if not own(row, "charge"):
            row[OWN + "charge"] = own(row, "source_id")
        return {**_named(row), "may_be_unknown": True}
    if category in {"refund", "payment_refund"}:
        names = _names(row)
        if not names:
            raise RowProblem(
                _("The row does not name the payment that went back: export the report with its charge_id.")
            )
        back = own(row, "facing_amount") or row.get("amount", "")
        return {
            "provider_id": own(row, "source_id") or own(row, "movement"),
            "amount": str(abs(parse_amount(back))),
            "currency": own(row, "facing_currency") or row.get("currency", ""),
            "received_on": day,
            "refund_of": names[0],
            "names": names,
        }
    raise not_taken(category)


BALANCE = Known(
    name="stripe_balance",
    label=_L("a Stripe balance or payout report"),
    kind="donations",
    told=_L(
        "Charges are matched with the donations on file; one that is not on file comes in if the report names its customer's address. Refunds are recorded. Fees, payouts and the rest are left out."
    ),
    signs=(one_of("balancetransactionid"), one_of("reportingcategory"), one_of("gross"), one_of("currency")),
    columns={
        "balancetransactionid": OWN + "movement",
        "createdutc": "received_on",
        "created": "received_on",
        "reportingcategory": OWN + "category",
        "gross": "amount",
        "currency": "currency",
        "customerfacingamount": OWN + "facing_amount",
        "customerfacingcurrency": OWN + "facing_currency",
        "sourceid": OWN + "source_id",
        "chargeid": OWN + "charge",
        "paymentintentid": OWN + "intent",
        "invoiceid": OWN + "invoice",
        "customeremail": "email",
        "customername": "name",
        "paymentmethodtype": OWN + "source",
    },
    prepare=_movement,
    provider=PROVIDER,
    reference_system=PROVIDER,
)
