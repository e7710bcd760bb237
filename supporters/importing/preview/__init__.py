"""What an import would do, worked out before it runs.

    (none) ──ask──▶ owed ──work──▶ running ──▶ done
                     ▲                └──────▶ failed
                     └──────ask───────┴─ from any of them; what is under way stops

The statements are those of the import itself, on tables that stand in for the records (shadows): what is shown can't be
something else than what is done. A worker goes through the whole file and stores what would become of each row; its
progress is committed slice by slice, but who takes it up after a crash begins anew, for the stand-ins went with the
session. It goes by the settings of the run: other ones make another preview. Starting the import takes it away.
"""

import hashlib
import json
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F, JSONField, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from supporters.importing import mapping as mappings
from supporters.importing import readers, staging
from supporters.importing import run as runs
from supporters.importing.parsing import parser_for
from supporters.importing.preview.outcomes import EXAMPLES, FAILED, NOT_TAKEN, Outcomes
from supporters.importing.preview.shadows import Shadows, standing_in
from supporters.importing.problems import FileProblem, NotTaken, RowProblem
from supporters.importing.rounds import in_rounds
from supporters.importing.staging import Counts
from supporters.locks import advisory_lock
from supporters.models import ImportPreview, ImportRun, PreviewSlice

logger = logging.getLogger(__name__)
State = ImportPreview.State
_SETTINGS = ("kind", "layout", "mapping", "options")
_CONSENT = ("consent_purpose", "consent_wording", "consent_language", "consent_on", "consent_how")


def ask(run: ImportRun) -> ImportPreview:
    """Have it worked out, anew if it was before. Whoever calls hands it to a worker. Raises FileProblem."""
    mappings.check(run.kind, run.mapping, [column["name"] for column in run.mapping.get("columns", [])])
    fresh = {"state": State.OWED, "basis": basis_of(run), "error": "", "asked_at": Now(), "made_at": None}
    with transaction.atomic():
        preview, new = ImportPreview.objects.get_or_create(run=run, defaults=fresh)
        if not new:
            preview.slices.all().delete()
            ImportPreview.objects.filter(pk=preview.pk).update(
                turn=F("turn") + 1, checkpoint=0, counts={}, fields={}, **fresh
            )
    preview.refresh_from_db()
    return preview


def basis_of(run: ImportRun) -> bytes:
    """What a preview goes by, as a hash."""
    settings = [getattr(run, name) for name in (*_SETTINGS, *_CONSENT)]
    return hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode()).digest()


def of(run: ImportRun) -> ImportPreview | None:
    """The preview by the settings that the run has now, if there is one."""
    preview = ImportPreview.objects.filter(run=run).first()
    return preview if preview and bytes(preview.basis) == basis_of(run) else None


def owed() -> QuerySet[ImportPreview]:
    """Those that wait, and those whose worker may have died; what was started or cancelled meanwhile needs none."""
    return ImportPreview.objects.filter(state__in=[State.OWED, State.RUNNING], run__state=ImportRun.State.UPLOADED)


def outcome_of(preview: ImportPreview, number: int) -> dict | None:
    """What would become of the row with this number, as spreadsheets count; None if there is none."""
    held = preview.slices.filter(first__lte=number, last__gte=number)
    # Django takes a key of digits for a place in a list.
    return held.values_list(RawSQL("outcomes -> %s::text", [str(number)], JSONField()), flat=True).first()


def examples(preview: ImportPreview, outcome: str, most: int = EXAMPLES) -> list[tuple[int, dict]]:
    """The first rows of this outcome."""
    found: list[tuple[int, dict]] = []
    for held in preview.slices.filter(examples__has_key=outcome).order_by("first").iterator(1):
        found += [(number, held.outcomes[str(number)]) for number in held.examples[outcome]]
        if len(found) >= most:
            break
    return found[:most]


def work(pk: int) -> None:
    """Work out the preview of this run, if it is owed. Returns at once when somebody else is at it."""
    with advisory_lock(f"import-preview:{pk}") as ours:
        if not ours:
            return
        while preview := _take(pk):
            _make(preview)


def _take(run: int) -> ImportPreview | None:
    if not owed().filter(run=run).update(state=State.RUNNING, checkpoint=0):
        return None
    preview = ImportPreview.objects.select_related("run").get(run=run)
    preview.slices.all().delete()
    return preview


def _make(preview: ImportPreview) -> None:
    try:
        with runs.stored_file(preview.run) as path, standing_in(preview.run) as shadows:
            counts, filled, replaced = Counts(), Counter(), Counter()
            for rows, outcomes in _slices(preview, path, shadows):
                counts = counts.plus(rows)
                for total, more in zip((filled, replaced), outcomes.touched(), strict=True):
                    total.update(more)
            told = {name: [filled[name], replaced[name]] for name in {*filled, *replaced}}
            _change(preview, state=State.DONE, counts=counts._asdict(), fields=told, made_at=Now())
    except FileProblem as problem:
        _change(preview, state=State.FAILED, error=problem.for_staff)
    except (OperationalError, InterfaceError):
        raise  # the database is away: it stays owed
    except Exception:
        # A fault of ours would meet every next attempt too, and the import as well.
        logger.exception("The preview of import %s stopped", preview.run_id)
        error = _("A fault in the program stopped this preview. The import would meet it too.")
        _change(preview, state=State.FAILED, error=error)


def _slices(preview: ImportPreview, path: Any, shadows: Shadows) -> Iterator[tuple[Counts, Outcomes]]:
    parse = parser_for(preview.run)
    rows = readers.read_rows(path, readers.Layout.from_json(preview.run.layout))
    for done, slice_rows in enumerate(runs.slices_of(rows), start=1):
        with transaction.atomic():
            told = _try_out(preview, parse, slice_rows, shadows)
            if not _change(preview, checkpoint=F("checkpoint") + len(slice_rows)):
                transaction.set_rollback(True)
                return
        if done & (done - 1) == 0:
            shadows.look_at_sizes()
        yield told


def _try_out(preview: ImportPreview, parse: Callable, rows: list[readers.Row], shadows: Shadows) -> tuple:
    run, outcomes = preview.run, Outcomes(preview.run)
    staged = []
    for row in rows:
        try:
            staged.append(parse(row.number, row.cells, row.fault))
        except NotTaken as problem:
            outcomes.add(row.number, NOT_TAKEN, str(problem))
        except RowProblem as problem:
            outcomes.add(row.number, FAILED, str(problem))
    refused = Counts(
        failed=sum(row["outcome"] == FAILED for row in outcomes.rows.values()),
        not_taken=sum(row["outcome"] == NOT_TAKEN for row in outcomes.rows.values()),
    )
    watch = _Watch(shadows.bring, outcomes.after)
    cells: dict[int, list[str]] = {row.number: [] for row in rows}
    if run.kind == ImportRun.Kind.SUPPORTERS:
        counts = staging.load_supporters(run, staging.ready(in_rounds(staged)), cells, watch=watch)
    else:
        counts = staging.load_donations(run, staging.ready(staged), cells, watch=watch)
    PreviewSlice.objects.create(
        preview=preview,
        first=rows[0].number,
        last=rows[-1].number,
        outcomes=outcomes.rows,
        examples=outcomes.examples,
        people=outcomes.people,
    )
    return counts.plus(refused), outcomes


class _Watch:
    def __init__(self, before: Callable[[Any], None], after: Callable[[Any], None]) -> None:
        self.before, self.after = before, after


def _change(preview: ImportPreview, **fields: object) -> bool:
    """Go on with it, unless it was asked for anew, or the import was started or thrown away."""
    ours = Q(pk=preview.pk, turn=preview.turn, state=State.RUNNING, run__state=ImportRun.State.UPLOADED)
    return ImportPreview.objects.filter(ours).update(**fields) == 1
