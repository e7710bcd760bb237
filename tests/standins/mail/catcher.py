"""The SMTP side: takes messages, keeps the newest, and fails in the ways that mail servers fail when told to."""

import asyncio
import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

KEPT = 20_000


@dataclass
class Caught:
    """A message as it came over the wire."""

    number: int
    sender: str
    recipients: list[str]
    raw: bytes
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def parsed(self) -> EmailMessage:
        return message_from_bytes(self.raw, policy=policy.default)

    @property
    def to(self) -> str:
        return self.recipients[0]

    @property
    def subject(self) -> str:
        return str(self.parsed["Subject"])

    def part(self, kind: str) -> str:
        """The text of the html or the plain part; empty where there is none."""
        part = self.parsed.get_body((kind,))
        return part.get_content() if part else ""


@dataclass
class Faults:
    """What goes wrong on purpose. Counts run down; sets stay until they are cleared."""

    refused: dict[str, str] = field(default_factory=dict)
    """Recipient to the answer that RCPT gets, such as `550 5.1.1 No such user`."""
    answers: dict[str, str] = field(default_factory=dict)
    """Recipient to the answer that the message gets after DATA."""
    busy_after: int | None = None
    """Messages that are taken before every connection is answered 421."""
    drop_after_data: int = 0
    """How many messages to take in whole and then hang up without an answer, the message kept."""
    drop_before_keeping: int = 0
    """The same, the message lost."""
    stall: float = 0
    """Seconds to wait before the answer to DATA."""


class MailCatcher:
    """Runs on a loopback port for as long as the block runs."""

    def __init__(self, smtp_port: int = 0, web_port: int = 0) -> None:
        self.messages: deque[Caught] = deque(maxlen=KEPT)
        self.faults = Faults()
        self.connections = 0
        self._taken = 0
        self._lock = threading.Lock()
        self._ports = smtp_port, web_port

    def __enter__(self) -> "MailCatcher":
        from tests.standins.mail.web import serve

        self._controller = _Controller(self, hostname="127.0.0.1", port=self._ports[0])
        self._controller.start()
        self.smtp_port = self._controller.server.sockets[0].getsockname()[1]
        self.smtp_url = f"smtp://127.0.0.1:{self.smtp_port}"
        self._web = serve(self, self._ports[1])
        self.web_url = f"http://127.0.0.1:{self._web.server_address[1]}/"
        return self

    def __exit__(self, *failure: object) -> None:
        self._controller.stop(no_assert=True)
        self._web.shutdown()
        self._web.server_close()

    def clear(self) -> None:
        self.messages.clear()
        self.faults = Faults()

    def sent_to(self, address: str) -> list[Caught]:
        return [message for message in self.messages if address in message.recipients]

    def keep(self, sender: str, recipients: Iterable[str], raw: bytes) -> None:
        with self._lock:
            self._taken += 1
            self.messages.append(Caught(self._taken, sender, list(recipients), raw))

    def busy(self) -> bool:
        return self.faults.busy_after is not None and self._taken >= self.faults.busy_after

    def spend(self, fault: str) -> bool:
        """Use up one of a counted fault; whether there was one left."""
        with self._lock:
            left = getattr(self.faults, fault)
            if left:
                setattr(self.faults, fault, left - 1)
            return bool(left)


class _Controller(Controller):
    def __init__(self, catcher: MailCatcher, **address: object) -> None:
        self.catcher = catcher
        super().__init__(_Handler(catcher), server_hostname="catcher.test", **address)

    def factory(self) -> SMTP:
        return _Protocol(self.handler, hostname="catcher.test", enable_SMTPUTF8=True, data_size_limit=20_000_000)

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]  # which was 0 for any
        super()._trigger_server()


class _Protocol(SMTP):
    def connection_made(self, transport: object) -> None:
        catcher = self.event_handler.catcher
        catcher.connections += 1
        super().connection_made(transport)

    async def _handle_client(self) -> None:
        if self.event_handler.catcher.busy():
            await self.push("421 4.3.2 Too busy, come back later")
            self.transport.close()
            return
        await super()._handle_client()


class _Handler:
    def __init__(self, catcher: MailCatcher) -> None:
        self.catcher = catcher

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if answer := self.catcher.faults.refused.get(address):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        catcher = self.catcher
        if catcher.faults.stall:
            await asyncio.sleep(catcher.faults.stall)
        if catcher.busy():
            server.transport.close()
            return "421 4.3.2 Too busy, come back later"
        if answer := catcher.faults.answers.get(envelope.rcpt_tos[0]):
            return answer
        if catcher.spend("drop_before_keeping"):
            server.transport.abort()
            return "451 dropped"
        catcher.keep(envelope.mail_from, envelope.rcpt_tos, envelope.content)
        if catcher.spend("drop_after_data"):
            server.transport.abort()
            return "451 dropped"
        return "250 2.0.0 OK: kept"
