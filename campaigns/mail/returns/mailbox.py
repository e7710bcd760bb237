"""The mailbox that undeliverable messages come back to, read over IMAP (RFC 3501).

A message is looked at without marking it, stored, and only then marked: whatever dies in between, it is fetched again
and known by its digest. It is marked with a keyword of ours, or as read where the server keeps no keywords; or, where
MAILBOX_URL says `done=Folder`, moved there.
"""

import imaplib
import re
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.conf import settings
from django.utils.translation import gettext as _

from campaigns.mail.returns.reports import MOST_BYTES
from campaigns.mail.returns.storing import Channel, store_message

MOST = 1_000
"""Messages in one run; the rest waits for the next."""
SECONDS = 120
TIMEOUT = 30
KEYWORD = "LodestarRead"


class MailboxError(Exception):
    """The mailbox could not be read; `for_staff` says why."""

    def __init__(self, for_staff: str) -> None:
        super().__init__(for_staff)
        self.for_staff = for_staff


def fetch() -> dict[str, int]:
    """Store what lies in the mailbox of MAILBOX_URL; counts. Raises MailboxError."""
    if not settings.MAILBOX:
        return {}
    counts = {"fetched": 0}
    until = time.monotonic() + SECONDS
    with _open() as server:
        marks = _marks(server)
        for uid in _unread(server, marks)[:MOST]:
            if time.monotonic() > until:
                break
            raw = _message(server, uid)
            if not raw:
                continue  # It has gone, or can't be read just now: what is not stored is not marked.
            counts["fetched"] += store_message(raw, Channel.MAILBOX)
            _mark(server, uid, marks)
    return counts


@contextmanager
def _open() -> Iterator[imaplib.IMAP4]:
    """The folder, opened for writing."""
    box = settings.MAILBOX
    server: imaplib.IMAP4 | None = None
    try:
        if box["tls"]:
            context = ssl.create_default_context()
            server = imaplib.IMAP4_SSL(box["host"], box["port"], ssl_context=context, timeout=TIMEOUT)
        else:
            server = imaplib.IMAP4(box["host"], box["port"], timeout=TIMEOUT)
        _sign_in(server)
        if server.select(_quoted(box["folder"]))[0] != "OK":
            raise MailboxError(_("There is no folder %(folder)s in the mailbox.") % {"folder": box["folder"]})
        yield server
    except (OSError, imaplib.IMAP4.error) as error:
        raise MailboxError(_why(error)) from None
    finally:
        if server is not None:
            with suppress(OSError, imaplib.IMAP4.error):
                server.logout()


def _sign_in(server: imaplib.IMAP4) -> None:
    try:
        server.login(settings.MAILBOX["user"], settings.MAILBOX["password"])
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error:
        raise MailboxError(_("The mailbox refuses our user name or password.")) from None


def _marks(server: imaplib.IMAP4) -> str:
    """Our keyword, if the server keeps keywords (RFC 3501, 7.1: PERMANENTFLAGS); else the flag of what was read."""
    kept = b" ".join(flag for flag in server.response("PERMANENTFLAGS")[1] if flag)
    return KEYWORD if rb"\*" in kept or KEYWORD.encode() in kept else r"\Seen"


def _unread(server: imaplib.IMAP4, mark: str) -> list[bytes]:
    wanted = "UNSEEN" if mark == r"\Seen" else f"UNKEYWORD {mark}"
    state, found = server.uid("SEARCH", f"{wanted} UNDELETED")
    if state != "OK":
        raise MailboxError(_("The mailbox can't be searched."))
    return (found[0] or b"").split()


def _message(server: imaplib.IMAP4, uid: bytes) -> bytes:
    """The message, up to MOST_BYTES; empty if there is none to be had."""
    _state, found = server.uid("FETCH", uid.decode(), f"(BODY.PEEK[]<0.{MOST_BYTES}>)")
    return next((bytes(part[1]) for part in found or [] if isinstance(part, tuple)), b"")


def _mark(server: imaplib.IMAP4, uid: bytes, mark: str) -> None:
    number, folder = uid.decode(), settings.MAILBOX["done"]
    state, _answer = server.uid("STORE", number, "+FLAGS.SILENT", f"({mark})")
    if state != "OK":
        raise MailboxError(_("The mailbox does not let us mark what we have read."))
    if not folder:
        return
    if "MOVE" in server.capabilities:
        state, _answer = server.uid("MOVE", number, _quoted(folder))
    else:
        state, _answer = server.uid("COPY", number, _quoted(folder))
        if state == "OK":
            server.uid("STORE", number, "+FLAGS.SILENT", r"(\Deleted)")
            # UID EXPUNGE takes this one only (RFC 4315); without it the mark of deletion has to do.
            if "UIDPLUS" in server.capabilities:
                server.uid("EXPUNGE", number)
    if state != "OK":
        raise MailboxError(_("There is no folder %(folder)s in the mailbox.") % {"folder": folder})


def _quoted(folder: str) -> str:
    """A folder's name as IMAP writes it; letters outside ASCII in its modified UTF-7 (RFC 3501, 5.1.3)."""
    name = re.sub(r"[^\x20-\x7e]+", lambda run: "&" + _utf7(run[0]) + "-", folder.replace("&", "&-"))
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _utf7(text: str) -> str:
    return text.encode("utf-7").decode().strip("+-").replace("/", ",")


def _why(error: Exception) -> str:
    box = {"host": settings.MAILBOX["host"], "port": settings.MAILBOX["port"]}
    match error:
        case ssl.SSLCertVerificationError():
            return _("The certificate of the mailbox's server %(host)s can't be trusted: %(reason)s.") % {
                **box,
                "reason": error.verify_message,
            }
        case ssl.SSLError():
            return _("The mailbox's server %(host)s doesn't speak TLS on port %(port)d.") % box
        case socket.gaierror():
            return _("The name of the mailbox's server, %(host)s, is not known.") % box
        case ConnectionRefusedError():
            return _("Nothing answers at the mailbox's address, %(host)s, port %(port)d.") % box
        case TimeoutError():
            return _("The mailbox's server %(host)s doesn't answer.") % box
        case _:
            return _("The connection to the mailbox's server %(host)s broke.") % box
