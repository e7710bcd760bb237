"""Requests to be erased (GDPR, article 17): made, decided, and carried out by a worker of the roof (crm.erasure).

    received ──approve──▶ approved ──erased here──▶ elsewhere ──confirmed──▶ done
       ├──refuse──▶ refused   │ │                                             ▲
       └─take back─▶ taken_back │                                             │
                              ▲ └── nobody outside has anything to forget ────┘
          approved ─take back─┘

Each change is one conditional UPDATE. What keeps an approved request, such as an agreement that the payment provider has
yet to end, stands in `trouble`, and it is tried again.
"""

import calendar
from collections.abc import Iterable
from datetime import date, timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Count, Q, Value
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from supporters.models import ErasureRequest, Supporter
from supporters.nudging import nudge

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

State, Door, Identified = ErasureRequest.State, ErasureRequest.Door, ErasureRequest.Identified
MONTHS, MONTHS_EXTENDED = 1, 3
"""From the day a request is received (GDPR, article 12(3)): one month, and two more where it is extended."""


class ErasureProblem(ValueError):
    """It can't be done; the message says why, for whoever asked for it."""


class TakenBack(Exception):
    """The request does not stand any more."""


def months_after(day: date, months: int) -> date:
    """The same day so many months on, or the last of that month (Regulation 1182/71, article 3(2)(c))."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def ask(
    supporter: Supporter,
    door: str,
    *,
    received_on: date | None = None,
    identified: str = "",
    note: str = "",
    by: "AbstractBaseUser | None" = None,
) -> ErasureRequest:
    """Keep that this person asked to be erased. The request that is open already is returned, should there be one."""
    received_on = received_on or timezone.localdate()
    request = ErasureRequest(
        supporter=supporter,
        number=supporter.pk,
        door=door,
        identified=identified,
        note=note,
        received_on=received_on,
        due_on=months_after(received_on, MONTHS),
        made_by=by,
    )
    ErasureRequest.objects.bulk_create([request], ignore_conflicts=True)
    return ErasureRequest.objects.get(supporter=supporter, state__in=[State.RECEIVED, State.APPROVED])


def ask_for_many(people: Iterable[int], *, by: "AbstractBaseUser | None", **asked: str) -> UUID:
    """Make an approved request for each, as one batch; whoever has one open already is left to that.

    Takes keys of supporters, and `door`, `identified` and `note`.
    """
    batch, today = uuid4(), timezone.localdate()
    fields = {
        "state": State.APPROVED,
        "received_on": today,
        "due_on": months_after(today, MONTHS),
        "made_by": by,
        "decided_by": by,
        "decided_at": timezone.now(),
        "batch": batch,
        **asked,
    }
    with transaction.atomic():
        keys = Supporter.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=list(people))
        requests = [ErasureRequest(supporter_id=pk, number=pk, **fields) for pk in keys.values_list("pk", flat=True)]
        ErasureRequest.objects.bulk_create(requests, batch_size=1000, ignore_conflicts=True)
    wake()
    return batch


def approve(request: ErasureRequest, by: "AbstractBaseUser | None", identified: str = "") -> None:
    """Have it carried out. Raises ErasureProblem."""
    identified = identified or request.identified
    if not identified:
        raise ErasureProblem(_("Say how you know that it is they who ask."))
    _change(
        request, [State.RECEIVED], State.APPROVED, identified=identified, look_at=Now(), trouble="", **_decided(by)
    )
    transaction.on_commit(wake)


def refuse(request: ErasureRequest, ground: str, refusal: str, by: "AbstractBaseUser | None") -> None:
    """Refuse it on a ground that the law has. Raises ErasureProblem."""
    if not (ground and refusal.strip()):
        raise ErasureProblem(_("A refusal has its reason."))
    _change(request, [State.RECEIVED], State.REFUSED, ground=ground, refusal=refusal, trouble="", **_decided(by))


def take_back(request: ErasureRequest, by: "AbstractBaseUser | None") -> None:
    """The person thought otherwise, before they were erased. Raises ErasureProblem."""
    _change(request, [State.RECEIVED, State.APPROVED], State.TAKEN_BACK, trouble="", **_decided(by))


def extend(request: ErasureRequest, why: str) -> None:
    """Take two months more, once, while the first has not run out: the person is to hear of it within that.

    Raises ErasureProblem.
    """
    if not why.strip():
        raise ErasureProblem(_("Say why it takes longer: the person is to be told."))
    if request.extended_on:
        raise ErasureProblem(_("It was extended before; the law knows no second time."))
    if timezone.localdate() > request.due_on:
        raise ErasureProblem(_("The month is over: the person was to be told of it within that."))
    changed = ErasureRequest.objects.filter(pk=request.pk, state__in=ErasureRequest.OPEN, extended_on=None).update(
        extended_on=timezone.localdate(), extension=why, due_on=months_after(request.received_on, MONTHS_EXTENDED)
    )
    if not changed:
        raise ErasureProblem(_("Somebody else has just dealt with it."))


def try_again(request: ErasureRequest) -> None:
    """What kept it was seen to."""
    ErasureRequest.objects.filter(pk=request.pk, state=State.APPROVED).update(look_at=Now(), trouble="")
    transaction.on_commit(wake)


def put_off(requests: Iterable[int], trouble: str, pause: object) -> None:
    """What keeps these, and when to try again."""
    waiting = ErasureRequest.objects.filter(pk__in=list(requests), state=State.APPROVED)
    waiting.update(trouble=trouble[:500], look_at=Now() + Value(pause))


def erased(request: int, number: int, owed: dict[str, list[int]], kept: dict[str, int]) -> None:
    """The person is gone from this database; it is done unless somebody outside has them still."""
    over = {} if owed else {"state": State.DONE, "done_at": Now()}
    ErasureRequest.objects.filter(pk=request, state=State.APPROVED).update(
        **{
            "state": State.ELSEWHERE,
            "number": number,
            "erased_at": Now(),
            "owed": owed,
            "kept": kept,
            "trouble": "",
            **over,
        }
    )


def still_elsewhere(request: int, trouble: str) -> None:
    """Who outside has them still."""
    ErasureRequest.objects.filter(pk=request, state=State.ELSEWHERE).update(trouble=trouble)


def confirmed(request: int) -> bool:
    """Nobody outside has them any more; False if that was known."""
    waiting = ErasureRequest.objects.filter(pk=request, state=State.ELSEWHERE)
    return waiting.update(state=State.DONE, done_at=Now(), owed={}, trouble="") == 1


def forget_texts(person: int) -> None:
    """Of requests of somebody who is being erased: what may name them."""
    theirs = ErasureRequest.objects.filter(supporter=person)
    theirs.filter(state=State.REFUSED).update(refusal=_("Forgotten with the person."))
    theirs.update(supporter=None, note="", extension="", trouble="")


def standing(supporter: Supporter, by: "AbstractBaseUser | None") -> ErasureRequest:
    """The approved request of somebody who is about to be erased; made, where we erase them unasked.

    It stays as it is till the end of the transaction.
    """
    waiting = ErasureRequest.objects.select_for_update().filter(supporter=supporter)
    request = waiting.filter(state__in=[State.RECEIVED, State.APPROVED]).first()
    request = request or ask(supporter, Door.OURS, identified=Identified.NEEDLESS, by=by)
    if request.state == State.RECEIVED:
        approve(request, by, request.identified or Identified.NEEDLESS)
    return request


def still_standing(pk: int, supporter: Supporter) -> ErasureRequest:
    """A request that a worker took up a while ago, for this person; nobody takes it back till the end of the transaction. Raises TakenBack."""
    request = (
        ErasureRequest.objects.select_for_update().filter(pk=pk, supporter=supporter, state=State.APPROVED).first()
    )
    if request is None:
        raise TakenBack
    return request


def of_erased(number: int) -> ErasureRequest | None:
    """The request by which the record of this number was erased."""
    return ErasureRequest.objects.filter(number=number, erased_at__isnull=False).order_by("-pk").first()


def figures(batch: UUID | None = None) -> dict[str, int]:
    """How many are open, due within a week, and overdue; of one batch also how many are done, of how many."""
    today = timezone.localdate()
    soon = Q(due_on__lte=today + timedelta(days=7))
    opened = ErasureRequest.objects.open()
    found = opened.aggregate(
        open=Count("pk"), soon=Count("pk", filter=soon), late=Count("pk", filter=Q(due_on__lt=today))
    )
    if batch:
        erased = Count("pk", filter=Q(erased_at__isnull=False))
        found |= ErasureRequest.objects.filter(batch=batch).aggregate(
            all=Count("pk"), erased=erased, kept=Count("pk", filter=Q(state=State.APPROVED) & ~Q(trouble=""))
        )
    return found


def wake() -> None:
    """Tell a worker that somebody is to be erased."""
    nudge("crm.tasks.carry_out_erasures")


def _decided(by: "AbstractBaseUser | None") -> dict[str, object]:
    return {"decided_by": by, "decided_at": Now()}


def _change(request: ErasureRequest, before: list[str], after: str, **fields: object) -> None:
    changed = ErasureRequest.objects.filter(pk=request.pk, state__in=before).update(state=after, **fields)
    if not changed:
        raise ErasureProblem(_("Somebody else has just dealt with it."))
    request.refresh_from_db()
