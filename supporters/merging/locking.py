"""Whose rows are held during a merge, in an order that all who hold several keep to."""

from collections.abc import Iterable

from django.db.models import Q

from supporters.locks import somebody_goes
from supporters.merging.declaring import moves
from supporters.models import Supporter


def lock(pks: Iterable[int]) -> dict[int, Supporter]:
    """Lock these people till the end of the transaction; returns those who are on file.

    One merge or erasure at a time, and none while something is written about everybody (supporters.locks). First the rows
    whose writers reach for the person last, when their transaction ends, and then the people by their keys, with those who
    share their addresses. Nobody can add anything to them meanwhile.
    """
    somebody_goes()
    wanted = set(pks)
    for move in moves():
        if move.locked_first:
            move.lock(wanted)
    people = Supporter.objects.filter(Q(pk__in=wanted) | Q(shares_email_with__in=wanted))
    return {one.pk: one for one in people.select_for_update().order_by("pk") if one.pk in wanted}
