"""What mail providers tell us, in the words of django-anymail (https://anymail.dev/en/stable/sending/tracking/).

anymail translates each provider's own words; the table here says what its words are to us. Who opened or clicked is
not listened to: `Heard` holds all that is kept.
"""

from dataclasses import dataclass
from typing import Any

from campaigns.mail.returns.reasons import Reason
from campaigns.mail.returns.reports import Kind as ReportKind
from campaigns.mail.returns.reports import Recipient, Report
from campaigns.mail.returns.rules import judge
from campaigns.models import Return

Kind = Return.Kind
HEARD = ("bounced", "complained", "unsubscribed", "rejected", "failed")
"""The types of events that are kept; all others are dropped at the door."""
_TYPES: dict[str, str] = {
    "bounced": Kind.SOFT,
    "complained": Kind.COMPLAINT,
    "unsubscribed": Kind.OPT_OUT,
    "rejected": Kind.SOFT,
    "failed": Kind.SOFT,
}
"""With a fall-back: a type that is not here is nothing to act on."""
_REFUSALS = {
    "unsubscribed": (Kind.OPT_OUT, Reason.FEEDBACK),
    "spam": (Kind.SOFT, Reason.SPAM_DETECTED),
    "blocked": (Kind.SOFT, Reason.BLOCKED),
    "timed_out": (Kind.SOFT, Reason.EXPIRED),
    "invalid": (Kind.HARD, Reason.USER_UNKNOWN),
}
"""Where the receiving server's words are missing, the provider's reason stands for them; a mere `bounced` is soft."""


@dataclass(frozen=True)
class Told:
    kind: str
    reason: str
    address: str = ""
    delivery: str = ""
    """The number that we gave the provider."""
    status: str = ""
    said: str = ""


def kept(event: Any) -> dict[str, str]:
    """What is kept of an AnymailTrackingEvent."""
    metadata = event.metadata if isinstance(event.metadata, dict) else {}
    facts = {
        "type": event.event_type,
        "id": event.event_id,
        "recipient": event.recipient,
        "delivery": metadata.get("delivery"),
        "refusal": event.reject_reason,
        "said": event.mta_response or event.description,
        "at": event.timestamp.isoformat() if event.timestamp else "",
    }
    return {name: str(value or "").replace("\x00", "")[:500] for name, value in facts.items()}


def read(event: dict[str, str]) -> Told:
    """What a kept event means."""
    address, delivery, said = event.get("recipient", ""), event.get("delivery", ""), event.get("said", "")
    kind = _TYPES.get(event.get("type", ""), Kind.OTHER)
    if kind != Kind.SOFT:
        reason = Reason.FEEDBACK if kind in {Kind.COMPLAINT, Kind.OPT_OUT} else Reason.UNDEFINED
        return Told(kind, reason, address, delivery, said=said)
    report = Report(ReportKind.DELIVERY, (Recipient(address, "failed", said=said),))
    verdict = judge(report)[0]
    if verdict.reason != Reason.ON_HOLD:
        kind = Kind.HARD if verdict.hard else Kind.SOFT
        return Told(kind, verdict.reason, address, delivery, verdict.status, said)
    kind, reason = _REFUSALS.get(event.get("refusal", ""), (Kind.SOFT, Reason.ON_HOLD))
    return Told(kind, reason, address, delivery, said=said)
