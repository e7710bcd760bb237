"""The messages of one claim on their way out: between the ledger, the journal and a transport.

Deliveries come from the ledger in slices and go back to it in slices, the next slice while the last is still being
sent. Before a message leaves, its person and the appeal must have been looked at within the last FRESH seconds; if that
is longer ago, it and those about to follow it are looked at again, in one statement. So a fast server costs one look
a slice, a slow one a look for each message, and what is withdrawn at most FRESH seconds before the first byte leaves
may be too late. The time is that of the asking; a database that takes longer than FRESH to answer widens it to that.

Nothing leaves without the database: a worker that is cut off from it stops within FRESH seconds.
"""

import time
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.utils.translation import gettext as _

from campaigns.appeals import outcomes
from campaigns.appeals.journal import Journal
from campaigns.appeals.ledger import Addressee, Hold
from campaigns.appeals.outcomes import WORKER_DIED, Outcome
from campaigns.mail import pacing
from campaigns.mail.fields import FieldError
from campaigns.mail.message import AddressUnusable
from campaigns.mail.pacing import receivers
from campaigns.mail.transport import InDoubt, Mail, Refused
from campaigns.models import Delivery

State = Delivery.State
FRESH = 0.25
"""Seconds between the last look at consent and the first byte of a message, at most."""
SMALLEST_SLICE, LARGEST_SLICE = 50, 500
"""The first is small: a slow server would keep what it can't get at from other workers."""
SHORTEST_REST = 1.0
"""Seconds between two questions to a limit that has nothing left."""
QUICK = 1.0
"""Seconds that a slice may last for the next to be larger."""


@dataclass(slots=True)
class _Pending:
    addressee: Addressee
    looked_at: float
    """Monotonic."""
    gone: bool = False


class Outgoing:
    """The outbox of one claim (campaigns.mail.transport.Outbox)."""

    def __init__(
        self,
        hold: Hold,
        journal: Journal,
        compose: Callable[[Addressee, bool], Mail],
        counts: Counter[str],
    ) -> None:
        """Counts outcomes into `counts`."""
        self.until = 0.0
        """Gives out nothing after this time; monotonic."""
        self.counts = counts
        self._hold = hold
        self._journal = journal
        self._compose = compose
        self._queue: deque[_Pending] = deque()
        self._handed_out: dict[int, _Pending] = {}
        self._leaving: set[int] = set()
        """Begun, and the answer not taken down yet."""
        self._known: list[Outcome] = []
        self._withdrawn: list[int] = []
        self._size = SMALLEST_SLICE
        self._taken_at = 0.0
        self._dry = False
        self._rests_until = 0.0
        """All that was owed and allowed is out; monotonic."""
        self._ledger = _Aside()
        self._coming: Future[tuple[float, list[Addressee]]] | None = None

    # For the transport ------------------------------------------------------------------------------

    def next(self, eight_bit: bool) -> Mail | None:
        while not self._out_of_time():
            if len(self._queue) <= self._size // 2:
                self._ask_for_more()
            if not self._queue:
                if self._coming is None:
                    break
                self._take_in()
                continue
            pending = self._queue.popleft()
            try:
                mail = self._compose(pending.addressee, eight_bit)
            except (FieldError, AddressUnusable) as error:
                reason = _("The message could not be made: %(why)s") % {"why": error}
                self._know(Outcome(pending.addressee.pk, State.FAILED, reason))
                continue
            self._handed_out[mail.key] = pending
            return mail
        self._journal.flush()
        return None

    def waiting(self) -> int:
        return len(self._queue)

    def over(self) -> bool:
        more = self._queue or self._coming or self._withdrawn or not self._dry or self._rests_until
        return self._out_of_time() or not more or self._rests_until > self.until

    def may_leave(self, mail: Mail) -> bool:
        pending = self._handed_out[mail.key]
        if time.monotonic() - pending.looked_at > FRESH:
            self._look_again()
        if pending.gone:
            del self._handed_out[mail.key]
            return False
        self._journal.begins(mail.key)
        self._leaving.add(mail.key)
        return True

    def done(self, mail: Mail, failure: Refused | InDoubt | None) -> None:
        addressee = self._handed_out.pop(mail.key).addressee
        if isinstance(failure, InDoubt):
            self._know(Outcome(mail.key, State.UNKNOWN, str(failure)))
            return
        code, reason = (failure.code, str(failure)) if failure else (250, "")
        self._journal.answered(mail.key, code)
        self._know(outcomes.of_answer(mail.key, code, reason, addressee.attempts))
        if failure and failure.temporary and receivers.is_deferral(reason):
            self._slow_down(addressee, reason)

    def put_back(self, mail: Mail) -> None:
        pending = self._handed_out.pop(mail.key)
        if mail.key in self._leaving:
            # Let go of, and known not to have left: written down as a refusal for now, so that nobody doubts it.
            self._leaving.discard(mail.key)
            self._journal.answered(mail.key, 421)
        if not pending.gone:
            self._queue.appendleft(pending)

    # For whoever runs it ----------------------------------------------------------------------------

    def close(self) -> None:
        """Hear the end of what was asked of the ledger. The rest is for `settle`."""
        self._ledger.close()

    def settle(self) -> None:
        """Write down what is known, owe again what did not leave, and end the claim. May be repeated."""
        # Nobody is left to hear an answer, whatever cut the transport short.
        for pk in self._leaving.copy():
            self._know(Outcome(pk, State.UNKNOWN, WORKER_DIED))
        self._hold.end(self._known)

    # ------------------------------------------------------------------------------------------------

    def _out_of_time(self) -> bool:
        return time.monotonic() > self.until

    def _know(self, outcome: Outcome) -> None:
        self._known.append(outcome)
        self._leaving.discard(outcome.pk)
        self.counts[str(outcome.state)] += 1

    def _ask_for_more(self) -> None:
        if self._rests_until and time.monotonic() > self._rests_until:
            self._rests_until, self._dry = 0.0, False
        if self._coming is None and not (self._dry and not self._withdrawn):
            known, self._known = self._known, []
            withdrawn, self._withdrawn = self._withdrawn, []
            self._coming = self._ledger.do(self._exchange, known, withdrawn)

    def _exchange(self, known: list[Outcome], withdrawn: list[int]) -> tuple[float, list[Addressee]]:
        now = time.monotonic()
        if now - self._taken_at < QUICK:
            self._size = min(self._size * 2, LARGEST_SLICE)
        elif self._taken_at:
            self._size = max(self._size // 2, SMALLEST_SLICE)
        self._taken_at = now
        try:
            permits = pacing.ask(self._hold.claim.appeal, self._size)
            # In one transaction: each costs a wait for the disk.
            with transaction.atomic():
                self._hold.settle(known)
                if withdrawn:
                    self._hold.give_back(withdrawn)
                looked_at = time.monotonic()
                taken, skipped = self._hold.take(permits)
            pacing.settle(permits, Counter(addressee.receiver for addressee in taken))
        except BaseException:
            self._known += known
            raise
        self.counts.update({State.SKIPPED.value: skipped} if skipped else {})
        self._dry = not taken and not skipped
        if self._dry and (waits := [permits.waits[code] for code in self._hold.owed(list(permits.waits))]):
            self._rests_until = time.monotonic() + max(min(waits), SHORTEST_REST)
        return looked_at, taken

    def _slow_down(self, addressee: Addressee, because: str) -> None:
        """Its receiver has had enough of us for now: what else is in hand for it goes back."""
        domain = addressee.email.rpartition("@")[2]
        receiver = self._ledger.do(receivers.slow_down, domain, because).result()
        for pending in self._queue:
            other = pending.addressee
            if other.receiver == receiver or other.email.endswith(f"@{domain}"):
                self._let_go(pending)
        self._drop_gone()

    def _let_go(self, pending: _Pending) -> None:
        pending.gone = True
        self._withdrawn.append(pending.addressee.pk)

    def _drop_gone(self) -> None:
        self._queue = deque(pending for pending in self._queue if not pending.gone)

    def _take_in(self) -> None:
        coming, self._coming = self._coming, None
        looked_at, taken = coming.result()
        self._queue.extend(_Pending(addressee, looked_at) for addressee in taken)

    def _look_again(self) -> None:
        # A slice is as large as the server is quick: half of one is what may leave while the look is fresh.
        ahead = max(SMALLEST_SLICE, self._size // 2)
        soon = [*self._handed_out.values(), *islice(self._queue, ahead)]
        looked_at = time.monotonic()
        found = self._ledger.do(self._hold.look, [pending.addressee.pk for pending in soon]).result()
        if not found:
            soon += self._queue  # It is not about one person.
        for pending in soon:
            if pending.gone:
                continue
            pending.looked_at = looked_at
            if found.get(pending.addressee.pk) != pending.addressee:
                self._let_go(pending)
        if any(pending.gone for pending in soon):
            self._drop_gone()


class _Aside:
    """Does what is to be done in the database in a thread of its own, over the connection of the caller's.

    One thing after another: while it is at it, the caller leaves the connection alone.
    """

    def __init__(self) -> None:
        self._connection = connections[DEFAULT_DB_ALIAS]
        self._connection.inc_thread_sharing()
        self._thread = ThreadPoolExecutor(1, "ledger", initializer=self._share)

    def do(self, work: Callable[..., Any], *args: object) -> "Future[Any]":
        return self._thread.submit(work, *args)

    def close(self) -> None:
        self._thread.shutdown()
        self._connection.dec_thread_sharing()

    def _share(self) -> None:
        connections[self._connection.alias] = self._connection
