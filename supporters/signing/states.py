"""Counting a signature, and taking it out of the count."""

from django.db.models import QuerySet
from django.db.models.functions import Now

from supporters.models import Signature

State = Signature.State


def validate(signatures: QuerySet[Signature]) -> int:
    """Count those that were pending, and no second one of somebody; returns how many there were."""
    return signatures.filter(state=State.PENDING, doubled=False).update(state=State.VALIDATED, validated_at=Now())


def take_back(signatures: QuerySet[Signature]) -> int:
    """Take them out of the count by their signers' word; returns how many changed."""
    return signatures.exclude(state=State.INVALIDATED).update(state=State.INVALIDATED, taken_back_at=Now())


def renew(signatures: QuerySet[Signature]) -> int:
    """Count those again that their signers had taken back, and nobody else; returns how many there were."""
    taken_back = signatures.filter(state=State.INVALIDATED, taken_back_at__isnull=False, doubled=False)
    return taken_back.update(state=State.VALIDATED, validated_at=Now(), taken_back_at=None)


def invalidate(signatures: QuerySet[Signature]) -> int:
    """Take them out of the count; returns how many changed."""
    return signatures.exclude(state=State.INVALIDATED).update(state=State.INVALIDATED)
