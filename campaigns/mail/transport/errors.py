"""How sending a message may end other than well, in words for staff.

nothing said          the server took the message over
Refused               the server said no, for now or for good: it has nothing
Unreachable           there was no talking to the server: it has nothing
InDoubt               the connection broke after the message had begun to leave: nobody can know
"""

import smtplib
import socket
import ssl

from django.conf import settings
from django.utils.translation import gettext as _

SIGN_IN_FIRST = {530, 534, 535, 538}
"""Answers that are about us, not about the message (RFC 4954)."""
CLOSING = 421
"""The server is about to close the connection; it may come at any time (RFC 5321, 3.8)."""


class MailError(Exception):
    """A message was not handed over; the text says why."""


class Refused(MailError):
    def __init__(self, code: int, answer: str) -> None:
        super().__init__(f"{code} {answer}"[:250])
        self.code = code
        self.temporary = 400 <= code < 500


class Unreachable(MailError):
    pass


class InDoubt(MailError):
    pass


def why(error: Exception) -> str:
    """What stopped us, for a person who is not a technician."""
    server = {"host": settings.EMAIL_HOST, "port": settings.EMAIL_PORT}
    match error:
        case MailError():
            return str(error)
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
        case smtplib.SMTPServerDisconnected() | ConnectionResetError() | BrokenPipeError() | EOFError():
            return _("The mail server %(host)s closed the connection.") % server
        case smtplib.SMTPResponseException():
            return says(error.smtp_code, error.smtp_error)
        case socket.gaierror():
            return _("The mail server's name, %(host)s, is not known.") % server
        case ConnectionRefusedError():
            return _("Nothing answers at the mail server's address, %(host)s, port %(port)d.") % server
        case TimeoutError():
            return _("The mail server %(host)s doesn't answer.") % server
        case _:
            return _("The mail server %(host)s can't be reached.") % server


def sender_refused(code: int, answer: bytes | str) -> str:
    if code in SIGN_IN_FIRST:
        return _("The mail server wants us to sign in: %(answer)s") % {"answer": f"{code} {plain(answer)}"}
    if code < 500:
        return says(code, answer)
    return _("The mail server doesn't accept the sender's address: %(answer)s") % {
        "answer": f"{code} {plain(answer)}"
    }


def says(code: int, answer: bytes | str) -> str:
    return _("The mail server says: %(answer)s") % {"answer": f"{code} {plain(answer)}"}


def plain(answer: bytes | str) -> str:
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    return " ".join(text.split())[:200]
