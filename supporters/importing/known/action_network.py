"""Action Network: reports of activists, and the donations of a fundraising page.

Columns: https://help.actionnetwork.org/hc/en-us/articles/203113055 (reports: email, first_name, can2_phone, can2_user_tags,
can2_subscription_status …) and https://help.actionnetwork.org/hc/en-us/articles/203112719 (donation data: recipient, amount,
donation status, timestamp, Stripe transaction ID …).
"""

from django.utils.translation import gettext_lazy as _L

from supporters.importing.known.base import OWN, Known, Row, amount_or_none, local_day, not_taken, one_of, own

SYSTEM = "actionnetwork"
_STANDING = {
    "subscribed": "granted",
    "unsubscribed": "left",
    "spam complaint": "left",
    "spam_complaint": "left",
    "bouncing": "cleaned",
    "bounce": "cleaned",
    "previous bounce": "cleaned",
    "previous_bounce": "cleaned",
}
_PERSON = {
    "email": "email",
    "firstname": "first_name",
    "lastname": "last_name",
    "can2phone": "phone",
    "can2useraddress": "street",
    "can2usercity": "city",
    "can2stateabbreviated": "region",
    "can2userstate": "region",
    "zipcode": "postcode",
    "country": "country",
    "language": "language",
}


def _activist(row: Row) -> Row:
    row = {**row, "standing": _STANDING.get(own(row, "subscription").strip().lower(), "")}
    if own(row, "sms").strip().lower() in {"unsubscribed", "opted out"}:
        row["withdrawn"] = ["phone"]
    return row


PEOPLE = Known(
    name="action_network_people",
    label=_L("an Action Network report of activists"),
    kind="supporters",
    told=_L("Subscribed people bring their consent along; unsubscribed ones leave, addresses that bounced are suppressed. Tags come along."),
    signs=(one_of("email"), one_of("can2subscriptionstatus", "can2usertags", "can2phone")),
    columns={
        **_PERSON,
        "uuid": "reference",
        "can2usertags": "tags",
        "can2subscriptionstatus": OWN + "subscription",
        "can2smsstatus": OWN + "sms",
    },
    prepare=_activist,
    reference_system=SYSTEM,
    wording=_L("Subscribed in Action Network; the wording of the form is kept there."),
    unlike=one_of("recipient", "stripetransactionid"),
)  # fmt: skip


def _donation(row: Row) -> Row:
    status = own(row, "status").strip().lower()
    if status not in {"", "success", "succeeded", "paid", "refunded"}:
        raise not_taken(status)
    charge = own(row, "charge")
    row = {**row, "received_on": local_day(row.get("received_on", "")), "method": "card"}
    if charge:
        recipient = own(row, "recipient")
        row |= {"provider": "stripe", "provider_id": charge, "names": [charge], "designation": recipient[:120]}
    if status == "refunded":
        row["refunded"] = amount_or_none(row.get("amount", ""))
    return row


DONATIONS = Known(
    name="action_network_donations",
    label=_L("an Action Network donations report"),
    kind="donations",
    told=_L("Donations that succeeded come in under the name that Stripe gave them, for their recipient; failed ones are left out."),
    signs=(one_of("email"), one_of("recipient"), one_of("amount"), one_of("stripetransactionid", "transactionid", "stripechargeid")),
    columns={
        **{name: field for name, field in _PERSON.items() if field in {"email", "first_name", "last_name"}},
        "recipient": OWN + "recipient",
        "amount": "amount",
        "currency": "currency",
        "donationstatus": OWN + "status",
        "status": OWN + "status",
        "stripetransactionid": OWN + "charge",
        "stripechargeid": OWN + "charge",
        "transactionid": OWN + "charge",
        "timestamp": "received_on",
        "timestampest": "received_on",
        "createdat": "received_on",
        "date": "received_on",
        "sourcecode": "source_code",
        "source": "source_code",
    },
    prepare=_donation,
    provider="stripe",
)  # fmt: skip
