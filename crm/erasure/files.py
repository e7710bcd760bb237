"""The stored files of imports, gone through for people who are about to be erased: supporters.blanking.

Each request keeps how far it has come, so that whoever takes it up goes on from there.
"""

import time
from datetime import timedelta

from django.utils.translation import gettext as _

from supporters import blanking, erasing, mentions, scrubbing
from supporters.holdings import Person
from supporters.models import ErasureRequest

SOON = timedelta(minutes=2)


def clean(requests: list[ErasureRequest], until: float) -> tuple[list[ErasureRequest], int]:
    """Those whose names stand in no stored file any more; and how many wait for an import that names them."""
    waiting: set[int] = set()
    if not requests:
        return [], 0
    people = {request.pk: Person.of(request.supporter) for request in requests}
    for run in mentions.stored().filter(pk__gt=min(request.files_to for request in requests)):
        if time.monotonic() > until:
            return [], len(waiting)
        behind = [request for request in requests if request.files_to < run.pk and request.pk not in waiting]
        names = [name for request in behind for name in scrubbing.everyone(people[request.pk])]
        if run.state in blanking.UNDER_WAY:
            found = blanking.mentioned(run, names)
            busy = [request.pk for request in behind if request.supporter_id in found]
            erasing.put_off(busy, _("An import that names them is under way."), SOON)
            waiting.update(busy)
        else:
            blanking.forget(run, names)
        through = [request for request in behind if request.pk not in waiting]
        ErasureRequest.objects.filter(pk__in=[request.pk for request in through]).update(files_to=run.pk)
        for request in through:
            request.files_to = run.pk
    return [request for request in requests if request.pk not in waiting], len(waiting)
