"""Signing a petition over HTTP, against a bare Django view that does one INSERT of the same columns.

Both are served by the command of `manage.py up`, with as many processes, at the same time, and take turns: the same number
of signatures over as many connections. Ours come from addresses all over the world, as our own proxy would name
them, so that no limit is in the way. The peer (bare.py) has no middleware, checks nothing, and writes to a table with the
indexes that signatures have and nothing else: no foreign keys, no triggers, no letter.
"""

import asyncio
import time
from itertools import count, islice
from statistics import median
from urllib.parse import urlencode

from django.core.management import call_command
from django.db import connection

from supporters.models import Petition, PetitionText
from tests.benchmarks.measuring import line
from tests.processes import Web

SMALL, LARGE = 1_000, 1_000_000
"""Signatures that a petition has."""
ROUNDS = 5
REQUESTS = 1_000
"""Signatures in one round."""
CONNECTIONS = 8
EACH = 25
"""Signatures over one connection, before it is closed and another one made: else one process may happen to have them all."""
PEER = "a bare Django view, one INSERT"
_numbers = count(1)


def run() -> None:
    _prepare()
    with Web(BEHIND_PROXY="yes") as ours, Web("tests.benchmarks.bare") as bare:
        found: dict[str, list[tuple[float, list[float]]]] = {"bare": [], "small": [], "large": []}
        ways = {"bare": (bare.port, "/"), "small": (ours.port, "/en/p/small/"), "large": (ours.port, "/en/p/large/")}
        for place, path in ways.values():
            _round(place, path, REQUESTS // 5)
        for _each in range(ROUNDS):
            for name, (place, path) in ways.items():
                found[name].append(_round(place, path, REQUESTS))
    _check()
    rate = {name: median(each for each, _times in rounds) for name, rounds in found.items()}
    slow = {name: _p99([each for _rate, times in rounds for each in times]) for name, rounds in found.items()}
    line("sign.rate", rate["small"], rate["bare"], PEER, "signatures/s")
    line("sign.rate.p99", slow["small"], slow["bare"], PEER, "ms", more_is_better=False)
    line("sign.rate.growth", rate["large"], rate["small"], f"{SMALL} signatures", "signatures/s")
    line("sign.rate.p99.growth", slow["large"], slow["small"], f"{SMALL} signatures", "ms", more_is_better=False)


def _prepare() -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE supporters_petition, supporters_signature CASCADE")
        cursor.execute("DROP TABLE IF EXISTS bench_signature")
        cursor.execute("CREATE TABLE bench_signature (LIKE supporters_signature INCLUDING ALL)")
        for slug, signed in (("small", SMALL), ("large", LARGE)):
            petition = Petition.objects.create(slug=slug, title="One law", state=Petition.State.OPEN, goal=LARGE)
            PetitionText.objects.create(petition=petition, language="en", title="One law", body="A law.\n\n" * 20)
            cursor.execute(
                """
                INSERT INTO supporters_signature (petition_id, state, country, language, created_at, validated_at)
                SELECT %s, 'validated', (ARRAY['SE', 'PL', 'DE', 'FR'])[1 + n %% 4], 'en', at, at
                FROM generate_series(1, %s) n, LATERAL (SELECT now() - n * interval '1 second' AS at) moment
                """,
                [petition.pk, signed],
            )
        cursor.execute("VACUUM ANALYZE supporters_signature")
    call_command("collectstatic", interactive=False, verbosity=0)


def _check() -> None:
    """Everybody signed, and owes us nothing but the answer to a letter."""
    sent = REQUESTS // 5 + ROUNDS * REQUESTS
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM bench_signature UNION ALL SELECT count(*) FROM supporters_letter")
        kept = [number for (number,) in cursor.fetchall()]
    if kept != [sent, 2 * sent]:
        raise SystemExit(f"Of {sent} signatures each, {kept} were kept.")


def _p99(times: list[float]) -> float:
    return 1000 * sorted(times)[len(times) * 99 // 100]


# The signers --------------------------------------------------------------------------------------


def _round(port: int, path: str, requests: int) -> tuple[float, list[float]]:
    """Signatures a second, and the seconds that each took."""
    start = time.perf_counter()
    times = asyncio.run(_sign(port, path, requests))
    return requests / (time.perf_counter() - start), times


async def _sign(port: int, path: str, requests: int) -> list[float]:
    left = iter(range(requests))
    times: list[float] = []

    async def signer() -> None:
        while some := list(islice(left, EACH)):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            for _each in some:
                message = _message(path)
                start = time.perf_counter()
                writer.write(message)
                await _answer(reader)
                times.append(time.perf_counter() - start)
            writer.close()

    await asyncio.gather(*(signer() for _each in range(CONNECTIONS)))
    return times


def _message(path: str) -> bytes:
    number = next(_numbers)
    typed = {
        "first_name": "Ewa",
        "last_name": f"Nowak {number}",
        "email": f"ewa.nowak{number}@example.org",
        "country": "PL",
        "agree": "on",
        "news": "on",
        "shown": "on",
        "source": "bench",
    }
    body = urlencode(typed).encode()
    # Another network each, of those that are in use.
    visitor = f"{1 + number % 200}.{number // 200 % 250}.{number // 50_000 % 250}.1"
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: {visitor}\r\nAccept-Language: en\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _answer(reader: asyncio.StreamReader) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith((b"HTTP/1.1 303", b"HTTP/1.1 200")):
        raise SystemExit(f"A signature was answered by {head[:60]!r}")
    length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
    await reader.readexactly(int(length))
