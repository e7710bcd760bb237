"""What time does with an appeal: launch it at its hour, keep it going, see that nothing is forgotten."""

import logging
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Now
from django.utils.translation import gettext as _

from campaigns import segments
from campaigns.appeals import ledger, recovery, sending, texts, variants
from campaigns.mail import preflight
from campaigns.mail.pacing import hours
from campaigns.mailchimp.mailing import drafts
from campaigns.mailchimp.mailing import sending as mailings
from campaigns.mailchimp.mailing.hours import AHEAD
from campaigns.models import Appeal, Claim

logger = logging.getLogger(__name__)
State = Appeal.State
Channel = Appeal.Channel
LATEST = timedelta(hours=12)
"""An appeal found later than this after its hour waits for a person: its text may speak of that hour."""

_DUE = Q(scheduled_at__lte=Now()) | Q(channel=Channel.MAILCHIMP, scheduled_at__lte=Now() + AHEAD)


def tick(hand_out: bool = True) -> dict[str, int]:
    """Launch what is due, take back what dead workers held, and give workers what is owed; counts."""
    counts = {"late": _hold_late(), "launched": 0, **recovery.sweep(), "finished": 0, "handed_out": 0}
    for pk in Appeal.objects.filter(_DUE, state=State.SCHEDULED).values_list("pk", flat=True):
        try:
            counts["launched"] += launch(pk)
        except Exception:
            # One appeal that can't start must not keep the others; it is due again at the next tick.
            logger.exception("Appeal %s could not be launched", pk)
            why = _("It could not be started; the log says why. It is tried again each minute.")
            Appeal.objects.filter(pk=pk).update(trouble=why, trouble_since=Coalesce(F("trouble_since"), Now()))
    for pk in variants.running():
        try:
            variants.move_on(pk)
        except Exception:
            logger.exception("The test of appeal %s could not be decided", pk)  # Likewise.
    by_mail = Appeal.objects.filter(channel=Channel.MAIL)
    halfway = by_mail.filter(state=State.CANCELLED, deliveries__state__in=["held", "queued"]).distinct()
    for pk in halfway.values_list("pk", flat=True):
        ledger.skip_rest(pk)
    free = Q(retry_at=None) | Q(retry_at__lte=Now())
    for appeal in by_mail.filter(free, state=State.SENDING):
        hours.hold(appeal)
        if sending.finish(appeal.pk):
            counts["finished"] += 1
        elif hand_out and (ledger.owed(appeal.pk) or Claim.objects.filter(appeal=appeal.pk).exists()):
            # A claim may be that of a dead worker, on a machine where a live one will see so.
            counts["handed_out"] += 1
            nudge(appeal.pk)
    for pk in mailings.owed() if hand_out else ():
        counts["handed_out"] += 1
        nudge(pk)
    return counts


def launch(pk: int) -> bool:
    """Write the ledger of a due appeal and let it go, in one transaction; False if it didn't go."""
    appeal = Appeal.objects.select_related("segment").get(pk=pk)
    segments.refresh(appeal.segment)
    if appeal.channel == Channel.MAIL:
        preflight.look(appeal)
    with transaction.atomic():
        due = Appeal.objects.filter(_DUE, pk=pk, state=State.SCHEDULED, scheduled_at__gt=Now() - LATEST)
        if not due.update(state=State.SENDING, launched_at=Now(), trouble="", trouble_since=None):
            return False
        appeal.refresh_from_db()
        standing = [
            obstacle.message for obstacle in texts.obstacles(appeal) if obstacle.final or not appeal.send_anyway
        ]
        if standing:
            Appeal.objects.filter(pk=pk).update(
                state=State.PAUSED, launched_at=None, pause_reason=" ".join(standing)[:250]
            )
            return False
        Appeal.objects.filter(pk=pk).update(recipients=ledger.write(appeal))
        if appeal.channel == Channel.MAILCHIMP:
            drafts.plan(appeal)
    return True


def nudge(pk: int) -> None:
    """Tell workers of an appeal. Should the message get lost, the next tick sends another."""
    from campaigns.tasks import work_on_appeal, work_on_mailings  # which know us

    if Appeal.objects.filter(pk=pk, channel=Channel.MAILCHIMP).exists():
        work_on_mailings.apply_async(args=[pk], expires=55)
        return
    for _each in range(settings.MAIL_WORKERS):
        work_on_appeal.apply_async(args=[pk], expires=55)


def _hold_late() -> int:
    late = Appeal.objects.filter(state=State.SCHEDULED, scheduled_at__lte=Now() - LATEST)
    return late.update(
        state=State.PAUSED,
        pause_reason=_("Its hour had passed by more than twelve hours when it was found. Send it now, or not?"),
    )
