"""Confirming from the inbox: only now does what was typed become a person, a signature that counts, and consents."""

import json
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from supporters import consent, finding
from supporters.hygiene.contact import contact_of, read_contact
from supporters.hygiene.text import plain
from supporters.locks import in_the_end
from supporters.models import Consent, Organisation, Petition, Signature, Supporter
from supporters.signing import states, wordings

_FILLED = ("first_name", "last_name", "postcode")


@dataclass(frozen=True)
class Pending:
    """A signature as its owner finds it behind the link."""

    signature: Signature
    name: str
    agreed: list[str]
    confirmed: bool

    @property
    def petition(self) -> Petition:
        return self.signature.petition

    @property
    def seen(self) -> str:
        """Stands for what the page shows: somebody may sign again with this address while it is read."""
        return _seen(self.signature)


def pending(uuid: UUID) -> Pending | None:
    """What the link of this signature leads to; None once it lapsed or was withdrawn."""
    signature = Signature.objects.select_related("petition", "organisation").filter(uuid=uuid).first()
    if signature is None:
        return None
    typed = signature.typed
    name = f"{typed.get('first_name', '')} {typed.get('last_name', '')}".strip()
    agreed = [each["text"] for each in typed.get("agreed", [])]
    return Pending(signature, name, agreed, confirmed=signature.email is None)


def confirm(uuid: UUID, seen: str = "") -> bool:
    """Count the signature and grant what was ticked; False where there is nothing to confirm any more.

    `seen`: what its owner was shown. Something else was not agreed to, and False too.
    Twice is once, and of two at the same moment one waits for the other. Who has signed this petition before is counted
    once; what they ticked now is granted all the same. What is on file of them is added to, never written over.
    """
    return in_the_end(lambda: _confirm(uuid, seen))


@transaction.atomic
def _confirm(uuid: UUID, seen: str) -> bool:
    signature = Signature.objects.select_for_update(of=["self"]).select_related("petition").filter(uuid=uuid).first()
    if signature is None:
        return False
    if signature.email is None:
        return signature.state == Signature.State.VALIDATED
    if not signature.petition.is_open() or (seen and seen != _seen(signature)):
        return False
    supporter = _supporter(signature)
    _record_consents(supporter, signature)
    shown = signature.shown and _is_called_so(supporter, signature)
    before = Signature.objects.filter(petition=signature.petition_id, supporter=supporter)
    if before.exists():
        states.validate(before)
        states.renew(before)
        before.update(shown=shown)
        signature.delete()
    else:
        Signature.objects.filter(pk=signature.pk).update(
            supporter=supporter,
            state=Signature.State.VALIDATED,
            validated_at=Now(),
            email=None,
            typed={},
            shown=shown,
        )
        signature.letters.all().delete()
    return True


def _seen(signature: Signature) -> str:
    shown = [signature.typed, signature.shown]
    return sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()[:32]


def _supporter(signature: Signature) -> Supporter:
    """The person of this address: made if need be, and given what we do not know of them yet."""
    typed = {name: signature.typed.get(name, "") for name in _FILLED}
    said = typed | {"country": signature.country, "language": signature.language}
    contact = read_contact(signature.email, "", said["postcode"], said["country"])
    said["postcode"] = contact.postcode
    discreet = bool(signature.typed.get("discreet"))
    found = finding.by_email(signature.email, lock=True)
    if found is None:
        return Supporter.objects.create(
            email=signature.email,
            source_code=signature.source_code,
            marks=contact.marks,
            discreet=discreet,
            **said,
        )
    named = bool(found.first_name or found.last_name)
    news = {
        name: text
        for name, text in said.items()
        if text and not getattr(found, name) and not (named and name in {"first_name", "last_name"})
    }
    if discreet and not found.discreet:
        Supporter.objects.filter(pk=found.pk).update(discreet=True, updated_at=Now())
    if news:
        Supporter.objects.filter(pk=found.pk).update(**contact_of(found, news), updated_at=Now())
    return found


def _is_called_so(supporter: Supporter, signature: Signature) -> bool:
    """Whether they are on file by the name that they typed: another one they did not agree to have shown."""
    known = supporter.first_name
    return not known or plain(known) == plain(signature.typed.get("first_name", ""))


def _record_consents(supporter: Supporter, signature: Signature) -> None:
    """Two lines for each box: when it was ticked, and when that was confirmed."""
    partners = Organisation.objects.in_bulk(
        [each["organisation"] for each in signature.typed["agreed"] if each["organisation"]]
    )
    for each in signature.typed["agreed"]:
        partner = partners.get(each["organisation"])
        if each["organisation"] and partner is None:
            continue  # The organisation is no more.
        proof = wordings.proof(each) | {"source": f"petition {signature.petition.slug}", "organisation": partner}
        consent.request(
            supporter, each["purpose"], method=Consent.Method.FORM, happened_at=signature.created_at, **proof
        )
        consent.grant(supporter, each["purpose"], method=Consent.Method.CONFIRMED, **proof)
