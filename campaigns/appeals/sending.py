"""One worker's share of an appeal: claim a slice, send it message by message, record each."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db import connection as database
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Now
from django.utils import timezone
from django.utils.translation import gettext as _

from campaigns.appeals import ledger
from campaigns.appeals.ledger import Addressee, Claim, Outcome
from campaigns.mail import message, tracking
from campaigns.mail.compose import Counting
from campaigns.mail.fields import FieldError
from campaigns.mail.message import AddressUnusable, Recipient
from campaigns.mail.transport import Connection, InDoubt, Refused, Unreachable
from campaigns.models import Appeal, AppealText, Delivery
from supporters.locks import advisory_lock

State = Delivery.State
SLICE = 100
SECONDS = 10
"""Of one task. Short, so that a worker told to stop ends between two messages, within its time of grace."""
PAUSES = [timedelta(minutes=minutes) for minutes in (1, 5, 20, 60)]
"""After each refusal for now; the one after the last is for good."""
SHORTEST_RETRY, LONGEST_RETRY = timedelta(seconds=15), timedelta(minutes=10)
"""Between two tries to reach a server that is not there."""


@dataclass
class _Work:
    appeal: Appeal
    claim: Claim
    server: Connection
    texts: dict[str, AppealText]
    counting: dict[str, Counting]
    counts: Counter
    last: Outcome | None = None
    """Known, and not recorded yet."""

    def text_for(self, language: str) -> AppealText:
        return self.texts.get(language) or self.texts[self.appeal.default_language]


def work(appeal_pk: int, seconds: float | None = SECONDS) -> dict[str, int]:
    """Send what is owed of an appeal, for so long at most; counts by outcome.

    Any number may call this at once: each takes one of the appeal's slots, or finds none and leaves.
    """
    counts: Counter = Counter()
    appeal = Appeal.objects.filter(pk=appeal_pk, state=Appeal.State.SENDING).first()
    if appeal is None or (appeal.retry_at and appeal.retry_at > timezone.now()):
        return counts
    # Read once per piece of work: a text that is mended while the appeal is paused goes into the next.
    texts = {text.language: text for text in appeal.texts.all()}
    if appeal.default_language not in texts:
        why = _("The main text is missing.")
        Appeal.objects.filter(pk=appeal_pk, state=Appeal.State.SENDING).update(
            state=Appeal.State.PAUSED, pause_reason=why
        )
        return counts
    with _slot(appeal_pk) as free:
        if free:
            counting = {language: tracking.counting(appeal, text) for language, text in texts.items()}
            with Connection() as server, ledger.claim(appeal) as claim:
                _send_all(_Work(appeal, claim, server, texts, counting, counts), seconds)
    finish(appeal_pk)
    return counts


def finish(appeal_pk: int) -> bool:
    """Close an appeal of which nothing is owed."""
    unfinished = Delivery.objects.filter(appeal=appeal_pk, state__in=[State.QUEUED, State.SENDING])
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


def _send_all(work: _Work, seconds: float | None) -> None:
    until = None if seconds is None else time.monotonic() + seconds
    try:
        # Nobody is claimed while there is no server to hand them to.
        work.server.open()
        for pk in _claimed(work.claim, until):
            if not _send_one(work, pk):
                break
    except Unreachable as error:
        _unreachable(work.appeal, str(error))
    finally:
        if work.last:
            _record(work)


def _claimed(claim: Claim, until: float | None) -> Iterator[int]:
    while pks := claim.take(SLICE):
        for pk in pks:
            if until is not None and time.monotonic() > until:
                return
            yield pk


def _send_one(work: _Work, pk: int) -> bool:
    """Send one claimed delivery; False if the appeal goes no further."""
    last, work.last = work.last, None
    try:
        addressee = work.claim.begin(pk, last)
    except BaseException:
        work.last = last
        raise
    if addressee is None:
        if work.claim.skip(pk):
            work.counts[State.SKIPPED.value] += 1
            return True
        return Appeal.objects.filter(pk=work.appeal.pk, state=Appeal.State.SENDING).exists()
    try:
        work.last = _outcome(work, addressee)
    except Unreachable:
        work.last = Outcome(pk, State.QUEUED, counts=False)
        raise
    _reached(work.appeal)
    work.counts[str(work.last.state)] += 1
    return True


def _outcome(work: _Work, addressee: Addressee) -> Outcome:
    try:
        letter = _render(work, addressee)
    except (FieldError, AddressUnusable) as error:
        return Outcome(addressee.pk, State.FAILED, _("The message could not be made: %(why)s") % {"why": error})
    try:
        work.server.send(work.appeal.sender_email, addressee.email, letter)
    except InDoubt as error:
        return Outcome(addressee.pk, State.UNKNOWN, str(error))
    except Refused as error:
        if error.temporary and addressee.attempts <= len(PAUSES):
            return Outcome(addressee.pk, State.QUEUED, str(error), PAUSES[addressee.attempts - 1])
        return Outcome(addressee.pk, State.FAILED, str(error))
    return Outcome(addressee.pk, State.SENT)


def _render(work: _Work, addressee: Addressee) -> bytes:
    recipient = Recipient(
        addressee.uuid,
        addressee.email,
        addressee.first_name,
        addressee.last_name,
        addressee.city,
        addressee.country,
    )
    text = work.text_for(addressee.language)
    letter = message.letter(work.appeal, text, recipient, work.counting[text.language])
    return message.build(work.appeal, letter, recipient)


def _record(work: _Work) -> None:
    """Record the last outcome, over a new connection to the database if the old one broke."""
    for attempt in range(6):
        try:
            work.claim.record(work.last)
            return
        except (OperationalError, InterfaceError):
            database.close()
            time.sleep(attempt)


def _reached(appeal: Appeal) -> None:
    if appeal.trouble:
        appeal.trouble = ""
        Appeal.objects.filter(pk=appeal.pk).update(trouble="", trouble_since=None, retry_at=None)


def _unreachable(appeal: Appeal, why: str) -> None:
    """Say why nothing goes out, and wait as long again as it has lasted before the next try."""
    since = appeal.trouble_since or timezone.now()
    pause = min(max(timezone.now() - since, SHORTEST_RETRY), LONGEST_RETRY)
    Appeal.objects.filter(Q(retry_at=None) | Q(retry_at__lte=Now()), pk=appeal.pk).update(
        trouble=why[:400], trouble_since=Coalesce(F("trouble_since"), Now()), retry_at=timezone.now() + pause
    )


@contextmanager
def _slot(appeal_pk: int) -> Iterator[bool]:
    """One of the places at the mail server that this appeal may take up."""
    with ExitStack() as locks:
        places = range(settings.MAIL_CONNECTIONS)
        yield any(locks.enter_context(advisory_lock(f"appeal-slot:{appeal_pk}:{place}")) for place in places)
