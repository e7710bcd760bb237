import asyncio
import threading
import time
from collections.abc import Callable
from types import TracebackType

from tests.standins.mail import web
from tests.standins.mail.smtp import Fault, Handler, Server
from tests.standins.mail.store import Mail, Store

TEXTS = {
    421: "4.3.2 Service not available, closing the channel",
    450: "4.2.1 Mailbox busy, try again later",
    451: "4.7.1 Greylisted, try again later",
    452: "4.2.2 Mailbox full",
    550: "5.1.1 No such user here",
    552: "5.2.2 Mailbox full",
    554: "5.7.1 Refused as spam",
}


class MailCatcher:
    """Listens between `with` and its end, or start() and stop(). `login`: the only user and password it takes."""

    def __init__(
        self,
        smtp_port: int = 0,
        web_port: int = 0,
        login: tuple[str, str] | None = None,
        keep: int = 20_000,
        heard: Callable[[Mail], object] | None = None,
    ) -> None:
        self.smtp_port = smtp_port
        self.web_port = web_port
        self.login = login
        self.store = Store(keep, heard=heard)

    # Life

    def start(self) -> "MailCatcher":
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._run(self._prepare())
        self.up()
        self._web = web.serve(self, self.web_port)
        self.web_port = self._web.server_address[1]
        return self

    def stop(self) -> None:
        self._web.stop()
        self.calm()
        self.down()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def __enter__(self) -> "MailCatcher":
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def up(self) -> None:
        """Listen, on the same port as before if there was one."""
        self._server = self._run(self._listen())
        self.smtp_port = self._server.sockets[0].getsockname()[1]

    def down(self) -> None:
        """Stop listening and cut every connection: a mail server that is not there."""
        self._run(self._hang_up())

    @property
    def smtp_url(self) -> str:
        return f"smtp://127.0.0.1:{self.smtp_port}"

    @property
    def web_url(self) -> str:
        return f"http://127.0.0.1:{self.web_port}/"

    # What it caught

    @property
    def messages(self) -> list[Mail]:
        """The oldest first."""
        return self.store.all()

    @property
    def count(self) -> int:
        """Of all that ever came, those no longer kept too."""
        return self.store.count

    @property
    def connections(self) -> int:
        """How many were made so far."""
        return self._handler.connection_count

    def to(self, address: str) -> list[Mail]:
        """Those that went to exactly that address."""
        return [mail for mail in self.messages if address in mail.to]

    def recipients(self) -> list[str]:
        """Of every mail, in the order they came: somebody in it twice got two."""
        return [address for mail in self.messages for address in mail.to]

    def wait_for(self, number: int, seconds: float = 30) -> list[Mail]:
        """The mails, once that many came."""
        deadline = time.monotonic() + seconds
        while self.count < number:
            if time.monotonic() > deadline:
                raise AssertionError(f"{self.count} of {number} mails came in {seconds} s")
            time.sleep(0.02)
        return self.messages

    def clear(self) -> None:
        self.store.clear()

    # Told to fail

    def refuse(self, address: str, code: int = 550, text: str = "", times: int | None = None) -> None:
        """Answer RCPT for that address with a code, for good or so many times."""
        self._tell(Fault("answer", "rcpt", times, _reply(code, text), address.lower()))

    def fail(self, times: int | None = 1, code: int = 451, stage: str = "data", text: str = "") -> None:
        """Answer the next so many connections (stage connect), MAILs, RCPTs or DATAs with a code."""
        self._tell(Fault("answer", stage, times, _reply(code, text)))

    def drop(self, times: int | None = 1, kept: bool = True, stage: str = "data") -> None:
        """Cut the connection instead of answering; `kept`: the mail arrived all the same."""
        self._tell(Fault("drop", stage, times, kept=kept and stage == "data"))

    def stall(self, times: int | None = 1, seconds: float = 3600, kept: bool = False, stage: str = "data") -> None:
        """Answer that much later, or at calm(); `kept`: the mail is there meanwhile."""
        self._tell(Fault("stall", stage, times, kept=kept and stage == "data", seconds=seconds))

    def close_after(self, mails: int | None) -> None:
        """Answer 421 and hang up after that many mails on one connection; None: never."""
        self._handler.faults.mails_per_connection = mails

    def calm(self) -> None:
        self._run(self._calm())

    # In the server's thread

    def _tell(self, fault: Fault) -> None:
        self._run(self._add(fault))

    async def _add(self, fault: Fault) -> None:
        self._handler.faults.pending.append(fault)

    async def _calm(self) -> None:
        self._handler.faults.calm()

    async def _prepare(self) -> None:
        self._handler = Handler(self.store)

    async def _listen(self) -> asyncio.Server:
        def connection() -> Server:
            return Server(self._handler, self.login, loop=self._loop)

        return await self._loop.create_server(connection, "127.0.0.1", self.smtp_port, backlog=128)

    async def _hang_up(self) -> None:
        self._server.close()
        for transport in list(self._handler.connections):
            transport.abort()
        while self._handler.connections:
            await asyncio.sleep(0.005)

    def _run(self, coroutine: object) -> object:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)


def _reply(code: int, text: str) -> str:
    return f"{code} {text or TEXTS.get(code, 'Refused')}"
