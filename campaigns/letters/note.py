"""What a letter says, and the message that is made of it."""

import html
from dataclasses import dataclass
from email.utils import formatdate, parseaddr
from uuid import uuid4

from django.conf import settings

from campaigns.mail import dkim, headers, layout
from campaigns.mail.addresses import deliverable
from campaigns.mail.body import Body
from campaigns.mail.compose import Skeleton, one_line
from campaigns.mail.markup import Button, Paragraphs


@dataclass(frozen=True)
class Note:
    """A letter in plain words, in the language that is active: paragraphs, a button among them, and why it is sent."""

    to: str
    language: str
    subject: str
    blocks: tuple[str | Button, ...]
    reason: str


def message(note: Note) -> tuple[str, bytes]:
    """Envelope sender and message. Raises AddressUnusable."""
    name, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    sender = deliverable(address)
    domain = sender.rpartition("@")[2]
    body = Body(Skeleton((_text(note),), str), Skeleton((_html(note),), str), eight_bit=False)
    octets = body.fill({}).octets
    head = b"".join(
        [
            headers.mailbox("From", one_line(name), sender),
            headers.mailbox("To", "", deliverable(note.to)),
            headers.unstructured("Subject", one_line(note.subject)),
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


def _text(note: Note) -> str:
    blocks = [f"{each.label}:\n{each.href}" if isinstance(each, Button) else each for each in note.blocks]
    footer = [note.reason, settings.ORGANISATION_NAME, settings.ORGANISATION_ADDRESS]
    return "\n\n".join([*blocks, "-- \n" + "\n".join(filter(None, footer))]) + "\n"


def _html(note: Note) -> str:
    blocks = [
        each if isinstance(each, Button) else Paragraphs(f'<p style="margin:0 0 16px">{html.escape(each)}</p>')
        for each in note.blocks
    ]
    return layout.render(
        note.language,
        blocks,
        preheader="",
        organisation=settings.ORGANISATION_NAME,
        address=settings.ORGANISATION_ADDRESS,
        reason=note.reason,
    )
