"""One process that keeps others running: what `manage.py up` and `make demo` are made of.

A child that dies is started again, at once and then with growing pauses. Ctrl-C or SIGTERM stops them in the
reverse order, each with a time of grace; a second one stops them at once. Should the supervisor itself be
killed, the kernel passes that on to its children.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType

GRACE = 15
"""Seconds a child has to stop by itself. Work cut short is still owed, and taken up at the next start."""
LONGEST_PAUSE = 30
"""Seconds between two starts of a child that keeps dying."""
_PR_SET_PDEATHSIG = 1  # prctl(2)


@dataclass
class Child:
    """A process to keep running."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen | None = None
    started_at: float = 0
    start_after: float = 0
    pause: float = 0

    def start(self) -> None:
        # A session of its own: Ctrl-C reaches the supervisor only, which stops its children in order.
        self.process = subprocess.Popen(
            self.command,
            env={**os.environ, **self.env},
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=die_with_parent,
        )
        self.started_at = time.monotonic()

    def keep(self) -> None:
        """Start it again if it has ended and its pause is over."""
        now = time.monotonic()
        if self.process is None:
            if now >= self.start_after:
                self.start()
            return
        if self.process.poll() is None:
            return
        lived = now - self.started_at
        self.pause = min(LONGEST_PAUSE, self.pause * 2 or 1) if lived < 60 else 1
        _say(f"{self.name} ended (code {self.process.returncode}); starting it again in {self.pause:.0f} s.")
        self.process, self.start_after = None, now + self.pause

    def signal(self, number: signal.Signals, whole_group: bool = False) -> None:
        if self.process is not None and self.process.poll() is None:
            (os.killpg if whole_group else os.kill)(self.process.pid, number)

    def stop(self, until: float) -> None:
        """Ask, wait, then end it with everything it started."""
        self.signal(signal.SIGTERM)
        if self.process is None:
            return
        try:
            self.process.wait(max(until - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired:
            self.signal(signal.SIGQUIT)
            try:
                self.process.wait(3)
            except subprocess.TimeoutExpired:
                pass
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait(10)


class Supervisor:
    """Runs children until told to stop."""

    def __init__(self, children: Sequence[Child], every_second: Callable[[], None] = lambda: None) -> None:
        self.children = list(children)
        self.every_second = every_second
        self.signals = 0

    def run(self, when_started: Callable[[], None] = lambda: None) -> None:
        """Returns once everything has been stopped after a signal."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        try:
            for child in self.children:
                child.start()
            when_started()
            while not self.signals:
                for child in self.children:
                    child.keep()
                self.every_second()
                time.sleep(1 if not self.signals else 0)
        finally:
            self.stop()

    def stop(self) -> None:
        _say("Stopping …")
        for child in self.children:
            child.signal(signal.SIGTERM)
        until = time.monotonic() + GRACE
        for child in reversed(self.children):
            child.stop(until if self.signals < 2 else 0)

    def stopping(self) -> bool:
        return self.signals > 0

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.signals += 1
        if self.signals > 1:
            for child in self.children:
                child.signal(signal.SIGKILL, whole_group=True)


def die_with_parent() -> None:
    """For a child between fork and exec: end when the process that started it ends, however it ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201
