"""What a worker writes down on its own disk while messages leave, so that its death leaves little in doubt.

One file for each claim, one line for each fact:

    >4711          the body of delivery 4711 is about to leave; written before its first byte does
    <4711 250      the server's answer to it; written before another body leaves over the same connection

No line holds anything about a person. What write(2) has taken survives the death of the process, whatever kills it; it
is not flushed to the disk each time, so it may not survive the machine. The running of the machine is therefore noted
with each claim (`boot`), and a journal from before a crash proves an answer, but never that a message did not leave.

A worker holds flock(2) on its journal. The kernel frees it when the process ends, however it ends, and not before: who
can lock the journal of another knows that it is dead, even if it was cut off from the database long before.
"""

import fcntl
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from uuid import uuid4

from django.conf import settings
from django.utils.translation import gettext as _

_LINE = re.compile(rb"([<>])(\d+)(?: (\d{3}))?\n")
_PLACE = "place"


class JournalError(Exception):
    """The journal can't be written, so nothing may leave; the text says why, in words for staff."""

    def __init__(self, error: OSError) -> None:
        super().__init__(
            _("Nothing is sent, for the journal in %(folder)s can't be written: %(reason)s.")
            % {"folder": settings.MAIL_JOURNAL, "reason": error.strerror or error}
        )


class Journal:
    """The journal of a living worker."""

    def __init__(self) -> None:
        """Begin a new one. Raises JournalError."""
        self.name = uuid4().hex
        self._path = settings.MAIL_JOURNAL / self.name
        self._broken = False
        self._answers = b""
        try:
            place()
            self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise JournalError(error) from None

    def begins(self, delivery: int) -> None:
        """Its body is about to leave. Raises JournalError: then it must not."""
        answers, self._answers = self._answers, b""
        self._write(b"%b>%d\n" % (answers, delivery))

    def answered(self, delivery: int, code: int) -> None:
        """The server's answer. It is written with the next beginning, or by `flush`."""
        self._answers += b"<%d %03d\n" % (delivery, code)

    def flush(self) -> None:
        """Write the answers that have come. Should that fail, the ledger may still learn them from us."""
        answers, self._answers = self._answers, b""
        if answers:
            with suppress(JournalError):
                self._write(answers)

    def discard(self) -> None:
        """Everything in it stands in the ledger."""
        self._path.unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of it. What was not discarded is left to whoever sweeps."""
        self.flush()
        os.close(self._file)

    def _write(self, line: bytes) -> None:
        if self._broken:
            raise JournalError(OSError(_("an earlier line could not be written")))
        try:
            whole = os.write(self._file, line) == len(line)
        except OSError as error:
            self._broken = True
            raise JournalError(error) from None
        if not whole:
            # Nothing may follow a torn line.
            self._broken = True
            raise JournalError(OSError(_("the disk is full")))


class Remains:
    """The journal of a dead worker, locked by us."""

    def __init__(self, path: Path, file: int) -> None:
        self._path = path
        self._file = file

    def read(self, deliveries: Iterable[int]) -> tuple[set[int], dict[int, int]]:
        """Which of these had begun to leave, and the codes of the answers to them. A torn line counts as none."""
        wanted = set(deliveries)
        begun: set[int] = set()
        answers: dict[int, int] = {}
        with open(os.dup(self._file), "rb") as lines:
            for line in lines:
                match = _LINE.fullmatch(line)
                if match is None or (delivery := int(match[2])) not in wanted:
                    continue
                if match[1] == b">":
                    begun.add(delivery)
                    answers.pop(delivery, None)
                elif match[3]:
                    answers[delivery] = int(match[3])
        return begun, answers

    def discard(self) -> None:
        self._path.unlink(missing_ok=True)


@contextmanager
def remains(name: str) -> Iterator[Remains | None]:
    """The journal of this name if its worker is dead; None if it lives, or if there is no such journal here."""
    path = settings.MAIL_JOURNAL / name
    try:
        file = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        yield None
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Another may have read and discarded it between our opening and our locking it.
        yield Remains(path, file) if os.fstat(file).st_nlink else None
    except BlockingIOError:
        yield None
    finally:
        os.close(file)


def place() -> str:
    """The name of this machine's folder of journals. Raises OSError where it can't be made."""
    folder = settings.MAIL_JOURNAL
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / _PLACE
    if not path.exists():
        draft = folder / f"{_PLACE}-{uuid4().hex}"
        draft.write_text(uuid4().hex)
        # Linked into place whole: of two processes that start at once, both end up with the same name.
        with suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return path.read_text().strip()


@cache
def boot() -> str:
    """The running of this machine since it was last started."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        import psutil  # on other systems only

        return str(psutil.boot_time())
