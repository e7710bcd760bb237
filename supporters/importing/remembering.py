"""What staff said of a file's columns, kept for the next file with the same ones.

It is kept when an import starts whose columns were not left as they were guessed, under the names of the columns in any
order, without case, accents and punctuation. What names one file's people or proves their consent (tags, source code,
statement) is not kept. Exports that are known by their columns need none of it.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from django.db.models.functions import Now

from supporters.importing import mapping as mappings
from supporters.models import ImportRun, SavedMapping

_OPTIONS = ("reference_system", "country", "language", "currency", "designation", "create_organisations", "policy")


def fingerprint(names: Iterable[str]) -> bytes:
    """Of the columns with these names, whatever their order."""
    theirs = (mappings.bare_name(name) for name in names if not mappings.is_ours(name))
    return hashlib.sha256("\n".join(sorted(theirs)).encode()).digest()


def recall(run: ImportRun, header: Sequence[str]) -> SavedMapping | None:
    """Map the run as a file with these columns was mapped before, if there was one; does not save it."""
    saved = SavedMapping.objects.filter(kind=run.kind, fingerprint=fingerprint(header)).first()
    if saved is None:
        return None
    said = dict(zip(_numbered(column["name"] for column in saved.columns), saved.columns, strict=True))
    for name, column in zip(_numbered(header), run.mapping["columns"], strict=True):
        if mappings.is_ours(column["name"]):
            continue
        before = said[name]
        column["field"] = before["field"]
        order, ambiguous = column.pop("order", ""), column.pop("ambiguous", True)
        # What the cells of this file prove counts for more than what was said of another.
        if before.get("order"):
            column["order"] = before["order"] if ambiguous else order
    run.options = saved.options | run.options
    run.layout["saved"] = saved.pk
    return saved


def _numbered(names: Iterable[str]) -> list[tuple[str, int]]:
    """The bare names, of which several may be the same."""
    met: Counter = Counter()
    numbered = []
    for name in map(mappings.bare_name, names):
        numbered.append((name, met[name]))
        met[name] += 1
    return numbered


def note_guess(run: ImportRun) -> None:
    """Remember how the columns were mapped by themselves, to see later whether staff said otherwise."""
    run.layout["guess"] = _digest(run)


def remember(run: ImportRun) -> None:
    """Keep how the run's columns are mapped, if staff have said so."""
    if run.layout.get("known") or run.layout.get("guess") == _digest(run):
        return
    columns = _columns(run)
    saved, new = SavedMapping.objects.get_or_create(
        kind=run.kind,
        fingerprint=fingerprint(column["name"] for column in columns),
        defaults={
            "name": Path(run.file_name).stem or run.file_name,
            "columns": columns,
            "options": _options(run),
            "created_by": run.created_by,
        },
    )
    if not new:
        SavedMapping.objects.filter(pk=saved.pk).update(columns=columns, options=_options(run), used_at=Now())


def note_use(run: ImportRun) -> None:
    """That a saved mapping served once more."""
    SavedMapping.objects.filter(pk=run.layout.get("saved")).update(used_at=Now())


def saved_for(run: ImportRun) -> SavedMapping | None:
    """The saved mapping by which the run was mapped."""
    return SavedMapping.objects.filter(pk=run.layout.get("saved")).select_related("created_by").first()


def _columns(run: ImportRun) -> list[dict]:
    return [
        {
            "name": column["name"],
            "field": column["field"],
            **({"order": column["order"]} if "order" in column else {}),
        }
        for column in run.mapping["columns"]
        if not mappings.is_ours(column["name"])
    ]


def _options(run: ImportRun) -> dict:
    return {name: run.options[name] for name in _OPTIONS if run.options.get(name)}


def _digest(run: ImportRun) -> str:
    said = json.dumps([_columns(run), _options(run)], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()
