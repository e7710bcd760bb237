"""Keeping what a provider tells, once however often it is told, and waking who applies it."""

import logging
from collections.abc import Sequence

from celery import current_app

from supporters.models import PaymentEvent
from supporters.payments.events import Told

logger = logging.getLogger(__name__)


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
    """Tell a worker that something is to be applied. It may get lost: the minute's job finds it anyway."""
    try:
        current_app.send_task("supporters.tasks.apply_payments", expires=55, retry=False)
    except Exception as error:
        logger.warning("No worker could be told of a payment (%s)", type(error).__name__)
