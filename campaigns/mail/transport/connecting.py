"""A connection to the mail server of EMAIL_URL: greeted, in TLS where that is asked for, and signed in."""

import smtplib
import socket
import ssl
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from campaigns.mail.transport.errors import Unreachable, why

_READ_AT_ONCE = 65536
_NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Link:
    """A socket that never waits, and what the server at its other end offers."""

    def __init__(self, smtp: smtplib.SMTP) -> None:
        self.pipelining = smtp.has_extn("pipelining")  # RFC 2920
        self.eight_bit = smtp.has_extn("8bitmime")  # RFC 6152
        self.smtputf8 = smtp.has_extn("smtputf8")  # RFC 6531
        self._socket: socket.socket = smtp.sock
        self._encrypted = isinstance(self._socket, ssl.SSLSocket)
        self._unsent: memoryview | None = None
        self._broken = False
        self._smtp = smtp  # keeps the socket open
        self._socket.setblocking(False)

    def fileno(self) -> int:
        return self._socket.fileno()

    @property
    def wants_to_write(self) -> bool:
        return self._unsent is not None

    def write(self, data: bytes) -> None:
        """Send as much as goes now, and the rest when `flush` is called."""
        if self._unsent is not None:
            data = bytes(self._unsent) + data
        self._unsent = memoryview(data)
        self.flush()

    def flush(self) -> None:
        while self._unsent is not None and not self._broken:
            try:
                sent = self._socket.send(self._unsent)
            except _NOT_NOW:
                return
            except OSError:
                # What the server said before it hung up is still to be read; the end comes after that.
                self._broken, self._unsent = True, None
                return
            self._unsent = self._unsent[sent:] if sent < len(self._unsent) else None

    def read(self) -> bytes:
        """What has come in, if anything. Raises EOFError or OSError at the end."""
        data = self._read()
        if data and self._encrypted:
            # What TLS has decrypted already wakes nobody up.
            while self._socket.pending():
                data += self._read()
        return data

    def _read(self) -> bytes:
        try:
            data = self._socket.recv(_READ_AT_ONCE)
        except _NOT_NOW:
            return b""
        if not data:
            raise EOFError
        return data

    def close(self) -> None:
        self._smtp.close()


def connect() -> Link:
    """Raises Unreachable."""
    if not settings.EMAIL_HOST:
        raise Unreachable(_("No mail server is set up: EMAIL_URL is empty."))
    host, port, timeout = settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT
    smtp: smtplib.SMTP | None = None
    try:
        name = _own_name()
        if settings.EMAIL_USE_SSL:
            smtp = smtplib.SMTP_SSL(host, port, name, timeout=timeout, context=ssl.create_default_context())
        else:
            smtp = smtplib.SMTP(host, port, name, timeout=timeout)
        smtp.ehlo_or_helo_if_needed()
        if settings.EMAIL_USE_TLS:
            smtp.starttls(context=ssl.create_default_context())
            smtp.ehlo_or_helo_if_needed()
        if settings.EMAIL_HOST_USER and settings.EMAIL_HOST_PASSWORD:
            smtp.login(settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD)
        smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return Link(smtp)
    except (OSError, smtplib.SMTPException) as error:
        if smtp is not None:
            smtp.close()
        raise Unreachable(why(error)) from None


def _own_name() -> str:
    """What we call ourselves in EHLO: the public name, where there is one (RFC 5321, 4.1.4)."""
    host = urlsplit(settings.SITE_URL).hostname or ""
    return host if "." in host and not host.replace(".", "").isdigit() else "[127.0.0.1]"
