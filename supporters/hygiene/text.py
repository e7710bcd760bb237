"""Text as it is kept, and as it is compared."""

import re
import unicodedata

_BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_INVISIBLE = "\u00ad\u200b\u2060\ufeff"
_GONE = {ord(letter): None for letter in _BIDI + _INVISIBLE}
_TO_SPACE = {"Cc", "Zs", "Zl", "Zp"}
_JOINERS = "\u200c\u200d"
_DIRECTION_MARKS = "\u200e\u200f\u061c"
_UNDECOMPOSED = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th", "ŧ": "t"}
)
"""Letters whose stroke is no accent to Unicode."""


def one_line(text: str) -> str:
    """As written, in one line: NFC, white space once, without controls, overrides of direction and what takes no room.

    Joiners stay, which Persian and the scripts of India spell with, and marks of direction within, which mixed scripts need.
    """
    if text.isprintable() and (text.isascii() or unicodedata.is_normalized("NFC", text)):
        return " ".join(text.split()) if "  " in text or text[:1] == " " or text[-1:] == " " else text
    kept = "".join(
        " " if (category := unicodedata.category(letter)) in _TO_SPACE else "" if category == "Cs" else letter
        for letter in text.translate(_GONE)
    )
    line = " ".join(unicodedata.normalize("NFC", kept).split()).strip(_DIRECTION_MARKS + " ")
    return line if line.strip(_DIRECTION_MARKS + _JOINERS + " ") else ""


def plain(text: str) -> str:
    """Without case, accents and doubled spaces, for comparing."""
    letters = unicodedata.normalize("NFKD", text.strip().casefold())
    return " ".join("".join(letter for letter in letters if not unicodedata.combining(letter)).split())


def key(text: str) -> str:
    """As `plain`, without punctuation and strokes through letters: what two spellings of a name have in common."""
    bare = plain(text).translate(_UNDECOMPOSED).replace(".", "").replace("&", " and ")
    return " ".join(re.sub(r"[^\w]|_", " ", bare).split())
