"""Sending an appeal over SMTP against other ways of sending the same message, to Debian postfix's smtp-sink on loopback.

Everybody sends a text and html message of some 10 KB, made for each person with a name and an unsubscribe address of its own.
Rounds are taken in turn, so that what else the machine does hits all alike; the median counts. We send from processes like
those of workers, with ledger and journal on. The clock of each runs while it sends, not while it starts or ends.
"""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from uuid import uuid4

from django.conf import settings
from django.db import connection
from django.utils import timezone

from campaigns.appeals import ledger
from campaigns.mail import message
from campaigns.mail.message import Recipient
from campaigns.models import Appeal, AppealText, Segment
from tests.benchmarks.measuring import line, seconds

ROOT = Path(__file__).resolve().parent.parent.parent
POSTFIX = ROOT / "var" / "postfix"
ROUNDS = 3
WORKERS = settings.MAIL_WORKERS
LARGE, SMALL = 300_000, 20_000
LAUNCHES = 10_000, 100_000, 1_000_000
BODY = "Dear {{ first_name }},\n\n" + "\n\n".join(
    "Behind every number stands a person who was promised work and found a locked door. " * 2 for _each in range(12)
)
PEERS = {
    "kept": ("Django, one connection kept", 2_000),
    "post_office": ("django-post_office, queue and send", 1_000),
    "celery": ("Celery by 500 with Django's mail", 4_000),
    "bytes": ("smtplib, ready-made bytes, one connection", 10_000),
}


def run() -> None:
    _launches()
    with _sink() as port:
        rates: dict[str, list[float]] = {name: [] for name in ("ours", "source", *PEERS)}
        memory: list[int] = []
        appeal = _appeal(SMALL)
        letter = _templates(appeal)
        for _round in range(ROUNDS):
            rate, most = _ours(appeal, SMALL, port)
            rates["ours"].append(rate)
            memory.append(most)
            for name, (_label, number) in PEERS.items():
                rates[name].append(_peer(name, number, port, letter))
            rates["source"].append(SMALL / seconds(lambda: _source(port)))
        ours = {name: median(found) for name, found in rates.items()}
        for name, (label, _number) in PEERS.items():
            line("send.appeal", ours["ours"], ours[name], label, "messages/s")
        line("send.appeal", ours["ours"], ours["source"], "postfix's smtp-source, 10 sessions", "messages/s")
        large, most = _ours(_appeal(LARGE), LARGE, port)
        line("send.appeal.growth", large, ours["ours"], f"{SMALL} recipients", "messages/s")
        line("send.appeal.memory", most, median(memory), f"{SMALL} recipients", "bytes", more_is_better=False)
    _empty()


def _launches() -> None:
    rates = []
    for number in LAUNCHES:
        appeal = _appeal(number)
        # A short one is soon disturbed.
        rounds = 5 if number == LAUNCHES[0] else 1
        rates.append(median(number / _launch(appeal) for _round in range(rounds)))
        line(
            "send.launch" if number == LAUNCHES[0] else "send.launch.growth",
            rates[-1],
            rates[0],
            f"{LAUNCHES[0]} recipients",
            "deliveries/s",
        )


def _launch(appeal: Appeal) -> float:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE campaigns_delivery CASCADE")
    return seconds(lambda: ledger.write(appeal))


# Ours -------------------------------------------------------------------------------------------


def _ours(appeal: Appeal, number: int, port: int) -> tuple[float, int]:
    """Messages a second of as many workers as `manage.py up` sends with, and bytes of memory of the larger one at most."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM campaigns_delivery")
        ledger.write(appeal)
        cursor.execute("VACUUM ANALYZE campaigns_delivery")
    Appeal.objects.filter(pk=appeal.pk).update(state="sending", launched_at=timezone.now())
    workers = [_start("tests.benchmarks.sending_worker", str(appeal.pk), port=port) for _each in range(WORKERS)]
    for worker in workers:
        if worker.stdout.readline() != "ready\n":
            raise SystemExit(f"A worker did not start:\n{worker.communicate()[1][-2000:]}")
    start = time.perf_counter()
    for worker in workers:
        worker.stdin.write("go\n")
        worker.stdin.flush()
    said = [worker.stdout.readline() for worker in workers]
    taken = time.perf_counter() - start
    errors = [worker.communicate()[1] for worker in workers]
    if not all(said):
        raise SystemExit(f"A worker died:\n{''.join(errors)[-2000:]}")
    found = [json.loads(words) for words in said]
    sent = sum(each["counts"].get("sent", 0) for each in found)
    if sent != number or Appeal.objects.get(pk=appeal.pk).state != Appeal.State.SENT:
        raise SystemExit(f"Not everybody was written to: {found}")
    return number / taken, max(each["memory"] for each in found)


def _appeal(people: int) -> Appeal:
    _empty()
    segment = Segment.objects.create(name="Bench", rules={"match": "all", "rules": []})
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO supporters_supporter (email, first_name, last_name, language, country)
            SELECT 'person' || n || '@mail.example', 'First ' || n, 'Last ' || n, 'en', 'SE' FROM generate_series(1, %s) n;
            INSERT INTO supporters_consent (supporter_id, purpose, state, wording, method)
            SELECT id, 'email', 'granted', 'Yes.', 'form' FROM supporters_supporter;
            INSERT INTO campaigns_segmentmember (segment_id, supporter_id) SELECT %s, id FROM supporters_supporter;
            """,
            [people, segment.pk],
        )
        cursor.execute("VACUUM ANALYZE supporters_supporter, supporters_consent, campaigns_segmentmember")
    appeal = Appeal.objects.create(
        name="Bench",
        source_code=f"bench-{uuid4().hex[:8]}",
        segment=segment,
        sender_name="RealStars",
        sender_email="hej@realstars.example",
    )
    AppealText.objects.create(appeal=appeal, language="en", subject="A word, {{ first_name }}", body=BODY)
    return appeal


def _empty() -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE supporters_supporter, campaigns_segment CASCADE")


# The others -------------------------------------------------------------------------------------


def _templates(appeal: Appeal) -> dict[str, str]:
    """The same letter as Django templates."""
    recipient = Recipient(uuid4(), "zoe@mail.example", first_name="ZOE", last_name="Q")
    letter = message.letter(appeal, appeal.texts.get(), recipient)
    leave = message.unsubscribe_url(recipient.delivery)
    return {
        name: getattr(letter, name).replace("ZOE", "{{ first_name }}").replace(leave, "{{ unsubscribe_url }}")
        for name in ("subject", "text", "html")
    }


def _peer(name: str, number: int, port: int, letter: dict[str, str]) -> float:
    found = _python("tests.benchmarks.sending_peers", name, str(number), port=port, stdin=json.dumps(letter))
    return number / found["seconds"]


def _source(port: int) -> None:
    command = [
        str(POSTFIX / "usr/sbin/smtp-source"),
        "-s",
        "10",
        "-l",
        "10240",
        "-m",
        str(SMALL),
        "-f",
        "a@b.example",
        "-t",
        "c@d.example",
    ]
    subprocess.run([*command, f"127.0.0.1:{port}"], env=_libraries(), check=True, capture_output=True)


# Processes --------------------------------------------------------------------------------------


def _python(module: str, *arguments: str, port: int, stdin: str = "") -> dict:
    process = _start(module, *arguments, port=port)
    out, err = process.communicate(stdin)
    if process.returncode:
        raise SystemExit(f"{module} {' '.join(arguments)} failed:\n{err[-2000:]}")
    return json.loads(out.splitlines()[-1])


def _start(module: str, *arguments: str, port: int) -> subprocess.Popen[str]:
    packages = str(ROOT / "var" / "bench" / "packages")
    env = {
        **os.environ,
        "DATABASE_URL": settings.DATABASE_URL,
        "REDIS_URL": settings.REDIS_URL,
        "EMAIL_URL": f"smtp://127.0.0.1:{port}",
        "MAIL_JOURNAL": str(ROOT / "var" / "bench" / "journal"),
        "PYTHONPATH": packages,
    }
    command = [sys.executable, "-m", module, *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=ROOT, env=env, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


@contextmanager
def _sink() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    user = ["-u", "nobody"] if os.getuid() == 0 else []
    command = [str(POSTFIX / "usr/sbin/smtp-sink"), *user, f"127.0.0.1:{port}", "200"]
    process = subprocess.Popen(command, env=_libraries(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(lambda: _answers(port))
        yield port
    finally:
        process.terminate()
        process.wait(10)


def _libraries() -> dict[str, str]:
    return {**os.environ, "LD_LIBRARY_PATH": str(POSTFIX / "usr/lib/postfix")}


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit("smtp-sink did not start.")
        time.sleep(0.05)
