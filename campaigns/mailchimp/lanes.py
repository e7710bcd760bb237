"""Calls side by side, as many as Mailchimp bears; what came of each is worked on in one thread, the one with the database."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import partial
from types import TracebackType
from typing import NamedTuple, TypeVar

from campaigns.mailchimp.slots import AT_ONCE

T = TypeVar("T")


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

    def work_off(self, jobs: Iterable[Job], meanwhile: Callable[[], None] = lambda: None, in_line: int = 0) -> None:
        """Do these, up to eight at once, each made only when there is room for it; `meanwhile` is called once lanes are filled.

        So many more stand in line behind those that are under way, and begin while this thread is busy with the database.
        After a failure, of a call or of the making of a job, no further one begins; what is under way is still written down.
        """
        under_way: dict[Future, Callable[[object], None]] = {}
        failures: list[Exception] = []
        steps: list[Callable[[], None]] = []
        to_come = iter(jobs)
        places = AT_ONCE + in_line
        self._fill(places, under_way, to_come, failures)
        while under_way or steps:
            for step in (*steps, meanwhile):
                try:
                    step()
                except Exception as failure:
                    failures.append(failure)
            if failures and in_line:
                self._call_off(under_way)
            done, _rest = wait(under_way, return_when=FIRST_COMPLETED)
            answered = [(future, under_way.pop(future)) for future in done]
            failures += [
                failure for future, _then in answered if isinstance(failure := future.exception(), Exception)
            ]
            if failures and in_line:
                self._call_off(under_way)
            self._fill(places, under_way, to_come, failures)  # so that no lane waits while answers are worked on
            steps = [partial(then, future.result()) for future, then in answered if future.exception() is None]
        if failures:
            raise failures[0]

    def ask(self, calls: Iterable[Callable[[], T]]) -> list[T]:
        """What each of these answers, in their order."""
        answers: dict[int, T] = {}
        self.work_off(Job(call, partial(answers.__setitem__, place)) for place, call in enumerate(calls))
        return [answers[place] for place in sorted(answers)]

    def _call_off(self, under_way: dict[Future, Callable[[object], None]]) -> None:
        """Those that still stand in line."""
        for future in [future for future in under_way if future.cancel()]:
            del under_way[future]

    def _fill(
        self,
        places: int,
        under_way: dict[Future, Callable[[object], None]],
        to_come: Iterator[Job],
        failures: list[Exception],
    ) -> None:
        while len(under_way) < places and not failures:
            try:
                job = next(to_come)
            except StopIteration:
                return
            except Exception as failure:
                failures.append(failure)
                return
            under_way[self._pool.submit(job.call)] = job.then
