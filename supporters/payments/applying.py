"""Applying what providers told. supporters.payments draws the states."""

import logging
import time
from datetime import timedelta
from functools import partial

from django.db import transaction
from django.db.models import Value
from django.db.models.functions import Now
from django.utils import timezone

from supporters.locks import in_the_end
from supporters.models import Donation, PaymentEvent
from supporters.payments import incoming
from supporters.payments.books import Approval, Doubtful, Unconcerned, Wait, book
from supporters.payments.events import AgreementTold, Fact, Unreadable
from supporters.payments.forgetting import forget_late
from supporters.payments.stripe import reading
from supporters.payments.stripe.client import StripeError

logger = logging.getLogger(__name__)
Provider, State, Doubt = PaymentEvent.Provider, PaymentEvent.State, PaymentEvent.Doubt
READERS = {
    Provider.STRIPE: reading.read,
    Provider.SWISH: partial(incoming.read, "swish"),
    Provider.BANK: partial(incoming.read, "bank"),
}
STRETCH = 40.0
"""Seconds of one run; the rest waits for the next."""
BATCH = 100
SOON, LATER = timedelta(minutes=1), timedelta(minutes=30)
LONGEST_WAIT = timedelta(days=3)
"""What it is about has not come by then, and three nights have asked Stripe for what got lost."""


def apply_owed(seconds: float = STRETCH) -> dict[str, int]:
    """Apply what is due; returns how many were dealt with, and how many of them need a decision."""
    until = time.monotonic() + seconds
    counts = {"payments": 0, "in_doubt": 0}
    while due := list(PaymentEvent.objects.owed().values_list("pk", flat=True)[:BATCH]):
        for pk in due:
            if time.monotonic() > until:
                return counts
            state = apply(pk)
            counts["payments"] += state in {State.APPLIED, State.IGNORED}
            counts["in_doubt"] += state == State.REVIEW
    return counts


def apply(pk: int) -> str | None:
    """Apply one event; returns its state after that, None if somebody else is at it or was."""
    event = PaymentEvent.objects.filter(pk=pk, state=State.RECEIVED).first()
    if event is None:
        return None
    try:
        # Read before the lock is taken: Stripe may have to be asked.
        fact = READERS[Provider(event.provider)](event.payload)
        state = in_the_end(lambda: _apply(pk, fact))
        forget_late(pk, event.payload)
        return state
    except Unreadable as problem:
        return _end(pk, State.REVIEW, doubt=Doubt.UNREADABLE, note=str(problem)[:250])
    except StripeError as problem:
        return _put_off(pk, SOON, note=str(problem)[:250])
    except Exception:
        # One event must not keep back the others.
        logger.exception("A payment event could not be applied")
        return _put_off(pk, LATER)


def _apply(pk: int, fact: Fact) -> str | None:
    with transaction.atomic():
        event = PaymentEvent.objects.select_for_update(skip_locked=True).filter(pk=pk, state=State.RECEIVED).first()
        if event is None:
            return None
        try:
            with transaction.atomic():
                gift = book(fact, event.provider)
        except Unconcerned as reason:
            return _end(pk, State.IGNORED, note=str(reason)[:250])
        except Doubtful as problem:
            return _end(pk, State.REVIEW, doubt=problem.doubt, note=problem.note[:250])
        except Wait as missing:
            return _wait(event, fact, str(missing))
        return _end(pk, State.APPLIED, donation=gift)


def _wait(event: PaymentEvent, fact: Fact, missing: str) -> str:
    if timezone.now() - event.received_at < LONGEST_WAIT:
        return _put_off(event.pk, LATER, waits_for=missing)
    if isinstance(fact, AgreementTold):
        return _end(event.pk, State.IGNORED, note="an agreement that was never paid")
    return _end(event.pk, State.REVIEW, doubt=Doubt.UNKNOWN)


def _put_off(pk: int, pause: timedelta, **fields: object) -> str:
    PaymentEvent.objects.filter(pk=pk, state=State.RECEIVED).update(due_at=Now() + Value(pause), **fields)
    return State.RECEIVED


def _end(pk: int, state: str, *, donation: Donation | None = None, **fields: object) -> str | None:
    done = {} if state == State.REVIEW else {"done_at": Now()}
    changed = PaymentEvent.objects.filter(pk=pk, state=State.RECEIVED).update(
        state=state, donation=donation, **done, **fields
    )
    return state if changed else None


class Undecidable(ValueError):
    """What was decided can't be done; the message is a doubt that stays."""


def approve(event: PaymentEvent, approval: Approval, by: object) -> bool:
    """Book it as the provider tells it; False if somebody else has just decided. Raises Undecidable, StripeError."""
    try:
        fact = READERS[Provider(event.provider)](event.payload)
    except Unreadable:
        raise Undecidable(Doubt.UNREADABLE) from None
    with transaction.atomic():
        held = PaymentEvent.objects.select_for_update().filter(pk=event.pk, state=State.REVIEW).first()
        if held is None:
            return False
        try:
            gift = book(fact, event.provider, approval)
        except (Doubtful, Wait, Unconcerned) as problem:
            raise Undecidable(getattr(problem, "doubt", Doubt.UNKNOWN)) from None
        PaymentEvent.objects.filter(pk=held.pk).update(
            state=State.APPLIED, done_at=Now(), decided_by=by, donation=gift
        )
    forget_late(event.pk, event.payload)
    return True


def refuse(event: PaymentEvent, by: object) -> bool:
    """Leave it out of the books; False if somebody else has just decided."""
    return bool(
        PaymentEvent.objects.filter(pk=event.pk, state=State.REVIEW).update(
            state=State.REFUSED, done_at=Now(), decided_by=by
        )
    )
