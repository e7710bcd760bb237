"""Carrying out what was approved, each minute and when told of it: supporters.erasing draws the states.

Of each person first the agreements to give are ended at their providers; then they are taken out of the files that are stored
(files); then they are erased in one transaction; then it is waited until whoever else has them, such as Mailchimp, has
confirmed that they are gone. Whatever dies in between, the next run goes on from what stands in the database.
"""

import logging
import time
from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import islice

from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from campaigns.models import AudienceMember
from crm.erasure import erase, files
from supporters import erasing
from supporters.models import ErasureRequest, Supporter
from supporters.payments import ending

logger = logging.getLogger(__name__)
STRETCH = 40.0
"""Seconds of one run; the rest waits for the next."""
SLICE = 200
SOON, LATER = timedelta(minutes=10), timedelta(hours=1)
MAILCHIMP = "mailchimp_memberships"
State = ErasureRequest.State


def carry_out(seconds: float = STRETCH) -> dict[str, int]:
    """Go on with all that is owed for this long. Call it under a lock."""
    until = time.monotonic() + seconds
    counts = {"erased": 0, "kept_waiting": 0}
    while time.monotonic() < until and (requests := list(_owed()[:SLICE])):
        ready, held = _end_agreements(requests, until)
        clean, busy = files.clean(ready, until)
        counts["kept_waiting"] += held + busy
        for request in clean:
            if time.monotonic() > until:
                break
            counts["erased"] += _erase(request)
    _ask_who_confirmed()
    return counts


def _owed() -> QuerySet[ErasureRequest]:
    due = ErasureRequest.objects.filter(state=State.APPROVED, look_at__lte=Now())
    return due.select_related("supporter", "decided_by").order_by("look_at", "pk")


def _end_agreements(requests: list[ErasureRequest], until: float) -> tuple[list[ErasureRequest], int]:
    """Those by whom no money comes any more; and how many were put off, for one of theirs can't be ended."""
    people = {request.supporter_id: request for request in requests}
    givers = set(ending.running(list(people)).values_list("supporter", flat=True))
    ready = [request for request in requests if request.supporter_id not in givers]
    held = 0
    for person in givers:
        if time.monotonic() > until:
            break
        try:
            ending.end_all([person])
        except ending.NotEnded as problem:
            erasing.put_off([people[person].pk], str(problem), SOON)
            held += 1
        else:
            ready.append(people[person])
    return ready, held


def _erase(request: ErasureRequest) -> bool:
    try:
        erase(request.supporter, request.decided_by, request.pk)
    except erasing.TakenBack:
        return False
    except Supporter.DoesNotExist:
        erasing.put_off([request.pk], _("There is no such record any more."), LATER)
    except ending.NotEnded as problem:
        erasing.put_off([request.pk], str(problem), SOON)  # it was made a moment ago
    except Exception:
        # One must not keep back the others.
        logger.exception("Erasure request %s failed", request.pk)
        erasing.put_off([request.pk], _("It stopped with an error that was written to the log."), SOON)
    else:
        return True
    return False


def _ask_who_confirmed() -> None:
    waiting = ErasureRequest.objects.filter(state=State.ELSEWHERE).order_by("pk")
    for requests in _batched(waiting.iterator(SLICE), SLICE):
        owed = _still_owed(requests)
        for request in requests:
            left = [owed[key] for key in request.owed.get(MAILCHIMP, []) if key in owed]
            trouble = "; ".join(dict.fromkeys(left))[:500]
            if not left:
                erasing.confirmed(request.pk)
            elif trouble != request.trouble:
                erasing.still_elsewhere(request.pk, trouble)


def _still_owed(requests: list[ErasureRequest]) -> dict[int, str]:
    """Of the memberships that these wait for, those that Mailchimp has not confirmed to be gone, and what it says."""
    keys = [key for request in requests for key in request.owed.get(MAILCHIMP, [])]
    members = AudienceMember.objects.filter(pk__in=keys).select_related("audience")
    return {member.pk: f"{member.audience}: {_what_keeps(member)}" for member in members}


def _what_keeps(member: AudienceMember) -> str:
    if member.audience.paused:
        return _("the sync with Mailchimp is paused")
    if member.handed_in_id and not member.refusal:
        return _("Mailchimp has it, with those of others, and has yet to do it")
    return member.refusal or _("Mailchimp has yet to confirm")


def _batched(rows: Iterable[ErasureRequest], size: int) -> Iterator[list[ErasureRequest]]:
    rows = iter(rows)
    while batch := list(islice(rows, size)):
        yield batch
