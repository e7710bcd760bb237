"""Everything that happened with one person, newest first, in one statement."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.utils.translation import gettext as _

from campaigns.mail.returns.reasons import Reason
from campaigns.mail.returns.words import MEANINGS
from campaigns.models import Delivery, Return
from supporters.models import Consent, Donation, Purpose, Signature, Supporter

PAGE = 50


@dataclass(frozen=True)
class Event:
    kind: str
    at: datetime
    text: str
    detail: str


_EVENTS = """
SELECT kind, at, state, what, detail FROM (
    SELECT 'consent' AS kind, happened_at AS at, state, purpose AS what, source AS detail
    FROM supporters_consent WHERE supporter_id = %(supporter)s
    UNION ALL
    SELECT 'donation', received_on::timestamptz, state, amount || ' ' || currency, designation
    FROM supporters_donation WHERE supporter_id = %(supporter)s AND received_on IS NOT NULL
    UNION ALL
    SELECT 'refund', r.refunded_on::timestamptz, '', r.amount || ' ' || d.currency, r.reason
    FROM supporters_refund r JOIN supporters_donation d ON d.id = r.donation_id WHERE d.supporter_id = %(supporter)s
    UNION ALL
    SELECT 'signature', s.created_at, s.state, p.title, s.source_code
    FROM supporters_signature s JOIN supporters_petition p ON p.id = s.petition_id WHERE s.supporter_id = %(supporter)s
    UNION ALL
    SELECT 'delivery', coalesce(d.sent_at, d.updated_at), d.state, a.name, d.reason
    FROM campaigns_delivery d JOIN campaigns_appeal a ON a.id = d.appeal_id WHERE d.supporter_id = %(supporter)s
    UNION ALL
    SELECT 'merge', merged_at, '', away_pk::text, ''
    FROM supporters_merge WHERE survivor_id = %(supporter)s
    UNION ALL
    SELECT 'parted', undone_at, '', away_pk::text, ''
    FROM supporters_merge WHERE survivor_id = %(supporter)s AND undone_at IS NOT NULL
    UNION ALL
    SELECT 'return', happened_at, kind, reason, said
    FROM campaigns_return WHERE supporter_id = %(supporter)s AND kind <> 'other'
) events ORDER BY at DESC LIMIT %(limit)s OFFSET %(offset)s
"""


def events(supporter: Supporter, page: int = 1) -> tuple[list[Event], bool]:
    """A page of events, and whether there are older ones."""
    with connection.cursor() as cursor:
        cursor.execute(_EVENTS, {"supporter": supporter.pk, "limit": PAGE + 1, "offset": (page - 1) * PAGE})
        rows = cursor.fetchall()
    return [Event(kind, at, _text(kind, state, what), detail) for kind, at, state, what, detail in rows[:PAGE]], len(
        rows
    ) > PAGE


def _text(kind: str, state: str, what: str) -> str:
    if kind == "consent":
        return f"{Purpose(what).label}: {Consent.State(state).label}"
    if kind == "donation":
        return _("Donation of %(what)s: %(state)s") % {"what": what, "state": Donation.State(state).label}
    if kind == "refund":
        return _("Refund of %(what)s") % {"what": what}
    if kind == "merge":
        return _("Record %(number)s was merged into this one") % {"number": what}
    if kind == "parted":
        return _("The merge of record %(number)s was undone") % {"number": what}
    if kind == "return":
        return f"{Return.Kind(state).label}: {MEANINGS[Reason(what)]}"
    if kind == "signature":
        return _("Signed “%(what)s”: %(state)s") % {"what": what, "state": Signature.State(state).label}
    return _("Appeal “%(what)s”: %(state)s") % {"what": what, "state": Delivery.State(state).label}
