"""Cells that no spreadsheet program takes for a formula (OWASP, CSV injection)."""

import re

_NUMBER = re.compile(r"[+-]?[\d .,'\u00a0]+%?")
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def guarded(value: object) -> str:
    """The text with an apostrophe before it where a spreadsheet would calculate; numbers stay numbers."""
    text = "" if value is None else str(value)
    if text.startswith(_DANGEROUS) and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text


def unguarded(text: str) -> str:
    """What guarded() was given: for files that come back."""
    return text[1:] if text.startswith("'") and text[1:].startswith(_DANGEROUS) else text
