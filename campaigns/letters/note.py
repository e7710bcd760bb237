"""What a letter says, and the message that is made of it."""

import html
from dataclasses import dataclass
from email.utils import formatdate, parseaddr
from uuid import uuid4

from django.conf import settings
from django.utils.translation import gettext as _

from campaigns.mail import discretion, dkim, headers, layout
from campaigns.mail.addresses import deliverable
from campaigns.mail.body import Body
from campaigns.mail.compose import Skeleton, one_line
from campaigns.mail.markup import Button, Paragraphs
from campaigns.mail.punctuation import leading
from supporters.public import address


@dataclass(frozen=True)
class Note:
    """A letter in plain words, in the language that is active: paragraphs, a button among them, and why it is sent."""

    to: str
    language: str
    subject: str
    blocks: tuple[str | Button, ...]
    reason: str
    quiet_subject: str = ""
    """What it is called where the subject is to tell nothing; what anything is called there, if empty."""


def message(note: Note, *, discreet: bool = False) -> tuple[str, bytes]:
    """Envelope sender and message; discreet, it tells nothing before it is opened. Raises AddressUnusable."""
    name, mailbox = parseaddr(settings.DEFAULT_FROM_EMAIL)
    subject, text = note.subject, _text(note)
    if discreet:
        name, mailbox = discretion.sender(name, mailbox)
        subject, text = note.quiet_subject or discretion.subject(), discretion.plain(text)
    sender = deliverable(mailbox)
    domain = sender.rpartition("@")[2]
    page = _html(note, subject, discretion.preview()) if discreet else _html(note)
    body = Body(Skeleton((text,), str), Skeleton((page,), str), eight_bit=False)
    octets = body.fill({}).octets
    head = b"".join(
        [
            headers.mailbox("From", one_line(name), sender),
            headers.mailbox("To", "", deliverable(note.to)),
            headers.unstructured("Subject", one_line(subject)),
            f"Date: {formatdate(localtime=True)}\r\n".encode(),
            f"Message-ID: <{uuid4().hex}@{domain}>\r\n".encode(),
            # An answer to what the person did (RFC 3834, 5): no automatic answers to it, please.
            b"Auto-Submitted: auto-replied\r\n",
            f"Content-Language: {note.language}\r\nMIME-Version: 1.0\r\n".encode(),
            b"Content-Type: " + body.content_type + b"\r\n\r\n",
        ]
    )
    signatures = dkim.sign(dkim.own_keys(), settings.DKIM_DOMAIN or domain, head, octets)
    return sender, signatures + head + octets


def _choices() -> str:
    """Where anybody has the link to their own page sent: it is the same for all, so that a letter handed on opens nothing."""
    return settings.SITE_URL + address("me_ask")


def _text(note: Note) -> str:
    blocks = [each.text if isinstance(each, Button) else each for each in note.blocks]
    footer = [
        *(note.reason, settings.ORGANISATION_NAME, settings.ORGANISATION_ADDRESS),
        f"{leading(_('Choose what you hear from us'))} {_choices()}",
    ]
    return "\n\n".join([*blocks, "-- \n" + "\n".join(filter(None, footer))]) + "\n"


def _html(note: Note, title: str = "", preheader: str = "") -> str:
    blocks = [
        each if isinstance(each, Button) else Paragraphs(f'<p style="margin:0 0 16px">{html.escape(each)}</p>')
        for each in note.blocks
    ]
    return layout.render(
        note.language,
        blocks,
        preheader=preheader,
        title=title,
        choices=_choices(),
        organisation=settings.ORGANISATION_NAME,
        address=settings.ORGANISATION_ADDRESS,
        reason=note.reason,
    )
