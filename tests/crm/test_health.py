"""/healthz against parts that are really dead. It must answer, name the dead part, and not hang."""

import json
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone

from crm import health, jobs
from crm.models import Job
from tests.processes import ROOT, environment, wait_for

NOBODY = "postgresql://nobody:secret@127.0.0.1:1/none"
pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def web(**env):
    """A web server of its own process, as in production; where it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{port}", "--timeout", "60"]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment(**env), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_for(lambda: _open(port), "the web server")
        yield f"http://127.0.0.1:{port}/healthz"
    finally:
        process.terminate()
        process.wait(30)


def _open(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def ask(url):
    """Status and body; an answer that takes half a minute is none."""
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


@pytest.fixture
def all_alive(broker):
    cache.clear()
    health.note_worker()
    jobs.take_due()
    Job.objects.filter(name=jobs.HEARTBEAT).update(succeeded_at=timezone.now())
    alive = dict.fromkeys(("alive", "database", "broker", "worker", "beat"), True)
    assert health.check() == {name: value for name, value in alive.items() if name != "alive"}
    return alive


def test_all_alive(all_alive):
    with web() as url:
        assert ask(url) == (200, all_alive)


def test_no_database(all_alive):
    with web(DATABASE_URL=NOBODY) as url:
        status, body = ask(url)
    assert (status, body) == (503, {**all_alive, "alive": False, "database": False, "beat": False})
    assert "secret" not in json.dumps(body)


@pytest.mark.parametrize("kind", ["closed", "silent"])
def test_no_broker(all_alive, kind):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if kind == "silent":
            listener.listen(64)  # takes connections and never says a word
        with web(REDIS_URL=f"redis://127.0.0.1:{listener.getsockname()[1]}/0") as url:
            answer = ask(url)
    assert answer == (503, {**all_alive, "alive": False, "broker": False, "worker": False})


def test_no_worker(all_alive):
    cache.clear()
    with web() as url:
        assert ask(url) == (503, {**all_alive, "alive": False, "worker": False})


def test_no_beat(all_alive):
    long_ago = timezone.now() - timedelta(seconds=health.BEAT_SILENCE + 1)
    Job.objects.filter(name=jobs.HEARTBEAT).update(succeeded_at=long_ago)
    with web() as url:
        assert ask(url) == (503, {**all_alive, "alive": False, "beat": False})
