"""Slices of rows into the records: COPY into a temporary table, then a handful of statements for all rows at once.

A slice is one transaction with its failures, its counts and its checkpoint, so a run that is cut short anywhere goes
on behind the last whole slice.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from django.db import connection
from django.utils.translation import gettext as _

from supporters.importing import policy, refunds
from supporters.importing.parsing import REFERENCE_SYSTEM, StagedDonation, StagedSupporter
from supporters.importing.staging import consents, gifts, people
from supporters.importing.staging.copying import Ready, copy, ready
from supporters.importing.staging.rows import (
    Counts,
    Failure,
    analyze,
    keep_failures,
    keep_listed,
    name_equal_rows,
)
from supporters.matching import door
from supporters.models import ImportRun

__all__ = ["Counts", "Failure", "Ready", "Watch", "keep_failures", "load_donations", "load_supporters", "ready"]
CONTENT_SYSTEM = "import"
"""The system of references for people whose row has neither an address nor a reference of its own."""


class Watch(Protocol):
    """Looks on while a slice is written; both see it in the table `stage`."""

    def before(self, cursor: Any) -> None:
        """Its rows are there, and nobody has been looked up yet."""

    def after(self, cursor: Any) -> None:
        """All of it is written."""


def load_supporters(
    run: ImportRun,
    staged: Ready[StagedSupporter],
    cells: Mapping[int, Sequence[str]],
    *,
    decided: bool = False,
    watch: Watch | None = None,
) -> Counts:
    """Bring the rows in, or those that staff have decided on: see doubts. Call it in a transaction."""
    with connection.cursor() as cursor:
        winners = policy.chosen(run.options)
        parameters = {
            "run": run.pk,
            "system": run.options.get("reference_system") or REFERENCE_SYSTEM,
            "create_organisations": bool(run.options.get("create_organisations")),
            "no_organisation": _(
                "There is no organisation of this name; let the import create it, or correct the name."
            ),
            "two_people": _("The reference and the email address belong to two different people on file."),
            "doubtful": _("The address belongs to somebody of another name."),
            "only_left": _(
                "The address belongs to somebody of another name: it is not written to any more, and that is all."
            ),
            "email_stays": winners["email"] != policy.Winner.FILE,
            **door.reasons(),
        }
        cursor.execute(people.STAGE, parameters)
        copy(cursor, "stage", StagedSupporter._fields, staged.text)
        if any(row.key for row in staged.rows):
            name_equal_rows(cursor, run, "key IS NOT NULL", f"system = '{CONTENT_SYSTEM}', reference = {{name}}")
        cursor.execute(people.PREPARE, parameters)
        analyze(cursor)
        if decided:
            cursor.execute(people.VERDICTS, parameters)
        if watch:
            watch.before(cursor)
        update = policy.update_statement(winners)
        for current in range(max((row.round for row in staged.rows), default=-1) + 1):
            here = {**parameters, "round": current}
            cursor.execute(people.MATCH_AND_ADD, here)
            cursor.execute(policy.TURNS, here)
            for turn in range(1, cursor.fetchone()[0] + 1):
                cursor.execute(update, {**here, "turn": turn})
            cursor.execute(people.ADD_REFERENCES, here)
        if decided:
            cursor.execute(door.TELL_APART)
        if any(row.tags for row in staged.rows):
            cursor.execute(people.TAGS)
        held_back = consents.write_consents(cursor, run)
        keep_listed(cursor, run, cells)
        cursor.execute(
            """
            SELECT count(*) FILTER (WHERE reason IS NULL AND fresh), count(*) FILTER (WHERE reason IS NULL AND NOT fresh AND changed),
                   count(*) FILTER (WHERE reason IS NULL AND NOT fresh AND NOT changed),
                   count(*) FILTER (WHERE reason IS NOT NULL AND candidate_id IS NULL),
                   %s, count(*) FILTER (WHERE reason IS NULL AND note <> ''),
                   count(*) FILTER (WHERE reason IS NOT NULL AND candidate_id IS NOT NULL)
            FROM stage
            """,
            [held_back],
        )
        counts = Counts(*cursor.fetchone())
        if watch:
            watch.after(cursor)
        cursor.execute("DROP TABLE stage, granted")
    return counts


def load_donations(
    run: ImportRun,
    staged: Ready[StagedDonation],
    cells: Mapping[int, Sequence[str]],
    *,
    watch: Watch | None = None,
) -> Counts:
    """Bring the rows in. Call it in a transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_serial_sequence('supporters_donation', 'id')")
        cursor.execute(gifts.STAGE, {"sequence": cursor.fetchone()[0]})
        copy(cursor, "stage", StagedDonation._fields, staged.text)
        parameters = {
            "run": run.pk,
            "system": run.options.get("reference_system") or REFERENCE_SYSTEM,
            "provider": run.options.get("provider") or "file",
            "two_people": _("The reference and the email address belong to two different people on file."),
            "no_person": _("The payment is not on file, and the row does not say whose donation it is."),
            "no_payment": _("The payment that went back is not on file: import it, then this file again."),
            "too_much": _("More would go back than came."),
            "refunded": _("As the export of the payment tells."),
            "another_name": _("The gift is entered for whose address it is, who has another name."),
        }
        cursor.execute(gifts.PROVIDERS, parameters)
        name_equal_rows(cursor, run, "provider_id = ''", "provider = 'import', provider_id = {name}")
        analyze(cursor)
        if watch:
            watch.before(cursor)
        if of_payments := any(row.names for row in staged.rows):
            cursor.execute(refunds.NAMES, parameters)
        cursor.execute(gifts.PEOPLE, parameters)
        cursor.execute(gifts.INSERT, parameters)
        if cursor.rowcount < len(staged.rows):
            cursor.execute(gifts.ON_FILE)
        if of_payments:
            cursor.execute(refunds.REFUNDS, parameters)
        keep_listed(cursor, run, cells)
        cursor.execute(
            """
            SELECT count(*) FILTER (WHERE reason IS NULL AND fresh), count(*) FILTER (WHERE reason IS NULL AND NOT fresh AND changed),
                   count(*) FILTER (WHERE reason IS NULL AND NOT fresh AND NOT changed), count(*) FILTER (WHERE reason IS NOT NULL),
                   0, count(*) FILTER (WHERE reason IS NULL AND note <> '')
            FROM stage
            """
        )
        counts = Counts(*cursor.fetchone())
        if watch:
            watch.after(cursor)
        cursor.execute("DROP TABLE stage, arrivals")
    return counts
