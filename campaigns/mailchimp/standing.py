"""How an audience stands, in a handful of statements however many members it has: for its page, and for the alarm."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max, Min, Q

from campaigns.models import Audience, AudienceMember, SyncRun

COUNTED = 10_000
"""Refused members and differences are counted so far."""
Kind, State = SyncRun.Kind, SyncRun.State


@dataclass(frozen=True)
class Standing:
    audience: Audience
    newest: dict[str, SyncRun]
    """The newest run of each kind."""
    drift: int | None
    """Members who differed in the last full comparison that came to its end; None if there was none."""
    refused: int
    """Up to COUNTED + 1."""
    under_way: int
    failing_since: datetime | None
    """The first failed sync since the last that was done."""

    @property
    def held(self) -> SyncRun | None:
        run = self.newest.get(Kind.PUSH)
        return run if run and run.state == State.HELD else None

    @property
    def state(self) -> str:
        """good, running, held, paused, failed or new."""
        if self.audience.paused:
            return "paused"
        run = self.newest.get(Kind.PUSH)
        if run is None:
            return "new"
        return "good" if run.state == State.DONE else str(run.state)


def standing(audience: Audience) -> Standing:
    runs = audience.runs.order_by("kind", "-started_at").distinct("kind")
    compared = audience.runs.filter(kind=Kind.COMPARE, state=State.DONE).order_by("-started_at").first()
    refused = AudienceMember.objects.filter(audience=audience).exclude(refusal="")
    return Standing(
        audience=audience,
        newest={run.kind: run for run in runs},
        drift=compared.counts.get("drift", 0) if compared else None,
        refused=refused[: COUNTED + 1].count(),
        under_way=audience.under_way,
        failing_since=failing_since([audience]).get(audience.pk),
    )


def failing_since(audiences: Iterable[Audience]) -> dict[int, datetime]:
    """Since when no sync of these was done though one was tried; those whose last one was done are left out."""
    pushes = SyncRun.objects.filter(audience__in=audiences, kind=Kind.PUSH)
    done = dict(
        pushes.filter(state=State.DONE).values_list("audience").annotate(last=Max("started_at")).order_by("audience")
    )
    since_then = Q()
    for pk, last in done.items():
        since_then &= ~Q(audience=pk) | Q(started_at__gt=last)
    failed = pushes.filter(since_then, state=State.FAILED).values_list("audience").annotate(first=Min("started_at"))
    return dict(failed.order_by("audience"))
