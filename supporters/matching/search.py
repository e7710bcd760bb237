"""The search of the whole file, as a job: people out by COPY, the engine in a process of its own, pairs in by COPY.

Splink, DuckDB and what they bring along are loaded by that process alone and go with it. What it writes goes in by one
transaction, so a search that dies anywhere has changed nothing; its directory is swept by the next.
"""

import fcntl
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from supporters.models import DoubleSearch, Supporter

logger = logging.getLogger(__name__)

MEMORY = "1200MB"
"""For DuckDB's tables; what does not fit goes to disk. The process has a few hundred megabytes beside."""
THREADS = 2
_PREFIX = "lodestar-doubles-"
_PEOPLE = """
COPY (
    SELECT id, first_name, last_name, email, birth_date, phone, street, postcode, city, organisation_id
    FROM supporters_supporter ORDER BY id
) TO STDOUT (FORMAT csv)
"""
_APART = "COPY (SELECT first_id, second_id FROM supporters_double WHERE state = 'different') TO STDOUT (FORMAT csv)"


class SearchFailed(Exception):
    """The engine ended without a result."""

    for_staff = _("The search for doubles stopped with an error; the log says where. What was found before stays.")


def run_due() -> dict:
    """Search the whole file if anybody on it is new or has changed since the last search began."""
    last = DoubleSearch.objects.filter(finished_at__isnull=False, error="").first()
    newest = Supporter.objects.aggregate(Max("updated_at"))["updated_at__max"]
    if newest is None or (last and newest < last.started_at):
        return {}
    return run()


def run() -> dict:
    """Search the whole file. Raises SearchFailed. Call it under a lock: one search at a time is enough."""
    DoubleSearch.objects.filter(finished_at=None).update(
        finished_at=Now(), error=_("It was cut short; the next search starts anew.")
    )
    search = DoubleSearch.objects.create()
    search.refresh_from_db()
    try:
        with _room() as room:
            people = _copy_out(_PEOPLE, room / "people.csv")
            _copy_out(_APART, room / "apart.csv")
            _note(search, people=people, percent=3)
            _engine(room, search)
            counts = write(room / "pairs.csv", search)
    except Exception as error:
        message = getattr(error, "for_staff", SearchFailed.for_staff)
        _note(search, error=str(message), finished_at=Now())
        raise
    _note(search, percent=100, found=counts["found"], new=counts["new"], finished_at=Now())
    return {"supporters": people, "doubles": counts["new"]}


@transaction.atomic
def write(pairs: Path, search: DoubleSearch) -> dict[str, int]:
    """Bring the proposals up to date with what the engine wrote; what staff decided is left alone."""
    with connection.cursor() as cursor:
        cursor.execute(_STAGE)
        with pairs.open("rb") as file, cursor.copy("COPY found FROM STDIN (FORMAT csv)") as copy:
            while piece := file.read(1 << 16):
                copy.write(piece)
        cursor.execute("SELECT count(*) FROM found")
        (found,) = cursor.fetchone()
        cursor.execute(_WRITE)
        (new,) = cursor.fetchone()
        cursor.execute(_TAKE_BACK, [search.started_at])
        cursor.execute("DROP TABLE found")
    return {"found": found, "new": new}


_STAGE = """
CREATE TEMP TABLE found (
    first_id bigint, second_id bigint, probability float8, evidence jsonb, cluster bigint, cluster_size int,
    loose boolean, certain boolean, together boolean, PRIMARY KEY (first_id, second_id)
) ON COMMIT DROP
"""
# The people are locked against being erased meanwhile; who is gone already is left out.
_WRITE = """
WITH alive AS (
    SELECT found.* FROM found
    JOIN supporters_supporter a ON a.id = found.first_id JOIN supporters_supporter b ON b.id = found.second_id
    FOR KEY SHARE OF a, b
), written AS (
    INSERT INTO supporters_double AS d
        (first_id, second_id, probability, evidence, cluster, cluster_size, loose, certain, state, found_by)
    SELECT first_id, second_id, probability, evidence, cluster, cluster_size, loose, certain, 'open', 'file' FROM alive
    ON CONFLICT (first_id, second_id) DO UPDATE SET
        probability = excluded.probability, evidence = excluded.evidence, cluster = excluded.cluster,
        cluster_size = excluded.cluster_size, loose = excluded.loose, certain = excluded.certain
    WHERE d.state = 'open'
    RETURNING xmax = 0 AS fresh
) SELECT count(*) FILTER (WHERE fresh) FROM written
"""
# What came in by the door while the search was running has not been looked at.
_TAKE_BACK = """
DELETE FROM supporters_double d
WHERE state = 'open' AND found_by = 'file' AND found_at < %s
  AND NOT EXISTS (SELECT FROM found WHERE found.first_id = d.first_id AND found.second_id = d.second_id)
"""


def _note(search: DoubleSearch, **fields: object) -> None:
    DoubleSearch.objects.filter(pk=search.pk).update(**fields)


def _copy_out(statement: str, path: Path) -> int:
    with connection.cursor() as cursor:
        with path.open("wb") as file, cursor.copy(statement) as copy:
            for piece in copy:
                file.write(piece)
        return cursor.rowcount


def _engine(room: Path, search: DoubleSearch) -> None:
    """Run the engine to its end, noting how far it is."""
    command = [sys.executable, "-m", "supporters.matching.engine", str(room), MEMORY, str(THREADS)]
    environment = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(settings.BASE_DIR), "TMPDIR": str(room)}
    with (
        (room / "errors").open("wb") as errors,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, env=environment, cwd=room
        ) as engine,
    ):
        try:
            told: dict = {}
            for line in engine.stdout:
                told = json.loads(line)
                if "percent" in told:
                    _note(search, percent=told["percent"])
            if engine.wait() != 0:
                # What the engine wrote to its standard error may quote people: only the kind of fault and its place leave.
                logger.error(
                    "The search for doubles ended with %s: %s", engine.returncode, told.get("error", "killed")
                )
                raise SearchFailed
        finally:
            engine.kill()


@contextmanager
def _room() -> Iterator[Path]:
    """A directory of our own, and no trace of those whose searches were killed."""
    base = Path(tempfile.gettempdir())
    for left in base.glob(f"{_PREFIX}*"):
        _sweep(left)
    with tempfile.TemporaryDirectory(prefix=_PREFIX) as name:
        room = Path(name)
        with (room / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield room


def _sweep(left: Path) -> None:
    try:
        with (left / "lock").open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left)
    except OSError:
        return  # somebody is at work there, or it isn't ours
