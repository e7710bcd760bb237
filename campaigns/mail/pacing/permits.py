"""What a worker may claim now, of all the limits together."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db.models import BooleanField, ExpressionWrapper, Q
from django.db.models.functions import Now

from campaigns.mail.pacing import control, warm_up
from campaigns.mail.pacing.warm_up import Share
from campaigns.models import Appeal, Receiver, SendingControl
from supporters import limiter
from supporters.limiter import Bucket

OTHERS = ""
"""The mark of deliveries whose receiver has no limits of its own."""
_SLOWED = 1 / 60
"""Messages a second to a receiver that asked us to slow down."""


@dataclass(frozen=True)
class Permits:
    """How many may be claimed: in all, and of each receiver; what is not named here may not."""

    total: int
    of: Mapping[str, int]
    waits: Mapping[str, float] = field(default_factory=dict)
    """Receivers of whom a limit lets nothing go just now, and the seconds until it lets one more."""
    buckets: Mapping[str, Bucket] = field(default_factory=dict)
    shared: tuple[Bucket, ...] = ()
    share: Share = warm_up.WARM


STOPPED = Permits(0, {})


def ask(appeal: Appeal, wanted: int) -> Permits:
    """Permits to claim up to so many of an appeal's deliveries. Settle them afterwards."""
    rules = control.current()
    if rules.stopped:
        return STOPPED
    share = warm_up.take(appeal.sender_email, wanted)
    shared, receivers = _shared(rules), _receivers()
    limited = {code: bucket for code, bucket in receivers.items() if bucket}
    taken = limiter.take(share.within(wanted), shared, list(limited.values()))
    of = {code: taken.by[bucket] if bucket else taken.total for code, bucket in receivers.items()}
    empty = {bucket: bucket.wait(left) for bucket, left in taken.left.items() if left < 1 and not taken.by[bucket]}
    for_all = max((empty[bucket] for bucket in shared if bucket in empty), default=0.0)
    waits = {code: max(for_all, empty.get(bucket, 0.0)) for code, bucket in receivers.items()}
    return Permits(
        total=taken.total,
        of={code: of[code] for code in random.sample(list(of), len(of)) if of[code]},  # so that none is always first
        waits={code: wait for code, wait in waits.items() if wait},
        buckets=limited,
        shared=shared,
        share=share,
    )


def settle(permits: Permits, taken: Mapping[str, int]) -> None:
    """Give back what was not claimed, by receiver."""
    used = sum(taken.values())
    back = {bucket: permits.of.get(code, 0) - taken.get(code, 0) for code, bucket in permits.buckets.items()}
    limiter.give_back({**back, **dict.fromkeys(permits.shared, permits.total - used)})
    warm_up.give_back(permits.share, used)


def _shared(rules: SendingControl) -> tuple[Bucket, ...]:
    limits = {"minute": (rules.per_minute, 60), "hour": (rules.per_hour, 3600)}
    return tuple(Bucket(name, number / seconds, number) for name, (number, seconds) in limits.items() if number)


def _receivers() -> dict[str, Bucket | None]:
    """Every receiver's bucket, or None where it has no limit."""
    slowed = ExpressionWrapper(Q(slowed_until__gt=Now()), output_field=BooleanField())
    rows = Receiver.objects.annotate(slowed=slowed).values_list("code", "per_minute", "burst", "slowed")
    found: dict[str, Bucket | None] = {OTHERS: None}
    for code, per_minute, burst, slow in rows:
        if slow:
            found[code] = Bucket(f"slowed:{code}", _SLOWED, 1)
        else:
            found[code] = Bucket(f"to:{code}", per_minute / 60, burst) if per_minute else None
    return found
