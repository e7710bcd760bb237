"""One stretch of work on the mailings of an appeal: each is taken as far as it goes now. See the package for the states."""

import time
from datetime import datetime

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce, Now
from django.utils import timezone
from django.utils.translation import gettext as _

from campaigns.mail.pacing import control
from campaigns.mailchimp.client import Mailchimp, MailchimpError, connect
from campaigns.mailchimp.mailing import drafts, results
from campaigns.mailchimp.mailing.content import Untranslatable
from campaigns.mailchimp.mailing.drafts import PATIENCE, NotYet
from campaigns.mailchimp.mailing.hours import SOON, quarter
from campaigns.mailchimp.mailing.recipients import Recipients
from campaigns.mailchimp.sync import STRETCH, OutOfTime
from campaigns.models import Appeal, Audience, Delivery, Mailing, SyncRun
from supporters.locks import advisory_lock

State = Mailing.State
_THERE = {
    "save": State.MADE,
    "schedule": State.SCHEDULED,
    "sending": State.SENDING,
    "paused": State.SENDING,
    "canceling": State.SENDING,
    "sent": State.SENT,
    "archived": State.SENT,
    "canceled": State.CANCELLED,
}
"""Mailchimp's statuses in our words."""
_HANDED_OVER = [State.ASKED, State.SCHEDULED, State.SENDING]


class Waiting(Exception):
    """It can't go on now; the text says why, for staff. It is tried again each minute."""


class Halted(Exception):
    """It doesn't go on without a person; the text says why."""


def owed() -> list[int]:
    """The appeals whose mailings want work now."""
    mine = Appeal.objects.filter(channel=Appeal.Channel.MAILCHIMP)
    free = Q(retry_at=None) | Q(retry_at__lte=Now())
    to_recall = Q(state__in=[Appeal.State.PAUSED, Appeal.State.CANCELLED], mailings__state__in=_HANDED_OVER)
    to_end = Q(state=Appeal.State.CANCELLED) & (
        Q(mailings__state__in=[State.PLANNED, State.MADE]) | Q(deliveries__state=Delivery.State.QUEUED)
    )
    wanted = mine.filter(free, Q(state=Appeal.State.SENDING) | to_recall | to_end)
    return list(wanted.order_by("pk").distinct().values_list("pk", flat=True))


def work(appeal_pk: int, seconds: float = STRETCH) -> bool:
    """Take the mailings of an appeal as far as they go now; returns whether more could be done at once."""
    with advisory_lock(drafts.lock(appeal_pk)) as ours:
        appeal = Appeal.objects.select_related("audience", "segment").filter(pk=appeal_pk).first()
        if not ours or appeal is None or appeal.channel != Appeal.Channel.MAILCHIMP:
            return False
        try:
            _Work(appeal, time.monotonic() + seconds).do()
        except OutOfTime:
            return True
        except NotYet:
            return False
        except Waiting as why:
            _trouble(appeal, str(why))
        except MailchimpError as error:
            if not error.passing and appeal.state == Appeal.State.SENDING:
                _pause(appeal, error.for_staff)
            else:
                _trouble(appeal, error.for_staff)
        except (Halted, Untranslatable) as why:
            _pause(appeal, str(why))
        else:
            Appeal.objects.filter(pk=appeal.pk).exclude(trouble="").update(trouble="", trouble_since=None)
        return False


class _Work:
    def __init__(self, appeal: Appeal, until: float) -> None:
        self.appeal, self.until = appeal, until
        self.audience: Audience = appeal.audience
        self.mailchimp: Mailchimp = connect()
        self.mailings = list(appeal.mailings.select_related("appeal"))

    def do(self) -> None:
        """Raises OutOfTime, Waiting, Halted, NotYet, Untranslatable, MailchimpError."""
        if self.appeal.state in {Appeal.State.PAUSED, Appeal.State.CANCELLED}:
            for mailing in self.mailings:
                self._recall(mailing)
        elif self.appeal.state == Appeal.State.SENDING and control.current().stopped:
            for mailing in self._in(*_HANDED_OVER):
                self._recall(mailing)
            raise Waiting(_("All sending is stopped."))
        elif self.appeal.state == Appeal.State.SENDING:
            self._advance()
        for mailing in self._in(State.CANCELLED):
            if self._queued(mailing).exists():
                self._close(mailing)
        for mailing in self.mailings:
            if mailing.state == State.SENT and mailing.results_at is None:
                results.read(self.mailchimp, mailing, self._breathe)
        self._finish()

    def _advance(self) -> None:
        for mailing in self._in(State.ASKED, State.SENDING):
            self._look(mailing)
        waiting = self._in(State.PLANNED, State.MADE)
        if waiting:
            self._gather(waiting)
            for mailing in waiting:
                self._prepare(mailing)
            # All languages are ready before the first goes.
            for mailing in self._in(State.MADE):
                self._check(mailing)
            for mailing in self._in(State.MADE):
                self._hand_over(mailing)
        for mailing in self._in(State.SCHEDULED):
            self._see_to(mailing)

    # Before it goes

    def _gather(self, mailings: list[Mailing]) -> None:
        """See that all who get it are in the audience. Raises Waiting."""
        if self.audience.paused:
            raise Waiting(_("The audience “%(audience)s” is paused.") % {"audience": self.audience})
        everybody = [self._recipients(mailing) for mailing in mailings]
        for recipients in everybody:
            recipients.skip_left()
            recipients.skip_unwilling()
        missing = sum(recipients.waiting() for recipients in everybody)
        if not missing:
            return
        pushes = self.audience.runs.filter(kind=SyncRun.Kind.PUSH)
        if pushes.filter(state=SyncRun.State.DONE, started_at__gte=self.appeal.launched_at).exists():
            for recipients in everybody:
                recipients.skip_missing()
            return
        last = pushes.order_by("-started_at").first()
        if last is None or last.state == SyncRun.State.DONE:
            self._ask_for_a_sync()  # else one is under way, or waits for its next try or for a person
        elif last.error:
            raise Waiting(
                _("The audience “%(audience)s” can't be brought up to date: %(why)s")
                % {"audience": self.audience, "why": last.error}
            )
        raise Waiting(_("%(number)d people are on their way into the audience.") % {"number": missing})

    def _prepare(self, mailing: Mailing) -> None:
        """The draft, and its tag on everybody who gets it."""
        recipients = self._recipients(mailing)
        if not recipients.handed() and not self._still_owed(mailing):
            self._drop(mailing)
            return
        text = self.appeal.texts.filter(language=mailing.language).first()
        if text is None:
            raise Halted(_("The text in %(language)s is missing.") % {"language": mailing.get_language_display()})
        drafts.prepare(self.mailchimp, self.appeal, mailing, text)
        recipients.hand_over()

    def _still_owed(self, mailing: Mailing) -> bool:
        return self._queued(mailing).exists()

    def _check(self, mailing: Mailing) -> None:
        """See that it would go to the people of the ledger and nobody else, and that Mailchimp would take it."""
        recipients = self._recipients(mailing)
        self._let_go_of_leavers(recipients)
        handed = recipients.handed()
        if self._queued(mailing).filter(attempts=0).exists():  # an address changed since: looked at anew in a minute
            raise Waiting(
                _("%(number)d people are on their way into the audience.") % {"number": recipients.waiting()}
            )
        if not mailing.checked and self._campaign(mailing)["recipients"]["recipient_count"] != handed:
            recipients.read_back()
            handed = recipients.handed()
        if not handed:
            self._drop(mailing)
        elif wrong := self.mailchimp.what_keeps_it(mailing.campaign_id):
            raise Halted(_("Mailchimp's checklist says: %(why)s") % {"why": " ".join(wrong)})

    def _hand_over(self, mailing: Mailing) -> None:
        """Have it scheduled; at its hour, or when it is late, sent at once."""
        now, hour = timezone.now(), quarter(self.appeal.scheduled_at)
        due = self.appeal.scheduled_at <= now
        if not due and hour - now <= SOON:
            return  # so near that it is waited for
        still = Mailing.objects.filter(pk=mailing.pk, state=State.MADE, appeal__state=Appeal.State.SENDING)
        if not still.update(state=State.ASKED, asked_at=Now()):
            return  # paused or cancelled at this moment
        mailing.refresh_from_db()
        try:
            if due:
                self.mailchimp.send_campaign(mailing.campaign_id)
            else:
                self.mailchimp.schedule_campaign(mailing.campaign_id, hour)
        except MailchimpError as error:
            if error.status != 0 and error.status < 500:
                self._move(mailing, State.MADE)  # it was refused; else nobody knows, and the status there will tell
            raise
        self._look(mailing)

    def _drop(self, mailing: Mailing) -> None:
        """There is nobody left to get it."""
        drafts.discard(self.mailchimp, mailing)
        self._move(mailing, State.CANCELLED)

    def _let_go_of_leavers(self, recipients: Recipients) -> None:
        if unreached := recipients.withdraw():
            self._ask_for_a_sync()
            raise Waiting(
                _("%(number)d people who left are on their way out of the audience.") % {"number": unreached}
            )

    def _ask_for_a_sync(self) -> None:
        Audience.objects.filter(pk=self.audience.pk, sync_requested_at=None).update(sync_requested_at=Now())

    # Once it was handed over

    def _see_to(self, mailing: Mailing) -> None:
        """While Mailchimp waits for the hour, who leaves loses the tag."""
        if timezone.now() < self.appeal.scheduled_at:
            self._let_go_of_leavers(self._recipients(mailing))
        else:
            self._look(mailing)

    def _look(self, mailing: Mailing) -> None:
        """Read what Mailchimp makes of it. Nothing else moves on what was handed over."""
        there = self._campaign(mailing)
        was, state = mailing.state, _THERE.get(there.get("status", ""), mailing.state)
        if state == State.MADE:
            if was == State.ASKED and mailing.asked_at and timezone.now() - mailing.asked_at < PATIENCE:
                return  # it may still take effect
            self._move(mailing, state)
            if was != State.ASKED:
                raise Halted(_("Somebody took it off the schedule in Mailchimp. Go on, or not?"))
        elif state != was:
            if state in {State.SENT, State.CANCELLED} and there.get("send_time"):
                Mailing.objects.filter(pk=mailing.pk).update(sent_at=datetime.fromisoformat(there["send_time"]))
            self._move(mailing, state)

    def _campaign(self, mailing: Mailing) -> dict:
        try:
            return self.mailchimp.campaign(mailing.campaign_id)
        except MailchimpError as error:
            if error.status != 404:
                raise
        if mailing.state == State.MADE:
            drafts.begin_anew(mailing, mailing.list_id)
            raise NotYet
        # It may have gone out before it was deleted there; nobody can tell.
        gone = _("Somebody deleted it in Mailchimp; whether it had been sent is not known.")
        with transaction.atomic():
            self._queued(mailing).filter(attempts__gt=0).update(
                state=Delivery.State.UNKNOWN, reason=gone, updated_at=Now()
            )
            self._move(mailing, State.CANCELLED)
        raise Halted(gone)

    # Taking it back

    def _recall(self, mailing: Mailing) -> None:
        """Where nothing is to go out: what Mailchimp has not begun to send, it gives back."""
        cancelled = self.appeal.state == Appeal.State.CANCELLED
        if mailing.state in {State.ASKED, State.SCHEDULED, State.SENDING}:
            there = self._campaign(mailing).get("status")
            if there == "schedule":
                self.mailchimp.unschedule_campaign(mailing.campaign_id)
            elif there == "sending" and cancelled:
                self._stop(mailing)
            self._look_quietly(mailing)
            # Much may have happened there by the time it goes on.
            Mailing.objects.filter(pk=mailing.pk, state=State.MADE).update(checked=False)
        if cancelled and mailing.state in {State.PLANNED, State.MADE}:
            self._drop(mailing)

    def _look_quietly(self, mailing: Mailing) -> None:
        try:
            self._look(mailing)
        except Halted:
            pass  # that it is off the schedule is what was wanted

    def _stop(self, mailing: Mailing) -> None:
        try:
            self.mailchimp.stop_campaign(mailing.campaign_id)
        except MailchimpError as error:
            if error.passing:
                raise
            why = _("Mailchimp goes on sending it: %(why)s") % {"why": error.for_staff}
            Appeal.objects.filter(pk=self.appeal.pk).update(trouble=why[:400])

    def _close(self, mailing: Mailing) -> None:
        """Who got it before it was stopped, its report tells; nobody else gets it."""
        if mailing.sent_at and mailing.results_at is None:
            try:
                results.read(self.mailchimp, mailing, self._breathe)
            except MailchimpError as error:
                if error.status != 404:
                    raise
        results.skip_rest(mailing)

    # The end

    def _finish(self) -> None:
        open_still = self.appeal.mailings.exclude(state=State.CANCELLED).exclude(
            state=State.SENT, results_at__isnull=False
        )
        if not open_still.exists():
            Appeal.objects.filter(pk=self.appeal.pk, state=Appeal.State.SENDING).update(
                state=Appeal.State.SENT, finished_at=Now(), trouble="", trouble_since=None, retry_at=None
            )

    def _in(self, *states: str) -> list[Mailing]:
        return [mailing for mailing in self.mailings if mailing.state in states]

    def _recipients(self, mailing: Mailing) -> Recipients:
        return Recipients(mailing, self.audience, self._breathe)

    def _queued(self, mailing: Mailing) -> QuerySet[Delivery]:
        return self.appeal.deliveries.filter(language=mailing.language, state=Delivery.State.QUEUED)

    def _move(self, mailing: Mailing, state: str) -> None:
        """Raises NotYet if somebody else moved it: this worker has lost the lock of the appeal's mailings."""
        if not Mailing.objects.filter(pk=mailing.pk, state=mailing.state).update(state=state):
            raise NotYet
        mailing.refresh_from_db(fields=["state", "sent_at"])

    def _breathe(self) -> None:
        if time.monotonic() > self.until:
            raise OutOfTime


def _trouble(appeal: Appeal, why: str) -> None:
    Appeal.objects.filter(pk=appeal.pk).update(trouble=why[:400], trouble_since=Coalesce(F("trouble_since"), Now()))


def _pause(appeal: Appeal, why: str) -> None:
    Appeal.objects.filter(pk=appeal.pk, state=Appeal.State.SENDING).update(
        state=Appeal.State.PAUSED, pause_reason=why[:250]
    )
