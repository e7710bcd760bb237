"""Forgetting what was typed and told once it has served. The books keep what they must."""

from datetime import timedelta

from django.db.models import Q
from django.db.models.functions import Now

from supporters.models import PaymentEvent, Pledge, Supporter

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


def forget_person(supporter: Supporter) -> None:
    """Nothing that this person typed on the giving page, nor what providers told of them, stays."""
    theirs = Q(supporter=supporter)
    about = Q(donation__supporter=supporter)
    if supporter.email:
        theirs |= Q(email=supporter.email)
        about |= Q(payload__icontains=supporter.email)
    Pledge.objects.filter(theirs).update(**_TYPED, supporter=None)
    PaymentEvent.objects.filter(about, done_at__isnull=False).exclude(payload="").update(payload="")
