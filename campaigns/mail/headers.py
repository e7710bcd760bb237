"""Header fields as octets, folded so that what is read is what was written.

Plain ASCII stands as it is; anything else goes into encoded words (RFC 2047) that hold whole characters and every space:
of two that stand side by side, a reader drops the white space between them.
"""

import re
from binascii import b2a_base64

_WIDTH = 76
"""Of a line that holds an encoded word (RFC 2047, 2)."""
_WORD = 45
"""Octets that become 60 of base64, and with `=?utf-8?b?` and `?=` an encoded word of 72."""
_PHRASE = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_BETWEEN_WORDS = re.compile(r"(?<=[^ ]) (?=[^ ])")


def unstructured(name: str, text: str) -> bytes:
    """A field of free text, such as a subject; the text has no line break."""
    if _plain(text):
        if len(name) + 2 + len(text) <= _WIDTH:
            return f"{name}: {text}\r\n".encode()
        lines = _folded(name, text)
        if max(map(len, lines)) <= _WIDTH:
            return "\r\n".join(lines).encode() + b"\r\n"
    return f"{name}: ".encode() + _encoded(text, len(name) + 2) + b"\r\n"


def mailbox(name: str, display_name: str, address: str) -> bytes:
    """A field of one address, with or without a name before it; the address is one that campaigns.mail.addresses let pass."""
    if not display_name:
        return f"{name}: {address}\r\n".encode()
    if not _plain(display_name) or len(name) + 4 + len(display_name) > _WIDTH:
        shown = _encoded(display_name, len(name) + 2)
    elif _PHRASE.fullmatch(display_name):
        shown = display_name.encode()
    else:
        shown = b'"' + re.sub(r'(["\\])', r"\\\1", display_name).encode() + b'"'
    line = f"{name}: ".encode() + shown
    fold = "\r\n" if len(line) - line.rfind(b"\n") + len(address) + 2 > _WIDTH else ""
    return line + f"{fold} <{address}>\r\n".encode()


def _plain(text: str) -> bool:
    return text.isascii() and "=?" not in text


def _folded(name: str, text: str) -> list[str]:
    """Lines cut before spaces that stand alone, so that none is lost and no line is blank."""
    lines = [f"{name}:"]
    for word in _BETWEEN_WORDS.split(text):
        if len(lines[-1]) + 1 + len(word) <= _WIDTH or lines == [f"{name}:"]:
            lines[-1] += f" {word}"
        else:
            lines.append(f" {word}")
    return lines


def _encoded(text: str, column: int) -> bytes:
    """Encoded words, one a line; the first begins at this column."""
    octets = text.encode()
    words = []
    start = 0
    room = (_WIDTH - column - len("=?utf-8?b??=")) // 4 * 3
    while start < len(octets):
        end = start + room
        while end < len(octets) and octets[end] & 0xC0 == 0x80:  # amid a character
            end -= 1
        words.append(b"=?utf-8?b?" + b2a_base64(octets[start:end], newline=False) + b"?=")
        start, room = end, _WORD
    return b"\r\n ".join(words)
