"""Names of people, in any script, as they are written: no letter is made large or small, nothing is left out."""

import re
import unicodedata

from supporters.hygiene.text import one_line

_TITLES = frozenset(
    [
        "dr",
        "dra",
        "dott",
        "dottssa",
        "prof",
        "profa",
        "dipl",
        "dipl-ing",
        "ing",
        "mag",
        "mr",
        "mrs",
        "ms",
        "miss",
        "mx",
        "mme",
        "mlle",
        "m",
        "monsieur",
        "madame",
        "herr",
        "frau",
        "hr",
        "fr",
        "fru",
        "frk",
        "sr",
        "sra",
        "srta",
        "dna",
        "dl",
        "pan",
        "pani",
        "doc",
        "mudr",
        "judr",
        "phdr",
        "mgr",
        "bc",
        "lek",
        "hab",
        "inz",
        "rev",
        "sir",
        "dame",
        "lord",
        "lady",
        "don",
        "dona",
        "doña",
        "sra",
        "fra",
        "pater",
        "κ",
        "κα",
        "κος",
        "δρ",
        "δρα",
        "д-р",
        "проф",
        "г-н",
        "г-жа",
    ]
)
"""What stands before a name, in lower case, without a full stop."""
_AFTER = frozenset(
    [
        "jr",
        "sr",
        "ii",
        "iii",
        "iv",
        "phd",
        "md",
        "mba",
        "msc",
        "ba",
        "ma",
        "esq",
        "cbe",
        "obe",
        "csc",
        "jnr",
        "snr",
        "fil",
        "mag",
    ]
)
"""What stands behind a name, often after a comma."""
_PARTICLES = frozenset(
    [
        "af",
        "al",
        "av",
        "ap",
        "d",
        "da",
        "dal",
        "dalla",
        "de",
        "degli",
        "dei",
        "del",
        "della",
        "den",
        "der",
        "des",
        "di",
        "do",
        "dos",
        "du",
        "el",
        "la",
        "las",
        "le",
        "los",
        "op",
        "'t",
        "ten",
        "ter",
        "van",
        "vande",
        "vanden",
        "vander",
        "vom",
        "von",
        "y",
        "zu",
        "zum",
        "zur",
        "z",
    ]
)
_BOUND = frozenset(["عبد", "أبو", "ابو", "أم", "ام", "ʿabd", "abd", "abdul", "abdel", "abu", "umm"])
"""Arabic words that are half of a first name."""
_WITHOUT_SPACES = re.compile(r"CJK|HANGUL|HIRAGANA|KATAKANA")


def split_name(text: str) -> tuple[str, str]:
    """First and last name from one cell: “Last, First” or “First Last”; a title stays with the name behind it.

    What is one word is a first name. What is written in Chinese, Japanese or Korean letters isn't taken apart, for nothing
    tells which part is the family's.
    """
    text = one_line(text)
    first, comma, after = text.partition(",")
    if comma:
        return _around_comma(first.strip(), [part.strip() for part in after.split(",") if part.strip()])
    return _in_order(text)


def _around_comma(before: str, after: list[str]) -> tuple[str, str]:
    honours = [part for part in after if _bare(part) in _AFTER]
    given = [part for part in after if _bare(part) not in _AFTER]
    tail = "".join(f", {honour}" for honour in honours)
    if not given:
        first, last = _in_order(before)
        return (first, last + tail) if last else (first + tail, "")
    # “Berg, Anna, Dr.”: a title at the end belongs before the first name.
    titles = [part for part in given[1:] if _bare(part) in _TITLES]
    rest = [part for part in given if part not in titles]
    return " ".join([*titles, *rest]), before + tail


def _in_order(text: str) -> tuple[str, str]:
    words = text.split(" ")
    titles = 0
    while titles < len(words) - 1 and _bare(words[titles]) in _TITLES and (titles or not _is_first_name(words)):
        titles += 1
    names = words[titles:]
    if len(names) == 1:
        return ("", text) if titles else (text, "")
    if names[0] in _PARTICLES or names[0].startswith("d'"):
        return " ".join(words[:titles]), " ".join(names)
    if all(_WITHOUT_SPACES.match(unicodedata.name(word[0], "")) for word in names if word):
        return text, ""
    taken = titles + (2 if names[0].casefold() in _BOUND and len(names) > 2 else 1)
    return " ".join(words[:taken]), " ".join(words[taken:])


def _is_first_name(words: list[str]) -> bool:
    """“Don Rossi” and “Ing Berg” may be that; a title of two or three letters has its full stop or comes with more."""
    return (
        len(words) == 2
        and not words[0].endswith(".")
        and _bare(words[0]) in {"don", "dona", "ing", "m", "pan", "sir"}
    )


def _bare(word: str) -> str:
    return word.casefold().replace(".", "")
