"""What tables, columns and codes are called to the person themselves, in their language.

The words of records are those of staff, in English. Here they are looked up under a context of their own, so that what is translated
for the person leaves the staff site as it is; those that speak of the person, or of staff as "you", are put the other way round before.
"""

from collections.abc import Iterator, Mapping
from functools import cache

from django.utils.text import capfirst
from django.utils.translation import override, pgettext

from crm.personal import HOLDINGS
from supporters.holdings import Holding
from supporters.hygiene.marks import Mark

CONTEXT = "what we hold of you"
_TO_YOU = {
    "Amount in minor units": "Amount",
    "How they asked": "How you asked",
    "How we know it is they": "How we know that it is you",
    "Is known to us in person": "You are known to us in person",
    "JSON of what they gave us, to take elsewhere": "JSON of what you gave us, to take elsewhere",
    "Left": "You left",
    "Link to one's own choices": "Link to your own choices",
    "Lost": "Decided against us",
    "Never again, by their own word": "Never again, by your own word",
    "Taken": "Latest on",
    "Told what only they can know": "You told what only you can know",
    "Showed a document": "You showed a document",
    "Waits for you": "Waits for our staff",
    "Won": "Decided in our favour",
    "We can't tell that it is they who ask, 12(6)": "We can't tell that it is you who asks, 12(6)",
    "Wrote from, or answered at, the address on file": "You wrote from, or answered at, the address on file",
    "Followed the link in a message to them": "You followed the link in a message to you",
    "The reader said so": "You said so",
}
YES, NO = "Yes", "No"


def title(holding: Holding) -> str:
    return _told(_titles()[holding.name])


def label(holding: Holding, column: str) -> str:
    return _told(_labels()[holding.name, column])


def meaning(holding: Holding, column: str, value: object) -> str | None:
    """What a code stands for; None where the column has none."""
    words = _codes().get((holding.name, column), {}).get(value)
    return words if words is None else _told(words)


def flag(value: bool) -> str:
    return _told(YES if value else NO)


def every_word() -> Iterator[tuple[str, str]]:
    """All that is looked up, in English, with the table and column where it stands."""
    yield from ((YES, "a value"), (NO, "a value"))
    yield from ((words, f"{name}: its title") for name, words in _titles().items())
    yield from ((words, f"{name}.{column}: its label") for (name, column), words in _labels().items())
    for (name, column), codes in _codes().items():
        yield from ((words, f"{name}.{column}: a value") for words in codes.values())


def _told(words: str) -> str:
    return pgettext(CONTEXT, words)


@cache
def _titles() -> Mapping[str, str]:
    with override("en"):
        return {holding.name: _to_you(holding.title) for holding in HOLDINGS}


@cache
def _labels() -> Mapping[tuple[str, str], str]:
    with override("en"):
        return {(each.name, column): _to_you(each.label(column)) for each in HOLDINGS for column in each.columns}


@cache
def _codes() -> Mapping[tuple[str, str], dict[object, str]]:
    with override("en"):
        found = {("person", "marks"): {value: _to_you(words) for value, words in Mark.choices}}
        for holding in HOLDINGS:
            for column in holding.columns:
                field = holding.field(column)
                # What is called like its code is a name: csv.
                codes = {code: words for code, words in (field.flatchoices if field else ()) if code != words}
                if codes and column not in holding.made:
                    found[holding.name, column] = {code: _to_you(words) for code, words in codes.items()}
        return found


def _to_you(words: object) -> str:
    said = capfirst(str(words))
    return _TO_YOU.get(said, said)
