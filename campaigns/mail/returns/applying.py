"""What comes of what came back.

    stored ──apply──▶ applied: one Return for each address it is about
       │                 └── Return: done  suppressed | noted | nothing
       │                                   look ──settle──▶ suppressed | dismissed
       └──▶ unreadable (kept, shown to staff; `try_again` stores it anew)

A delivery moves by a conditional UPDATE, whatever order things come in:

    sending | sent | unknown ──bounce──▶ bounced        it left, for it came back
    sending | sent | unknown | bounced ──complaint──▶ complained

Only a hard bounce of the very address on file, a complaint, or the wish to leave stops mail to a person, in the same
transaction as everything else here. A soft bounce never does, however often it comes: what repeats is shown to staff
(campaigns.admin.returned), who decide. Applying the same message twice is not possible; applying the same news twice
changes nothing.
"""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import OperationalError, transaction
from django.db.models.functions import Coalesce, Now
from django.utils.translation import gettext as _

from campaigns.mail.returns import matching, reports, telling
from campaigns.mail.returns.matching import Found
from campaigns.mail.returns.reasons import Reason
from campaigns.mail.returns.reports import Kind as ReportKind
from campaigns.mail.returns.reports import Report, Unreadable
from campaigns.mail.returns.rules import Verdict, judge
from campaigns.mail.returns.words import MEANINGS
from campaigns.models import Delivery, Return, ReturnedMessage
from supporters import consent, finding
from supporters.models import Consent, Supporter, Suppression

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

logger = logging.getLogger(__name__)
Kind, Done, Match = Return.Kind, Return.Done, Return.Match
State = Delivery.State
BATCH = 100
MOST = 5_000
"""Messages in one run; the rest waits for the next."""

_COMPLAINTS = {
    "abuse": Kind.COMPLAINT,
    "fraud": Kind.COMPLAINT,
    "virus": Kind.COMPLAINT,
    "other": Kind.COMPLAINT,
    "miscategorized": Kind.COMPLAINT,
    "opt-out": Kind.OPT_OUT,
    "opt-out-list": Kind.OPT_OUT,
    "auth-failure": Kind.ALERT,
    "not-spam": Kind.OTHER,
    "dkim": Kind.ALERT,
}
"""RFC 5965 (7.3) and the types registered since; one that nobody knows is taken for a complaint."""
_LEAVING = {
    Kind.HARD: (Consent.Method.BOUNCE, Suppression.Reason.HARD_BOUNCE),
    Kind.COMPLAINT: (Consent.Method.COMPLAINT, Suppression.Reason.COMPLAINT),
    Kind.OPT_OUT: (Consent.Method.ONE_CLICK, Suppression.Reason.LEFT),
}


@dataclass(frozen=True)
class News:
    """One thing to be done something about."""

    kind: str
    reason: str
    found: Found
    address: str = ""
    status: str = ""
    said: str = ""


def apply_owed() -> dict[str, int]:
    """Apply what was stored and not applied yet, in order; counts."""
    counts: Counter[str] = Counter(applied=0, bounced=0, complained=0, left=0, unreadable=0)
    for _round in range(MOST // BATCH):
        owed = ReturnedMessage.objects.filter(applied_at=None).order_by("pk").values_list("pk", flat=True)[:BATCH]
        pks = list(owed)
        for pk in pks:
            counts.update(_apply(pk))
        if len(pks) < BATCH:
            break
    return dict(counts)


def try_again(pks: Sequence[int]) -> int:
    """Owe these once more: what could not be read may be readable by now. How many."""
    failed = ReturnedMessage.objects.filter(pk__in=pks).exclude(error="")
    return failed.update(applied_at=None, error="")


def settle(pk: int, act: bool, by: "AbstractBaseUser") -> bool:
    """Decide on a return that waits for a person; False if somebody has just done so."""
    with transaction.atomic():
        waiting = Return.objects.select_for_update().filter(pk=pk, done=Done.LOOK).first()
        if waiting is None:
            return False
        person = _locked(waiting.supporter_id)
        done = Done.DISMISSED
        if act and person:
            method, reason = _LEAVING.get(waiting.kind, _LEAVING[Kind.HARD])
            source = _source(waiting.delivery, waiting.reason)
            consent.leave(person, method=method, reason=reason, source=source, recorded_by=by)
            done = Done.SUPPRESSED
        Return.objects.filter(pk=pk).update(done=done, settled_by=by)
    return True


def _apply(pk: int) -> dict[str, int]:
    """One stored message, whole or not at all."""
    try:
        with transaction.atomic():
            owed = ReturnedMessage.objects.select_for_update(skip_locked=True).filter(pk=pk, applied_at=None)
            message = owed.first()
            if message is None:
                return {}
            counts = Counter(applied=1)
            for one in _news(message):
                counts.update(_hear(message, one))
            ReturnedMessage.objects.filter(pk=pk).update(applied_at=Now(), error="")
            return dict(counts)
    except Unreadable:
        error = _("This could not be read as a message.")
    except OperationalError:
        raise  # The database is away, or was in each other's way: the next minute does it.
    except Exception as failure:
        # One message that nobody foresaw must not keep the others, and is not lost.
        logger.exception("Returned message %s could not be applied", pk)
        error = _("The program failed on this message (%(kind)s); the log says where.") % {
            "kind": type(failure).__name__
        }
    ReturnedMessage.objects.filter(pk=pk, applied_at=None).update(applied_at=Now(), error=error)
    return {"unreadable": 1}


# What it means ----------------------------------------------------------------------------------


def _news(message: ReturnedMessage) -> list[News]:
    if message.event is not None:
        told = telling.read(message.event)
        found = matching.by_provider(told.delivery, told.address)
        return [News(told.kind, told.reason, found, told.address, told.status, told.said)]
    report = reports.read(bytes(message.raw or b""))
    verdicts = judge(report)
    found = matching.for_sure(report)
    if found:
        return [_of_delivery(report, one, verdicts) for one in found]
    return [_of_verdict(report, verdict, matching.by_address(verdict.address)) for verdict in verdicts]


def _of_delivery(report: Report, found: Found, verdicts: list[Verdict]) -> News:
    """Each of our messages goes to one person: of several verdicts theirs counts, else the mildest."""
    email = found.supporter.email if found.supporter else ""
    theirs = [verdict for verdict in verdicts if email and matching.canonical(verdict.address) == email]
    mildest = sorted(verdicts, key=lambda verdict: (verdict.hard, verdict.final))
    chosen = next(iter([*theirs, *mildest]), Verdict("", Reason.UNDEFINED, final=False))
    return _of_verdict(report, chosen, found)


def _of_verdict(report: Report, verdict: Verdict, found: Found) -> News:
    if report.kind == ReportKind.FEEDBACK:
        kind = _COMPLAINTS.get(report.feedback, Kind.COMPLAINT)
    elif verdict.hard:
        kind = Kind.HARD
    elif report.kind == ReportKind.DELIVERY and verdict.reason != Reason.DELIVERED:
        kind = Kind.SOFT if verdict.final else Kind.DELAYED
    else:
        kind = Kind.OTHER
    reason = Reason.AUTH_FAILURE if kind == Kind.ALERT else verdict.reason
    return News(kind, reason, found, verdict.address, verdict.status, verdict.said)


# What is done -----------------------------------------------------------------------------------


def _hear(message: ReturnedMessage, news: News) -> dict[str, int]:
    person = _locked(news.found.supporter.pk if news.found.supporter else None)
    done, counts = Done.NOTHING, Counter()
    if news.found.match == Match.ADDRESS:
        done = Done.LOOK if news.kind in _LEAVING else Done.NOTHING
    elif news.found.match:
        if news.found.delivery and _note(news.found.delivery, news):
            done = Done.NOTED
            counts["bounced" if news.kind in {Kind.HARD, Kind.SOFT} else "complained"] += 1
        if news.kind in _LEAVING and person:
            if news.kind == Kind.HARD and not _is_theirs(news.address, person):
                # Forwarded on, or they have another address by now: a bounce of one address says nothing of another.
                done = Done.SUPPRESSED if _suppress_other(news.address, person) else Done.LOOK
            else:
                method, reason = _LEAVING[news.kind]
                consent.leave(person, method=method, reason=reason, source=_source(news.found.delivery, news.reason))
                done = Done.SUPPRESSED
                counts["left"] += 1
    if news.kind == Kind.ALERT:
        done = Done.LOOK
    known_no_more = _was_erased(news)
    Return.objects.create(
        message=message,
        kind=news.kind,
        reason=news.reason,
        status=news.status[:12],
        said="" if known_no_more else _storable(news.said)[:500],
        address="" if known_no_more else (matching.canonical(news.address) or _storable(news.address).lower())[:320],
        supporter=person,
        delivery=news.found.delivery,
        match=news.found.match,
        done=done,
        happened_at=message.received_at,
    )
    if known_no_more:
        ReturnedMessage.objects.filter(pk=message.pk).update(raw=None, event=None)
    return dict(counts)


def _note(delivery: Delivery, news: News) -> bool:
    """Move the delivery on; False if it is there already, or this does not move it."""
    rows = Delivery.objects.filter(pk=delivery.pk)
    left = [State.SENDING, State.SENT, State.UNKNOWN]
    if news.kind in {Kind.HARD, Kind.SOFT}:
        rows, state = rows.filter(state__in=left), State.BOUNCED
    elif news.kind == Kind.COMPLAINT:
        rows, state = rows.filter(state__in=[*left, State.BOUNCED]), State.COMPLAINED
    else:
        return False
    reason = str(MEANINGS[Reason(news.reason)])[:250]
    changed = rows.update(
        state=state, reason=reason, claim=None, sent_at=Coalesce("sent_at", Now()), updated_at=Now()
    )
    return bool(changed)


def _is_theirs(address: str, person: Supporter) -> bool:
    """Whether a report is about the address on file; one that names no address is."""
    return not address or matching.canonical(address) == person.email


def _suppress_other(address: str, person: Supporter) -> bool:
    """Suppress an address that was given up in a merge; False if it is none of this person's."""
    email = matching.canonical(address)
    if matching.person_of(email) != person:
        return False
    consent.suppress(email, Suppression.Reason.HARD_BOUNCE)
    return True


def _locked(pk: int | None) -> Supporter | None:
    """The person, kept from being erased until this is written down."""
    return finding.by_pk(pk, lock=True) if pk else None


def _was_erased(news: News) -> bool:
    if news.found.delivery and news.found.delivery.supporter_id is None:
        return True
    email = matching.canonical(news.address)
    if news.found.supporter or not email:
        return False
    return consent.suppressions_of(email).filter(reason=Suppression.Reason.ERASED).exists()


def _source(delivery: Delivery | None, reason: str) -> str:
    """The proof of a withdrawal: which message it was, and the field's word for why it came back."""
    return f"appeal {delivery.appeal.source_code}: {reason}" if delivery else f"returned mail: {reason}"


def _storable(text: str) -> str:
    """Without NUL, which PostgreSQL keeps in no text."""
    return text.replace("\x00", "")
