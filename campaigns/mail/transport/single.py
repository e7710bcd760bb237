"""One message at a time, for whoever wants to know at once how it went."""

from campaigns.mail.transport.errors import InDoubt, Refused
from campaigns.mail.transport.outbox import Mail, Transport
from campaigns.mail.transport.pool import Pool


class Connection:
    """A connection to the mail server of EMAIL_URL, or another way out. Opened at the first message, and again when
    it breaks."""

    def __init__(self, transport: Transport | None = None) -> None:
        self._pool = transport or Pool(1)

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *failure: object) -> None:
        self._pool.close()

    def open(self) -> None:
        """Connect and sign in. Raises Unreachable."""
        self._pool.open()

    def send(self, sender: str, recipient: str, message: bytes) -> None:
        """Raises Refused, Unreachable or InDoubt."""
        outbox = _One(Mail(0, sender, recipient, on_the_wire(message)))
        self._pool.carry(outbox)
        if outbox.failure:
            raise outbox.failure


class _One:
    def __init__(self, mail: Mail) -> None:
        self.mail: Mail | None = mail
        self.failure: Refused | InDoubt | None = None

    def next(self, eight_bit: bool) -> Mail | None:
        mail, self.mail = self.mail, None
        return mail

    def waiting(self) -> int:
        return int(self.mail is not None)

    def over(self) -> bool:
        return self.mail is None

    def may_leave(self, mail: Mail) -> bool:
        return True

    def done(self, mail: Mail, failure: Refused | InDoubt | None) -> None:
        self.failure = failure

    def put_back(self, mail: Mail) -> None:
        self.mail = mail


def on_the_wire(message: bytes) -> bytes:
    """The message as it follows DATA: a line that begins with a dot gets another one (RFC 5321, 4.5.2)."""
    stuffed = message.replace(b"\r\n.", b"\r\n..")
    stuffed = b"." + stuffed if stuffed.startswith(b".") else stuffed
    return stuffed if stuffed.endswith(b"\r\n") else stuffed + b"\r\n"
