"""A message as leaves of text, whatever state its MIME is in."""

import re
from collections.abc import Iterator
from email import policy
from email.header import decode_header, make_header
from email.message import Message
from email.parser import HeaderParser
from html import unescape

MOST_PARTS = 60
_LONGEST_TEXT = 40_000
_LONGEST_HEADER = 2_000
"""Characters of one."""

ADDRESS = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}(?![A-Za-z0-9-]|\.[A-Za-z0-9])"
)


_REPORT = re.compile(r"(?:message|text)/(?:x-?)?(?:global-)?(delivery-status|feedback-report)")
"""With the spellings that are about."""


def leaves(message: Message) -> Iterator[tuple[str, str]]:
    """Content type and text of each leaf; what was sent back is one leaf, with its headers only."""
    kind = message.get_content_type()
    payload = message.get_payload()
    if kind in {"message/rfc822", "message/global", "message/partial"} and isinstance(payload, list):
        inner = payload[0]
        text = "".join(f"{name}: {value}\n" for name, value in inner.items())
        yield kind, text + "\n"
        for part in list(inner.walk())[:MOST_PARTS]:
            # A report sent back in its turn: what is in it is about another message, so it counts as text only.
            if part.get_content_maintype() == "text":
                yield "original/text", _decoded(part)
    elif isinstance(payload, list) and (report := _REPORT.fullmatch(kind)):
        yield f"message/{report[1]}", "\n\n".join(_as_text(part) for part in payload)
    elif isinstance(payload, list):
        for part in payload:
            yield from leaves(part)
    else:
        report = _REPORT.fullmatch(kind)
        yield f"message/{report[1]}" if report else kind, _decoded(message)


def _as_text(part: Message) -> str:
    head = "".join(f"{name}: {value}\n" for name, value in part.items())
    rest = part.get_payload()
    return head + (f"\n{rest}" if isinstance(rest, str) and rest.strip() else "")


def _decoded(part: Message) -> str:
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        return str(part.get_payload() or "")[:_LONGEST_TEXT]
    content = content[:_LONGEST_TEXT]
    charset = part.get_content_charset() or "utf-8"
    try:
        return content.decode(charset, "replace")
    except (LookupError, ValueError):
        return content.decode("utf-8", "replace")


_QUOTED = re.compile(r"(?m)^>+ ?")


def unquoted(text: str) -> str:
    """A report that somebody passed on by hand, with the marks of quoting taken off."""
    if re.search(r"(?m)^> ?(Final-Recipient|Diagnostic-Code|Action):", text):
        return _QUOTED.sub("", text)
    return text


def human(parts: list[tuple[str, str]]) -> str:
    """What is there for people to read."""
    # A report whose parts can't be told apart, for its boundary is broken, is read as one text.
    texts = [text for kind, text in parts if (kind == "text/plain" or kind.startswith("multipart/")) and text.strip()]
    if not texts:
        texts = [_without_tags(text) for kind, text in parts if kind == "text/html"]
    return unquoted("\n".join(texts)[:_LONGEST_TEXT])


def _without_tags(text: str) -> str:
    text = re.sub(r"(?is)<(style|script|head)\b.{0,5000}?</\1>", " ", text)
    text = re.sub(r"(?i)<(br|/p|/div|/tr|/li|/h\d)\b[^>]{0,200}>", "\n", text)
    return unescape(re.sub(r"<[a-zA-Z/!][^<>]{0,500}>", " ", text))


def headers(text: str) -> dict[str, str]:
    """The fields of a header block, by their names in lower case; of two of one name, the first."""
    found = HeaderParser(policy=policy.compat32).parsestr(text.lstrip("\r\n"), headersonly=True)
    return {name.lower(): " ".join(str(value).split()) for name, value in reversed(found.items())}


def header(message: Message, name: str) -> str:
    value = message.get(name)
    if value is None:
        return ""
    text = str(value)[:_LONGEST_HEADER]
    if "=?" in text:
        try:
            text = str(make_header(decode_header(text)))
        except (ValueError, LookupError):
            pass
    return " ".join(text.split())


def first_address(value: str) -> str:
    """The first address of a field, behind the type that reports put before it (`rfc822; …`); empty if none."""
    value = value.rpartition(";")[2] if ";" in value else value
    found = ADDRESS.search(value)
    return found[0] if found else ""
