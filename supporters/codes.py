"""Codes for the camera of a phone."""

import segno
from django.utils.safestring import SafeString, mark_safe


def svg(code: segno.QRCode) -> SafeString:
    """Black on white in a dark scheme too: cameras want it so. Nothing in it comes from anybody but us."""
    return mark_safe(code.svg_inline(scale=5, border=4, dark="#000", light="#fff", omitsize=True))  # noqa: S308


def of_text(text: str) -> SafeString:
    """Of an address or a line that other programs read, with some of it to spare for dirt and folds."""
    return svg(segno.make(text, error="m", micro=False))
