"""What campaigns were told of people, forgotten once it has served."""

from datetime import timedelta

from django.db.models import Q
from django.db.models.functions import Now

from campaigns.models import ReturnedMessage, WebhookEvent

KEEP_EVENTS = timedelta(days=30)


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
