"""What is kept no longer: the rules of all floors, tried out for staff and applied each night.

Rules that erase people are off unless a setting says otherwise. Each night a rule takes so much and no more; what is left
waits for the next. A run that dies has lost nothing: what was not taken is still due.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass

from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from campaigns import retention as campaigns
from crm.models import RetentionRun
from crm.retention import people
from supporters import retention as supporters
from supporters.retention import Rule

RULES: list[Rule] = [
    *supporters.RULES,
    *campaigns.RULES,
    Rule("sessions", _("Who was logged in"), lambda _kept: Session.objects.filter(expire_date__lt=Now()), before=""),
    *people.RULES,
]
SHOWN = 10_000
"""So many are counted when it is only tried out."""
STRETCH = 600.0
"""Seconds of one rule in one night."""


@dataclass(frozen=True)
class Due:
    """What a rule would take now."""

    rule: Rule
    number: int
    more: bool
    """Whether there are more than were counted."""


def due() -> Iterator[Due]:
    """What would go, rule by rule; nothing does."""
    for rule in RULES:
        number = len(rule.due().values_list("pk")[: SHOWN + 1]) if rule.is_on else 0
        yield Due(rule, min(number, SHOWN), number > SHOWN)


def apply(seconds: float = STRETCH) -> dict[str, int]:
    """Apply all rules; how much each took."""
    counts = {}
    for rule in RULES:
        taken, more = _apply(rule, seconds)
        if taken:
            counts[rule.name] = taken
            RetentionRun.objects.create(rule=rule.name, taken=taken, more=more)
    return counts


def _apply(rule: Rule, seconds: float) -> tuple[int, bool]:
    until, taken, last = time.monotonic() + seconds, 0, rule.before
    while taken < rule.most and time.monotonic() < until:
        with transaction.atomic():
            # Locked, so that what somebody is just about to use is looked at again, or left alone.
            rows = rule.due().filter(pk__gt=last).select_for_update(of=("self",), skip_locked=True)
            pks = list(rows.values_list("pk", flat=True)[: rule.slice])
            if not pks:
                return taken, False
            rule.act(rows.model._default_manager.filter(pk__in=pks))
        taken, last = taken + len(pks), pks[-1]
    return taken, rule.due().filter(pk__gt=last).exists()
