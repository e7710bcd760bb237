"""How messages leave.

- `outbox` says what a transport is, and whom it asks and tells; `errors`, in what ways a sending may end.
- `pool` drives several connections to a mail server, `session` is the dialogue over one of them, `connecting` opens one.
- `single` sends one message and says at once how that went.
"""

from campaigns.mail.transport.errors import InDoubt, MailError, Refused, Unreachable
from campaigns.mail.transport.outbox import Mail, Outbox, Transport
from campaigns.mail.transport.pool import Pool
from campaigns.mail.transport.single import Connection, on_the_wire

__all__ = [
    "Connection",
    "InDoubt",
    "Mail",
    "MailError",
    "Outbox",
    "Pool",
    "Refused",
    "Transport",
    "Unreachable",
    "on_the_wire",
]
