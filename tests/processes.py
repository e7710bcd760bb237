"""Real Celery workers and web servers for tests, against the test's own database and Valkey."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Self
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


class Process:
    """A process and its children; leaves nothing behind."""

    what: str
    command: list[str]
    env: dict[str, str]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self.kill()

    def start(self) -> None:
        self.log = tempfile.NamedTemporaryFile("w+", prefix="lodestar-", suffix=".log")  # noqa: SIM115
        self.process = subprocess.Popen(
            self.command,
            cwd=ROOT,
            env=environment(**self.env),
            stdout=self.log,
            stderr=self.log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        wait_for(self.ready, f"{self.what} to start; its log:\n{self.output()}")

    def ready(self) -> bool:
        raise NotImplementedError

    def output(self) -> str:
        return Path(self.log.name).read_text()

    def kill(self) -> None:
        """SIGKILL to the whole tree, as a power cut would."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait(10)


class Worker(Process):
    """A Celery worker."""

    what = "the worker"

    def __init__(self, queues: str = "mail,sync,default", concurrency: int = 2, **env: str) -> None:
        self.command = [sys.executable, "-m", "celery", "-A", "config.celery", "worker", "-Q", queues]
        self.command += ["-c", str(concurrency), "-l", "INFO", "--without-gossip", "--without-mingle"]
        self.env = env

    def ready(self) -> bool:
        return "ready." in self.output()


class Web(Process):
    """The web server as `manage.py up` starts it, with our pages or another application."""

    what = "the web server"

    def __init__(self, application: str = "config.wsgi", **env: str) -> None:
        from config.management.commands.up import web_server

        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.command = web_server(f"127.0.0.1:{self.port}", application=application)
        self.env = {"SITE_URL": self.url, **env}

    def ready(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True


def wait_for(condition, what: str, seconds: float = 60) -> None:
    """Wait until the condition holds; fail with what we waited for."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"Waited {seconds} s for {what}")
        time.sleep(0.1)
