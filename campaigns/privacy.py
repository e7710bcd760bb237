"""What campaigns hold of a person, taken away before the person is erased."""

from datetime import timedelta

from django.db.models import Q
from django.db.models.functions import Now

from campaigns.appeals.ledger import ERASED
from campaigns.mailchimp import newcomers
from campaigns.models import AudienceMember, Click, Delivery, Return, ReturnedMessage, SegmentMember, WebhookEvent
from supporters.models import Supporter

_TOLD = ("email", "old_email", "new_email")
"""Where Mailchimp's messages name the person they are about."""
KEEP_EVENTS = timedelta(days=30)


def forget(supporter: Supporter) -> None:
    """Deliveries keep their outcome without the person; memberships become owed deletions at Mailchimp.

    What mail servers and Mailchimp answered goes too: they like to quote the address.
    """
    deliveries = Delivery.objects.filter(supporter=supporter)
    Click.objects.filter(delivery__in=deliveries).delete()
    deliveries.filter(state__in=[Delivery.State.HELD, Delivery.State.QUEUED]).update(
        state=Delivery.State.SKIPPED, claim=None
    )
    deliveries.filter(state=Delivery.State.SKIPPED).update(supporter=None, reason=ERASED)
    deliveries.update(supporter=None, reason="")
    newcomers.settle_one(supporter.pk)
    AudienceMember.objects.filter(supporter=supporter).update(
        supporter=None,
        to_delete=True,
        digest=None,
        agreed=None,
        permissions=None,
        note="",
        differs=[],
        refusal="",
        refused_at=None,
    )
    SegmentMember.objects.filter(supporter=supporter).delete()
    about_them = Q(supporter=supporter)
    if supporter.email:
        about_them |= Q(address=supporter.email)
    returns = Return.objects.filter(about_them)
    ReturnedMessage.objects.filter(returns__in=returns).update(raw=None, event=None)
    returns.update(supporter=None, address="", said="")
    if supporter.email:
        about = Q()
        for name in _TOLD:
            about |= Q(**{f"data__{name}__iexact": supporter.email})
        WebhookEvent.objects.filter(about).delete()


def forget_events() -> dict[str, int]:
    """Delete what Mailchimp told us and we applied long ago: it is full of names and addresses."""
    deleted, _by_model = WebhookEvent.objects.filter(applied_at__lt=Now() - KEEP_EVENTS).delete()
    return {"events": deleted}


def forget_returns() -> dict[str, int]:
    """Delete what came back long ago: messages that were applied, and all that is known of strangers.

    What it meant for somebody on file stays with them.
    """
    old = ReturnedMessage.objects.filter(applied_at__isnull=False, received_at__lt=Now() - KEEP_EVENTS)
    strangers = old.exclude(returns__supporter__isnull=False).exclude(returns__delivery__isnull=False)
    deleted, _by_model = strangers.delete()
    emptied = old.filter(Q(raw__isnull=False) | Q(event__isnull=False)).update(raw=None, event=None)
    return {"messages": deleted + emptied}
