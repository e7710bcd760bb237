"""Links that a person gets by email: a signed public uuid, nothing else about them.

A token carries no address, no name and no primary key, and one that was made for one kind of link opens no
other. It doesn't expire: a message may be opened years later, and leaving must work then too. Only a dated one does.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256
from uuid import UUID

from django.conf import settings
from django.core.signing import BadSignature, Signer, TimestampSigner

LEAVING = "u/"
"""Where the unsubscribe page is, before its token: known here, so that who makes messages needs no page of the site."""


class Link(StrEnum):
    """What a token opens. The value is the salt of its signature: changing one breaks every link sent."""

    LEAVE_BY_DELIVERY = "leave.delivery"
    """The unsubscribe page, by the uuid of the delivery whose message was read."""
    LEAVE = "leave.supporter"
    """The unsubscribe page, by the uuid of the supporter."""
    CONFIRM = "sign.confirm"
    """The page that confirms a signature, by the uuid of the signature."""
    GIVE = "give.pledge"
    """The pages of a pledge, by its uuid: how to pay, and what came of it."""
    NEWS = "consent.news"
    """The page that confirms the wish for news, by the uuid of the supporter."""
    PREFERENCES = "me"
    """The page of a person's choices, by the uuid of the supporter. It shows what is held of them, so it is dated."""
    PARTNER_INVITATION = "partner.invitation"
    PARTNER_PASSWORD = "partner.password"  # noqa: S105 - a salt
    """The page on which somebody of a partner sets a password, by the key of their login. Both are dated."""

    NEVER = "never.request"
    """The page that confirms never to be written to, by the uuid of an InboxRequest."""
    NEVER_BY_SIGNATURE = "never.signature"
    """The same, by the uuid of a signature whose letter was read."""
    MOVE = "me.address"
    """The page that confirms a new address, by the uuid of an InboxRequest."""


def token(link: Link, uuid: UUID) -> str:
    """What Signer.sign makes of the uuid, in a twentieth of its time: every message that goes out holds one."""
    value = _base64(uuid.bytes)
    mac = _mac(link, settings.SECRET_KEY).copy()
    mac.update(value.encode())
    return f"{value}.{_base64(mac.digest())}"


def read(link: Link, token: str) -> UUID | None:
    """The uuid that was signed for this kind of link; None for anything else, however it is garbled."""
    try:
        return UUID(bytes=urlsafe_b64decode(_signer(link).unsign(token) + "=="))
    except (BadSignature, ValueError):
        return None


def dated_token(link: Link, uuid: UUID) -> str:
    """A token that says since when it is there, for a link that is not to work for ever."""
    return _dating(link).sign(_base64(uuid.bytes))


def read_dated(link: Link, token: str, life: timedelta) -> UUID | None:
    """The uuid of a dated token that is no older than `life`; None for anything else."""
    try:
        return UUID(bytes=urlsafe_b64decode(_dating(link).unsign(token, life) + "=="))
    except (BadSignature, ValueError):
        return None


def unsubscribe_token(delivery_uuid: UUID) -> str:
    """The token of the unsubscribe link in the message of this delivery."""
    return token(Link.LEAVE_BY_DELIVERY, delivery_uuid)


@lru_cache
def _mac(link: Link, secret: str) -> hmac.HMAC:
    """To be copied: begun with the key that django.core.signing derives for a salt (its salted_hmac)."""
    return hmac.new(sha256(f"{_salt(link)}signer{secret}".encode()).digest(), digestmod="sha256")


def _base64(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode()


def _salt(link: Link) -> str:
    return f"supporters.links.{link.value}"


def _signer(link: Link) -> Signer:
    return Signer(salt=_salt(link), sep=".")


def _dating(link: Link) -> TimestampSigner:
    return TimestampSigner(salt=f"{_salt(link)}.dated", sep=".")
