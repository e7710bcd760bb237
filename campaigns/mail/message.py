"""A letter as the message that goes over the wire, with the headers that belong on bulk mail.

Auto-Submitted is not set: RFC 3834 keeps it from mail that a person wrote and chose to send, as an appeal is.
List-Id and List-Unsubscribe already keep automatic answers away (RFC 3834, section 2).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import localtime
from urllib.parse import urlencode, urlsplit, urlunsplit
from uuid import UUID

from django.conf import settings
from django.urls import reverse

from campaigns.mail import compose
from campaigns.mail.compose import NOTHING_COUNTED, Counting, Letter, one_line
from campaigns.mail.headers import FaithfulPolicy
from campaigns.mail.readers import reader_token
from campaigns.models import Appeal, AppealText
from supporters.links import unsubscribe_token

_POLICY = FaithfulPolicy()


class AddressUnusable(ValueError):
    """No message can be addressed to this; the text says why."""


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
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def needs_smtputf8(self) -> bool:
        return not self.email.isascii()


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


def values_for(recipient: Recipient, language: str, source_code: str) -> Mapping[str, str]:
    """What the merge fields of campaigns.mail.fields stand for, and markup.READER."""
    return {
        **shared_values(language, source_code),
        "first_name": one_line(recipient.first_name),
        "last_name": one_line(recipient.last_name),
        "name": one_line(recipient.name),
        "city": one_line(recipient.city),
        "country": recipient.country,
        "unsubscribe_url": unsubscribe_url(recipient.delivery),
        "reader": reader_token(recipient.delivery),
    }


def letter(appeal: Appeal, text: AppealText, recipient: Recipient, counting: Counting = NOTHING_COUNTED) -> Letter:
    """The text as this person reads it. Raises fields.FieldError."""
    template = compose.compile_text(text.language, text.subject, text.preheader, text.body, counting)
    return template.fill(values_for(recipient, text.language, appeal.source_code))


def unsubscribe_url(delivery: UUID) -> str:
    return settings.SITE_URL + reverse("campaigns:unsubscribe", args=[unsubscribe_token(delivery)])


def with_source(url: str, source_code: str) -> str:
    """The address with the source code in its query, whatever else stands there."""
    if not url:
        return ""
    parts = urlsplit(url)
    query = "&".join(filter(None, [parts.query, urlencode({"source": source_code})]))
    return urlunsplit(parts._replace(query=query))


def build(appeal: Appeal, letter: Letter, recipient: Recipient) -> bytes:
    """The whole message. Raises AddressUnusable."""
    domain = appeal.sender_email.rpartition("@")[2]
    message = EmailMessage(policy=_POLICY.clone(utf8=True) if recipient.needs_smtputf8 else _POLICY)
    message["From"] = _address(appeal.sender_name, appeal.sender_email)
    message["To"] = _address(recipient.name, recipient.email)
    if appeal.reply_to:
        message["Reply-To"] = _address("", appeal.reply_to)
    message["Subject"] = one_line(letter.subject)
    message["Date"] = localtime()
    # The same at every attempt, so that a receiver that got it after all can see so.
    message["Message-ID"] = f"<{recipient.delivery.hex}@{domain}>"
    message["List-Id"] = f"<appeals.{domain}>"
    message["List-Unsubscribe"] = f"<{unsubscribe_url(recipient.delivery)}>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message["Feedback-ID"] = f"{appeal.pk}:{appeal.campaign_id or 0}:{letter.language}:lodestar"
    message.set_content(letter.text)
    message.add_alternative(letter.html, subtype="html")
    message["Content-Language"] = letter.language
    return message.as_bytes()


def _address(name: str, email: str) -> Address:
    local, _, domain = email.rpartition("@")
    try:
        return Address(one_line(name), local, domain)
    except (ValueError, IndexError) as error:
        raise AddressUnusable(str(error)) from None
