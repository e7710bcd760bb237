"""People who are kept no longer: those whom nothing ties to us any more.

Nobody goes who may still be written to, called or asked by post; who did anything within the time; whose gift the books must
still name; who speaks for an organisation or answers for another's address; whose petition is open; or who asked to be
erased and was refused.
"""

from datetime import date, timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campaigns.models import Click
from supporters import erasing
from supporters.models import (
    Consent,
    Donation,
    ErasureRequest,
    OrganisationContact,
    Petition,
    Pledge,
    Purpose,
    RecurringDonation,
    Signature,
    Supporter,
)
from supporters.retention import Rule

State = ErasureRequest.State


def idle(kept: timedelta) -> QuerySet[Supporter]:
    """People without a consent that holds, who have done nothing for so long."""
    past = Now() - kept
    theirs = {"supporter": OuterRef("pk")}
    taken_back = Consent.objects.filter(
        Q(organisation=OuterRef("organisation")) | Q(organisation=None),
        supporter=OuterRef("supporter"),
        purpose=OuterRef("purpose"),
        state=Consent.State.WITHDRAWN,
        happened_at__gte=OuterRef("happened_at"),
    )
    holds = Consent.objects.filter(state=Consent.State.GRANTED, **theirs).exclude(purpose=Purpose.SIGNATURE)
    kept_by = [
        holds.filter(~Exists(taken_back)),
        Consent.objects.filter(Q(happened_at__gte=past) | Q(recorded_at__gte=past), **theirs),
        Donation.objects.filter(Q(created_at__gte=past) | Q(received_on__gte=past), **theirs),
        RecurringDonation.objects.filter(**theirs).exclude(state=RecurringDonation.State.ENDED),
        Pledge.objects.filter(state=Pledge.State.WAITING, **theirs),
        Signature.objects.filter(
            Q(created_at__gte=past) | Q(validated_at__gte=past) | Q(petition__state=Petition.State.OPEN), **theirs
        ),
        Click.objects.filter(delivery__supporter=OuterRef("pk"), last_at__gte=past),
        OrganisationContact.objects.filter(**theirs),
        Supporter.objects.filter(shares_email_with=OuterRef("pk")),
        ErasureRequest.objects.filter(state__in=[State.RECEIVED, State.APPROVED, State.REFUSED], **theirs),
    ]
    people = Supporter.objects.filter(created_at__lt=past, updated_at__lt=past)
    for reason in kept_by:
        people = people.filter(~Exists(reason))
    return people


def _never_gave(kept: timedelta) -> QuerySet[Supporter]:
    return idle(kept).filter(~Exists(Donation.objects.filter(supporter=OuterRef("pk"))))


def _past_the_books(kept: timedelta) -> QuerySet[Supporter]:
    """Whose last gift the books need no more name: so many years after the end of its own (bokföringslagen, 7 kap. 2 §)."""
    gifts = Donation.objects.filter(supporter=OuterRef("pk"))
    first_kept = date(timezone.localdate().year - settings.BOOKKEEPING_YEARS, 1, 1)
    needed = gifts.filter(Q(received_on__gte=first_kept) | Q(received_on=None, created_at__date__gte=first_kept))
    return idle(kept).filter(Exists(gifts), ~Exists(needed))


def _erase(people: QuerySet[Supporter]) -> None:
    keys = people.values_list("pk", flat=True)
    erasing.ask_for_many(keys, by=None, door=ErasureRequest.Door.OURS, identified=ErasureRequest.Identified.NEEDLESS)


RULES = [
    Rule(
        "idle",
        _("People who never gave, and whom nothing ties to us"),
        _never_gave,
        "FORGET_IDLE_AFTER_YEARS",
        _erase,
        slice=500,
        most=1_000,
        people=True,
    ),
    Rule(
        "donors",
        _("Donors whom the books need no more, and whom nothing ties to us"),
        _past_the_books,
        "FORGET_DONORS_AFTER_YEARS",
        _erase,
        slice=500,
        most=1_000,
        people=True,
    ),
]
