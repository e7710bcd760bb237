"""Signatures that were gathered elsewhere, on paper or by a partner's own tool: entered as batches, checked by somebody else.

    entered ──check (by another person)──▶ checked ──withdraw──▶ withdrawn
       └────────────withdraw─────────────────────────────────────▶

Only checked batches count. Nothing of a batch is ever edited: what is wrong is withdrawn, with a reason, and entered anew.
"""

from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models.functions import Now

from supporters.locks import take_turn
from supporters.models import Petition, Tally, TallyScan
from supporters.signing import totals
from supporters.tallying.scans import Scan

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

State = Tally.State


def take_turns(petition: Petition) -> None:
    """Nobody else enters a batch for this petition till the end of the transaction: what `like` and `with_this_scan` see, they see before it."""
    take_turn(f"tally:{petition.pk}")


@transaction.atomic
def enter(tally: Tally, scan: Scan | None, by: "AbstractBaseUser") -> Tally:
    """Keep a batch with its scan, if there is one. The database refuses one that has neither that nor a reason."""
    tally.entered_by_id = by.pk
    if scan:
        tally.scan_type, tally.scan_size, tally.scan_hash = scan.type, len(scan.content), scan.hash
    tally.save()
    if scan:
        TallyScan.objects.create(tally=tally, content=scan.content)
    return tally


def check(pk: int, number: int, by: "AbstractBaseUser") -> bool:
    """Count a batch, for somebody who found the same number; False if it is another one, was entered by them, or is not to be checked."""
    waiting = Tally.objects.filter(pk=pk, state=State.ENTERED, number=number).exclude(entered_by=by.pk)
    return _changed(waiting.update(state=State.CHECKED, checked_by=by.pk, checked_at=Now()), pk)


def withdraw(pk: int, because: str, by: "AbstractBaseUser") -> bool:
    """Take a batch out; False if that was done before."""
    found = Tally.objects.standing().filter(pk=pk)
    state = {"state": State.WITHDRAWN, "withdrawn_by": by.pk, "withdrawn_at": Now(), "withdrawn_because": because}
    return _changed(found.update(**state), pk)


def like(tally: Tally) -> Tally | None:
    """A batch that stands and could be the same one."""
    same = {
        name: getattr(tally, name) for name in ("petition", "way", "organisation", "country", "gathered_on", "number")
    }
    return Tally.objects.standing().filter(**same).first()


def with_this_scan(tally: Tally) -> Tally | None:
    """A batch that stands and was entered with the same scan for the same country."""
    same = Tally.objects.standing().filter(petition=tally.petition, country=tally.country, scan_hash=tally.scan_hash)
    return same.first() if tally.scan_hash else None


def _changed(rows: int, pk: int) -> bool:
    if not rows:
        return False
    petition = Tally.objects.values_list("petition", flat=True).get(pk=pk)
    transaction.on_commit(lambda: totals.forget(petition))
    return True
