"""The first sync of an audience, against a bare client that sends the very same bodies, ready-made.

Mailchimp is a process that takes 100 ms for each call and refuses the eleventh at once (tests/standins/mailchimp/wire.py). The
peer reads our recorded bodies before its clock starts, and sends them over eight kept connections without looking at the
answers. `sync.calls` counts what was asked, against one PUT for each member; those are counted on fewer members.
"""

import json
import re
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from queue import Empty, SimpleQueue
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection

from campaigns import segments
from campaigns.mailchimp.push import push
from campaigns.models import Audience, AudienceSegment, Segment, SyncRun
from tests.benchmarks.measuring import line, seconds
from tests.processes import ROOT, environment

MEMBERS = 100_000
SMALL, LARGE = 10_000, 1_000_000
"""Members between which memory has to stay flat."""
PUTS = 200
CONNECTIONS = 8


def run() -> None:
    with tempfile.TemporaryDirectory() as folder:
        recording = Path(folder) / "bodies"
        with _mailchimp(recording) as url:
            ours, calls = _first_sync(url, MEMBERS)
            bodies = list(_recorded(recording))
            peer = seconds(lambda: _send(url, bodies))
            _control(url, "POST")
            _put_each(url, PUTS)
            puts = _control(url, "GET")["calls"] * MEMBERS / PUTS
            refused = _control(url, "POST")["refused"]
    if refused:
        raise SystemExit(f"{refused} calls were refused: more than ten at once")
    name = f"the same {len(bodies)} bodies, {CONNECTIONS} connections"
    line("sync.first", MEMBERS / ours, MEMBERS / peer, name, "members/s")
    line("sync.calls", calls, puts, "a PUT for each member", "calls", more_is_better=False)
    with _mailchimp() as url:
        small, large = (_peak(url, members) for members in (SMALL, LARGE))
    line("sync.first.memory", large, small, f"{SMALL} members", "bytes", more_is_better=False)


def _first_sync(url: str, members: int) -> tuple[float, int]:
    """How long it took, and how many calls."""
    audience = _fill(url, members)
    _control(url, "POST")
    settings.MAILCHIMP_API_KEY, settings.MAILCHIMP_API_URL = "key-us1", url
    taken = seconds(lambda: _push(audience.pk))
    told = _control(url, "GET")
    there = audience.members.filter(status="subscribed").count()
    if there != members or told["members"] < members:
        raise SystemExit(f"{there} of {members} members were written down, {told['members']} are there")
    return taken, told["calls"]


def _push(pk: int) -> None:
    while push(pk):
        pass
    run = SyncRun.objects.filter(audience=pk, kind=SyncRun.Kind.PUSH).latest("pk")
    if run.state != SyncRun.State.DONE:
        raise SystemExit(f"The sync did not go well: {run.state} {run.error}")


def _fill(url: str, members: int) -> Audience:
    """So many people who may be written to, all in one segment of one audience."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE supporters_supporter, campaigns_segment, campaigns_audience CASCADE")
        cursor.execute(
            """
            INSERT INTO supporters_supporter (email, first_name, last_name, country, language)
            SELECT 'p' || n || '@mail.se', 'First ' || n, 'Last ' || n, 'SE', 'sv' FROM generate_series(1, %s) n
            """,
            [members],
        )
        cursor.execute(
            """
            INSERT INTO supporters_consent (supporter_id, purpose, state, wording, method)
            SELECT id, 'email', 'granted', 'Yes.', 'form' FROM supporters_supporter
            """
        )
        cursor.execute("VACUUM ANALYZE supporters_supporter, supporters_consent")
    everybody = Segment.objects.create(name="Everybody")
    segments.refresh(everybody)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE campaigns_segmentmember")
    audience = Audience.objects.create(name="Bench", list_id="5e1f3a9c20")
    AudienceSegment.objects.create(audience=audience, segment=everybody)
    return audience


# The peers


def _recorded(path: Path) -> Iterator[tuple[str, str, bytes]]:
    """Method, path and body of each call that wrote."""
    with path.open("rb") as file:
        while head := file.readline():
            method, target, length = head.decode().split()
            yield method, target, file.read(int(length))


def _send(url: str, calls: list[tuple[str, str, bytes]]) -> None:
    owed: SimpleQueue = SimpleQueue()
    for call in calls:
        owed.put(call)

    def work() -> None:
        with closing(_connect(url)) as client:
            while True:
                try:
                    call = owed.get_nowait()
                except Empty:
                    return
                _ask(client, *call)

    threads = [threading.Thread(target=work) for _place in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _put_each(url: str, members: int) -> None:
    with closing(_connect(url)) as client:
        for number in range(members):
            body = {"email_address": f"p{number}@mail.se", "status_if_new": "subscribed", "merge_fields": {}}
            _ask(client, "PUT", f"/3.0/lists/5e1f3a9c20/members/{number:032x}", json.dumps(body).encode())


def _connect(url: str) -> HTTPConnection:
    client = HTTPConnection(urlsplit(url).netloc, timeout=60)
    client.connect()
    client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client


def _ask(client: HTTPConnection, method: str, target: str, body: bytes | None = None) -> bytes:
    client.request(method, target, body, {"Content-Type": "application/json", "Authorization": "Basic bDprZXk="})
    answer = client.getresponse()
    content = answer.read()
    if answer.status != 200:
        raise SystemExit(f"{method} {target} was answered with {answer.status}")
    return content


# Mailchimp


@contextmanager
def _mailchimp(recording: Path | None = None) -> Iterator[str]:
    command = [sys.executable, "-m", "tests.standins.mailchimp.wire", "--delay", "0.1"]
    command += ["--record", str(recording)] if recording else []
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        yield json.loads(process.stdout.readline())["url"]
    finally:
        process.terminate()
        process.wait(10)


def _control(url: str, method: str) -> dict:
    """What was asked of it so far; POST: and count from nothing again."""
    with closing(_connect(url)) as client:
        return json.loads(_ask(client, method, "/__control__"))


# Memory


def _peak(url: str, members: int) -> int:
    """Bytes that a process of its own grew by while it pushed."""
    audience = _fill(url, members)
    extra = {"MAILCHIMP_API_KEY": "key-us1", "MAILCHIMP_API_URL": url}
    command = [sys.executable, "-c", _MEASURED.format(audience=audience.pk)]
    done = subprocess.run(command, cwd=ROOT, env=environment(**extra), stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit("The sync whose memory is measured failed")
    return int(done.stdout.splitlines()[-1])


_MEASURED = """
import django
django.setup()
from tests.benchmarks import mailchimp
print(mailchimp.growth_of_a_push({audience}))
"""


def growth_of_a_push(pk: int) -> int:
    before = _most_held()
    _push(pk)
    return _most_held() - before


def _most_held() -> int:
    """Bytes; getrusage would tell the parent's, if that was the larger."""
    held = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(held[1]) * 1024
