"""What the steps of a push have in common: for how long it works, on what, and how it tells of it."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from django.db.models.functions import Now

from campaigns.mailchimp import difference, learning, mapping
from campaigns.mailchimp.batch import Batch
from campaigns.mailchimp.client import Mailchimp, connect
from campaigns.mailchimp.difference import Owed
from campaigns.mailchimp.lanes import Job, Lanes
from campaigns.mailchimp.mapping import There
from campaigns.mailchimp.shadow import Answer, Seen
from campaigns.mailchimp.sync import OutOfTime
from campaigns.models import Audience, SyncRun


class Stretch:
    """One stretch of bringing an audience up to date; `names` are those of our tags there, by their ids."""

    lanes: Lanes
    names: dict[int, str]
    there: dict[str, There]

    def __init__(self, audience: Audience, run: SyncRun, until: float) -> None:
        self.audience, self.run, self.until = audience, run, until
        self.looked = self.told = time.monotonic()

    @property
    def mailchimp(self) -> Mailchimp:
        """The client of this thread."""
        return connect()

    @property
    def batch(self) -> Batch:
        return Batch(self.mailchimp, self.audience.list_id, self.names)

    # Going on

    def breathe(self) -> None:
        """Raises OutOfTime when it is time to end."""
        now = time.monotonic()
        if now > self.until:
            raise OutOfTime
        if now > self.looked + 2:
            self.looked = now
            if Audience.objects.filter(pk=self.audience.pk, paused=True).exists():
                raise OutOfTime

    def in_time(self, jobs: Iterable[Job]) -> Iterator[Job]:
        """Each is made only when there is time for it."""
        to_come = iter(jobs)
        while True:
            self.breathe()
            try:
                yield next(to_come)
            except StopIteration:
                return

    def each(self, what: str, step: Callable[[list[Owed]], Iterator[Job]]) -> Iterator[Job]:
        for rows in difference.chunks(what):
            yield from self.in_time(step(rows))

    def count(self, **added: int) -> None:
        self.run.count(**added)
        if any(added.values()) and time.monotonic() > self.told + 1:
            self.told = time.monotonic()
            SyncRun.objects.filter(pk=self.run.pk).update(counts=self.run.counts)

    def read_soon(self, needed: bool) -> None:
        """Have what changed there read before the next push: somebody is new, or not where we thought, and may have moved."""
        if needed:
            Audience.objects.filter(pk=self.audience.pk).update(pull_requested_at=Now())

    # What is said of a member, and heard

    def body(self, row: Owed) -> dict:
        return mapping.member(row.email, row.language, row.values, self.there)

    def tag_names(self, row: Owed) -> list[str]:
        return [self.names[tag] for tag in row.tags if tag in self.names]

    def seen(self, row: Owed, found: tuple[str, list[int]], hash: str) -> Seen:
        status, tags = found
        return Seen(row.member, status, tuple(tag for tag in tags if tag in self.names), hash)

    def see(self, row: Owed, seen: Seen) -> None:
        learning.see(self.audience, row.email, seen)

    def take_over(self, answers: Sequence[Answer]) -> None:
        self.count(refused=learning.take_over(self.audience, answers))
