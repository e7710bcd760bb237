"""Whose delivery came back.

What is known for sure: the address it came back to (VERP), which nobody can make for somebody else's delivery; our own
Message-ID, a random number that only those know who have the message, and with it the link by which they could make its
person leave anyway; and the word of a provider whose webhook proved itself.

An address that merely stands in a letter is no proof: anybody can write it there. What is found by it alone is shown to
staff and changes nothing by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db.models.functions import Now

from campaigns.mail.returns.reports import Report
from campaigns.mail.returns.verp import delivery_of
from campaigns.models import Delivery, Return
from supporters import finding
from supporters.addresses import AddressError, normalise_email
from supporters.models import Supporter

Match = Return.Match
MOST_DELIVERIES = 20
"""That one message is believed to be about."""
RECENT = timedelta(days=14)
"""How long after a sending what comes back is taken to be about it, where only the address is known."""


@dataclass(frozen=True)
class Found:
    """A delivery, its person, or both; and how they were found."""

    match: str = Match.NONE
    delivery: Delivery | None = None
    supporter: Supporter | None = None


def for_sure(report: Report) -> list[Found]:
    """The deliveries that the report proves to be about."""
    by_address = [uuid for text in (*report.arrived_for, *report.senders) if (uuid := delivery_of(text))]
    if found := _deliveries(by_address[:MOST_DELIVERIES], Match.VERP):
        return found
    by_number = [uuid for text in report.message_ids if (uuid := _number(text))]
    return _deliveries(by_number[:MOST_DELIVERIES], Match.MESSAGE_ID)


def by_provider(number: object, address: str) -> Found:
    """Whom a provider speaks of: by the number we gave it, else by the address."""
    try:
        found = _deliveries([UUID(str(number))], Match.PROVIDER)
    except ValueError:
        found = []
    if found:
        return found[0]
    person = person_of(address)
    return Found(Match.PROVIDER, None, person) if person else Found()


def by_address(address: str) -> Found:
    """Who may be meant: the person with this address, and their delivery if only one went out lately."""
    person = person_of(address)
    if person is None:
        return Found()
    recent = Delivery.objects.filter(supporter=person, sent_at__gt=Now() - RECENT).select_related("appeal")[:2]
    return Found(Match.ADDRESS, recent[0] if len(recent) == 1 else None, person)


def person_of(address: str) -> Supporter | None:
    email = canonical(address)
    return finding.by_email(email) if email else None


def canonical(address: str) -> str:
    """The spelling under which an address would be on file; empty for what is none."""
    try:
        return normalise_email(address)
    except AddressError:
        return ""


def _deliveries(uuids: Sequence[UUID], match: str) -> list[Found]:
    if not uuids:
        return []
    rows = Delivery.objects.filter(uuid__in=uuids).select_related("appeal", "supporter").order_by("pk")
    return [Found(match, row, row.supporter) for row in rows]


def _number(message_id: str) -> UUID | None:
    """The delivery of one of our Message-IDs: `<uuid@domain>` (campaigns.mail.message)."""
    local = message_id.strip("<> ").partition("@")[0]
    try:
        return UUID(hex=local) if len(local) == 32 else None
    except ValueError:
        return None
