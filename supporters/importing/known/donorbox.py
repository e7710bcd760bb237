"""Donorbox: the donations export.

Columns: https://donorbox.zendesk.com/hc/en-us/articles/360028803271 (Export donations). A gift that Stripe or PayPal
carried goes by their name for it, so that their files and webhooks know it.
"""

from django.utils.translation import gettext_lazy as _L

from supporters.importing.known.base import OWN, Known, Row, amount_or_none, not_taken, one_of, own

_CAME = {"", "paid", "refunded", "partially refunded", "succeeded"}


def _donation(row: Row) -> Row:
    status = own(row, "status").lower()
    if status not in _CAME:
        raise not_taken(status)
    kind = own(row, "type").lower()
    row = {**row, "method": "debit" if "ach" in kind or "sepa" in kind else "paypal" if "paypal" in kind else "card"}
    if charge := own(row, "charge"):
        row |= {"provider": "stripe", "provider_id": charge, "names": [charge]}
    elif names := [name for key in ("paypal", "capture") if (name := own(row, key))]:
        row |= {"provider": "paypal", "provider_id": names[0], "names": names, "method": "paypal"}
    else:
        row |= {"provider": "donorbox", "provider_id": own(row, "receipt"), "names": []}
        row["method"] = "other" if not kind or "offline" in kind else row["method"]
    row["designation"] = (row.get("designation") or own(row, "campaign"))[:120]
    if status == "refunded" and not own(row, "refunded"):
        row["refunded"] = amount_or_none(row.get("amount", ""))
    elif refunded := amount_or_none(own(row, "refunded")):
        row["refunded"] = refunded
    return row


DONATIONS = Known(
    name="donorbox",
    label=_L("a Donorbox donations export"),
    kind="donations",
    told=_L("Donations come in under the name that Stripe or PayPal gave them. “Join mailing list” grants no consent: it shows no words."),
    signs=(one_of("donoremail"), one_of("donatedat"), one_of("receiptid", "stripechargeid"), one_of("amount")),
    columns={
        "name": "name",
        "donorsfirstname": "first_name",
        "donorslastname": "last_name",
        "donoremail": "email",
        "amount": "amount",
        "currency": "currency",
        "donatedat": "received_on",
        "designation": "designation",
        "campaign": OWN + "campaign",
        "receiptid": OWN + "receipt",
        "donationtype": OWN + "type",
        "stripechargeid": OWN + "charge",
        "paypaltransactionid": OWN + "paypal",
        "paypalcaptureid": OWN + "capture",
        "status": OWN + "status",
        "amountrefunded": OWN + "refunded",
    },
    prepare=_donation,
    provider="donorbox",
)  # fmt: skip
