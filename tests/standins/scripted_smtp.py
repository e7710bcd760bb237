"""A mail server for tests that does as it is told, dialogue by dialogue: what a real one does when it fails.

tests.standins.mail is the one that keeps mail for people to read; this one is for its bad days.
"""

import contextlib
import io
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage


class Server:
    """Listens on loopback. `answer(verb, argument)` may return a reply, or "drop" to hang up at once.

    Verbs: CONNECT, EHLO, MAIL, RCPT, DATA, and END for the end of a message; None means the usual reply.
    """

    def __init__(
        self,
        smtputf8: bool = True,
        pipelining: bool = True,
        eight_bit: bool = True,
        starttls: ssl.SSLContext | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.answer: Callable[[str, str], str | None] = lambda verb, argument: None
        offers = {"PIPELINING": pipelining, "8BITMIME": eight_bit, "SMTPUTF8": smtputf8, "SIZE": True}
        self.offers = [name for name, offered in offers.items() if offered]
        self._starttls, self._tls = starttls, tls
        self.delay = 0.0
        self.chop = False
        """Whether answers come in small pieces."""
        self.slow_reading = False
        self.pieces = 0
        """How often something came in that had to be waited for."""
        self.taken: list[tuple[str, bytes]] = []
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *failure: object) -> None:
        self._listener.close()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def recipients(self) -> Counter[str]:
        return Counter(recipient for recipient, _message in list(self.taken))

    @property
    def mails(self) -> list[EmailMessage]:
        return [message_from_bytes(raw, policy=policy.default) for _recipient, raw in list(self.taken)]

    def _accept(self) -> None:
        while True:
            try:
                client, _address = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=[client], daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        self.connections += 1
        with client, contextlib.suppress(OSError, _Dropped):
            if self._tls:
                client = self._tls.wrap_socket(client, server_side=True)
            self._reply(client, "CONNECT", "", "220 ready")
            if self._talk(client, self._starttls is not None):
                client = self._starttls.wrap_socket(client, server_side=True)
                self._talk(client, False)
            client.close()

    def _talk(self, client: socket.socket, starttls: bool) -> bool:
        """The dialogue to its end; whether that is STARTTLS."""
        recipient = ""
        with _Lines(client, self) as lines:
            while line := lines.readline():
                verb, _space, argument = line.decode("utf-8", "replace").strip().partition(" ")
                verb = verb.upper()
                if verb == "EHLO":
                    *others, last = [*self.offers, *(["STARTTLS"] if starttls else [])]
                    offered = ["250-test", *(f"250-{name}" for name in others), f"250 {last}"]
                    self._reply(client, "EHLO", argument, "\r\n".join(offered))
                elif verb == "RCPT":
                    asked = argument.partition("<")[2].partition(">")[0]
                    accepted = self._reply(client, "RCPT", asked, "250 ok").startswith("2")
                    recipient = asked if accepted else ""
                elif verb == "DATA":
                    usual = "354 go on" if recipient else "554 no valid recipients"
                    if self._reply(client, "DATA", recipient, usual).startswith("354"):
                        self._message(client, lines, recipient)
                elif verb == "QUIT":
                    self._reply(client, "QUIT", "", "221 bye")
                    return False
                elif verb == "STARTTLS" and starttls:
                    self._reply(client, verb, "", "220 go ahead")
                    return True
                else:
                    self._reply(client, verb, argument, "250 ok")
        return False

    def _message(self, client: socket.socket, lines, recipient: str) -> None:
        message = b""
        while (line := lines.readline()) != b".\r\n":
            if not line:
                return
            message += line.removeprefix(b".")
        time.sleep(self.delay)
        reply = self.answer("END", recipient)
        if reply is None or reply.startswith("2") or reply == "take and drop":
            # A message to nobody is taken as "".
            self.taken.append((recipient, message))
        if reply in {"drop", "take and drop"}:
            raise _Dropped
        self._say(client, reply or "250 taken")

    def _reply(self, client: socket.socket, verb: str, argument: str, usual: str) -> str:
        reply = self.answer(verb, argument) or usual
        if reply == "drop":
            raise _Dropped
        self._say(client, reply)
        return reply

    def _say(self, client: socket.socket, reply: str) -> None:
        data = f"{reply}\r\n".encode()
        step = 3 if self.chop else len(data)
        for start in range(0, len(data), step):
            client.sendall(data[start : start + step])
            time.sleep(0.0005 if self.chop else 0)


class _Lines(io.BufferedReader):
    """The client's lines, one after another."""

    def __init__(self, client: socket.socket, server: Server) -> None:
        super().__init__(_Raw(client, server), 65536)


class _Raw(io.RawIOBase):
    def __init__(self, client: socket.socket, server: Server) -> None:
        self.client, self.server = client, server

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        if self.server.slow_reading:
            time.sleep(0.001)
        self.server.pieces += 1
        return self.client.recv_into(buffer, 16384 if self.server.slow_reading else 0)


class _Dropped(Exception):
    pass
