"""The mails that were caught, the newest so many."""

import email
import email.policy
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from functools import cached_property


@dataclass(frozen=True)
class Mail:
    id: int
    received: datetime
    sender: str
    """Of the envelope, as `to` is."""
    to: list[str]
    raw: bytes
    options: list[str]
    """What MAIL FROM said besides the address: BODY=8BITMIME, SMTPUTF8 …"""

    @cached_property
    def message(self) -> EmailMessage:
        return email.message_from_bytes(self.raw, policy=email.policy.default)

    def header(self, name: str) -> str:
        return str(self.message.get(name, ""))

    @property
    def subject(self) -> str:
        return self.header("Subject")

    @property
    def message_id(self) -> str:
        return self.header("Message-ID").strip()

    @property
    def html(self) -> str:
        return self._body("html")

    @property
    def text(self) -> str:
        return self._body("plain")

    @property
    def attachments(self) -> list[EmailMessage]:
        """What is neither of the two bodies: files, and pictures that the HTML shows."""
        bodies = (self.message.get_body(("html",)), self.message.get_body(("plain",)))
        return [part for part in self.message.walk() if not part.is_multipart() and part not in bodies]

    def facts(self) -> dict:
        return {
            "id": self.id,
            "received": self.received.isoformat(timespec="milliseconds"),
            "sender": self.sender,
            "to": self.to,
            "from": self.header("From"),
            "subject": self.subject,
            "message_id": self.message_id,
            "list_unsubscribe": self.header("List-Unsubscribe"),
            "size": len(self.raw),
        }

    def _body(self, kind: str) -> str:
        part = self.message.get_body((kind,))
        if part is None:
            return ""
        try:
            text = part.get_content()
        except (LookupError, UnicodeError):  # a character set that nobody knows
            text = part.get_payload(decode=True).decode("latin-1")
        return text.replace("\r\n", "\n")


class Store:
    """Memory stays flat: past `keep` mails or `keep_bytes` the oldest go. `count` goes on counting."""

    def __init__(
        self,
        keep: int = 20_000,
        keep_bytes: int = 256 * 1024 * 1024,
        heard: Callable[[Mail], object] | None = None,
    ) -> None:
        """`heard` is told of each mail."""
        self.keep = keep
        self.keep_bytes = keep_bytes
        self.heard = heard
        self.count = 0
        self.size = 0
        self.mails: dict[int, Mail] = {}
        self.lock = threading.Lock()

    def add(self, sender: str, to: list[str], raw: bytes, options: list[str]) -> Mail:
        with self.lock:
            self.count += 1
            mail = Mail(self.count, datetime.now(UTC), sender, to, raw, options)
            self.mails[mail.id] = mail
            self.size += len(raw)
            while len(self.mails) > self.keep or (self.size > self.keep_bytes and len(self.mails) > 1):
                oldest = self.mails.pop(next(iter(self.mails)))
                self.size -= len(oldest.raw)
        if self.heard:
            self.heard(mail)
        return mail

    def clear(self) -> None:
        with self.lock:
            self.mails.clear()
            self.size = 0

    def all(self) -> list[Mail]:
        """The oldest first."""
        with self.lock:
            return list(self.mails.values())

    def newest(self, recipient: str = "") -> Iterator[Mail]:
        """The newest first; those to addresses that contain `recipient`."""
        wanted = recipient.strip().lower()
        for mail in reversed(self.all()):
            if not wanted or any(wanted in address.lower() for address in mail.to):
                yield mail
