"""What a transport carries, and whom it asks."""

from dataclasses import dataclass
from typing import Protocol

from campaigns.mail.transport.errors import InDoubt, Refused


@dataclass(slots=True)
class Mail:
    """A message ready to go."""

    key: int
    sender: str
    """The envelope's: where bounces go."""
    recipient: str
    body: bytes
    """As it goes over the wire: lines that begin with a dot have another one, and it ends in CRLF."""
    breaks: int = 0
    """How often the server hung up on it before it had begun to leave."""


class Outbox(Protocol):
    """Where a transport takes its messages from, and whom it tells what became of each.

    Every message that `next` gave out comes to exactly one end: `done`, `put_back`, or a no from `may_leave`. Whatever
    these raise stops the transport, once the answers to what has left have come in.
    """

    def next(self, eight_bit: bool) -> Mail | None:
        """The next message, with eight-bit lines if it likes; None when there is none just now."""

    def waiting(self) -> int:
        """How many there are at least."""

    def over(self) -> bool:
        """Whether `next` has come to its end."""

    def may_leave(self, mail: Mail) -> bool:
        """The last word, right before the first byte of the message leaves; a no takes the message back."""

    def done(self, mail: Mail, failure: Refused | InDoubt | None) -> None:
        """What became of it; None if the server took it over."""

    def put_back(self, mail: Mail) -> None:
        """It did not leave, and may be given out again."""


class Transport(Protocol):
    """A way for messages to go out. One is used by one thread at a time."""

    def open(self) -> None:
        """Make sure that somebody is there. Raises Unreachable."""

    def carry(self, outbox: Outbox) -> None:
        """Send until the outbox is over. Raises Unreachable."""

    def close(self) -> None: ...
