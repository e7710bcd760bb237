"""Exports on real workers: SIGKILL in the middle of a file."""

import csv
import io

import pytest
from django.db import connection

from supporters.exporting import making
from supporters.exporting.listings import Asked, get
from supporters.models import Export
from tests.processes import Worker, wait_for

pytestmark = [pytest.mark.workers, pytest.mark.django_db(transaction=True)]
PEOPLE, KILLS = 60_000, 2


def test_a_killed_worker_costs_no_row_and_gives_none_twice(broker, staff):
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO supporters_supporter (first_name, last_name, email)"
            " SELECT 'Ann', 'Ek ' || n, n || '@mail.se' FROM generate_series(1, %s) n",
            [PEOPLE],
        )
    listing, asked = get("supporters"), Asked("", staff)
    columns = [column.name for column in listing.columns]
    export = making.ask(
        listing, asked, listing.extent(asked), columns=columns, format="csv", reason="To see it through"
    )
    with Worker("default", 1) as worker:
        making.tick()
        for kill in range(KILLS):
            wait_for(lambda tries=kill + 1: _is_under_way(export, tries), "the export to get on")
            worker.kill()
            broker.flushdb()  # the broker forgets too: the database knows what is owed
            worker.start()
            making.tick()
        wait_for(lambda: _kept_going(export), "the file to be made")
    export.refresh_from_db()
    assert (export.rows, export.tries, export.file_size) == (PEOPLE, KILLS + 1, making.size(export))
    text = b"".join(making.content(export)).decode("utf-8-sig")
    emails = [row["email"] for row in csv.DictReader(io.StringIO(text))]
    assert len(emails) == len(set(emails)) == PEOPLE
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(cardinality(people)) FROM supporters_exportpart")
        assert cursor.fetchone() == (PEOPLE,)


def _is_under_way(export: Export, tries: int) -> bool:
    export.refresh_from_db()
    assert export.state in {Export.State.QUEUED, Export.State.MAKING}, "It was too quick to be killed."
    return export.tries == tries and 0 < export.rows < PEOPLE


def _kept_going(export: Export) -> bool:
    making.tick()
    export.refresh_from_db()
    return export.state == Export.State.DONE
