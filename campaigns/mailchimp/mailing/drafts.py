"""A mailing as a draft in Mailchimp: made once, found again, filled anew as often as wanted."""

import uuid
from datetime import timedelta

from django.db.models.functions import Now
from django.utils import timezone

from campaigns.mailchimp.client import Mailchimp, MailchimpError, connect
from campaigns.mailchimp.mailing import content
from campaigns.models import Appeal, AppealText, Mailing
from supporters.locks import advisory_lock

State = Mailing.State
PATIENCE = timedelta(minutes=2)
"""How long a call without an answer may still take effect there."""


class NotYet(Exception):
    """An earlier call may still take effect: to be tried again later."""


def plan(appeal: Appeal) -> None:
    """A mailing for each language of the appeal's deliveries that has none, in the caller's transaction."""
    languages = set(appeal.deliveries.values_list("language", flat=True).distinct())
    Mailing.objects.bulk_create(
        [Mailing(appeal=appeal, language=language) for language in sorted(languages)], ignore_conflicts=True
    )


def prepare(mailchimp: Mailchimp, appeal: Appeal, mailing: Mailing, text: AppealText) -> None:
    """See that the draft is there with this text, for those who have its tag. Raises MailchimpError, Untranslatable, NotYet."""
    made = content.content(appeal, text)
    if mailing.list_id != appeal.audience.list_id:
        begin_anew(mailing, appeal.audience.list_id)
    fields = content.campaign_settings(appeal, made, title(appeal, mailing)), content.tracking(appeal)
    if mailing.tag_id is None:
        mailing.tag_id = mailchimp.add_tag(mailing.list_id, tag_name(appeal, mailing))
        mailing.save(update_fields=["tag_id"])
    if mailing.state == State.PLANNED:
        _make(mailchimp, mailing, fields)
    try:
        mailchimp.change_campaign(mailing.campaign_id, *fields)
        mailchimp.set_content(mailing.campaign_id, made.html, made.text)
    except MailchimpError as error:
        if error.status == 404:  # somebody deleted the draft there
            begin_anew(mailing, mailing.list_id)
            raise NotYet from None
        raise


def send_test(appeal: Appeal, text: AppealText, email: str) -> None:
    """Have Mailchimp send this text to one address, now, while a person waits.

    Raises MailchimpError, Untranslatable, NotYet.
    """
    with advisory_lock(lock(appeal.pk)) as ours:
        mailing, _made_now = Mailing.objects.get_or_create(appeal=appeal, language=text.language)
        if not ours or mailing.state not in {State.PLANNED, State.MADE}:
            raise NotYet
        mailchimp = connect(quick=True)
        prepare(mailchimp, appeal, mailing, text)
        mailchimp.send_test(mailing.campaign_id, email)


def lock(appeal_pk: int) -> str:
    """Whoever works on an appeal's mailings holds it."""
    return f"mailings:{appeal_pk}"


def discard(mailchimp: Mailchimp, mailing: Mailing) -> None:
    """Delete the draft there, if it is one still. Raises MailchimpError."""
    if mailing.campaign_id:
        _remove(mailchimp, mailing.campaign_id)


def title(appeal: Appeal, mailing: Mailing) -> str:
    """Mailchimp allows a hundred characters."""
    return f"{appeal.name[:50]} · {mailing.language} · {mailing.uuid.hex}"[:100]


def tag_name(appeal: Appeal, mailing: Mailing) -> str:
    return f"{appeal.name[:60]} · {mailing.language} · {mailing.uuid.hex[:8]}"


def _make(mailchimp: Mailchimp, mailing: Mailing, fields: tuple[dict, dict]) -> None:
    asked_before = mailing.asked_at
    if asked_before:
        found = mailchimp.campaigns_titled(mailing.list_id, mailing.uuid.hex)
        for double in found[1:]:
            _remove(mailchimp, double)
        if found:
            return _made(mailing, found[0])
        if timezone.now() - asked_before < PATIENCE:
            raise NotYet
    Mailing.objects.filter(pk=mailing.pk, state=State.PLANNED).update(asked_at=Now())
    mailing.refresh_from_db(fields=["asked_at"])
    _made(mailing, mailchimp.add_campaign(mailing.list_id, mailing.tag_id, *fields))


def _made(mailing: Mailing, campaign_id: str) -> None:
    changes = {"state": State.MADE, "campaign_id": campaign_id, "asked_at": None}
    Mailing.objects.filter(pk=mailing.pk, state=State.PLANNED).update(**changes)
    mailing.refresh_from_db()


def begin_anew(mailing: Mailing, list_id: str) -> None:
    """As a mailing that nobody in Mailchimp has heard of; only from before it was handed over."""
    Mailing.objects.filter(pk=mailing.pk, state__in=[State.PLANNED, State.MADE]).update(
        state=State.PLANNED,
        uuid=uuid.uuid4(),
        list_id=list_id,
        tag_id=None,
        campaign_id="",
        asked_at=None,
        checked=False,
    )
    if list_id == mailing.list_id:  # only the draft is gone: the people keep their tag
        Mailing.objects.filter(pk=mailing.pk).update(tag_id=mailing.tag_id)
    mailing.refresh_from_db()


def _remove(mailchimp: Mailchimp, campaign_id: str) -> None:
    try:
        mailchimp.remove_campaign(campaign_id)
    except MailchimpError as error:
        if error.status not in {400, 404}:  # not a draft any more, or gone already
            raise
