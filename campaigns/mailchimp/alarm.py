"""Telling the staff who care when an audience could not be brought up to date for a day, and when it can again.

    quiet ──failing for a day──▶ told (alarmed_at) ──a sync is done──▶ quiet

A message goes out before it is written down that it did: a crash between the two tells twice rather than not at all.
"""

from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.mail import EmailMessage
from django.db.models import Q
from django.db.models.functions import Now
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from campaigns.mailchimp.standing import failing_since
from campaigns.models import Audience, SyncRun

if TYPE_CHECKING:
    from datetime import datetime

PATIENCE = timedelta(days=1)


def check() -> dict[str, int]:
    """Look at every audience that is not paused; counts of whom was told what."""
    counts = {"alarmed": 0, "recovered": 0}
    audiences = list(Audience.objects.filter(paused=False).order_by("pk"))
    failing = failing_since(audiences)
    with translation.override(settings.LANGUAGE_CODE):
        for audience in audiences:
            since = failing.get(audience.pk)
            if since is None and audience.alarmed_at:
                _tell(audience, _("Mailchimp works again: %(audience)s"), "recovered")
                Audience.objects.filter(pk=audience.pk).update(alarmed_at=None)
                counts["recovered"] += 1
            elif since and audience.alarmed_at is None and since < timezone.now() - PATIENCE:
                _tell(audience, _("Mailchimp can't be kept in step: %(audience)s"), "failing", since)
                Audience.objects.filter(pk=audience.pk).update(alarmed_at=Now())
                counts["alarmed"] += 1
    return counts


def whom() -> list[str]:
    """The addresses of those who may change audiences."""
    users = get_user_model().objects.with_perm(
        "campaigns.change_audience", backend="django.contrib.auth.backends.ModelBackend"
    )
    return sorted(set(users.filter(~Q(email=""), is_staff=True).values_list("email", flat=True)))


def _tell(audience: Audience, subject: str, template: str, since: "datetime | None" = None) -> None:
    """Each by a message of their own: nobody's address is for the others to see."""
    last = audience.runs.filter(kind=SyncRun.Kind.PUSH, state=SyncRun.State.FAILED).order_by("-started_at").first()
    page = settings.SITE_URL + reverse("admin:campaigns_audience_change", args=[audience.pk])
    context = {"audience": audience, "since": since, "error": last.error if last else "", "page": page}
    text = render_to_string(f"campaigns/mailchimp/{template}.txt", context)
    for address in whom():
        EmailMessage(subject % {"audience": audience}, text, to=[address]).send()
