"""A row's cells as the values that go into staging. Whatever is wrong with a row is found here or in the database."""

import csv
import hashlib
import io
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from django.utils import timezone
from django.utils.translation import gettext as _

from supporters.addresses import AddressError, normalise_email
from supporters.exporting.guarding import guarded
from supporters.hygiene import Unreadable
from supporters.hygiene.contact import read_contact
from supporters.hygiene.countries import read_country
from supporters.hygiene.languages import read_language
from supporters.hygiene.marks import of_email
from supporters.hygiene.names import split_name
from supporters.hygiene.text import one_line, plain
from supporters.importing import known as known_exports
from supporters.importing import mapping as mappings
from supporters.importing import values
from supporters.importing.known.base import yes
from supporters.importing.problems import RowProblem
from supporters.models import Donation, ImportRun, Supporter
from supporters.money import WHOLE_CURRENCIES

OPTIONS = (
    "reference_system",
    "country",
    "language",
    "tags",
    "source_code",
    "currency",
    "designation",
    "create_organisations",
)
REFERENCE_SYSTEM = "donor"
"""The system that a file's references belong to unless staff say another."""
OWN_PROVIDER = "lodestar"
"""In our own exports, whose number a gift has that was entered by hand: ours."""
_LENGTHS = {
    **{"first_name": 150, "last_name": 150, "phone": 40, "street": 250, "postcode": 20, "city": 120, "region": 120},
    **{
        "source_code": 64,
        "reference": 128,
        "provider_id": 180,
        "designation": 120,
        "organisation": 250,
        "provider": 32,
    },
}


class StagedSupporter(NamedTuple):
    """A row of the temporary table that supporters go through, in the order of its columns."""

    number: int
    round: int
    key: str | None
    reference: str
    email: str | None
    first_name: str
    last_name: str
    language: str
    country: str
    birth_date: date | None
    phone: str
    street: str
    postcode: str
    city: str
    region: str
    organisation: str
    source_code: str
    tags: list[str]
    standing: str
    """What the file says of the person: granted, left or cleaned; empty where it says nothing."""
    standing_at: datetime | None
    withdrawn: list[str]
    """Purposes other than email that the person refuses."""
    note: str
    """What could not be read of a row that goes in all the same."""
    marks: list[str]
    how_often: str
    discreet: str
    """Empty unless they want it."""


class StagedDonation(NamedTuple):
    number: int
    key: str
    reference: str
    email: str | None
    first_name: str
    last_name: str
    amount: Decimal
    currency: str
    received_on: date
    method: str
    provider_id: str
    source_code: str
    designation: str
    provider: str
    """Whose id it is, where the file holds several providers'; empty for that of the whole file."""
    names: list[str]
    """Under which of its provider's names the payment may be on file."""
    may_be_unknown: bool
    """The row need not say whose donation it is, if it is on file."""
    refunded: Decimal | None
    """How much of it went back in all, if the row says."""
    refunded_on: date | None
    refund_of: str
    """The payment of which this went back: the row is a refund, no donation."""
    note: str
    marks: list[str]


def parser_for(run: ImportRun) -> "Callable[..., StagedSupporter | StagedDonation]":
    """The function that reads one row of this run's file: its number, cells and fault. It raises RowProblem."""
    fields_of = mappings.compile_row(run.mapping)
    width = len(run.mapping["columns"])
    orders = mappings.date_orders(run.mapping)
    options = {name: run.options.get(name) or "" for name in OPTIONS}
    parse = _parse_supporter if run.kind == ImportRun.Kind.SUPPORTERS else _parse_donation
    standing = run.layout.get("standing", "")
    known = known_exports.KNOWN.get(run.layout.get("known", ""))

    def parse_row(number: int, cells: Sequence[str], fault: str = "") -> StagedSupporter | StagedDonation:
        if fault:
            raise RowProblem(fault)
        if len(cells) > width:
            raise RowProblem(
                _("The row has more cells than there are columns: %(cells)s instead of %(columns)s.")
                % {"cells": len(cells), "columns": width}
            )
        fields = fields_of(cells)
        for name, text in fields.items():
            if text[0] == "=" and guarded(text) not in cells:  # with the apostrophe of our exports it is a text
                raise RowProblem(
                    _("“%(field)s” holds a formula (%(formula)s) in place of a value.")
                    % {"field": mappings.label_of(name), "formula": text[:40]}
                )
            if len(text) > _LENGTHS.get(name, 1000):
                raise RowProblem(
                    _("“%(field)s” has more than %(most)s characters.")
                    % {"field": mappings.label_of(name), "most": _LENGTHS.get(name, 1000)}
                )
        if known:
            fields = known.prepare(fields)
        try:
            return parse(number, fields, orders, options, standing)
        except Unreadable as problem:
            raise RowProblem(str(problem)) from None

    return parse_row


def _parse_supporter(number: int, fields: dict, orders: dict, options: dict, standing: str) -> StagedSupporter:
    notes: list[str] = []
    email, reference = _who(fields, notes)
    first_name, last_name = _names(fields)
    if not (email or reference or first_name or last_name):
        raise RowProblem(_("The row has no name, no address and no reference."))
    birth_date = None
    if "birth_date" in fields:
        try:
            birth_date = _birth_date(fields["birth_date"], orders["birth_date"])
        except RowProblem as problem:
            _leave_out(problem, notes, bool(email or reference))
    said, said_at = _standing(fields, standing)
    language = (
        read_language(text, options["language"]) if (text := fields.get("language") or options["language"]) else ""
    )
    country = (
        read_country(text, options["language"] or language)
        if (text := fields.get("country") or options["country"])
        else ""
    )
    contact = read_contact(email, fields.get("phone", ""), fields.get("postcode", ""), country)
    return StagedSupporter(
        number=number,
        round=0,
        key=None if email or reference else _digest(sorted(fields.items())),
        reference=reference,
        email=email,
        first_name=first_name,
        last_name=last_name,
        language=language,
        country=country,
        birth_date=birth_date,
        phone=contact.phone,
        street=one_line(fields.get("street", "")),
        postcode=contact.postcode,
        city=one_line(fields.get("city", "")),
        region=one_line(fields.get("region", "")),
        organisation=fields.get("organisation", ""),
        source_code=fields.get("source_code") or options["source_code"],
        tags=_tags(fields.get("tags", ""), options["tags"]),
        standing=said,
        standing_at=said_at,
        withdrawn=fields.get("withdrawn", []),
        note=" ".join(notes),
        marks=contact.marks,
        how_often=_how_often(fields["how_often"], notes) if "how_often" in fields else "",
        discreet="yes" if "discreet" in fields and yes(fields["discreet"]) else "",
    )


_HOW_OFTEN = {
    **dict.fromkeys(("week", "weekly", "at most one a week"), Supporter.HowOften.WEEK),
    **dict.fromkeys(("month", "monthly", "at most one in four weeks"), Supporter.HowOften.FOUR_WEEKS),
    **dict.fromkeys(("all", "every", "every appeal"), Supporter.HowOften.ALL),
}


def _how_often(text: str, notes: list[str]) -> str:
    """What can't be read is taken for the fewest: whoever filled it in wanted something."""
    found = _HOW_OFTEN.get(plain(text))
    if found is None:
        notes.append(_("“%(text)s” was read as: at most one appeal in four weeks.") % {"text": text[:40]})
        return str(Supporter.HowOften.FOUR_WEEKS)
    return str(found)


def _parse_donation(number: int, fields: dict, orders: dict, options: dict, _standing: str) -> StagedDonation:
    notes: list[str] = []
    email, reference = _who(fields, notes)
    known = bool(fields.get("may_be_unknown") or fields.get("refund_of"))
    if not (email or reference or known):
        raise RowProblem(_("The row does not say whose donation it is."))
    if "amount" not in fields:
        raise RowProblem(_("The row has no amount."))
    if "received_on" not in fields:
        raise RowProblem(_("The row does not say when the donation came."))
    amount = values.parse_amount(fields["amount"])
    if amount == 0:
        raise RowProblem(_("A payment of %(amount)s is no donation.") % {"amount": f"{amount:.2f}"})
    if amount < 0:
        raise RowProblem(
            _("The amount %(amount)s is below 0. Record refunds on the donation itself.") % {"amount": amount}
        )
    received_on = values.parse_date(fields["received_on"], orders["received_on"])
    if _is_to_come(received_on):
        raise RowProblem(_("The donation is dated in the future."))
    if not (currency := fields.get("currency") or options["currency"]):
        raise RowProblem(_("The row names no currency, and none is set for the file."))
    currency = values.parse_currency(currency)
    if currency in WHOLE_CURRENCIES and amount != round(amount):
        raise RowProblem(
            _("%(currency)s has no smaller unit, but the amount is %(amount)s.")
            % {"currency": currency, "amount": amount}
        )
    first_name, last_name = _names(fields)
    designation = fields.get("designation") or options["designation"]
    method = _method(fields.get("method", ""))
    contents = (options["reference_system"], reference, email, received_on, amount, currency, method, designation)
    return StagedDonation(
        number=number,
        # The day goes before, so that gifts of a time lie together in the indexes: most files are in that order.
        key=received_on.isoformat().replace("-", "") + _digest(contents)[8:],
        reference=reference,
        email=email,
        first_name=first_name,
        last_name=last_name,
        amount=amount,
        currency=currency,
        received_on=received_on,
        method=method,
        provider_id=fields.get("provider_id", ""),
        source_code=fields.get("source_code") or options["source_code"],
        designation=designation,
        provider=fields.get("provider", ""),
        names=fields.get("names", []),
        may_be_unknown=known,
        refunded=fields.get("refunded"),
        refunded_on=fields.get("refunded_on"),
        refund_of=fields.get("refund_of", ""),
        note=" ".join(notes),
        marks=of_email(email),
    )


def _who(fields: dict, notes: list[str]) -> tuple[str | None, str]:
    """Address and reference. With a reference, a row can do without an address that is none."""
    reference = fields.get("reference", "")
    try:
        return _email(fields), reference
    except RowProblem as problem:
        _leave_out(problem, notes, bool(reference))
        return None, reference


def _leave_out(problem: RowProblem, notes: list[str], known: bool) -> None:
    """Do without a value that can't be read, if the row says whom it is about: the mended row will find them."""
    if not known:
        raise problem
    notes.append(_("Taken in without this value: %(problem)s") % {"problem": problem})


def _birth_date(text: str, order: str) -> date:
    born = values.parse_date(text, order)
    if _is_to_come(born):
        raise RowProblem(_("The birth date %(date)s is in the future.") % {"date": born})
    return born


def _is_to_come(day: date) -> bool:
    # Which day it is in the zone of the settings takes longer than all else about most rows.
    return day >= date.today() and day > timezone.localdate()


def _email(fields: dict) -> str | None:
    if "email" not in fields:
        return None
    try:
        return normalise_email(fields["email"])
    except AddressError as error:
        raise RowProblem(
            _("“%(address)s” is no email address: %(why)s") % {"address": fields["email"][:80], "why": error}
        ) from None


def _names(fields: dict) -> tuple[str, str]:
    if "name" in fields and not ("first_name" in fields or "last_name" in fields):
        return split_name(fields["name"])
    return one_line(fields.get("first_name", "")), one_line(fields.get("last_name", ""))


def _tags(text: str, of_the_file: str) -> list[str]:
    """Tags separated by commas, each in quotes or not: Mailchimp writes "a","b, c"."""
    found: dict[str, str] = {}
    for source in (text, of_the_file):
        for cells in csv.reader(io.StringIO(source), skipinitialspace=True):
            for cell in cells:
                if tag := " ".join(cell.split()):
                    found.setdefault(tag.casefold(), tag[:100])
    return list(found.values())


def _standing(fields: dict, of_the_file: str) -> tuple[str, datetime | None]:
    """What a Mailchimp export says of a person: its three files hold those who receive, who left, who bounced."""
    if "standing" in fields:
        return fields["standing"], None
    if "cleaned_at" in fields or of_the_file == "cleaned":
        said, at = "cleaned", fields.get("cleaned_at")
    elif "left_at" in fields or of_the_file == "left":
        said, at = "left", fields.get("left_at")
    elif of_the_file == "granted":
        said, at = "granted", fields.get("confirmed_at") or fields.get("opted_in_at")
    else:
        return "", None
    return said, values.parse_moment(at) if at else None


_METHODS = {
    "card": "card kort karte carte tarjeta carta karta kreditkort credit card debit card visa mastercard stripe kreditkarte",
    "swish": "swish",
    "bank": "bank bank transfer bankgiro plusgiro uberweisung virement transferencia bonifico przelew wire sepa transfer bg pg",
    "debit": "direct debit autogiro lastschrift sepa direct debit prelevement domiciliacion",
    "paypal": "paypal",
    "cash": "cash kontant bar especes efectivo contanti gotowka",
    "cheque": "cheque check scheck",
}


@lru_cache(maxsize=64)
def _method(text: str) -> str:
    name = plain(text)
    if not name:
        return Donation.Method.OTHER
    for method, names in _METHODS.items():
        if name == method or name in names:
            return method
    return Donation.Method.OTHER


def _digest(contents: object) -> str:
    """A UUID in hexadecimal digits."""
    return hashlib.sha256(repr(contents).encode()).hexdigest()[:32]
