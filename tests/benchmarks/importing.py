"""Importing people and gifts, against stock django-import-export writing the same rows to the same tables."""

import tracemalloc

import tablib
from django.db import connection
from import_export import resources

from supporters.importing import run as runs
from supporters.models import ImportRun, Supporter
from tests.benchmarks.measuring import PEER_ROWS, ROWS, line, seconds

HEADER = ["email", "first_name", "last_name", "country", "city"]


class StockResource(resources.ModelResource):
    class Meta:
        model = Supporter
        fields = HEADER
        import_id_fields = ["email"]
        use_bulk = False


def run() -> None:
    _empty()
    ours = ROWS / seconds(lambda: _load("supporters", _people(ROWS)))
    _empty()
    data = tablib.Dataset(*_rows(PEER_ROWS), headers=HEADER)
    stock = PEER_ROWS / seconds(lambda: StockResource().import_data(data, raise_errors=True))
    line("import.supporters", ours, stock, "django-import-export", "rows/s")
    large = 5 * ROWS / seconds(lambda: _load("supporters", _people(5 * ROWS, "large")))
    line("import.supporters.growth", large, ours, f"{ROWS} rows", "rows/s")
    line(
        "import.supporters.memory",
        _peak(5 * ROWS, "b"),
        _peak(ROWS, "a"),
        f"{ROWS} rows",
        "bytes",
        more_is_better=False,
    )
    _empty()
    gifts = b"donor reference,date,amount,currency\n" + b"".join(
        b"%d,2026-01-%02d,%d.50,SEK\n" % (n % (ROWS // 3), n % 28 + 1, n % 90 + 1) for n in range(ROWS)
    )
    line(
        "import.donations", ROWS / seconds(lambda: _load("donations", gifts)), stock, "django-import-export", "rows/s"
    )


def _rows(number: int, mark: str = "p") -> list[tuple[str, ...]]:
    return [(f"{mark}{n}@mail.se", f"First {n}", f"Last {n}", "SE", "Lund") for n in range(number)]


def _people(number: int, mark: str = "p") -> bytes:
    return "\n".join(",".join(row) for row in [tuple(HEADER), *_rows(number, mark)]).encode()


def _load(kind: str, content: bytes) -> None:
    run = runs.upload(kind, "bench.csv", [content])
    runs.start(run)
    while runs.work(run.pk):
        pass
    run.refresh_from_db()
    if run.state != ImportRun.State.DONE or run.failed:
        raise SystemExit(f"The import did not go well: {run.error or run.failed}")


def _peak(rows: int, mark: str) -> int:
    """Bytes that Python held at most, beyond the file itself."""
    content = _people(rows, mark)
    run = runs.upload("supporters", "bench.csv", [content])
    runs.start(run)
    del content
    tracemalloc.start()
    while runs.work(run.pk):
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def _empty() -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE supporters_supporter, supporters_importrun, campaigns_segment CASCADE")
