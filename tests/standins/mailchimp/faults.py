"""What the stand-in was told to do wrong, and which call it hits."""

import re
import threading
from dataclasses import dataclass, field


@dataclass
class Fault:
    """`kind`: fail (answer a status), drop (cut the connection), stall (hold the answer back)."""

    kind: str
    times: int | None = 1
    """None: until calm()."""
    method: str | None = None
    path: str | None = None
    """A regular expression, searched for in the path behind /3.0."""
    status: int = 500
    body: str = "problem"
    """problem (a problem document), html or empty."""
    retry_after: int | None = None
    applied: bool = False
    """Whether the call takes effect before its answer is lost."""
    seconds: float = 3600
    released: threading.Event = field(default_factory=threading.Event)

    def hits(self, method: str, path: str) -> bool:
        return (self.method in (None, method)) and (self.path is None or bool(re.search(self.path, path)))


@dataclass
class Faults:
    delay: float = 0
    pending: list[Fault] = field(default_factory=list)
    stalling: list[Fault] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, fault: Fault) -> None:
        with self.lock:
            self.pending.append(fault)
            if fault.kind == "stall":
                self.stalling.append(fault)

    def take(self, method: str, path: str) -> Fault | None:
        """The first fault that this call hits; it is used up by that."""
        with self.lock:
            for fault in self.pending:
                if not fault.hits(method, path):
                    continue
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times <= 0:
                        self.pending.remove(fault)
                return fault
        return None

    def calm(self) -> None:
        """No faults and no delay; who is stalled gets its answer."""
        with self.lock:
            self.pending.clear()
            for fault in self.stalling:
                fault.released.set()
            self.stalling.clear()
        self.delay = 0
