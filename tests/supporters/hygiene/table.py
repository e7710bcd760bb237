"""The table of awkward values, section by section."""

import re
from pathlib import Path

_TABLE = Path(__file__).with_name("awkward.txt").read_text(encoding="utf-8")
REFUSED = "!"


def rows(section: str) -> list[tuple[str, ...]]:
    (found,) = re.findall(rf"^\[{section}:.*\]\n((?:.+\n?)*)", _TABLE, re.MULTILINE)
    return [tuple(map(_field, line.split("|"))) for line in found.splitlines()]


def _field(text: str) -> str:
    escaped = re.sub(r"\\u([0-9a-f]{4})", lambda match: chr(int(match[1], 16)), text.strip(" "))
    return escaped.replace("\\t", "\t").replace("␣", " ")
