import tracemalloc

import pytest

from supporters.importing import run as runs

pytestmark = pytest.mark.django_db


def peak(rows: int, monkeypatch) -> int:
    """Bytes that Python held at most while so many rows went in."""
    content = b"email,city\n" + b"".join(b"m%d-%d@mail.se,Lund\n" % (rows, n) for n in range(rows))
    run = runs.upload("supporters", "people.csv", [content])
    runs.start(run)
    del content
    tracemalloc.start()
    while runs.work(run.pk):
        pass
    used = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    run.refresh_from_db()
    assert run.created == rows
    return used


def test_ten_times_the_rows_take_no_more_memory(monkeypatch):
    monkeypatch.setattr(runs, "SLICE", 500)
    small = peak(2_000, monkeypatch)
    assert peak(20_000, monkeypatch) < 1.5 * small + 4 * runs.CHUNK
