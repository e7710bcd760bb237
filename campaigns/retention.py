"""How long campaigns keep what they hold of people: supporters.retention says how a rule is read."""

from datetime import timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.fields import BooleanField
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from campaigns.appeals import results
from campaigns.models import Return, ReturnedMessage, WebhookEvent
from supporters.retention import Rule

_LATE = timedelta(days=3)
"""What comes in is looked at within so many days: the job runs each night."""
_NAMES_ERASED = """
EXISTS (
    SELECT FROM regexp_matches(lower({text}), '[^\\s"''<>,;:()]+@[^\\s"''<>,;:()]+', 'g') AS found (address)
    JOIN supporters_suppression s ON s.email_hash = supporters_address_hash(found.address[1]) AND s.reason = 'erased')
"""


def _mailchimp(kept: timedelta) -> QuerySet:
    return WebhookEvent.objects.filter(applied_at__lt=Now() - kept)


def _returned(kept: timedelta) -> QuerySet:
    return ReturnedMessage.objects.filter(applied_at__isnull=False, received_at__lt=Now() - kept)


def _strangers(kept: timedelta) -> QuerySet:
    ours = Return.objects.filter(Q(supporter__isnull=False) | Q(delivery__isnull=False), message=OuterRef("pk"))
    return _returned(kept).filter(~Exists(ours))


def _contents(kept: timedelta) -> QuerySet:
    return _returned(kept).filter(Q(raw__isnull=False) | Q(event__isnull=False))


def _late_from_mailchimp(_kept: timedelta) -> QuerySet:
    named = RawSQL(_NAMES_ERASED.format(text="data::text"), [], BooleanField())  # noqa: S611
    fresh = WebhookEvent.objects.filter(applied_at__isnull=False, received_at__gt=Now() - _LATE)
    return fresh.alias(named=named).filter(named=True)


def _late_returns(_kept: timedelta) -> QuerySet:
    text = "coalesce(encode(raw, 'escape'), '') || coalesce(event::text, '')"
    named = RawSQL(_NAMES_ERASED.format(text=text), [], BooleanField())  # noqa: S611
    return _contents(timedelta(0)).filter(received_at__gt=Now() - _LATE).alias(named=named).filter(named=True)


def _empty(messages: QuerySet) -> None:
    messages.update(raw=None, event=None, error="")


def _clicks(_kept: timedelta) -> QuerySet:
    return results.with_old_clicks(settings.KEEP_CLICKS_DAYS)


RULES = [
    Rule(
        "clicks",
        _("Who clicked in an appeal; the sums stay"),
        _clicks,
        "KEEP_CLICKS_DAYS",
        results.forget_clicks_of,
        slice=1,
    ),
    Rule("mailchimp", _("What Mailchimp told"), _mailchimp, "KEEP_MAILCHIMP_DAYS"),
    Rule("strangers", _("Returned mail about nobody on file"), _strangers, "KEEP_RETURNED_DAYS"),
    Rule("returned", _("The words of returned mail; what it meant stays"), _contents, "KEEP_RETURNED_DAYS", _empty),
    Rule("late", _("What Mailchimp tells of people who were erased"), _late_from_mailchimp),
    Rule("late-returns", _("Mail that comes back from people who were erased"), _late_returns, act=_empty),
]
