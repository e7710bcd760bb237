"""Importing people and gifts, against stock django-import-export and against bare COPY and INSERT … ON CONFLICT, both writing to the same tables.

The people come with consents, and one row in a hundred has an address that is none: the peers are spared both. Files and rows are
ready-made before a clock starts.
"""

import csv
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import cycle, islice
from pathlib import Path

import tablib
from django.db import connection, transaction
from import_export import resources

from supporters.importing import run as runs
from supporters.models import Donation, ImportRun, Supporter
from tests.benchmarks.measuring import PEER_ROWS, line, seconds

CHUNK = 1 << 16
PEOPLE, MANY_PEOPLE = 100_000, 1_000_000
GIFTS = 1_000_000
HISTORY = Path(__file__).resolve().parents[3] / "shared" / "data" / "gift_history.csv"
HEADER = ["email", "first_name", "last_name", "country", "city"]
_BARE_PEOPLE = """
INSERT INTO supporters_supporter (email, first_name, last_name, country, city) SELECT * FROM bare
ON CONFLICT (email) DO UPDATE SET first_name = excluded.first_name, last_name = excluded.last_name,
    country = excluded.country, city = excluded.city
"""
_BARE_GIFTS = """
WITH donors AS (INSERT INTO supporters_supporter (source_code) SELECT donor FROM (SELECT DISTINCT donor FROM bare) d RETURNING id, source_code)
INSERT INTO supporters_donation (supporter_id, amount, currency, method, state, received_on, provider, provider_id)
SELECT donors.id, amount, currency, 'other', 'received', received_on, 'bare', number FROM bare JOIN donors ON donors.source_code = donor
ON CONFLICT (provider, provider_id) WHERE provider_id <> '' DO UPDATE SET amount = excluded.amount
"""


class StockSupporters(resources.ModelResource):
    class Meta:
        model = Supporter
        fields = HEADER
        import_id_fields = ["email"]
        use_bulk = False


class StockDonations(resources.ModelResource):
    class Meta:
        model = Donation
        fields = ["provider", "provider_id", "supporter", "amount", "currency", "received_on", "method", "state"]
        import_id_fields = ["provider", "provider_id"]
        use_bulk = False


def run() -> None:
    supporters()
    donations()
    growth()
    memory()


def supporters(number: int = PEOPLE) -> None:
    columns, rows = "email text, first_name text, last_name text, country text, city text", _people(number)
    _empty()
    bare = number / seconds(lambda: _bare(columns, rows, _BARE_PEOPLE))
    ours = _pace("supporters", _file_of_people(number), number)
    _empty()
    data = tablib.Dataset(*_people(PEER_ROWS), headers=HEADER)
    stock = PEER_ROWS / seconds(lambda: StockSupporters().import_data(data, raise_errors=True))
    line("import.supporters", ours, stock, "django-import-export", "rows/s")
    line("import.supporters", ours, bare, "COPY and INSERT", "rows/s")


def donations(number: int = GIFTS) -> None:
    """The real gift history, over and over; made-up gifts where it is not there."""
    columns = "number text, donor text, received_on date, amount numeric, currency text"
    rows = [(str(n), *row) for n, row in enumerate(_gifts(number))]
    _empty()
    bare = number / seconds(lambda: _bare(columns, rows, _BARE_GIFTS))
    ours = _pace("donations", _file_of_gifts(number), number)
    _empty()
    donor = Supporter.objects.create(first_name="Åsa")
    rows = [
        ("stock", n, donor.pk, amount, currency, on, "other", "received")
        for n, (_donor, on, amount, currency) in enumerate(_gifts(PEER_ROWS))
    ]
    data = tablib.Dataset(*rows, headers=StockDonations.Meta.fields)
    stock = PEER_ROWS / seconds(lambda: StockDonations().import_data(data, raise_errors=True))
    line("import.donations", ours, stock, "django-import-export", "rows/s")
    line("import.donations", ours, bare, "COPY and INSERT", "rows/s")


def growth(small: int = PEOPLE, large: int = MANY_PEOPLE) -> None:
    few, many = (_pace("supporters", _file_of_people(number), number) for number in (small, large))
    line("import.supporters.growth", many, few, f"{small} rows", "rows/s")


def memory(small: int = PEOPLE, large: int = MANY_PEOPLE) -> None:
    line("import.supporters.memory", _peak(large), _peak(small), f"{small} rows", "bytes", more_is_better=False)


def _people(number: int) -> list[tuple[str, ...]]:
    return [(f"p{n}@mail.se", f"First {n}", f"Last {n}", "SE", "Lund") for n in range(number)]


def _file_of_people(number: int) -> Iterator[bytes]:
    yield (",".join(HEADER) + "\n").encode()
    for n in range(number):
        email = f"p{n}@mail.se" if n % 100 else f"no address {n}"
        yield f"{email},First {n},Last {n},SE,Lund\n".encode()


def _gifts(number: int) -> Iterator[tuple[str, str, str, str]]:
    if HISTORY.exists():
        with HISTORY.open(newline="") as file:
            rows = [
                (row[0], row[1], row[2], row[3]) for row in islice(csv.reader(file), 1, None) if float(row[2]) > 0
            ]
    else:
        rows = [(str(n % 23_000), f"2026-01-{n % 28 + 1:02}", f"{n % 90 + 1}.50", "SEK") for n in range(69_659)]
    return islice(cycle(rows), number)


def _file_of_gifts(number: int) -> Iterator[bytes]:
    yield b"donor_reference,received_on,amount,currency\n"
    for row in _gifts(number):
        yield (",".join(row) + "\n").encode()


def _bare(columns: str, rows: Iterable[tuple], insert: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMP TABLE bare ({columns}) ON COMMIT DROP")
        with cursor.copy("COPY bare FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        cursor.execute(insert)


def _pace(kind: str, lines: Iterator[bytes], number: int) -> float:
    """Rows a second."""
    with tempfile.TemporaryFile() as file:
        file.writelines(lines)
        file.seek(0)
        _empty()
        return number / seconds(lambda: _load(kind, iter(lambda: file.read(CHUNK), b"")))


def _load(kind: str, content: Iterator[bytes]) -> None:
    run = runs.upload(kind, "bench.csv", content)
    if kind == "supporters":
        run.consent_purpose, run.consent_wording, run.consent_how = "email", "Yes, write to me.", "on paper"
        run.consent_on = date(2025, 1, 1)
        run.save()
    runs.start(run)
    while runs.work(run.pk):
        pass
    run.refresh_from_db()
    if run.state != ImportRun.State.DONE or run.created + run.failed < run.rows:
        raise SystemExit(f"The import did not go well: {run.error or run.failed}")


def _peak(number: int) -> int:
    """Bytes that a process of its own holds at most while it takes so many people in."""
    _empty()
    code = f"import django; django.setup(); from tests.benchmarks import importing; importing.tell_peak({number})"
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return int(told.stdout)


def tell_peak(number: int) -> None:
    _load("supporters", _file_of_people(number))
    # Not getrusage(): what a process was started from counts there too.
    status = Path("/proc/self/status").read_text()
    print(int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) * 1024)


def _empty() -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE supporters_supporter, supporters_importrun, campaigns_segment CASCADE")
        cursor.execute("CHECKPOINT")
