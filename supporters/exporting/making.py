"""The life of an export.

    streamed                                    a short one: the answer to the request itself

    queued ──work──▶ making ──▶ done ──▶ expired
       ▲               │  ├──▶ failed
       │               │  └──▶ cancelled
       └── somebody ───┘          done ──▶ withdrawn: somebody in it was erased
           in it went

Each change is one conditional UPDATE. A worker makes a file from the beginning to its end under the export's advisory lock; if it
dies, the next one throws away what there is and begins again, for a file of two halves would be of two moments. Who is in a file
is kept with it for as long as the file is: erasing one of them takes the file away, whatever state it is in.
"""

import logging
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F, Q, QuerySet, Sum
from django.db.models.functions import Length, Now
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _

from supporters.exporting import rows
from supporters.exporting.formats import FORMATS
from supporters.exporting.listings import Asked, Extent, Listing, NothingThere, get
from supporters.exporting.rows import Row, Table
from supporters.locks import advisory_lock
from supporters.models import Export, ExportPart, Merge

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

logger = logging.getLogger(__name__)

PART = 1 << 20
"""Bytes of a file that are kept together."""
NOTED = 5_000
"""Rows between two notes of how far it is."""
TOLD = 500
"""Rows of which a listing is told at once."""
TRIES = 5
"""Workers that may die over one export before it is given up."""
State = Export.State
_ANEW = {"state": State.QUEUED, "begun_anew": F("begun_anew") + 1}


class Stopped(Exception):
    """Somebody cancelled it, or it has to begin again."""


def large(extent: Extent) -> bool:
    """Whether a worker makes it, not the answer to a request."""
    return extent.count > settings.EXPORT_AT_ONCE


def ask(
    listing: Listing,
    asked: Asked,
    extent: Extent,
    *,
    columns: Sequence[str],
    format: str,
    reason: str = "",
    state: str = State.QUEUED,
) -> Export:
    """Write down who wants what and why. What has the state to be made is owed from then on."""
    chosen = listing.chosen(asked, columns)
    people = names_people(listing, asked, columns)
    return Export.objects.create(
        listing=listing.name,
        query=asked.query,
        what=extent.what[:250],
        filters=extent.filters,
        columns=[column.name for column in chosen],
        format=format,
        people=people,
        traced=listing.traced or not people,
        reason=reason.strip(),
        by=asked.by,
        state=state,
        expected=extent.count,
    )


def names_people(listing: Listing, asked: Asked, columns: Sequence[str]) -> bool:
    return listing.people or any(column.people for column in listing.chosen(asked, columns))


def at_once(listing: Listing, asked: Asked, extent: Extent, export: Export) -> Iterator[bytes]:
    """The file of a recorded export, as its rows come; how many went out is noted however it ends."""
    written = 0

    def counted(stream: Iterator[Row]) -> Iterator[Row]:
        nonlocal written
        for row in stream:
            yield row
            written += 1

    table = _told(listing, export, rows.table(listing, asked, extent, export.columns)).watched(counted)
    size = 0
    try:
        for piece in FORMATS[export.format].write(table):
            size += len(piece)
            yield piece
    finally:
        Export.objects.filter(pk=export.pk).update(rows=written, file_size=size, finished_at=Now())


def _told(listing: Listing, export: Export, table: Table) -> Table:
    """The table; a listing that keeps account of whom it hands out is told before they leave."""
    if listing.handing_out is None:
        return table

    def told(stream: Iterator[Row]) -> Iterator[Row]:
        while few := list(islice(stream, TOLD)):
            listing.handing_out(export, [row[place] for row in few for place in table.people_at if row[place]])
            yield from few

    return table.watched(told)


def work(pk: int) -> None:
    """Make the file of an export that is owed; nothing if somebody else is at it."""
    with advisory_lock(f"export:{pk}") as ours:
        if not ours:
            return
        export = _begin(pk)
        if export is None:
            return
        try:
            _make(export)
        except Stopped:
            _forget_parts([pk])
        except NothingThere:
            _fail(export, _("What it is of is not there any more."))
        except (OperationalError, InterfaceError):
            raise  # the database is away: it stays owed
        except Exception:
            logger.exception("Export %s stopped", pk)
            _fail(export, _("A fault in the program stopped it."))


def _begin(pk: int) -> Export | None:
    owed = Export.objects.filter(pk=pk, state__in=[State.QUEUED, State.MAKING])
    given_up = _("It was cut short %(number)d times. Try a smaller part of the list.") % {"number": TRIES}
    if owed.filter(tries__gte=F("begun_anew") + TRIES).update(state=State.FAILED, error=given_up, finished_at=Now()):
        _forget_parts([pk])
    with transaction.atomic():
        if not owed.update(state=State.MAKING, tries=F("tries") + 1, rows=0):
            return None
        _forget_parts([pk])
    return Export.objects.select_related("by").get(pk=pk)


def _make(export: Export) -> None:
    listing, asked = get(export.listing), Asked(export.query, export.by)
    if not listing.may(asked):
        _fail(export, _("Whoever asked for it may not export this list any more."))
        return
    extent = listing.extent(asked)
    Export.objects.filter(pk=export.pk).update(expected=rows.count(extent))
    maker = _Maker(export)
    table = _told(listing, export, rows.table(listing, asked, extent, export.columns))
    for piece in FORMATS[export.format].write(table.watched(lambda stream: maker.note(stream, table))):
        maker.add(piece)
    maker.finish()


class _Maker:
    """Stores a file in parts, each with the people who were met on the way to it."""

    def __init__(self, export: Export) -> None:
        self.export = export
        self.mine = Export.objects.filter(pk=export.pk, state=State.MAKING, tries=export.tries)
        self.buffer = bytearray()
        self.people: set[int] = set()
        self.parts = self.rows = self.size = 0

    def note(self, stream: Iterator[Row], table: Table) -> Iterator[Row]:
        for row in stream:
            for place in table.people_at:
                if row[place] is not None:
                    self.people.add(row[place])
            yield row
            self.rows += 1
            if self.rows % NOTED == 0:
                self._still_ours()
                self._store(b"")

    def add(self, piece: bytes) -> None:
        self.buffer += piece
        self.size += len(piece)
        while len(self.buffer) >= PART:
            self._store(bytes(self.buffer[:PART]))
            del self.buffer[:PART]

    def finish(self) -> None:
        self._store(bytes(self.buffer))
        kept = timezone.now() + timedelta(days=settings.EXPORT_DAYS)
        done = {"state": State.DONE, "rows": self.rows, "file_size": self.size}
        with transaction.atomic():
            _wait_for_erasures()
            again = _somebody_went(self.export.pk)
            ours = (
                self.mine.update(**_ANEW) if again else self.mine.update(**done, finished_at=Now(), expires_at=kept)
            )
        if again or not ours:
            raise Stopped

    def _still_ours(self) -> None:
        if not self.mine.update(rows=self.rows):
            raise Stopped

    def _store(self, content: bytes) -> None:
        if content or self.people:
            people = sorted(self.people)
            ExportPart.objects.create(export=self.export, number=self.parts, content=content, people=people)
            self.parts += 1
            self.people.clear()


def tick() -> dict[str, int]:
    """For crm.jobs: hand what is owed to workers, new ones and those whose worker died, and delete files past their time."""
    from supporters.tasks import make_export

    owed = list(Export.objects.filter(state__in=[State.QUEUED, State.MAKING]).values_list("pk", flat=True))
    for pk in owed:
        make_export.delay(pk)
    with transaction.atomic():
        old = Export.objects.filter(state=State.DONE, expires_at__lt=Now()).select_for_update(skip_locked=True)
        expired = list(old.values_list("pk", flat=True))
        Export.objects.filter(pk__in=expired).update(state=State.EXPIRED)
        _forget_parts(expired)
    return {"owed": len(owed), "files": len(expired)}


def cancel(export: Export) -> bool:
    """Stop it, or delete its file; False if there is nothing to stop."""
    return bool(stop(Export.objects.filter(pk=export.pk)))


def stop(exports: QuerySet[Export]) -> int:
    """Cancel what is being made of these, and delete their files; how many that was needed for."""
    with transaction.atomic():
        going = exports.filter(state__in=[State.QUEUED, State.MAKING, State.DONE])
        keys = list(going.select_for_update().values_list("pk", flat=True))
        _forget_parts(keys)
        return Export.objects.filter(pk__in=keys).update(state=State.CANCELLED, finished_at=Now())


def content(export: Export) -> Iterator[bytes]:
    """The file in pieces."""
    parts = export.parts.order_by("number").values_list("content", flat=True)
    for piece in parts.iterator(2):
        yield bytes(piece)


def size(export: Export) -> int:
    """Bytes there are of the file."""
    return export.parts.aggregate(sum=Sum(Length("content")))["sum"] or 0


def may_fetch(export: Export, user: "AbstractBaseUser") -> bool:
    """Whose file it is, or who may fetch others'; and only for as long as they may export that list at all."""
    if export.by_id != user.pk and not user.has_perm("supporters.fetch_export"):
        return False
    try:
        return get(export.listing).may(Asked(export.query, user))
    except NothingThere:
        return False


def file_name(export: Export) -> str:
    day = timezone.localtime(export.created_at).date().isoformat()
    return f"{slugify(export.what)[:80] or export.listing}-{day}.{export.format}"


# Erasure ----------------------------------------------------------------------------------------


def withdraw(supporter: int) -> None:
    """Take away every file that the person is in, and those of which nobody knows; what is being made begins again.

    A file with somebody with whom they were one record for a while may be of that time.
    In the transaction that erases the person.
    """
    _ban_finishing()
    parted = Merge.objects.filter(away_pk=supporter, undone_at__isnull=False).values_list("survivor", flat=True)
    with_them = Q(parts__in=parts_with(supporter)) | Q(traced=False) | Q(parts__people__overlap=list(parted))
    found = Export.objects.filter(with_them, state__in=[State.MAKING, State.DONE]).values_list("pk", flat=True)
    keys = set(found)
    Export.objects.filter(pk__in=keys, state=State.DONE).update(state=State.WITHDRAWN)
    Export.objects.filter(pk__in=keys, state=State.MAKING).update(**_ANEW)
    _forget_parts(list(keys))


def parts_with(supporter: int) -> QuerySet[ExportPart]:
    """The parts of files that tell who of the people in them is this one, under the record's number or an earlier one."""
    merged = Merge.objects.filter(survivor=supporter).values_list("away_pk", flat=True)
    return ExportPart.objects.filter(people__overlap=[supporter, *merged])


def _forget_parts(exports: Sequence[int]) -> None:
    ExportPart.objects.filter(export__in=exports).delete()


def _fail(export: Export, error: str) -> None:
    Export.objects.filter(pk=export.pk, state=State.MAKING).update(state=State.FAILED, error=error, finished_at=Now())
    _forget_parts([export.pk])


def _somebody_went(pk: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT EXISTS (
                SELECT FROM supporters_exportpart p CROSS JOIN unnest(p.people) AS someone
                WHERE p.export_id = %s AND NOT EXISTS (SELECT FROM supporters_supporter s WHERE s.id = someone))
            """,
            [pk],
        )
        return cursor.fetchone()[0]


def _ban_finishing() -> None:
    """Till the end of this transaction no export is finished, so that none slips by with somebody who is being erased."""
    _lock("SELECT pg_advisory_xact_lock_shared(hashtextextended('exports', 0))")


def _wait_for_erasures() -> None:
    _lock("SELECT pg_advisory_xact_lock(hashtextextended('exports', 0))")


def _lock(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
