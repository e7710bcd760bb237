"""Real Celery workers for tests, against the test's own database and Valkey."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

ROOT = Path(__file__).resolve().parent.parent


def environment(**extra: str) -> dict[str, str]:
    """The environment in which a process of ours meets the test database."""
    from django.conf import settings
    from django.db import connection

    url = urlsplit(settings.DATABASE_URL)
    database = urlunsplit(url._replace(path="/" + quote(connection.settings_dict["NAME"])))
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    return {**inherited, "DATABASE_URL": database, "REDIS_URL": settings.REDIS_URL, **extra}


class Worker:
    """A Celery worker process and its children; leaves nothing behind."""

    def __init__(self, queues: str = "mail,sync,default", concurrency: int = 2, **env: str) -> None:
        self.command = [sys.executable, "-m", "celery", "-A", "config.celery", "worker", "-Q", queues]
        self.command += ["-c", str(concurrency), "-l", "INFO", "--without-gossip", "--without-mingle"]
        self.env = env

    def __enter__(self) -> "Worker":
        self.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self.kill()

    def start(self) -> None:
        self.log = tempfile.NamedTemporaryFile("w+", prefix="worker-", suffix=".log")  # noqa: SIM115
        self.process = subprocess.Popen(
            self.command,
            cwd=ROOT,
            env=environment(**self.env),
            stdout=self.log,
            stderr=self.log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        wait_for(lambda: "ready." in self.output(), f"the worker to start; its log:\n{self.output()}")

    def output(self) -> str:
        return Path(self.log.name).read_text()

    def kill(self) -> None:
        """SIGKILL to the whole tree, as a power cut would."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait(10)


def wait_for(condition, what: str, seconds: float = 60) -> None:
    """Wait until the condition holds; fail with what we waited for."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"Waited {seconds} s for {what}")
        time.sleep(0.1)
