"""Calls side by side, as many as Mailchimp bears; what came of each is worked on in one thread, the one with the database."""

from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import NamedTuple

from campaigns.mailchimp.slots import AT_ONCE


class Job(NamedTuple):
    """A call, and what is to be done with what it answered."""

    call: Callable[[], object]
    then: Callable[[object], None]


class Lanes:
    """Usable between `with` and its end."""

    def __enter__(self) -> "Lanes":
        self._pool = ThreadPoolExecutor(AT_ONCE, "mailchimp")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def work_off(self, jobs: Iterable[Job]) -> None:
        """Do these, up to eight at once, each made only when there is room for it.

        After a failure, of a call or of the making of a job, no further one begins; what is under way is still written down.
        """
        under_way: dict[Future, Callable[[object], None]] = {}
        failures: list[Exception] = []
        try:
            for job in jobs:
                under_way[self._pool.submit(job.call)] = job.then
                if len(under_way) >= AT_ONCE:
                    failures += _settle(under_way)
                if failures:
                    break
        except Exception as failure:
            failures.append(failure)
        while under_way:
            failures += _settle(under_way)
        if failures:
            raise failures[0]


def _settle(under_way: dict[Future, Callable[[object], None]]) -> list[Exception]:
    done, _rest = wait(under_way, return_when=FIRST_COMPLETED)
    failures = []
    for future in done:
        then = under_way.pop(future)
        try:
            then(future.result())
        except Exception as failure:
            failures.append(failure)
    return failures
