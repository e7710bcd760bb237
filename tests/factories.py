"""Records for tests: each function makes one that is valid, with what the test cares about passed in."""

from datetime import date
from decimal import Decimal
from itertools import count

from supporters import signing
from supporters.models import (
    Consent,
    Donation,
    Organisation,
    Petition,
    Pledge,
    Purpose,
    Signature,
    Supporter,
)
from supporters.payments import references
from supporters.signing import Typed
from supporters.signing.wordings import Wording

_numbers = count(1)


def make_supporter(*, consent: bool = False, **fields) -> Supporter:
    """A person; with a granted consent to email if asked for."""
    number = next(_numbers)
    fields = {
        "first_name": "Ann",
        "last_name": f"Andersson {number}",
        "email": f"ann{number}@mail.se",
        **fields,
    }
    supporter = Supporter.objects.create(**fields)
    if consent:
        make_consent(supporter)
    return supporter


def make_consent(supporter: Supporter, state: str = Consent.State.GRANTED, **fields) -> Consent:
    fields = {
        "purpose": Purpose.EMAIL,
        "wording": "Yes, write to me about the campaign.",
        "language": "en",
        "method": Consent.Method.FORM,
        **fields,
    }
    return Consent.objects.create(supporter=supporter, state=state, **fields)


def make_donation(supporter: Supporter | None = None, **fields) -> Donation:
    fields = {"amount": Decimal("100.00"), "currency": "SEK", "received_on": date(2026, 5, 1), **fields}
    return Donation.objects.create(supporter=supporter or make_supporter(), **fields)


def make_organisation(**fields) -> Organisation:
    number = next(_numbers)
    return Organisation.objects.create(**{"name": f"Partner {number}", "source_code": f"partner-{number}", **fields})


def make_petition(**fields) -> Petition:
    number = next(_numbers)
    fields = {"slug": f"petition-{number}", "title": "A common law", "state": Petition.State.OPEN, **fields}
    return Petition.objects.create(**fields)


def make_signature(petition: Petition | None = None, supporter: Supporter | None = None, **fields) -> Signature:
    return Signature.objects.create(
        petition=petition or make_petition(), supporter=supporter or make_supporter(), **fields
    )


def make_pledge(**fields) -> Pledge:
    number = next(_numbers)
    fields = {
        "method": Pledge.Method.CARD,
        "minor_units": 10_000,
        "currency": "SEK",
        "reference": references.new(),
        "email": f"donor{number}@mail.se",
        "first_name": "Ann",
        "last_name": "Ek",
        "language": "sv",
        **fields,
    }
    return Pledge.objects.create(**fields)


def ask_to_sign(petition: Petition | None = None, **fields) -> Signature:
    """What somebody typed under a petition and has yet to confirm."""
    petition = petition or make_petition()
    fields = {
        "email": "ewa@mail.se",
        "first_name": "Ewa",
        "last_name": "Nowak",
        "country": "SE",
        "language": "en",
        "agreed": (Wording(Purpose.SIGNATURE, "I agree.", "en"),),
        **fields,
    }
    signing.ask(petition, Typed(**fields))
    return Signature.objects.get(petition=petition, email=fields["email"])
