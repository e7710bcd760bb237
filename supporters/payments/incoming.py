"""Money that came by Swish or to the bank account, told by a file of the bank or by staff, and matched by its reference."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time
from hashlib import sha256

from supporters.payments.events import Fact, Paid, Sum, Told, Unreadable

KIND = "money.came"


@dataclass(frozen=True)
class Incoming:
    """One line of the account."""

    name: str
    """The bank's own id of it; made from the line where it has none."""
    minor: int
    currency: str
    on: date
    reference: str = ""
    payer: str = ""
    text: str = ""

    def told(self) -> Told:
        payload = json.dumps({**asdict(self), "on": self.on.isoformat()}, ensure_ascii=False)
        return Told(self.name, KIND, payload, datetime.combine(self.on, time(12), UTC))


def name_of(*parts: object) -> str:
    """An id for a line that has none: the same line in another file has the same."""
    return "line-" + sha256("\x1f".join(str(part) for part in parts).encode()).hexdigest()[:40]


def read(method: str, payload: str) -> Fact:
    """Raises Unreadable."""
    try:
        line = json.loads(payload)
        day = date.fromisoformat(line["on"])
        total = Sum(int(line["minor"]), line["currency"])
        return Paid(
            line["name"],
            total,
            datetime.combine(day, time(12), UTC),
            reference=line["reference"],
            method=method,
            name=line.get("payer", ""),
        )
    except (ValueError, LookupError, TypeError) as error:
        raise Unreadable(type(error).__name__) from None
