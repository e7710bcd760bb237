"""Merges that are old enough to stand for good.

What undoing takes (the other record column by column, what the merge changed, what there was twice) is given up then. What the
person was known by stays: old links, the old address and the old name lead to them, in files and in an erasure too.
"""

from datetime import timedelta

from django.db.models import F, QuerySet
from django.db.models.functions import JSONObject, Now

from supporters.models import Merge, MergeMoved


def due(kept: timedelta) -> QuerySet[Merge]:
    """Those that have stood for longer than this, and can still be undone."""
    return Merge.objects.standing().filter(settled_at=None, merged_at__lt=Now() - kept)


def settle(merges: QuerySet[Merge]) -> None:
    """Have them stand for good."""
    MergeMoved.objects.filter(merge__in=merges).delete()
    names = JSONObject(**{name: F(f"away__{name}") for name in ("first_name", "last_name")})
    merges.update(settled_at=Now(), away=names, changed={}, kept={})
