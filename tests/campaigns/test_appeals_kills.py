"""Promises 1 and 2 under everything at once: workers killed at random fifty times over, PostgreSQL restarted, Valkey wiped,
a mail server that hangs up, refuses for now and stalls, and people who leave meanwhile."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg
import pytest
import redis
from celery import Celery

from campaigns.appeals import outgoing
from config import engines
from tests.processes import ROOT, Worker, environment
from tests.standins.scripted_smtp import Server

pytestmark = pytest.mark.workers
PEOPLE, KILLS, PROCESSES, CONNECTIONS = 20_000, 50, 2, 4
APART = 340
"""Messages between two kills; the rest is for those who leave, and to go out in peace."""
LEAVERS = 1_500
"""At most: the others have to be enough for every kill."""
WHOLE_TREE, RESTARTS, FLUSHES = 10, 25, 10
"""Every so many kills: one of the worker with all its processes, one of PostgreSQL, one of what Valkey holds."""
DESCHEDULED = 2
"""Seconds that a busy machine may keep a process waiting between its last look and its write."""
SEED = random.randrange(10_000)


@pytest.fixture
def engine():
    """PostgreSQL and Valkey of this test's own, to do ill to."""
    root = Path(tempfile.mkdtemp(prefix="lodestar-kills-"))
    root.chmod(0o755)  # PostgreSQL's own user passes through when we are root
    try:
        yield Engine(root)
    finally:
        engines.stop_all(root)
        shutil.rmtree(root, ignore_errors=True)


class Engine:
    def __init__(self, root):
        self.root = root
        self.options = {"fsync": "off", "full_page_writes": "off"}
        self.database_url = engines.start_postgres(root, self.options)
        self.redis_url = engines.start_valkey(root, {"appendonly": "no", "save": ""})
        self.env = {
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "MAIL_JOURNAL": str(root / "journal"),
            "MAIL_CONNECTIONS": str(CONNECTIONS),
            "MAIL_WORKERS": str(PROCESSES),
        }

    def crash_postgres(self):
        server = psutil.Process(int((self.root / "postgres" / "postmaster.pid").read_text().split()[0]))
        server.send_signal(signal.SIGQUIT)  # PostgreSQL's immediate shutdown: it recovers at the next start
        psutil.wait_procs([server], 30)
        engines.start_postgres(self.root, self.options)

    def forget_queue(self):
        with redis.Redis.from_url(self.redis_url) as client:
            client.flushall()

    def nudge(self, appeal):
        """What the beat's tick says each minute."""
        with Celery(
            broker=self.redis_url.replace("unix://", "redis+socket://").replace("?db=", "?virtual_host=")
        ) as app:
            app.send_task("campaigns.tasks.work_on_appeal", args=[appeal], queue="mail", expires=55)

    def manage(self, *arguments):
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=environment(**self.env), check=True, capture_output=True, text=True
        )
        return done.stdout

    def query(self, sql, *parameters):
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            cursor = connection.execute(sql, parameters)
            return cursor.fetchall() if cursor.description else []


SET_UP = f"""
import json
from django.db import connection
from tests.campaigns.conftest import make_appeal
from campaigns.appeals import schedule, tick
with connection.cursor() as cursor:
    cursor.execute('''
        INSERT INTO supporters_supporter (email, first_name) SELECT 'p' || n || '@mail.example', 'P' FROM generate_series(1, {PEOPLE}) n;
        INSERT INTO supporters_consent (supporter_id, purpose, state, wording, method)
        SELECT id, 'email', 'granted', 'Yes.', 'form' FROM supporters_supporter;
        ANALYZE''')
from campaigns.models import Segment
from campaigns.segments import refresh
segment = Segment.objects.create(name="Everybody", rules=dict(match="all", rules=[]))
refresh(segment)
appeal = make_appeal(segment=segment)
schedule.send_now(appeal)
tick(hand_out=False)
print(json.dumps(appeal.pk))
"""


class Sink(Server):
    """Takes messages down with the time, and has bad days."""

    def __init__(self):
        super().__init__()
        self.answer = self._moody
        self.arrivals = []
        self.drops = 0
        self.most = APART
        """Messages it takes for now: the kills must not be outrun."""
        self._random = random.Random(SEED)
        self._lock = threading.Lock()

    def _moody(self, verb, who):
        patience = time.monotonic() + 10
        while verb == "RCPT" and len(self) >= self.most and time.monotonic() < patience:
            time.sleep(0.01)
        with self._lock:
            mood = self._random.random()
            if verb == "END" and mood < 0.001:
                self.drops += 1
                if mood < 0.0005:
                    self.arrivals.append((who, time.monotonic()))
                    return "take and drop"
                return "drop"
            if verb == "END":
                if mood < 0.004:
                    return "451 not now"
                if mood < 0.005:
                    return "421 I must go"
                self.arrivals.append((who, time.monotonic()))
            if verb == "RCPT" and mood < 0.003:
                return ["450 greylisted", "421 too busy", "drop"][int(mood * 1000)]
        if verb == "END" and mood > 0.9995:
            time.sleep(1)
        return None

    def __len__(self):
        return len(self.arrivals)


class Leavers:
    """People who leave one after another while the appeal goes out."""

    def __init__(self, engine):
        self.engine = engine
        self.left = {}
        self._random = random.Random(SEED + 1)

    def one_more(self):
        if len(self.left) >= LEAVERS:
            return
        email = f"p{self._random.randrange(PEOPLE) + 1}@mail.example"
        self.engine.query(
            "INSERT INTO supporters_consent (supporter_id, purpose, state, wording, method)"
            " SELECT id, 'email', 'withdrawn', '', 'one_click' FROM supporters_supporter WHERE email = %s",
            email,
        )
        self.left.setdefault(email, time.monotonic())


def test_nobody_twice_nobody_lost_nobody_who_left(engine):
    print("seed", SEED)
    engine.manage("migrate", "-v", "0")
    appeal = json.loads(engine.manage("shell", "-v", "0", "-c", SET_UP).splitlines()[-1])
    chance = random.Random(SEED + 2)
    killed = 0
    with Sink() as sink, Worker("mail", PROCESSES, **engine.env, EMAIL_URL=sink.url) as worker:
        leavers = Leavers(engine)
        kills = 0
        deadline = time.monotonic() + 600
        while not _finished(engine):
            assert time.monotonic() < deadline, f"{kills} kills, {len(sink)} taken, {_states(engine)}"
            engine.query("UPDATE campaigns_delivery SET not_before = now() WHERE not_before > now()")
            engine.query("UPDATE campaigns_appeal SET retry_at = NULL WHERE retry_at IS NOT NULL")
            engine.nudge(appeal)
            leavers.one_more()
            if worker.process.poll() is not None:
                worker.start()
            if kills < KILLS and len(sink) > (kills + chance.random()) * APART:
                kills += 1
                sink.most = (kills + 1) * APART + CONNECTIONS * PROCESSES if kills < KILLS else PEOPLE
                if kills % WHOLE_TREE == 0:
                    killed += PROCESSES
                    worker.kill()
                    worker.start()
                else:
                    killed += _kill_one(worker, chance)
                if kills % RESTARTS == 0:
                    engine.crash_postgres()
                if kills % FLUSHES == 5:
                    engine.forget_queue()
            time.sleep(0.02)
    states = dict(
        engine.query(
            "SELECT s.email, d.state FROM campaigns_delivery d JOIN supporters_supporter s ON s.id = d.supporter_id"
        )
    )
    taken = Counter(email for email, _when in sink.arrivals)
    unknown = {email for email, state in states.items() if state == "unknown"}
    print(
        f"{killed} processes killed, {sink.drops} dropped, {len(unknown)} unknown, {len(leavers.left)} left",
        Counter(states.values()),
    )
    assert kills == KILLS
    assert len(states) == PEOPLE
    assert max(taken.values()) == 1
    assert set(states.values()) <= {"sent", "skipped", "unknown"}
    assert {email for email, state in states.items() if state == "sent"} <= set(taken)
    assert set(taken) <= {email for email, state in states.items() if state in {"sent", "unknown"}}
    assert len(unknown) <= killed * CONNECTIONS + sink.drops
    late = {
        email: when - leavers.left[email] for email, when in sink.arrivals if when > leavers.left.get(email, when)
    }
    assert all(seconds < outgoing.FRESH + DESCHEDULED for seconds in late.values()), late
    assert {email for email, state in states.items() if state == "skipped"} <= set(leavers.left)


def _finished(engine):
    return engine.query("SELECT 1 FROM campaigns_appeal WHERE state = 'sent'") != []


def _states(engine):
    return dict(engine.query("SELECT state, count(*) FROM campaigns_delivery GROUP BY state"))


def _kill_one(worker, chance):
    with suppress(psutil.NoSuchProcess):
        children = psutil.Process(worker.process.pid).children()
        if children:
            os.kill(chance.choice(children).pid, signal.SIGKILL)
            return 1
    return 0
