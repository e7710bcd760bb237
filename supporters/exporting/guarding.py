"""Cells that no spreadsheet program takes for a formula (OWASP, CSV injection), and that come back as they were."""

import re

_NEGATIVE = re.compile(r"-[\d .,'\u00a0]+%?")
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_BEFORE = "' \u00a0"
"""What may stand before such a sign without taking its effect: spaces, and apostrophes of ours."""


_SUSPECT = frozenset("".join(_DANGEROUS) + _BEFORE)


def guarded(value: object) -> str:
    """The text with an apostrophe before it where a spreadsheet would calculate.

    A negative number stays a number. One with a plus is a telephone number to us, and would lose its plus.
    """
    text = "" if value is None else str(value)
    return f"'{text}" if text[:1] in _SUSPECT and _wants_guard(text) else text


def unguarded(text: str) -> str:
    """What guarded() was given: for files that come back."""
    return text[1:] if text.startswith("'") and _wants_guard(text) else text


def _wants_guard(text: str) -> bool:
    return text.lstrip(_BEFORE).startswith(_DANGEROUS) and not _NEGATIVE.fullmatch(text)
