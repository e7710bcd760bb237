"""What staff say of a pair."""

from typing import TYPE_CHECKING

from django.db.models.functions import Now

from supporters.models import Double

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

State = Double.State


def keep_apart(pks: list[int], by: "AbstractBaseUser") -> int:
    """Say of open pairs that they are two people each; for good. Returns of how many that was news."""
    return Double.objects.filter(pk__in=pks, state=State.OPEN).update(
        state=State.DIFFERENT, decided_by=by, decided_at=Now(), certain=False
    )


def reconsider(pks: list[int]) -> int:
    """Open pairs again that were said to be different; returns how many."""
    return Double.objects.filter(pk__in=pks, state=State.DIFFERENT).update(
        state=State.OPEN, decided_by=None, decided_at=None
    )
