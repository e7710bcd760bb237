"""What came back, taken apart: delivery reports (RFC 3464), complaints (RFC 5965), automatic answers (RFC 3834), and the
plain letters that mail servers write who know of none of these.

Whatever comes in is a stranger's: it is read up to a limit, its encodings may be broken, and nothing of it is believed here.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import Message
from email.parser import HeaderParser
from enum import StrEnum

from campaigns.mail.returns import letters
from campaigns.mail.returns.origins import arrived_for, is_automatic, is_bare_complaint, is_from_a_server
from campaigns.mail.returns.parts import MOST_PARTS, first_address, header, headers, human, leaves, unquoted

MOST_BYTES = 1_000_000
"""Of one message; what is behind is the original sent back, and not looked at."""
MOST_RECIPIENTS = 100


class Kind(StrEnum):
    DELIVERY = "delivery"
    """A mail server's word on a message it could not, or could, deliver."""
    FEEDBACK = "feedback"
    """A reader pressed a button: RFC 5965."""
    AUTOMATIC = "automatic"
    """Somebody is away, or a machine says that it has our message."""
    OTHER = "other"
    """A letter from a person, or something we can't make out."""


class Unreadable(ValueError):
    """Not a message, or one made to be hard to read."""


@dataclass(frozen=True)
class Recipient:
    """What a report says of one address. Empty where it doesn't say."""

    address: str = ""
    action: str = ""
    """failed, delayed, delivered, relayed or expanded (RFC 3464, 2.3.3)."""
    status: str = ""
    """As in 5.1.1 (RFC 3463)."""
    said: str = ""
    """What the server said, in its words."""


@dataclass(frozen=True)
class Report:
    kind: Kind
    recipients: tuple[Recipient, ...] = ()
    text: str = ""
    """The part for people, without the message that is sent back with it."""
    subject: str = ""
    feedback: str = "abuse"
    """The type of complaint: abuse, fraud, virus, opt-out, auth-failure, not-spam, other."""
    arrived_for: tuple[str, ...] = ()
    """The addresses this was delivered to: one of ours by VERP, if it comes from a server."""
    message_ids: tuple[str, ...] = ()
    """Of the message it is about, as far as it was sent back."""
    senders: tuple[str, ...] = ()
    """Envelope senders of the message it is about."""


def read(raw: bytes) -> Report:
    """Take one message apart. Raises Unreadable."""
    raw = raw[:MOST_BYTES].replace(b"\x00", b"")
    if raw.lower().count(b"multipart/") > MOST_PARTS:
        raise Unreadable("too many parts")
    try:
        message = message_from_bytes(raw, policy=policy.compat32)
        return _report(message)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise Unreadable(type(error).__name__) from None


def _report(message: Message) -> Report:
    parts = list(leaves(message))
    if not message.keys() and not any(text.strip() for _kind, text in parts):
        raise Unreadable("no message")
    original = _original(parts)
    text = human(parts)
    about = {
        "text": text,
        "subject": header(message, "Subject"),
        "arrived_for": arrived_for(message),
        **_identity(original, text, parts),
    }
    if complaint := _complaint(message, parts, original):
        recipients, kind_of = complaint
        return Report(Kind.FEEDBACK, recipients, feedback=kind_of, **about)
    if told := _notification(text):
        return Report(*told, **about)
    if groups := _groups(parts):
        about["text"] = letters.cut(text)[0]
        return Report(Kind.DELIVERY, tuple(_recipient(group) for group in groups[:MOST_RECIPIENTS]), **about)
    if is_automatic(message):
        return Report(Kind.AUTOMATIC, (Recipient(first_address(header(message, "From"))),), **about)
    body, original_text = letters.cut(text)
    about["text"] = body
    if original_text:
        about.update(_identity(headers(original_text), text, parts))
        original = {**headers(original_text), **original}
    if not original_text and not is_from_a_server(message):
        return Report(Kind.OTHER, (Recipient(first_address(header(message, "From"))),), **about)
    named = letters.named(message, body, original)
    recipients = tuple(Recipient(address, said=said) for address, said in named[:MOST_RECIPIENTS])
    return Report(Kind.DELIVERY, recipients, **about)


# Reports ----------------------------------------------------------------------------------------


_PLAIN_COMPLAINT = re.compile(r"(?im)^feedback-type:[^\n]{1,200}\n(?:[a-z-]{2,40}:[^\n]{0,500}\n){1,30}")
"""The fields of a complaint in a plain letter."""


def _complaint(
    message: Message, parts: list[tuple[str, str]], original: dict[str, str]
) -> tuple[tuple[Recipient, ...], str] | None:
    """Who complained, and how (RFC 5965)."""
    if message.get("X-Apple-Unsubscribe", "").lower() == "true":
        # The button of Apple's mail program, where it writes a letter instead of calling the address.
        return (Recipient(first_address(header(message, "From"))),), "opt-out"
    found = _fields(parts, "message/feedback-report") or [
        headers(one[0]) for one in _PLAIN_COMPLAINT.finditer(human(parts))
    ]
    if not found and not is_bare_complaint(message):
        return None
    named = [value for name, value in _all(parts, "message/feedback-report") if name == "original-rcpt-to"]
    named = named or [one["original-rcpt-to"] for one in found if "original-rcpt-to" in one]
    addresses = dict.fromkeys(filter(None, map(first_address, named or [original.get("to", "")])))
    kind = found[0].get("feedback-type", "abuse") if found else "abuse"
    return tuple(map(Recipient, addresses)) or (Recipient(),), kind.strip().lower()


def _fields(parts: list[tuple[str, str]], kind: str) -> list[dict[str, str]]:
    found = []
    for part, text in parts:
        if part == kind:
            for group in re.split(r"\n[ \t\r]*\n+", text.replace("\r\n", "\n")):
                # Some leave out the empty line between two recipients.
                several = len(re.findall(r"(?im)^final-recipient:", group)) > 1
                shares = re.split(r"(?i)\n(?=final-recipient:)", group) if several else [group]
                found += [headers(share) for share in shares if share.strip()]
    return found


def _all(parts: list[tuple[str, str]], kind: str) -> Iterator[tuple[str, str]]:
    for part, text in parts:
        if part == kind:
            found = HeaderParser(policy=policy.compat32).parsestr(re.sub(r"\n\s*\n", "\n", text), headersonly=True)
            yield from ((name.lower(), str(value)) for name, value in found.items())


def _groups(parts: list[tuple[str, str]]) -> list[dict[str, str]]:
    groups = _fields(parts, "message/delivery-status")
    if not groups:
        # Some put the fields of a report into a plain letter.
        groups = [
            headers(found[0])
            for _kind, text in parts
            for found in _IN_TEXT.finditer(unquoted(text.replace("\r\n", "\n")))
        ]
    return [
        group for group in groups if "final-recipient" in group or "original-recipient" in group or "action" in group
    ]


_IN_TEXT = re.compile(
    r"(?im)^(?:[a-z][a-z-]{2,30}:[^\n]{0,500}\n(?:[ \t][^\n]{0,500}\n){0,20}){0,12}(?:final|original)-recipient:(?:[^\n]{1,500}(?:\n|\Z)){1,40}"
)


def _recipient(group: dict[str, str]) -> Recipient:
    named = (first_address(group.get(name, "")) for name in ("original-recipient", "final-recipient"))
    address = next(filter(None, named), "")
    status = re.search(r"[245]\.\d{1,3}\.\d{1,3}", group.get("status", ""))
    said = re.sub(r"(?i)^\s*(smtp|x-[\w-]+|x\.400|unknown|dns)\s*;\s*", "", group.get("diagnostic-code", ""))
    action = re.match(r"[a-z]+", group.get("action", "").lower())
    return Recipient(address, action[0] if action else "", status[0] if status else "", said)


def _original(parts: list[tuple[str, str]]) -> dict[str, str]:
    for kind, text in parts:
        if kind in {"message/rfc822", "message/global", "text/rfc822-headers", "message/partial", "text/rfc822"}:
            return headers(text)
    return {}


def _notification(text: str) -> tuple[Kind, tuple[Recipient, ...]] | None:
    """What Amazon SES says through SNS, which can send its JSON by mail."""
    if not text.lstrip().startswith('{"') or '"notificationType"' not in text:
        return None
    try:
        told, _end = json.JSONDecoder(strict=False).raw_decode(text.lstrip())
        if complaint := told.get("complaint"):
            named = complaint["complainedRecipients"][:MOST_RECIPIENTS]
            return Kind.FEEDBACK, tuple(Recipient(first_address(str(one["emailAddress"]))) for one in named)
        named = told["bounce"]["bouncedRecipients"][:MOST_RECIPIENTS]
        fields = ({name.lower(): str(value) for name, value in one.items()} for one in named)
        return Kind.DELIVERY, tuple(
            _recipient(
                {**one, "final-recipient": one["emailaddress"], "diagnostic-code": one.get("diagnosticcode", "")}
            )
            for one in fields
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


_OURS = re.compile(r"<[0-9a-fA-F]{32}@[A-Za-z0-9.-]{1,253}>")
"""The form of our own Message-IDs: campaigns.mail.message."""


def _identity(original: dict[str, str], text: str, parts: list[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    ids = [original.get("message-id", "")]
    for _kind, part in (("", text), *parts):
        ids += _OURS.findall(part)[:20]
    senders = [
        first_address(original.get(name, "")) for name in ("return-path", "x-envelope-from", "x-original-sender")
    ]
    return {
        "message_ids": tuple(dict.fromkeys(value.strip() for value in ids if value.strip())),
        "senders": tuple(dict.fromkeys(filter(None, senders))),
    }
