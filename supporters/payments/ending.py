"""Ending an agreement to give: at its provider first, then in the books.

That it is to be ended is stored, with the key that the provider is asked under, before it is asked. Asked again, whoever
asks and however often, it ends once.
"""

from collections.abc import Collection
from uuid import uuid4

from django.conf import settings
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce, Greatest, Now
from django.utils import timezone
from django.utils.translation import gettext as _

from supporters.models import PaymentEvent, RecurringDonation
from supporters.payments.stripe.client import StripeError, connect
from supporters.payments.stripe.reading import AGREEMENTS

State = RecurringDonation.State
_AT_STRIPE = Q(provider=PaymentEvent.Provider.STRIPE) & ~Q(provider_id="")
_GONE = 404


class NotEnded(Exception):
    """Money may go on coming by it; the message says why, in words for staff and without anybody's data."""


def running(people: Collection[int]) -> QuerySet[RecurringDonation]:
    """Agreements of these people by which money comes, or may come."""
    alive = RecurringDonation.objects.filter(supporter__in=people).exclude(state=State.ENDED)
    return alive.exclude(~_AT_STRIPE, state=State.PENDING)


def to_end_by_hand(people: Collection[int]) -> QuerySet[RecurringDonation]:
    """Those that we have no way to end: staff do it at the provider, and say so."""
    return running(people).exclude(_AT_STRIPE)


def ended_by_hand(people: Collection[int]) -> int:
    """Staff have ended at their providers what we can't; returns how many agreements that were."""
    return _write_down(to_end_by_hand(people))


def end_all(people: Collection[int]) -> None:
    """End every agreement of these people. Raises NotEnded for the first that can't be."""
    for agreement in running(people).order_by("pk").iterator(500):
        end(agreement)


def end(agreement: RecurringDonation) -> None:
    """End one, if it runs still. Raises NotEnded."""
    rows = RecurringDonation.objects.filter(pk=agreement.pk)
    if rows.filter(state=State.ENDED).exists():
        return
    if not rows.filter(_AT_STRIPE).exists():
        provider = agreement.provider or _("whoever takes the money")
        raise NotEnded(
            _("An agreement to give is still running. End it at %(provider)s, then say so here.")
            % {"provider": provider}
        )
    if not settings.STRIPE_SECRET_KEY:
        raise NotEnded(_("An agreement to give is still running at Stripe, and STRIPE_SECRET_KEY is not set."))
    rows.filter(ending_key=None).update(ending_key=uuid4())
    key = rows.values_list("ending_key", flat=True).get()
    try:
        connect().end_subscription(agreement.provider_id, str(key))
    except StripeError as error:
        if error.status != _GONE or not _ended_there(agreement.provider_id):
            raise NotEnded(
                _("An agreement to give is still running at Stripe: %(why)s") % {"why": error.for_staff}
            ) from None
    _write_down(rows)


def _ended_there(name: str) -> bool:
    """Stripe answers to whoever ends what has ended that there is no such thing; so it is looked up."""
    try:
        return AGREEMENTS.get(connect().subscription(name)["status"]) == State.ENDED
    except StripeError:
        return False


def _write_down(agreements: QuerySet[RecurringDonation]) -> int:
    today = timezone.localdate()
    return agreements.exclude(state=State.ENDED).update(
        state=State.ENDED, ended_on=Greatest(Coalesce(F("started_on"), today), today), next_due_on=None, told_at=Now()
    )
