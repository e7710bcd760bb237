"""Forgetting what was typed and told once it has served. The books keep what they must."""

import json
import re

from django.db.models import BooleanField, Q, QuerySet
from django.db.models.expressions import RawSQL

from supporters import consent, scrubbing
from supporters.holdings import Person
from supporters.models import PaymentEvent, Pledge

_OF_STRIPE = frozenset(
    {
        *("customer_details", "customer_email", "customer_name", "customer_phone", "customer_address"),
        *(
            "customer_shipping",
            "billing_details",
            "receipt_email",
            "shipping",
            "shipping_details",
            "payment_method_details",
        ),
    }
)
_NAMING = {"stripe": _OF_STRIPE, "swish": frozenset({"payer", "text"}), "bank": frozenset({"payer", "text"})}
"""Where each provider says who paid; what is booked of a payment stands elsewhere."""
_ADDRESS = re.compile(r"[^\s@\"'<>,;:()\[\]{}\\]+@[^\s@\"'<>,;:()\[\]{}\\]+")
_TYPED = {"email": "", "first_name": "", "last_name": "", "news": None}


def empty_pledges(pledges: QuerySet[Pledge]) -> None:
    """Who pledged; those that nobody paid have lapsed by then."""
    pledges.filter(state=Pledge.State.WAITING).update(state=Pledge.State.LAPSED)
    pledges.update(**_TYPED)


def empty_events(events: QuerySet[PaymentEvent]) -> None:
    events.update(payload="")


def pledges_of(person: Person) -> QuerySet[Pledge]:
    theirs = Q(supporter=person.pk)
    return Pledge.objects.filter(theirs | Q(email=person.email) if person.email else theirs)


def events_about(person: Person) -> QuerySet[PaymentEvent]:
    named = RawSQL("lower(payload) LIKE ANY(%s)", [scrubbing.anywhere(person)], BooleanField())
    mentions = PaymentEvent.objects.alias(named=named).filter(named=True).values("pk")
    return PaymentEvent.objects.filter(Q(donation__supporter=person.pk) | Q(pk__in=mentions))


def forget_pledges(person: Person) -> None:
    """Nothing that this person typed on the giving page stays."""
    pledges_of(person).update(**_TYPED, supporter=None)


def forget_events(person: Person) -> None:
    """Nor what providers told of them; of what is still to be booked, all stays but who they are."""
    pks = list(events_about(person).values_list("pk", flat=True))
    theirs = PaymentEvent.objects.filter(pk__in=pks)
    theirs.filter(done_at__isnull=False).update(payload="", note="")
    for event in theirs.filter(done_at=None):
        payload = _without_person(event.provider, event.payload, person)
        theirs.filter(pk=event.pk, done_at=None).update(payload=payload, note=scrubbing.text(event.note, person))


def _without_person(provider: str, payload: str, person: Person) -> str:
    """Empty where it is no JSON: nothing of it can be booked."""
    try:
        told = json.loads(payload)
    except (ValueError, RecursionError):
        return ""
    told = scrubbing.without(told, _NAMING[provider])
    return json.dumps(scrubbing.document(told, person), ensure_ascii=False)


def forget_late(pk: int, payload: str) -> None:
    """Empty what was dealt with and names an address that was erased: it came after that."""
    if any(consent.is_erased(address) for address in set(_ADDRESS.findall(payload.lower()))):
        PaymentEvent.objects.filter(pk=pk, done_at__isnull=False).update(payload="", note="")
