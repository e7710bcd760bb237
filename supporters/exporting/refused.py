"""The rows of an import that did not go in, as the columns of their own file: mended, they go in again.

What the people meant by them allow stands beside them, under names that the import passes over. Who is nobody on file allows
nothing.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from supporters.addresses import AddressError, normalise_email
from supporters.exporting import consents
from supporters.exporting.listings import Asked, Column, Extent, counted
from supporters.exporting.rows import FETCHED
from supporters.importing.mapping import OUR_COLUMNS, REASON_COLUMN, is_ours
from supporters.importing.parsing import REFERENCE_SYSTEM
from supporters.models import ImportRow, ImportRun, Merge, Reference, Supporter

_ALLOWED = consents.columns("pk", OUR_COLUMNS)
_NOBODY = (False, *[""] * (len(_ALLOWED) - 1))


def run_of(asked: Asked) -> ImportRun:
    """Raises NothingThere."""
    return asked.one(ImportRun.objects, "run")


def columns(asked: Asked) -> list[Column]:
    header = [name for _place, name in _theirs(run_of(asked))]
    return [*(Column(name, name) for name in header), Column(REASON_COLUMN, _("Reason")), *_ALLOWED]


def extent(asked: Asked) -> Extent:
    run = run_of(asked)
    refused = run.failures.filter(verdict="").order_by("number")
    return Extent(
        rows=_rows(run, refused),
        count=counted(refused),
        what=gettext("Rows to look at: %(file)s") % {"file": run.file_name},
        reason=gettext("To mend them and feed them in again"),
    )


def _theirs(run: ImportRun) -> list[tuple[int, str]]:
    """The columns of the file with their places, without those that we added to rows refused once before."""
    names = [column["name"] for column in run.mapping.get("columns", [])]
    return [(place, name) for place, name in enumerate(names) if not is_ours(name)]


def _rows(run: ImportRun, refused: QuerySet[ImportRow]) -> Iterator[list[Any]]:
    places = [place for place, _name in _theirs(run)]
    people = _People(run)
    found = refused.values_list("values", "reason").iterator(FETCHED)
    while batch := list(islice(found, FETCHED)):
        allowed = people.allow([values for values, _reason in batch])
        for (values, reason), states in zip(batch, allowed, strict=True):
            yield [*(values[place] if place < len(values) else "" for place in places), reason, *states]


class _People:
    """Whom the rows of a file mean: by the address, which is what could be written to; where there is none, by the reference."""

    def __init__(self, run: ImportRun) -> None:
        fields = [column.get("field") for column in run.mapping.get("columns", [])]
        self.email_at = fields.index("email") if "email" in fields else None
        self.reference_at = fields.index("reference") if "reference" in fields else None
        self.system = run.options.get("reference_system") or REFERENCE_SYSTEM

    def allow(self, rows: Sequence[Sequence[str]]) -> list[Sequence[Any]]:
        """For each row the cells of the added columns, in four statements for all of them."""
        emails = [_email(_cell(row, self.email_at)) for row in rows]
        references = ["" if email else _cell(row, self.reference_at) for email, row in zip(emails, rows, strict=True)]
        by_email = _by_email({email for email in emails if email})
        known = Reference.objects.filter(system=self.system, identifier__in={text for text in references if text})
        by_reference = dict(known.values_list("identifier", "supporter"))
        people = [
            by_email.get(email) if email else by_reference.get(reference)
            for email, reference in zip(emails, references, strict=True)
        ]
        wanted = Supporter.objects.filter(pk__in={person for person in people if person})
        states = {pk: rest for pk, *rest in wanted.values_list("pk", *(column.source for column in _ALLOWED))}
        return [states.get(person, _NOBODY) for person in people]


def _by_email(emails: set[str]) -> dict[str, int]:
    """Of an address given up in a merge, whoever has the other."""
    aliases = Merge.objects.standing().filter(other_email__in=emails).order_by("pk")
    found = dict(aliases.values_list("other_email", "survivor"))
    return found | dict(Supporter.objects.filter(email__in=emails).values_list("email", "pk"))


def _cell(row: Sequence[str], place: int | None) -> str:
    return row[place].strip() if place is not None and place < len(row) else ""


def _email(text: str) -> str:
    try:
        return normalise_email(text) if text else ""
    except AddressError:
        return ""
