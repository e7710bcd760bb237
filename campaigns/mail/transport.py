"""The mail server, over one connection that is kept.

Sending a message ends in one of four ways, and a caller has to know which:

    it returns            the server took the message over
    Refused               the server said no, for now or for good: it has nothing
    Unreachable           there was no talking to the server: it has nothing
    InDoubt               the connection broke after the message had begun to leave: nobody can know
"""

import contextlib
import smtplib
import socket
import ssl
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

_SIGN_IN_FIRST = {530, 534, 535, 538}
"""Answers that are about us, not about the message (RFC 4954)."""


class MailError(Exception):
    """A message was not handed over; the text says why in words for staff."""


class Refused(MailError):
    def __init__(self, code: int, answer: str) -> None:
        super().__init__(f"{code} {answer}"[:250])
        self.temporary = 400 <= code < 500


class Unreachable(MailError):
    pass


class InDoubt(MailError):
    pass


class Connection:
    """A connection to the mail server of EMAIL_URL. Opened at the first message, and again when it breaks."""

    def __init__(self) -> None:
        self._smtp: smtplib.SMTP | None = None

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *failure: object) -> None:
        self.close(politely=True)

    def send(self, sender: str, recipient: str, message: bytes) -> None:
        """Raises Refused, Unreachable or InDoubt."""
        fresh = self._smtp is None
        smtp = self._open()
        options = []
        if not (recipient.isascii() and sender.isascii()):
            if not smtp.has_extn("smtputf8"):
                raise Refused(
                    553,
                    _("The mail server can't send to addresses with letters outside ASCII (SMTPUTF8)."),
                )
            options = ["SMTPUTF8", "BODY=8BITMIME"]
        smtp.command_encoding = "utf-8" if options else "ascii"
        try:
            self._envelope(smtp, sender, recipient, options)
        except Unreachable:
            self.close()
            if fresh:
                raise
            # A kept connection may have been closed meanwhile, or its share of messages be used up.
            self.send(sender, recipient, message)
            return
        self._body(smtp, message)

    def open(self) -> None:
        """Connect and sign in. Raises Unreachable."""
        self._open()

    def close(self, politely: bool = False) -> None:
        smtp, self._smtp = self._smtp, None
        if smtp is None:
            return
        if politely:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                smtp.quit()
        smtp.close()

    def _open(self) -> smtplib.SMTP:
        if self._smtp is None:
            self._smtp = _connect()
        return self._smtp

    def _envelope(self, smtp: smtplib.SMTP, sender: str, recipient: str, options: list[str]) -> None:
        try:
            code, answer = smtp.mail(sender, options)
            if code >= 400:
                # Whatever it is, it would be the same for everybody.
                raise Unreachable(_sender_refused(code, _decoded(answer)))
            code, answer = smtp.rcpt(recipient)
            if code < 400:
                code, answer = smtp.docmd("DATA")
                if code == 354:
                    return
        except (OSError, smtplib.SMTPException) as error:
            raise Unreachable(_why(error)) from None
        if code == 421 or code in _SIGN_IN_FIRST:
            raise Unreachable(_says(code, answer))
        self._reset(smtp)
        raise Refused(code, _decoded(answer))

    def _reset(self, smtp: smtplib.SMTP) -> None:
        try:
            smtp.rset()
        except (OSError, smtplib.SMTPException):
            self.close()

    def _body(self, smtp: smtplib.SMTP, message: bytes) -> None:
        """From the first byte on, the message may arrive whatever happens to us."""
        data = message if message.endswith(b"\r\n") else message + b"\r\n"
        try:
            smtp.send(_dot_stuffed(data) + b".\r\n")
            code, answer = smtp.getreply()
        except (OSError, smtplib.SMTPException):
            self.close()
            raise InDoubt(_("The connection broke before the mail server had answered.")) from None
        if code == 421:
            self.close()
        if code >= 400 or code < 200:
            raise Refused(code, _decoded(answer))


def _connect() -> smtplib.SMTP:
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
    except (OSError, smtplib.SMTPException) as error:
        if smtp is not None:
            smtp.close()
        raise Unreachable(_why(error)) from None
    return smtp


def _own_name() -> str:
    """What we call ourselves in EHLO: the public name, where there is one (RFC 5321, 4.1.4)."""
    host = urlsplit(settings.SITE_URL).hostname or ""
    return host if "." in host and not host.replace(".", "").isdigit() else "[127.0.0.1]"


def _why(error: Exception) -> str:
    """What stopped us, for a person who is not a technician."""
    server = {"host": settings.EMAIL_HOST, "port": settings.EMAIL_PORT}
    match error:
        case smtplib.SMTPAuthenticationError():
            return _("The mail server refuses our user name or password.")
        case smtplib.SMTPNotSupportedError():
            return _("The mail server doesn't offer what EMAIL_URL asks for: %(error)s") % {"error": error}
        case ssl.SSLCertVerificationError():
            return _("The certificate of the mail server %(host)s can't be trusted: %(reason)s.") % {
                **server,
                "reason": error.verify_message,
            }
        case ssl.SSLError():
            return _("The mail server %(host)s doesn't speak TLS as EMAIL_URL says.") % server
        case smtplib.SMTPServerDisconnected():
            return _("The mail server %(host)s closed the connection.") % server
        case smtplib.SMTPResponseException():
            return _says(error.smtp_code, error.smtp_error)
        case socket.gaierror():
            return _("The mail server's name, %(host)s, is not known.") % server
        case ConnectionRefusedError():
            return _("Nothing answers at the mail server's address, %(host)s, port %(port)d.") % server
        case TimeoutError():
            return _("The mail server %(host)s doesn't answer.") % server
        case _:
            return _("The mail server %(host)s can't be reached.") % server


def _sender_refused(code: int, answer: str) -> str:
    if code in _SIGN_IN_FIRST:
        return _("The mail server wants us to sign in: %(answer)s") % {"answer": f"{code} {answer}"}
    if code == 421:
        return _says(code, answer)
    return _("The mail server doesn't accept the sender's address: %(answer)s") % {"answer": f"{code} {answer}"}


def _says(code: int, answer: bytes | str) -> str:
    return _("The mail server says: %(answer)s") % {"answer": f"{code} {_decoded(answer)}"}


def _decoded(answer: bytes | str) -> str:
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    return " ".join(text.split())[:200]


def _dot_stuffed(message: bytes) -> bytes:
    """A line that begins with a dot gets another one (RFC 5321, 4.5.2)."""
    stuffed = message.replace(b"\r\n.", b"\r\n..")
    return b"." + stuffed if stuffed.startswith(b".") else stuffed
