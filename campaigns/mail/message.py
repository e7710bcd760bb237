"""An appeal's text as messages that go over the wire, with the headers that belong on bulk mail.

Auto-Submitted is not set: RFC 3834 keeps it from mail that a person wrote and chose to send, as an appeal is.
List-Id and List-Unsubscribe already keep automatic answers away (RFC 3834, section 2).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from functools import cached_property, lru_cache
from time import time
from urllib.parse import urlencode, urlsplit, urlunsplit
from uuid import UUID

from django.conf import settings

from campaigns.mail import compose, discretion, dkim, headers
from campaigns.mail.addresses import AddressUnusable, deliverable
from campaigns.mail.body import Body, Filled, Unfit
from campaigns.mail.compose import NOTHING_COUNTED, Counting, Letter, Template, one_line
from campaigns.mail.markup import READER, Slot
from campaigns.mail.readers import reader_token
from campaigns.models import Appeal, AppealText
from supporters.links import LEAVING, unsubscribe_token

__all__ = ["AddressUnusable", "MessageSkeleton", "Recipient", "letter", "unsubscribe_url", "wire"]


@dataclass(frozen=True)
class Recipient:
    """What a message needs to know of the person it goes to."""

    delivery: UUID
    email: str
    first_name: str = ""
    last_name: str = ""
    city: str = ""
    country: str = ""

    @property
    def needs_smtputf8(self) -> bool:
        return not self.email.isascii()


class MessageSkeleton:
    """One text of one appeal, compiled: every octet that is the same for everybody is ready."""

    def __init__(self, origin: "_Origin", template: Template, values: Mapping[str, str], *, eight_bit: bool) -> None:
        self._origin = origin
        self._template = template
        self._values = values
        self._subject = template.subject.settled(values)
        self._body = Body(template.text.settled(values), template.html.settled(values), eight_bit=eight_bit)
        self.sender = deliverable(origin.sender_email)
        self._counted = any(
            isinstance(piece, Slot) and piece.field is READER
            for piece in (*template.text.pieces, *template.html.pieces)
        )
        self._domain = domain = self.sender.rpartition("@")[2]
        feedback = f"{origin.appeal}:{origin.campaign or 0}:{template.language}:lodestar"
        self._from = headers.mailbox("From", one_line(origin.sender_name), self.sender)
        if origin.reply_to:
            self._from += headers.mailbox("Reply-To", "", deliverable(origin.reply_to))
        self._rest = b"".join(
            [
                headers.unstructured("List-Id", f"<appeals.{domain}>"),
                b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n",
                headers.unstructured("Feedback-ID", feedback),
                f"Content-Language: {template.language}\r\nMIME-Version: 1.0\r\n".encode(),
                b"Content-Type: " + self._body.content_type + b"\r\n",
                b"Content-Transfer-Encoding: 8bit\r\n" if self._body.eight_bit else b"",
                b"\r\n",
            ]
        )

    def fill(self, recipient: Recipient, date: datetime | None = None) -> bytes:
        """The whole message for this person, dated now if no date is given.

        Raises fields.FieldError where a field can't be filled in, and AddressUnusable.
        """
        head, body = self._filled(recipient, date)
        return head + body.octets

    def fill_wire(self, recipient: Recipient, date: datetime | None = None) -> bytes:
        """The same with its dots doubled (RFC 5321, 4.5.2): what goes out between DATA and the last dot."""
        head, body = self._filled(recipient, date)
        return head + (body.octets.replace(b"\n.", b"\n..") if body.dotted else body.octets)

    def _filled(self, recipient: Recipient, date: datetime | None) -> tuple[bytes, Filled]:
        values = {**self._values, **personal_values(recipient, counted=self._counted)}
        try:
            body = self._body.fill(values)
        except Unfit:
            return self._narrow._filled(recipient, date)
        head = self._head(recipient, values, date)
        if self._origin.keys:
            head = dkim.sign(self._origin.keys, self._origin.signing_domain or self._domain, head, body.octets) + head
        return head, body

    def _head(self, recipient: Recipient, values: Mapping[str, str], date: datetime | None) -> bytes:
        return b"".join(
            [
                self._from,
                headers.mailbox("To", values["name"], deliverable(recipient.email)),
                headers.unstructured("Subject", one_line(self._subject.fill(values))),
                _date_field(date),
                # The same at every attempt, so that a receiver that got it after all can see so.
                f"Message-ID: <{recipient.delivery.hex}@{self._domain}>\r\n".encode(),
                f"List-Unsubscribe: <{values['unsubscribe_url']}>\r\n".encode(),
                self._rest,
            ]
        )

    @cached_property
    def _narrow(self) -> "MessageSkeleton":
        """The same in quoted-printable, which takes any value."""
        return MessageSkeleton(self._origin, self._template, self._values, eight_bit=False)


@dataclass(frozen=True)
class _Origin:
    """What all messages of an appeal have in common, whatever their language."""

    appeal: int
    campaign: int | None
    sender_name: str
    sender_email: str
    reply_to: str
    keys: tuple[dkim.Key, ...]
    signing_domain: str


def wire(
    appeal: Appeal,
    text: AppealText,
    counting: Counting = NOTHING_COUNTED,
    *,
    eight_bit: bool,
    discreet: bool = False,
) -> MessageSkeleton:
    """The skeleton of a text's messages, compiled once; eight_bit if the server offers 8BITMIME (RFC 6152).

    Discreet, they tell nothing before they are opened. Raises AddressUnusable where it is the sender's address that can't be used.
    """
    sender = appeal.sender_name, appeal.sender_email
    origin = _Origin(
        appeal.pk,
        appeal.campaign_id,
        *(discretion.sender(*sender) if discreet else sender),
        appeal.reply_to,
        dkim.own_keys(),
        settings.DKIM_DOMAIN,
    )
    template = compose.compile_text(
        text.language, text.subject, text.preheader, text.body, counting, discreet=discreet
    )
    values = shared_values(text.language, appeal.source_code)
    return _compiled(origin, template, tuple(values.items()), eight_bit)


@lru_cache(maxsize=64)
def _compiled(
    origin: _Origin, template: Template, values: tuple[tuple[str, str], ...], eight_bit: bool
) -> MessageSkeleton:
    return MessageSkeleton(origin, template, dict(values), eight_bit=eight_bit)


def letter(
    appeal: Appeal,
    text: AppealText,
    recipient: Recipient,
    counting: Counting = NOTHING_COUNTED,
    *,
    discreet: bool = False,
) -> Letter:
    """The text as this person reads it. Raises fields.FieldError."""
    template = compose.compile_text(
        text.language, text.subject, text.preheader, text.body, counting, discreet=discreet
    )
    return template.fill({**shared_values(text.language, appeal.source_code), **personal_values(recipient)})


def shared_values(language: str, source_code: str) -> dict[str, str]:
    """What fields.SHARED stand for: the same for everybody who reads one text of an appeal."""
    return {
        "language": language,
        "site_url": settings.SITE_URL,
        "donate_url": with_source(settings.DONATE_URL, source_code),
        "petition_url": with_source(settings.PETITION_URL, source_code),
        "organisation_name": settings.ORGANISATION_NAME,
        "source_code": source_code,
    }


def personal_values(recipient: Recipient, *, counted: bool = True) -> dict[str, str]:
    """What the other fields stand for, and markup.READER where links are counted."""
    first, last = one_line(recipient.first_name), one_line(recipient.last_name)
    return {
        "first_name": first,
        "last_name": last,
        "name": f"{first} {last}".strip(),
        "city": one_line(recipient.city),
        "country": recipient.country,
        "unsubscribe_url": unsubscribe_url(recipient.delivery),
        "reader": reader_token(recipient.delivery) if counted else "",
    }


def unsubscribe_url(delivery: UUID) -> str:
    return f"{settings.SITE_URL}/{LEAVING}{unsubscribe_token(delivery)}/"


def with_source(url: str, source_code: str) -> str:
    """The address with the source code in its query, whatever else stands there."""
    if not url:
        return ""
    parts = urlsplit(url)
    query = "&".join(filter(None, [parts.query, urlencode({"source": source_code})]))
    return urlunsplit(parts._replace(query=query))


def _date_field(date: datetime | None) -> bytes:
    return _dated(int(date.timestamp() if date else time()))


@lru_cache(maxsize=8)
def _dated(second: int) -> bytes:
    return f"Date: {format_datetime(datetime.fromtimestamp(second).astimezone())}\r\n".encode()
