"""Where files that came in mention somebody: rows that were kept aside, and the files themselves."""

import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from itertools import chain

from django.db import connection
from django.db.models import Count, F, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.fields import BooleanField

from supporters.holdings import Person, Row, escape_like
from supporters.importing import readers
from supporters.importing import run as runs
from supporters.importing.policy import COLUMNS, NOTED
from supporters.importing.problems import FileProblem
from supporters.models import ImportPreview, ImportRow, ImportRun, ImportTrace, PreviewSlice

_WORD = re.compile(r"\w+")


def rows_about(person: Person) -> QuerySet[ImportRow]:
    """Rows kept aside that are about this person."""
    rows = ImportRow.objects.select_related("run").filter(Q(pk__in=_candidates(person)) | Q(supporter=person.pk))
    found = [
        row.pk
        for row in rows.order_by().iterator(500)
        if row.supporter_id == person.pk or person.mentioned_in(row.values, references_at(row.run))
    ]
    return ImportRow.objects.filter(pk__in=found)


def forget_rows(rows: QuerySet[ImportRow]) -> None:
    """Delete them; those that waited for a person wait no more."""
    waiting = rows.filter(verdict=ImportRow.Verdict.WAITING).order_by().values_list("run")
    for run, number in waiting.annotate(number_of=Count("pk")):
        ImportRun.objects.filter(pk=run).update(doubtful=F("doubtful") - number)
    rows.delete()


def _candidates(person: Person) -> QuerySet[ImportRow]:
    if not person.traces:
        return ImportRow.objects.none()
    mentions = RawSQL("lower(supporters_importrow.values::text) LIKE ANY(%s)", [_anywhere(person)], BooleanField())
    return ImportRow.objects.alias(mentions=mentions).filter(mentions=True).values("pk")


def _anywhere(person: Person) -> list[str]:
    """Patterns of their traces, as they stand in a text that JSON has quoted."""
    return [f"%{escape_like(json.dumps(trace, ensure_ascii=False)[1:-1])}%" for trace in person.traces]


def previews_about(person: Person) -> QuerySet[PreviewSlice]:
    """Slices of previews in which this person is meant or mentioned."""
    mentions = RawSQL("lower(outcomes::text) LIKE ANY(%s)", [_anywhere(person)], BooleanField())
    slices = PreviewSlice.objects.alias(mentions=mentions)
    return slices.filter(Q(people__contains=[person.pk]) | Q(mentions=True))


def preview_lines(person: Person) -> Iterator[Row]:
    """What previews say of a person, for an export."""
    slices = previews_about(person).select_related("preview__run").order_by("pk")
    for held in slices.iterator(1):
        for number, row in held.outcomes.items():
            told = [text for field in row.get("fields", ()) for text in field[1:]]
            if row.get("who") == person.pk or person.mentioned_in(told):
                yield {"file": held.preview.run.file_name, "row": int(number), "values": row}


def forget_previews(person: Person) -> None:
    """Delete the previews that mention them: they can be made again."""
    ImportPreview.objects.filter(pk__in=previews_about(person).values("preview")).delete()


def traces_about(person: Person) -> QuerySet[ImportTrace]:
    """What is noted of imports that made or changed this person."""
    return ImportTrace.objects.filter(Q(made__contains=[person.pk]) | Q(changed__contains=[person.pk]))


def trace_lines(person: Person) -> Iterator[Row]:
    """What was in their record before and after, for an export."""
    for trace in traces_about(person).filter(changed__contains=[person.pk]).select_related("run").order_by("pk"):
        place = trace.changed.index(person.pk)
        before, after = (dict(zip(NOTED, values[place], strict=True)) for values in (trace.before, trace.after))
        changed = [name for name in COLUMNS.values() if before[name] != after[name]]
        yield {
            "file": trace.run.file_name,
            "row": trace.changed_rows[place],
            "before": {name: before[name] for name in changed},
            "after": {name: after[name] for name in changed},
        }


def forget_traces(person: Person) -> None:
    """Take them out, and leave what is noted of others as it is."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE supporters_importtrace SET
                made = array_replace(made, %(pk)s::bigint, 0), changed = array_replace(changed, %(pk)s::bigint, 0),
                before = CASE WHEN place IS NULL THEN before ELSE jsonb_set(before, ARRAY[place], 'null') END,
                after = CASE WHEN place IS NULL THEN after ELSE jsonb_set(after, ARRAY[place], 'null') END
            FROM (SELECT id, (array_position(changed, %(pk)s::bigint) - 1)::text AS place FROM supporters_importtrace
                  WHERE made @> ARRAY[%(pk)s::bigint] OR changed @> ARRAY[%(pk)s::bigint]) about
            WHERE supporters_importtrace.id = about.id
            """,
            {"pk": person.pk},
        )


def references_at(run: ImportRun) -> list[int]:
    """The columns of a file that hold references."""
    return [
        number for number, column in enumerate(run.mapping.get("columns", [])) if column.get("field") == "reference"
    ]


def stored() -> QuerySet[ImportRun]:
    """Imports whose files are still kept."""
    return ImportRun.objects.filter(chunks__number=0).order_by("pk")


def lines(run: ImportRun, people: Collection[Person]) -> Iterator[tuple[Person, int, list[str]]]:
    """Who of these is mentioned in a stored file, in which row of it, and what it says. Raises FileProblem.

    The row of column names counts too: a file may have none.
    """
    with runs.stored_file(run) as path:
        layout = readers.Layout.from_json(run.layout)
        header = readers.Row(1, readers.read_header(path, layout))
        yield from lines_of(chain([header], readers.read_rows(path, layout)), run, people)


def lines_of(
    rows: Iterable[readers.Row], run: ImportRun, people: Collection[Person]
) -> Iterator[tuple[Person, int, list[str]]]:
    """The same of rows that were read already. As quick for many people as for one."""
    where = references_at(run)
    by_word: dict[str, list[Person]] = defaultdict(list)
    for person in people:
        for word in person.words:
            by_word[word].append(person)
    for row in rows:
        met = by_word.keys() & _WORD.findall("\n".join(row.cells).lower())
        for person in {id(person): person for word in met for person in by_word[word]}.values():
            if person.mentioned_in(row.cells, where):
                yield person, row.number, row.cells


def file_lines(person: Person) -> Iterator[Row]:
    """What stored files say of a person, for an export. What can't be read ends with a word of it."""
    for run in stored().iterator(10):
        file = {"file": run.file_name, "uploaded_at": run.created_at}
        try:
            for _person, number, cells in lines(run, [person]):
                yield {**file, "row": number, "values": _named(run, cells)}
        except FileProblem:
            yield {**file, "row": None, "values": {}}


def _named(run: ImportRun, cells: list[str]) -> dict[str, str]:
    names = [column["name"] for column in run.mapping.get("columns", [])]
    names += [str(number) for number in range(len(names) + 1, len(cells) + 1)]
    return {name: cell for name, cell in zip(names, cells, strict=False) if cell}
