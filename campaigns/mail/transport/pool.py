"""Several connections to the mail server, driven by one thread."""

import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from campaigns.mail.transport.connecting import Link, connect
from campaigns.mail.transport.errors import Unreachable
from campaigns.mail.transport.outbox import Outbox
from campaigns.mail.transport.session import Closed, HeldBack, Session

SHARE = 10
"""Messages that have to wait before one more connection is opened."""
MOST_FRUITLESS = 3
"""Connections in a row that the server closes before it has said anything about a message; then it is in trouble."""
_LOOK = 0.1
"""Seconds between two looks at the clock while nothing comes in."""
_GOODBYE = 2
"""Seconds a server has to answer QUIT."""


class Pool:
    """A transport over up to so many connections, opened side by side when there is work for them, and kept."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._selector = selectors.DefaultSelector()
        self._sessions: list[Session] = []
        self._openings = _Openings(self._selector)
        self._outbox: Outbox | None = None
        self._trouble: BaseException | None = None
        self._carried = 0
        self._fruitless = 0

    def open(self) -> None:
        """Raises Unreachable."""
        if not self._sessions:
            self._add(connect())

    def carry(self, outbox: Outbox) -> None:
        """Raises Unreachable, or what the outbox raises, once the answers to what has left are in."""
        self._outbox, self._trouble = outbox, None
        for session in self._sessions:
            session.outbox, session.shut = outbox, False
        while True:
            if self._trouble is None:
                self._grow()
                self._wake()
            if all(session.idle for session in self._sessions) and (self._trouble or outbox.over()):
                break
            self._listen(_LOOK)
        if self._trouble:
            raise self._trouble

    def close(self) -> None:
        for session in list(self._sessions):
            self._attempt(session, session.leave)
        until = time.monotonic() + _GOODBYE
        while any(session.parting for session in self._sessions) and time.monotonic() < until:
            self._listen(until - time.monotonic())
        for session in self._sessions:
            session.link.close()
        self._sessions.clear()
        self._openings.close()
        self._selector.close()

    def _grow(self) -> None:
        """As many connections as there is work for."""
        while self._openings.arrived:
            arrival = self._openings.arrived.popleft()
            if isinstance(arrival, Link):
                self._add(arrival)
            else:
                # It wants no more of us than it has.
                self._size = max(len(self._sessions), 1)
        if not self._sessions and not self._outbox.over():
            try:
                self.open()
            except Unreachable as error:
                self._trouble = error
        missing = self._size - len(self._sessions) - self._openings.under_way
        if missing > 0:
            wanted = -(-self._outbox.waiting() // SHARE)
            for _each in range(min(missing, wanted - len(self._sessions) - self._openings.under_way)):
                self._openings.start()

    def _add(self, link: Link) -> None:
        session = Session(link, self._outbox)
        self._sessions.append(session)
        self._selector.register(link, selectors.EVENT_READ, session)

    def _wake(self) -> None:
        for session in self._sessions.copy():
            if session.idle:
                self._attempt(session, session.leave if session.shut else session.begin)

    def _listen(self, patience: float) -> None:
        ready = self._selector.select(patience)
        for key, _events in ready:
            if key.data is None:
                self._openings.heard()
            else:
                self._attempt(key.data, key.data.work)
        now = time.monotonic()
        for session in self._sessions.copy():
            if session.deadline is not None and now > session.deadline:
                self._attempt(session, session.work)

    def _attempt(self, session: Session, action: Callable[[], None]) -> None:
        before = session.carried
        try:
            action()
        except Closed as closed:
            self._end(session, closed)
        except Exception as error:
            self._end(session, error)
            self._stop(error)
        else:
            if session.link.wants_to_write != session.watched:
                session.watched = session.link.wants_to_write
                events = selectors.EVENT_READ | (selectors.EVENT_WRITE if session.watched else 0)
                self._selector.modify(session.link, events, session)
        if session.carried > before:
            self._carried += session.carried - before
            self._fruitless = 0

    def _end(self, session: Session, error: Exception) -> None:
        if session not in self._sessions:
            return
        self._sessions.remove(session)
        self._selector.unregister(session.link)
        talked = session.carried or session.flying or session.shut or isinstance(error, HeldBack)
        session.lost(str(error))
        if talked:
            return
        # It may take only so many of us at once.
        self._size = max(len(self._sessions), 1)
        self._fruitless += 1
        if not self._carried or self._fruitless >= MOST_FRUITLESS:
            self._stop(Unreachable(str(error)))

    def _stop(self, trouble: BaseException) -> None:
        """Begin nothing more; what has left is waited for."""
        self._trouble = self._trouble or trouble
        for session in self._sessions.copy():
            session.shut = True
            if session.flying is None:
                self._sessions.remove(session)
                self._selector.unregister(session.link)
                session.lost(str(trouble))


class _Openings:
    """Connections being opened, each in a thread of its own, so that the others need not wait."""

    def __init__(self, selector: selectors.BaseSelector) -> None:
        self.under_way = 0
        self.arrived: deque[Link | Unreachable] = deque()
        self._closed = False
        self._ear, self._mouth = socket.socketpair()
        self._ear.setblocking(False)
        selector.register(self._ear, selectors.EVENT_READ)

    def start(self) -> None:
        self.under_way += 1
        threading.Thread(target=self._open, daemon=True).start()

    def heard(self) -> None:
        self.under_way -= len(self._ear.recv(64))

    def close(self) -> None:
        self._closed = True
        while self.arrived:
            self._close(self.arrived.popleft())
        self._ear.close()
        self._mouth.close()

    def _open(self) -> None:
        try:
            arrival: Link | Unreachable = connect()
        except Unreachable as error:
            arrival = error
        if self._closed:
            self._close(arrival)
            return
        self.arrived.append(arrival)
        with suppress(OSError):
            self._mouth.send(b".")

    def _close(self, arrival: Link | Unreachable) -> None:
        if isinstance(arrival, Link):
            arrival.close()
