"""What happens to a donation after it came: giving money back, and when that fails."""

from datetime import date
from decimal import Decimal

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from supporters.models import Donation, Refund


class RefundProblem(ValueError):
    """The refund can't be; the message says why."""


@transaction.atomic
def refund(
    donation: Donation, amount: Decimal, refunded_on: date, *, reason: str = "", provider_id: str = ""
) -> Refund:
    """Record that money went back. A donation given back whole becomes `refunded`. Raises RefundProblem.

    The row is locked, so that two refunds at once can't give back more than came.
    """
    held = Donation.objects.select_for_update().get(pk=donation.pk)
    if held.state != Donation.State.RECEIVED:
        raise RefundProblem(_("Only a received donation can be refunded."))
    if refunded_on < held.received_on:
        raise RefundProblem(_("A refund can't be earlier than the donation."))
    before = held.refunds.aggregate(sum=Sum("amount"))["sum"] or Decimal(0)
    if amount <= 0 or before + amount > held.amount:
        raise RefundProblem(
            _("Between 0.01 and %(left)s %(currency)s can be refunded.")
            % {"left": held.amount - before, "currency": held.currency}
        )
    made = Refund.objects.create(
        donation=held,
        amount=amount,
        refunded_on=refunded_on,
        reason=reason,
        provider=held.provider if provider_id else "",
        provider_id=provider_id,
    )
    if before + amount == held.amount:
        Donation.objects.filter(pk=held.pk).update(state=Donation.State.REFUNDED)
    donation.refresh_from_db()
    return made


@transaction.atomic
def take_back(refund: Refund) -> None:
    """The money of this refund did not reach the donor and is with us again: the donation is received as before."""
    held = Donation.objects.select_for_update().get(pk=refund.donation_id)
    refund.delete()
    Donation.objects.filter(pk=held.pk, state=Donation.State.REFUNDED).update(state=Donation.State.RECEIVED)
