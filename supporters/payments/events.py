"""What happened to money, in our own words, whoever tells it."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from supporters import money


class Unreadable(ValueError):
    """A provider's message is in no form that we know; the text says what is wrong with it."""


MOST = 10**14
"""Minor units that the books have no room for. No gift has them; a message with them is broken, or somebody's mischief."""


@dataclass(frozen=True)
class Sum:
    """An amount of money in minor units. Raises Unreadable for one below nothing and for one beyond the books."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if not 0 <= self.minor < MOST:
            raise Unreadable("an amount that can't be")

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"

    @property
    def amount(self) -> Decimal:
        return money.from_minor(self.minor, self.currency)


@dataclass(frozen=True)
class Paid:
    """Money came."""

    payment: str
    """The provider's id of it: whatever tells of the same payment names the same."""
    sum: Sum
    at: datetime
    pledge: UUID | None = None
    reference: str = ""
    agreement: str = ""
    """The provider's id of the agreement that it is an instalment of."""
    method: str = "card"
    email: str = ""
    name: str = ""


@dataclass(frozen=True)
class Started:
    """An agreement was made; its first instalment is told of by itself."""

    agreement: str
    at: datetime
    pledge: UUID | None
    sum: Sum
    email: str = ""
    name: str = ""


@dataclass(frozen=True)
class NotPaid:
    """A pledge will not be paid: state `failed` or `lapsed`."""

    pledge: UUID | None
    state: str


@dataclass(frozen=True)
class GivenBack:
    refund: str
    sum: Sum
    at: datetime
    reason: str = ""


@dataclass(frozen=True)
class Refunded:
    """Money went back: every refund of the payment so far."""

    payments: tuple[str, ...]
    """The names that the payment may have in the books."""
    refunds: tuple[GivenBack, ...] = ()
    failed: bool = False
    """A refund that was told of before did not get through."""


@dataclass(frozen=True)
class Disputed:
    payments: tuple[str, ...]
    dispute: str
    sum: Sum
    at: datetime
    state: str
    """open, won or lost."""
    reason: str = ""


@dataclass(frozen=True)
class AgreementTold:
    """How an agreement stands, by the provider's clock."""

    agreement: str
    at: datetime
    state: str
    """A RecurringDonation.State."""
    next_due: datetime | None = None
    sum: Sum | None = None


@dataclass(frozen=True)
class Nothing:
    """It is none of our business, or told better elsewhere."""

    why: str = ""


Fact = Paid | Started | NotPaid | Refunded | Disputed | AgreementTold | Nothing


@dataclass(frozen=True)
class Told:
    """A provider's message as it is stored."""

    event_id: str
    kind: str
    payload: str
    happened_at: datetime | None = None
