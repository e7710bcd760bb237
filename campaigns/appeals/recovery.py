"""What dead workers held, taken back.

A worker that dies leaves a claim, with deliveries that are `sending`, and a journal. Whoever works on the same machine
finds the journal unlocked, which proves the death, and settles each delivery as the journal says:

    an answer                     that is the outcome
    begun, no answer              unknown: it may have arrived, so it is never sent again by itself
    nothing                       it never left: owed again
    the machine crashed since     what has no answer is unknown, for the last lines may be lost

Nobody on another machine can tell whether a worker lives. When its machine hasn't taken care of a claim for GIVE_UP,
everything it held is unknown; its workers find the claim gone before their next message leaves. Should the machine come
back, its journal still says what became of them.
"""

from collections import Counter
from datetime import timedelta

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext_noop

from campaigns.appeals import journal, ledger, outcomes
from campaigns.appeals.journal import Remains
from campaigns.appeals.outcomes import WORKER_DIED, Outcome
from campaigns.models import Claim, Delivery

State = Delivery.State
GIVE_UP = timedelta(hours=1)
"""After a claim was taken. A worker is done with one in minutes."""
FORGET = timedelta(days=30)
"""After a claim was given up: its machine won't come back."""
MACHINE_LOST = gettext_noop("The machine that was sending this was lost: nobody knows whether the message had left.")
NEVER_LEFT = gettext_noop("It never left: the machine that was to send it was away for too long.")


def sweep() -> Counter[str]:
    """Settle what dead workers held, as far as this machine can tell; counts of deliveries."""
    counts: Counter[str] = Counter(released=0, recovered=0, unknown=0)
    try:
        here = journal.place()
    except OSError:
        here = ""  # Sending says so, where people look.
    for claim in Claim.objects.filter(place=here).order_by("pk"):
        with journal.remains(claim.journal) as found:
            if found is not None:
                counts.update(_settle(claim, found))
                found.discard()
    for claim in Claim.objects.filter(taken_at__lt=Now() - GIVE_UP, given_up_at=None).order_by("pk"):
        counts["unknown"] += _give_up(claim)
    Claim.objects.filter(given_up_at__lt=Now() - FORGET).delete()
    return counts


def _settle(claim: Claim, found: Remains) -> Counter[str]:
    with transaction.atomic():
        held = Delivery.objects.select_for_update().filter(claim=claim.pk, state__in=[State.SENDING, State.UNKNOWN])
        rows = list(held.values_list("pk", "state", "attempts"))
        begun, answers = found.read(pk for pk, _state, _attempts in rows)
        whole = claim.boot == journal.boot()
        settled, counts = [], Counter()
        for pk, state, attempts in rows:
            if code := answers.get(pk):
                outcome, kind = outcomes.of_answer(pk, code, str(code), attempts), "recovered"
            elif pk in begun or not whole:
                outcome, kind = Outcome(pk, State.UNKNOWN, WORKER_DIED if whole else MACHINE_LOST), "unknown"
            else:
                reason = NEVER_LEFT if state == State.UNKNOWN else ""
                outcome, kind = Outcome(pk, State.QUEUED, reason, counts=False), "released"
            settled.append(outcome)
            counts[kind] += 1
        ledger.settle(claim.pk, settled)
        claim.delete()
    return counts


def _give_up(claim: Claim) -> int:
    with transaction.atomic():
        if not Claim.objects.filter(pk=claim.pk, given_up_at=None).update(given_up_at=Now()):
            return 0
        held = Delivery.objects.filter(claim=claim.pk, state=State.SENDING)
        # The number stays on them: their worker, or its journal, may still tell.
        unknown = held.update(state=State.UNKNOWN, reason=MACHINE_LOST, updated_at=Now())
        if not unknown:
            Claim.objects.filter(pk=claim.pk).delete()
        return unknown
