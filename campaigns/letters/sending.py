"""Letters on their way, one after the other over one connection: they are few, and each person waits for theirs."""

import logging
import time

from django.utils import translation

from campaigns.letters import confirmation, moving, never, preferences, receipt
from campaigns.letters.note import Note, message
from campaigns.letters.partners import password
from campaigns.mail import way_out
from campaigns.mail.addresses import AddressUnusable
from campaigns.mail.transport import Connection, InDoubt, Refused, Unreachable
from supporters import letters
from supporters.consent import suppressions_of
from supporters.locks import advisory_lock
from supporters.models import Letter, Supporter, Suppression

logger = logging.getLogger(__name__)
WRITERS = {
    Letter.Kind.CONFIRM: confirmation.write,
    Letter.Kind.REMIND: confirmation.write,
    Letter.Kind.RECEIPT: receipt.write,
    Letter.Kind.PREFERENCES: preferences.write,
    Letter.Kind.NEVER: never.write,
    Letter.Kind.MOVE: moving.write,
    Letter.Kind.MOVING: moving.write_to_the_old,
    Letter.Kind.INVITATION: password.write,
    Letter.Kind.PASSWORD: password.write,
}
BATCH = 20
STRETCH = 40.0
"""Seconds that one task works before it makes room."""
LINGER = 2 * letters.NUDGE_EVERY
"""Seconds that it goes on looking: a nudge may have been spared in the meantime."""
LOOK = 0.2
NEVER = (
    Suppression.Reason.HARD_BOUNCE,
    Suppression.Reason.COMPLAINT,
    Suppression.Reason.BY_HAND,
    Suppression.Reason.NEVER,
)


def tick() -> dict[str, int]:
    """The minute's job: see what was lost, and send what is owed."""
    lost = letters.give_up_lost()
    if letters.owed():
        letters.wake()
    return {"lost": lost}


def work(seconds: float = STRETCH, linger: float = LINGER) -> bool:
    """Send what is owed, for this long at most; returns whether more is owed. False at once when somebody else is at it."""
    until = time.monotonic() + seconds
    with advisory_lock("letters") as ours:
        if not ours:
            return False
        with Connection(way_out.transport(1)) as server:
            idle_since = time.monotonic()
            while time.monotonic() < until:
                taken = letters.take(BATCH)
                if taken:
                    if not _send(server, taken):
                        return False
                    idle_since = time.monotonic()
                elif time.monotonic() - idle_since >= linger:
                    break
                else:
                    time.sleep(LOOK)
    # Whoever signed while we let go of the lock found it held.
    return letters.owed()


def _send(server: Connection, taken: list[int]) -> bool:
    """False where the mail server could not be reached: what had not left is owed again."""
    about = ("signature__petition", "donation__supporter", "supporter", "inbox_request__supporter")
    rows = Letter.objects.select_related(*about, "partner__user", "partner__organisation").in_bulk(taken)
    for place, pk in enumerate(taken):
        if pk not in rows:
            continue
        try:
            _send_one(server, rows[pk])
        except Unreachable as problem:
            logger.warning("The mail server can't be reached: %s", problem)
            letters.put_back(taken[place:])
            return False
    return True


def _send_one(server: Connection, letter: Letter) -> None:
    with translation.override(letter.language):
        note = WRITERS[Letter.Kind(letter.kind)](letter)
        if note is None or _barred(note):
            letters.sent(letter.pk)  # whoever waits for it must not learn why it does not come
            return
        try:
            sender, octets = message(note, discreet=_discreet(letter, note))
        except AddressUnusable as problem:
            letters.failed(letter.pk, str(problem))
            return
    try:
        server.send(sender, note.to, octets)
    except Refused as problem:
        letters.failed(letter.pk, str(problem))
    except InDoubt:
        letters.unknown(letter.pk)
    else:
        letters.sent(letter.pk)


def _discreet(letter: Letter, note: Note) -> bool:
    """Whether the person wants it so, or who typed the address did, whom we don't know yet."""
    typed = letter.signature.typed if letter.signature else {}
    asking = letter.inbox_request.supporter if letter.inbox_request else None
    wanted = typed.get("discreet") or (asking and asking.discreet)
    return bool(wanted) or Supporter.objects.filter(email=note.to, discreet=True).exists()


def _barred(note: Note) -> bool:
    """Addresses that died, complained, or are never to be written to. One that only left may ask to come back."""
    return suppressions_of(note.to).filter(reason__in=NEVER).exists()
