"""What a known export is, and what its rows have in common."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from supporters.hygiene.text import plain
from supporters.importing.problems import NotTaken, RowProblem
from supporters.importing.values import parse_amount, parse_date

OWN = "known:"
"""Before the name of what only the export's own module reads."""
Row = dict
"""The fields of a row by name. `provider`, `names`, `refunded`, `refund_of`, `standing` and `withdrawn` may be added to them."""


@dataclass(frozen=True)
class Known:
    """An export that another system makes, known by its columns."""

    name: str
    label: str | Promise
    kind: str
    told: str | Promise
    """What will happen with its rows, for staff."""
    signs: Sequence[frozenset[str]]
    """Of each of these, the file has at least one: bare names of columns."""
    columns: dict[str, str]
    """Bare names of columns, and the field that each is."""
    prepare: Callable[[Row], Row]
    """A row as any file would have it. Raises NotTaken for what is none of ours, RowProblem for what is wrong."""
    provider: str = ""
    reference_system: str = ""
    wording: str | Promise = ""
    """What proves the consent that such an export grants."""
    unlike: frozenset[str] = field(default=frozenset())
    """With one of these columns it is another export."""

    def fits(self, names: set[str]) -> bool:
        return all(sign & names for sign in self.signs) and not self.unlike & names


def one_of(*names: str) -> frozenset[str]:
    return frozenset(names)


def own(row: Row, name: str) -> str:
    return row.get(OWN + name, "")


def not_taken(what: str) -> NotTaken:
    return NotTaken(_("Not a donation: %(what)s") % {"what": what[:60]})


def local_day(text: str) -> str:
    """The day here of a moment in UTC, such as 2024-03-01 23:30; what has no time stays as it is."""
    try:
        moment = datetime.fromisoformat(text.strip().replace(" UTC", "+00:00"))
    except ValueError:
        return text
    if len(text.strip()) <= 10:
        return text
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return timezone.localtime(moment).date().isoformat()


def yes(text: str) -> bool:
    return plain(text) in {"yes", "y", "1", "true", "ja", "si", "oui", "tak", "da"}


def amount_or_none(text: str) -> object:
    return parse_amount(text) if text.strip() else None


def day_or_none(text: str) -> object:
    try:
        return parse_date(local_day(text)) if text.strip() else None
    except RowProblem:
        return None
