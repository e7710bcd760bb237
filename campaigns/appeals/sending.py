"""One worker's share of an appeal: a claim, a journal, and a transport to carry what is owed."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db import connection as database
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from campaigns.appeals import ledger, recovery, variants
from campaigns.appeals.composing import Composer
from campaigns.appeals.journal import Journal, JournalError
from campaigns.appeals.outgoing import Outgoing
from campaigns.mail import way_out
from campaigns.mail.pacing import control
from campaigns.mail.transport import Transport, Unreachable
from campaigns.models import Appeal, Delivery
from supporters.locks import advisory_lock

State = Delivery.State
SECONDS = 10
"""Of one task, at most. Short, so that a worker told to stop ends within its time of grace."""
ROUND = 40
"""Seconds in which every appeal under way has its turn with one worker; a nudge that waits longer is no use any more."""
SHORTEST_RETRY, LONGEST_RETRY = timedelta(seconds=15), timedelta(minutes=10)
"""Between two tries to reach a server that is not there."""


def work(appeal_pk: int, seconds: float | None = None) -> dict[str, int]:
    """Send what is owed of an appeal, for so long at most; counts by outcome.

    Any number may call this at once: each takes one of the appeal's places, or finds none and leaves.
    """
    counts: Counter[str] = Counter()
    recovery.sweep()
    appeal = Appeal.objects.filter(pk=appeal_pk, channel=Appeal.Channel.MAIL, state=Appeal.State.SENDING).first()
    if appeal is None or (appeal.retry_at and appeal.retry_at > timezone.now()) or control.current().stopped:
        return counts
    # Read once per piece of work: a text that is mended while the appeal is paused goes into the next.
    texts = variants.wordings(appeal)
    if (appeal.default_language, variants.MAIN) not in texts:
        why = _("The main text is missing.")
        Appeal.objects.filter(pk=appeal_pk, state=Appeal.State.SENDING).update(
            state=Appeal.State.PAUSED, pause_reason=why
        )
        return counts
    with _place_for(appeal_pk) as free:
        if free:
            _send(appeal, Composer(appeal, texts), seconds or turn(), counts)
    finish(appeal_pk)
    return counts


def finish(appeal_pk: int) -> bool:
    """Close an appeal of which nothing is owed."""
    unfinished = Delivery.objects.filter(appeal=appeal_pk, state__in=[State.HELD, State.QUEUED, State.SENDING])
    if unfinished.exists():
        return False
    with transaction.atomic():
        row = Appeal.objects.select_for_update().filter(pk=appeal_pk, state=Appeal.State.SENDING)
        # Looked at again under the lock: send_again may have owed some in between.
        if not row.exists() or unfinished.exists():
            return False
        return bool(
            row.update(state=Appeal.State.SENT, finished_at=Now(), trouble="", trouble_since=None, retry_at=None)
        )


def _send(appeal: Appeal, composer: Composer, seconds: float, counts: Counter[str]) -> None:
    transport = way_out.transport(settings.MAIL_CONNECTIONS)
    try:
        # Nobody is claimed while there is no server to hand them to.
        transport.open()
        _carry(transport, appeal, composer, seconds, counts)
    except (Unreachable, JournalError) as error:
        _in_trouble(appeal, str(error), afresh=bool(counts))
    else:
        _out_of_trouble(appeal)
    finally:
        transport.close()


def _carry(transport: Transport, appeal: Appeal, composer: Composer, seconds: float, counts: Counter[str]) -> None:
    journal = Journal()
    try:
        outgoing = Outgoing(ledger.claim(appeal, journal.name), journal, composer.mail, counts)
        outgoing.until = time.monotonic() + seconds
        try:
            transport.carry(outgoing)
        finally:
            outgoing.close()
            _settle(outgoing)
            journal.discard()
    finally:
        # Where it wasn't discarded, it is left with its claim to whoever sweeps.
        journal.close()


def _settle(outgoing: Outgoing) -> None:
    """Over a new connection to the database if the old one broke."""
    for pause in (1, 2, 3, 4, None):
        try:
            outgoing.settle()
            return
        except (OperationalError, InterfaceError):
            if pause is None:
                raise
            database.close()
            time.sleep(pause)


def _out_of_trouble(appeal: Appeal) -> None:
    if appeal.trouble:
        Appeal.objects.filter(pk=appeal.pk).update(trouble="", trouble_since=None, retry_at=None)


def _in_trouble(appeal: Appeal, why: str, afresh: bool) -> None:
    """Say why nothing goes out, and wait as long again as it has lasted before the next try."""
    since = (not afresh and appeal.trouble_since) or timezone.now()
    pause = min(max(timezone.now() - since, SHORTEST_RETRY), LONGEST_RETRY)
    Appeal.objects.filter(Q(retry_at=None) | Q(retry_at__lte=Now()), pk=appeal.pk).update(
        trouble=why[:400], trouble_since=since, retry_at=timezone.now() + pause
    )


def turn() -> float:
    """Seconds for one task: the more appeals are under way, the shorter."""
    under_way = Appeal.objects.filter(state=Appeal.State.SENDING).count()
    return max(1.0, min(SECONDS, ROUND / max(under_way, 1)))


@contextmanager
def _place_for(appeal_pk: int) -> Iterator[bool]:
    """One of the places at the mail server that this appeal may take up."""
    with ExitStack() as locks:
        places = range(settings.MAIL_WORKERS)
        yield any(locks.enter_context(advisory_lock(f"appeal-slot:{appeal_pk}:{place}")) for place in places)
