"""Keeping what a provider tells, once however often it is told, and waking who applies it."""

from collections.abc import Sequence

from supporters.models import PaymentEvent
from supporters.nudging import nudge
from supporters.payments.events import Told


def keep(provider: str, told: Sequence[Told]) -> int:
    """Store what is new; returns how many messages were. Their ids tell those that are known."""
    rows = [
        PaymentEvent(
            provider=provider,
            event_id=each.event_id,
            kind=each.kind[:64],
            payload=each.payload,
            happened_at=each.happened_at,
        )
        for each in told
    ]
    before = _known(provider, told)
    PaymentEvent.objects.bulk_create(rows, ignore_conflicts=True)
    return len({each.event_id for each in told} - before)


def _known(provider: str, told: Sequence[Told]) -> set[str]:
    ids = [each.event_id for each in told]
    return set(PaymentEvent.objects.filter(provider=provider, event_id__in=ids).values_list("event_id", flat=True))


def wake() -> None:
    """Tell a worker that something is to be applied."""
    nudge("supporters.tasks.apply_payments")
