"""What people do with an appeal. Each function raises Refusal with words for staff if it can't be done now."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, available_timezones

from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from campaigns.appeals import ledger, texts
from campaigns.appeals.refusal import Refusal
from campaigns.mailchimp.mailing.hours import quarter
from campaigns.models import Appeal

State = Appeal.State
_READY = Q(state=State.DRAFT) | Q(state=State.PAUSED, launched_at=None)
"""What can be given an hour: drafts, and what was found too late or incomplete at its hour."""
EDITABLE = (State.DRAFT, State.PAUSED)


def moment(local: datetime, zone: str) -> datetime:
    """The instant of a wall-clock time in a zone. Raises Refusal.

    An hour that the clocks skip in spring is refused; of an hour that comes twice in autumn, the first is meant.
    """
    if zone not in available_timezones():
        raise Refusal(_("There is no time zone “%(zone)s”. Examples: Europe/Stockholm, UTC.") % {"zone": zone})
    instant = local.replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(UTC)
    if instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None) != local.replace(tzinfo=None):
        raise Refusal(
            _("In %(zone)s the clocks go forward then: there is no %(time)s that day. Choose another hour.")
            % {"zone": zone, "time": local.strftime("%H:%M")}
        )
    return instant


def schedule(appeal: Appeal, local: datetime, zone: str, *, send_anyway: bool = False) -> datetime:
    """Set the hour. With send_anyway, missing and outdated translations don't stand in the way.

    Mailchimp sends on the quarter of an hour: what lies between goes to the next one. Returns what was set.
    """
    instant = moment(local, zone)
    if instant <= timezone.now():
        raise Refusal(_("That hour has passed."))
    if appeal.channel == Appeal.Channel.MAILCHIMP:
        instant = quarter(instant)
    _set(appeal, instant, zone, send_anyway)
    return instant


def send_now(appeal: Appeal, *, send_anyway: bool = False) -> None:
    """Make it due at once; the tick, or a worker that is told, launches it."""
    _set(appeal, timezone.now(), appeal.time_zone, send_anyway)


def unschedule(appeal: Appeal) -> None:
    _move(appeal, Q(state=State.SCHEDULED), state=State.DRAFT, send_anyway=False)


def pause(appeal: Appeal) -> None:
    """Stop at the next message: the state is looked at right before each one leaves."""
    _move(appeal, Q(state=State.SENDING), state=State.PAUSED, pause_reason="")


def resume(appeal: Appeal) -> None:
    """Go on where it stopped. One that was never launched is scheduled anew instead."""
    errors = [obstacle.message for obstacle in texts.obstacles(appeal) if obstacle.final]
    if errors:
        raise Refusal(*errors)
    _move(
        appeal,
        Q(state=State.PAUSED, launched_at__isnull=False),
        state=State.SENDING,
        pause_reason="",
        retry_at=None,
    )


def cancel(appeal: Appeal) -> None:
    """For good. Who has it already keeps it; nobody else gets it."""
    unfinished = Q(state__in=[State.DRAFT, State.SCHEDULED, State.SENDING, State.PAUSED])
    _move(appeal, unfinished, state=State.CANCELLED, finished_at=Now())
    if appeal.channel == Appeal.Channel.MAIL:
        ledger.skip_rest(appeal.pk)  # what Mailchimp has already, its worker takes back first


def try_again(appeal: Appeal) -> None:
    """Don't wait out the pause after trouble with the mail server."""
    _move(appeal, Q(state=State.SENDING), retry_at=None)


def _set(appeal: Appeal, instant: datetime, zone: str, send_anyway: bool) -> None:
    found = texts.obstacles(appeal)
    standing = [obstacle for obstacle in found if obstacle.final or not send_anyway]
    if standing:
        raise Refusal(*(obstacle.message for obstacle in standing))
    _move(
        appeal,
        _READY,
        state=State.SCHEDULED,
        scheduled_at=instant,
        time_zone=zone,
        send_anyway=send_anyway,
        pause_reason="",
    )


def _move(appeal: Appeal, from_state: Q, **changes: object) -> None:
    if not Appeal.objects.filter(from_state, pk=appeal.pk).update(**changes):
        appeal.refresh_from_db(fields=["state"])
        raise Refusal(
            _("It can't be done: the appeal is “%(state)s” now.") % {"state": appeal.get_state_display().lower()}
        )
    appeal.refresh_from_db(fields=[name for name in changes if name != "send_anyway"])
