"""The SMTP side, and what it was told to do wrong."""

import asyncio
from dataclasses import dataclass
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from tests.standins.mail.store import Store

NAME = "catcher.mail.test"


@dataclass
class Fault:
    """`stage`: connect, mail, rcpt or data. `kind`: answer (a code), drop (cut the connection), stall."""

    kind: str
    stage: str
    times: int | None
    """None: until calm()."""
    reply: str = ""
    address: str | None = None
    kept: bool = False
    """Whether the mail is stored although its sender never learns of it."""
    seconds: float = 3600


class Faults:
    """Told from any thread, looked at in the server's."""

    def __init__(self) -> None:
        self.pending: list[Fault] = []
        self.mails_per_connection: int | None = None
        self.calmed = asyncio.Event()

    def take(self, stage: str, address: str | None = None) -> Fault | None:
        """The first fault for that stage and recipient; it is used up by that."""
        for fault in list(self.pending):
            if fault.stage != stage or (fault.address is not None and fault.address != address):
                continue
            if fault.times is not None:
                fault.times -= 1
                if fault.times <= 0:
                    self.pending.remove(fault)
            return fault
        return None

    def calm(self) -> None:
        """In the server's thread."""
        self.pending.clear()
        self.mails_per_connection = None
        self.calmed.set()
        self.calmed = asyncio.Event()


class Server(SMTP):
    """One connection."""

    def __init__(self, handler: "Handler", login: tuple[str, str] | None, **options: Any) -> None:
        if login:
            options.update(authenticator=_Authenticator(*login), auth_required=True, auth_require_tls=False)
        super().__init__(handler, hostname=NAME, ident="mail catcher", enable_SMTPUTF8=True, **options)
        self.caught = handler
        self.mails = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.caught.connections.add(transport)
        self.caught.connection_count += 1
        fault = self.caught.faults.take("connect")
        if fault and isinstance(transport, asyncio.Transport):
            if fault.kind == "answer":
                transport.write(f"{fault.reply}\r\n".encode())
            transport.close()
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self.caught.connections.discard(self.transport)
        super().connection_lost(error)

    def hang_up(self) -> None:
        """Once what is being answered is on its way."""
        asyncio.get_running_loop().call_soon(self.transport.close)


class Handler:
    def __init__(self, store: Store) -> None:
        self.store = store
        self.faults = Faults()
        self.connections: set[asyncio.BaseTransport] = set()
        self.connection_count = 0

    async def handle_EHLO(
        self, server: Server, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [responses[0], "250-PIPELINING", "250-ENHANCEDSTATUSCODES", *responses[1:]]

    async def handle_MAIL(
        self, server: Server, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        limit = self.faults.mails_per_connection
        if limit is not None and server.mails >= limit:
            server.hang_up()
            return "421 4.7.0 Too many mails on this connection"
        reply = await self._go_wrong(server, "mail")
        if reply:
            return reply
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(
        self, server: Server, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        reply = await self._go_wrong(server, "rcpt", address.lower())
        if reply:
            return reply
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: Server, session: Session, envelope: Envelope) -> str:
        fault = self.faults.take("data")
        if fault and not fault.kept:
            await self._suffer(server, fault)
            if fault.kind != "stall":
                return fault.reply or "451 4.3.0 Going away"
        server.mails += 1
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        mail = self.store.add(envelope.mail_from or "", list(envelope.rcpt_tos), content, list(envelope.mail_options))
        if fault and fault.kept:
            await self._suffer(server, fault)
        return f"250 2.0.0 OK: caught as {mail.id}"

    async def _go_wrong(self, server: Server, stage: str, address: str | None = None) -> str:
        fault = self.faults.take(stage, address)
        if fault is None:
            return ""
        await self._suffer(server, fault)
        return "" if fault.kind == "stall" else fault.reply or "451 4.3.0 Going away"

    async def _suffer(self, server: Server, fault: Fault) -> None:
        if fault.kind == "drop":
            server.transport.abort()
        elif fault.kind == "stall":
            try:
                await asyncio.wait_for(self.faults.calmed.wait(), fault.seconds)
            except TimeoutError:
                pass
        elif fault.reply.startswith("421"):
            server.hang_up()


class _Authenticator:
    def __init__(self, user: str, password: str) -> None:
        self.user, self.password = user.encode(), password.encode()

    def __call__(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        right = getattr(data, "login", b"") == self.user and getattr(data, "password", b"") == self.password
        return AuthResult(success=right, handled=right)
