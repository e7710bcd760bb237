"""From what a provider tells to the records of gifts, agreements, refunds and disputes.

Each function may be called any number of times with the same news, and with news in any order: what is on file already
stays as it is, and what is not there yet is waited for. All of it runs in the transaction of the event.
"""

from dataclasses import dataclass
from functools import singledispatch

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from supporters import giving, letters, money
from supporters.giving import RefundProblem
from supporters.models import (
    Dispute,
    Donation,
    Letter,
    PaymentEvent,
    Pledge,
    RecurringDonation,
    Refund,
    Supporter,
)
from supporters.payments.donors import donor_of, request_news
from supporters.payments.events import (
    AgreementTold,
    Disputed,
    Fact,
    Nothing,
    NotPaid,
    Paid,
    Refunded,
    Started,
    Sum,
)

Doubt = PaymentEvent.Doubt
Agreement = RecurringDonation.State


class Wait(Exception):
    """What the news is about is not on file yet; the text is the provider's id of it."""


class Doubtful(Exception):
    """A person must decide."""

    def __init__(self, doubt: str, note: str = "") -> None:
        super().__init__(doubt)
        self.doubt, self.note = doubt, note


class Unconcerned(Exception):
    """Nothing of it stands in our books."""


@dataclass(frozen=True)
class Approval:
    """Somebody on the staff has looked at it: whatever was doubtful is to be booked as the provider tells it."""

    reference: str = ""
    """The pledge that it belongs to, if staff know better than the provider."""
    supporter: Supporter | None = None


def book(fact: Fact, provider: str, approval: Approval | None = None) -> Donation | None:
    """Bring the books up to this fact; returns the donation it is about.

    Raises Wait, Doubtful and Unconcerned, and has changed nothing then.
    """
    if isinstance(fact, Paid | Disputed) and not fact.sum.minor:
        raise Unconcerned("it is about no money")
    return _book(fact, provider, approval)


@singledispatch
def _book(fact: Fact, provider: str, approval: Approval | None) -> Donation | None:
    raise Unconcerned(fact.why if isinstance(fact, Nothing) else "")


@_book.register
def _(fact: Paid, provider: str, approval: Approval | None) -> Donation:
    known = Donation.objects.filter(provider=provider, provider_id=fact.payment).first()
    if known:
        return known
    if fact.agreement:
        agreement = _agreement(fact, provider, approval)
        _compare(fact.sum, Sum(_minor(agreement), agreement.currency), approval)
        gift = _record(fact, provider, agreement.supporter, agreement.source_code, agreement)
        _tell_paid(agreement, fact)
        pledge = Pledge.objects.filter(recurring=agreement).first()
        language = pledge.language if pledge else ""
    else:
        pledge = _pledge(fact, approval)
        known = Donation.objects.filter(provider=provider, provider_id=fact.payment).first()
        if known:
            return known  # written by whoever held the pledge before us
        if pledge and pledge.state == Pledge.State.PAID and not approval:
            raise Doubtful(Doubt.PAID_BEFORE, str(fact.sum))
        if pledge:
            _compare(fact.sum, Sum(pledge.minor_units, pledge.currency), approval)
        supporter = (approval and approval.supporter) or donor_of(pledge, fact.email, fact.name)
        gift = _record(fact, provider, supporter, pledge.source_code if pledge else "")
        if pledge:
            first = {} if pledge.donation_id else {"donation": gift}
            Pledge.objects.filter(pk=pledge.pk).update(state=Pledge.State.PAID, supporter=supporter, **first)
            request_news(pledge, supporter)
        language = pledge.language if pledge else ""
    _owe_receipt(gift, language)
    _go_on(fact.payment, fact.agreement)
    return gift


@_book.register
def _(fact: Started, provider: str, approval: Approval | None) -> None:
    _agreement(fact, provider, approval)
    _go_on(fact.agreement)


@_book.register
def _(fact: NotPaid, provider: str, approval: Approval | None) -> None:
    waiting = Pledge.objects.filter(uuid=fact.pledge, state=Pledge.State.WAITING)
    if not waiting.update(state=fact.state):
        raise Unconcerned("not a pledge that waits for money")


@_book.register
def _(fact: AgreementTold, provider: str, approval: Approval | None) -> None:
    agreement = _agreement_on_file(provider, fact.agreement)
    if agreement is None:
        raise Wait(fact.agreement)
    if agreement.state == Agreement.ENDED or (agreement.told_at and fact.at < agreement.told_at):
        return
    changed: dict[str, object] = {"state": fact.state, "told_at": fact.at}
    if fact.state == Agreement.ENDED:
        ended = timezone.localdate(fact.at)
        changed |= {"ended_on": max(ended, agreement.started_on or ended), "next_due_on": None}
    elif fact.next_due:
        changed["next_due_on"] = timezone.localdate(fact.next_due)
    if fact.sum and fact.sum.minor > 0:
        changed |= {"amount": fact.sum.amount, "currency": fact.sum.currency}
    RecurringDonation.objects.filter(pk=agreement.pk).update(**changed)


@_book.register
def _(fact: Refunded, provider: str, approval: Approval | None) -> Donation:
    gift = _gift(provider, fact.payments)
    if fact.failed:
        return _refund_failed(gift, provider, fact, approval)
    on_file = set(gift.refunds.values_list("provider_id", flat=True))
    for back in sorted(fact.refunds, key=lambda each: each.at):
        if back.refund in on_file:
            continue
        if back.sum.currency != gift.currency:
            raise Doubtful(Doubt.CURRENCY)
        _give_back(gift, back.sum, back.refund, back.reason, timezone.localdate(back.at))
    return gift


@_book.register
def _(fact: Disputed, provider: str, approval: Approval | None) -> Donation:
    gift = _gift(provider, fact.payments)
    if fact.sum.currency != gift.currency:
        raise Doubtful(Doubt.CURRENCY)
    day = timezone.localdate(fact.at)
    dispute, _made = Dispute.objects.get_or_create(
        provider=provider,
        provider_id=fact.dispute,
        defaults={"donation": gift, "amount": fact.sum.amount, "reason": fact.reason, "opened_on": day},
    )
    if fact.state != Dispute.State.OPEN:
        still_open = Dispute.objects.filter(pk=dispute.pk, state=Dispute.State.OPEN)
        if still_open.update(state=fact.state, closed_on=day) and fact.state == Dispute.State.LOST:
            _give_back(gift, fact.sum, fact.dispute, fact.reason, day)
    return gift


def _agreement(fact: Paid | Started, provider: str, approval: Approval | None) -> RecurringDonation:
    """The agreement, made from its pledge if this is the first that we hear of it."""
    agreement = _agreement_on_file(provider, fact.agreement)
    if agreement:
        return agreement
    pledge = _pledge(fact, approval)
    if pledge:
        # Whoever held the pledge before us may have made it.
        agreement = _agreement_on_file(provider, fact.agreement)
        if agreement:
            return agreement
        if pledge.state == Pledge.State.PAID and not approval:
            raise Doubtful(Doubt.PAID_BEFORE, str(fact.sum))
        _compare(fact.sum, Sum(pledge.minor_units, pledge.currency), approval)
    supporter = (approval and approval.supporter) or donor_of(pledge, fact.email, fact.name)
    agreement, _made = RecurringDonation.objects.get_or_create(
        provider=provider,
        provider_id=fact.agreement,
        defaults={
            "supporter": supporter,
            "amount": fact.sum.amount,
            "currency": fact.sum.currency,
            "interval": RecurringDonation.Interval.MONTH,
            "state": Agreement.ACTIVE,
            "started_on": timezone.localdate(fact.at),
            "source_code": pledge.source_code if pledge else "",
            "told_at": fact.at,
        },
    )
    if pledge:
        first = {} if pledge.recurring_id else {"recurring": agreement}
        Pledge.objects.filter(pk=pledge.pk).update(state=Pledge.State.PAID, supporter=supporter, **first)
        request_news(pledge, supporter)
    return agreement


def _agreement_on_file(provider: str, name: str) -> RecurringDonation | None:
    return RecurringDonation.objects.select_for_update().filter(provider=provider, provider_id=name).first()


def _pledge(fact: Paid | Started, approval: Approval | None) -> Pledge | None:
    """The pledge, locked: of two payments for it at once one waits for the other. None only if staff say so."""
    reference = (approval and approval.reference) or getattr(fact, "reference", "")
    which = Q(reference=reference) if reference else Q(uuid=fact.pledge)
    pledge = Pledge.objects.select_for_update().filter(which).first() if reference or fact.pledge else None
    if pledge is None and not approval:
        raise Doubtful(Doubt.UNKNOWN, str(fact.sum))
    return pledge


def _gift(provider: str, payments: tuple[str, ...]) -> Donation:
    gift = Donation.objects.select_for_update().filter(provider=provider, provider_id__in=payments).first()
    if gift is None:
        raise Wait(payments[0])
    return gift


def _compare(came: Sum, pledged: Sum, approval: Approval | None) -> None:
    if approval:
        return
    both = f"{came} ≠ {pledged}"
    if came.currency != pledged.currency:
        raise Doubtful(Doubt.CURRENCY, both)
    if came.minor != pledged.minor:
        raise Doubtful(Doubt.AMOUNT, both)


def _minor(agreement: RecurringDonation) -> int:
    return money.to_minor(agreement.amount, agreement.currency)


def _record(
    fact: Paid,
    provider: str,
    supporter: Supporter | None,
    source_code: str,
    agreement: RecurringDonation | None = None,
) -> Donation:
    gift, _made = Donation.objects.get_or_create(
        provider=provider,
        provider_id=fact.payment,
        defaults={
            "supporter": supporter,
            "amount": fact.sum.amount,
            "currency": fact.sum.currency,
            "method": fact.method,
            "state": Donation.State.RECEIVED,
            "received_on": timezone.localdate(fact.at),
            "source_code": source_code,
            "recurring": agreement,
        },
    )
    return gift


def _tell_paid(agreement: RecurringDonation, fact: Paid) -> None:
    failing = [Agreement.PENDING, Agreement.FAILING]
    RecurringDonation.objects.filter(pk=agreement.pk, state__in=failing, told_at__lte=fact.at).update(
        state=Agreement.ACTIVE, told_at=fact.at
    )


def _owe_receipt(gift: Donation, language: str) -> None:
    """Once for each gift, in this transaction."""
    person = gift.supporter
    if person is None or not person.email:
        return
    owed = Letter(kind=Letter.Kind.RECEIPT, donation=gift, language=language or person.preferred_language)
    Letter.objects.bulk_create([owed], ignore_conflicts=True)
    transaction.on_commit(letters.wake)


def _give_back(gift: Donation, back: Sum, name: str, reason: str, day: object) -> None:
    try:
        giving.refund(gift, back.amount, max(day, gift.received_on), reason=reason, provider_id=name)
    except RefundProblem:
        raise Doubtful(Doubt.TOO_MUCH, str(back)) from None


def _refund_failed(gift: Donation, provider: str, fact: Refunded, approval: Approval | None) -> Donation:
    names = [back.refund for back in fact.refunds]
    on_file = Refund.objects.filter(donation=gift, provider=provider, provider_id__in=names)
    if on_file and not approval:
        raise Doubtful(Doubt.REFUND_FAILED, ", ".join(str(back.sum) for back in fact.refunds))
    for refund in on_file:
        giving.take_back(refund)
    return gift


def _go_on(*names: str) -> None:
    """What waited for one of these is looked at again at once."""
    PaymentEvent.objects.filter(
        state=PaymentEvent.State.RECEIVED, waits_for__in=[name for name in names if name]
    ).update(due_at=Now())
