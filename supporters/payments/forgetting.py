"""Forgetting what was typed and told once it has served. The books keep what they must."""

from datetime import timedelta

from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from supporters.holdings import Person
from supporters.models import PaymentEvent, Pledge

EVENTS_KEPT = timedelta(days=90)
PLEDGES_KEPT = timedelta(days=60)
"""A bank transfer that was promised has come by then, or never comes."""
_TYPED = {"email": "", "first_name": "", "last_name": "", "news": None}


def forget() -> dict[str, int]:
    """Each night: empty what was dealt with long ago, and what came to nothing."""
    stale = Pledge.objects.filter(created_at__lt=Now() - PLEDGES_KEPT)
    stale.filter(state=Pledge.State.WAITING).update(state=Pledge.State.LAPSED)
    pledges = stale.exclude(email="").update(**_TYPED)
    old = PaymentEvent.objects.filter(done_at__lt=Now() - EVENTS_KEPT).exclude(payload="")
    return {"pledges": pledges, "events": old.update(payload="")}


def pledges_of(person: Person) -> QuerySet[Pledge]:
    theirs = Q(supporter=person.pk)
    return Pledge.objects.filter(theirs | Q(email=person.email) if person.email else theirs)


def events_about(person: Person) -> QuerySet[PaymentEvent]:
    about = Q(donation__supporter=person.pk)
    return PaymentEvent.objects.filter(about | Q(payload__icontains=person.email) if person.email else about)


def forget_pledges(person: Person) -> None:
    """Nothing that this person typed on the giving page stays."""
    pledges_of(person).update(**_TYPED, supporter=None)


def forget_events(person: Person) -> None:
    """Nor what providers told of them, once it was dealt with: the books come first."""
    events_about(person).filter(done_at__isnull=False).update(payload="", note="")
