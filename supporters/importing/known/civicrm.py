"""CiviCRM: exports of contacts and of contributions, by the titles of its fields.

Titles: schema/Contact/Contact.entityType.php and schema/Contribute/Contribution.entityType.php of civicrm-core;
https://docs.civicrm.org/user/en/latest/common-workflows/importing-data-into-civicrm/. Somebody who opted out there is
withdrawn here; not having opted out is no consent.
"""

import re

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _L

from supporters.importing.known.base import OWN, Known, Row, amount_or_none, local_day, not_taken, one_of, own, yes
from supporters.importing.problems import NotTaken

SYSTEM = "civicrm"
_STRIPE = re.compile(r"(?:ch|py|pi|in)_\w+")
_REFUSALS = {"do_not_email": "email", "opted_out": "email", "do_not_mail": "post", "do_not_phone": "phone"}


def _contact(row: Row) -> Row:
    kind = own(row, "contact_type").lower()
    if kind in {"organization", "organisation", "household"}:
        raise NotTaken(_("Not a person: %(what)s") % {"what": kind})
    withdrawn = {purpose for key, purpose in _REFUSALS.items() if yes(own(row, key))}
    if yes(own(row, "deceased")):
        withdrawn = {"email", "post", "phone"}
    on_hold = own(row, "on_hold").lower()
    standing = "cleaned" if "bounce" in on_hold or on_hold in {"1", "yes"} else ""
    if "email" in withdrawn or "opt" in on_hold or on_hold == "2":
        standing = standing or "left"
    return {**_named(row), "standing": standing, "withdrawn": sorted(withdrawn - {"email"})}


def _named(row: Row) -> Row:
    if not ("first_name" in row or "last_name" in row) and (name := row.get("name") or own(row, "sort_name")):
        return {**row, "name": name}
    return row


CONTACTS = Known(
    name="civicrm_contacts",
    label=_L("a CiviCRM export of contacts"),
    kind="supporters",
    told=_L(
        "The contact ID is each person's reference. Whoever opted out, or is marked “do not email”, is withdrawn; addresses on hold are suppressed. The export grants no consent. Organisations and households are left out."
    ),
    signs=(
        one_of("contactid", "internalcontactid"),
        one_of("contacttype", "sortname", "displayname", "donotemail", "nobulkemailsuseroptout", "emailgreeting"),
        one_of("firstname", "displayname", "sortname", "lastname"),
    ),
    unlike=one_of("totalamount", "contributionstatus", "contributionid", "financialtype"),
    columns={
        "contactid": "reference",
        "internalcontactid": "reference",
        "contacttype": OWN + "contact_type",
        "sortname": OWN + "sort_name",
        "displayname": "name",
        "firstname": "first_name",
        "lastname": "last_name",
        "email": "email",
        "preferredlanguage": "language",
        "birthdate": "birth_date",
        "streetaddress": "street",
        "postalcode": "postcode",
        "city": "city",
        "state": "region",
        "stateprovince": "region",
        "country": "country",
        "phone": "phone",
        "tags": "tags",
        "source": "source_code",
        "contactsource": "source_code",
        "donotemail": OWN + "do_not_email",
        "nobulkemailsuseroptout": OWN + "opted_out",
        "donotmail": OWN + "do_not_mail",
        "donotphone": OWN + "do_not_phone",
        "deceased": OWN + "deceased",
        "deceasedclosed": OWN + "deceased",
        "isdeceased": OWN + "deceased",
        "onhold": OWN + "on_hold",
    },
    prepare=_contact,
    reference_system=SYSTEM,
)


def _contribution(row: Row) -> Row:
    status = own(row, "status").lower()
    if status not in {"completed", "refunded", "chargeback"}:
        raise not_taken(status)
    row = _named({**row, "received_on": local_day(row.get("received_on", ""))})
    paid = own(row, "transaction")
    if _STRIPE.fullmatch(paid):
        row |= {"provider": "stripe", "provider_id": paid, "names": [paid]}
    else:
        names = [name for name in (own(row, "contribution"), paid) if name]
        row |= {"provider": SYSTEM, "provider_id": names[0] if names else "", "names": names}
    if status != "completed":
        row["refunded"] = amount_or_none(row.get("amount", ""))
    return row


CONTRIBUTIONS = Known(
    name="civicrm_contributions",
    label=_L("a CiviCRM export of contributions"),
    kind="donations",
    told=_L("Completed contributions become donations of their contact, for their financial type; refunded ones are recorded as such, the rest is left out."),
    signs=(
        one_of("contactid", "internalcontactid"),
        one_of("totalamount", "contributionamount"),
        one_of("contributionstatus"),
        one_of("financialtype", "contributionid", "transactionid"),
    ),
    columns={
        "contactid": "reference",
        "internalcontactid": "reference",
        "displayname": "name",
        "sortname": OWN + "sort_name",
        "firstname": "first_name",
        "lastname": "last_name",
        "email": "email",
        "totalamount": "amount",
        "contributionamount": "amount",
        "currency": "currency",
        "datereceived": "received_on",
        "contributiondate": "received_on",
        "receivedate": "received_on",
        "contributionstatus": OWN + "status",
        "financialtype": "designation",
        "transactionid": OWN + "transaction",
        "trxnid": OWN + "transaction",
        "contributionid": OWN + "contribution",
        "paymentmethod": "method",
        "paymentinstrument": "method",
    },
    prepare=_contribution,
    provider=SYSTEM,
    reference_system=SYSTEM,
)  # fmt: skip
