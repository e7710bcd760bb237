"""All that is held of a person, handed out: as JSON for programs (GDPR, article 20) and as a page to read (article 15).

Both are streams, and both go by the list of crm.personal: what stands there is handed out, in that order.
"""

from collections.abc import Iterator

from crm.personal import HOLDINGS
from supporters.holdings import Holding, Person, Row
from supporters.models import Supporter
from supporters.public import known_language

PERSON = HOLDINGS[0]
"""The one holding that has a single row."""


def parts(supporter: Supporter, given: bool = False) -> Iterator[tuple[Holding, Iterator[Row]]]:
    """What is held, table by table, each as a stream of rows to be read before the next; or of it what they gave us."""
    person = Person.of(supporter)
    for holding in HOLDINGS:
        if given and not holding.given:
            continue
        yield holding, holding.rows(person)


def language_of(supporter: Supporter, wanted: str = "") -> str:
    """In which of our languages: the one that was wanted, or else the person's own."""
    return wanted or known_language(supporter.preferred_language)
