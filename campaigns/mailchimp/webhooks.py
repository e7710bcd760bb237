"""What Mailchimp tells us by itself: taken in, kept, and applied by a worker.

A hook's address holds a token, and since Mailchimp signs its messages, a hook made lately has a secret too: both must fit
where there are both (https://mailchimp.com/developer/marketing/guides/sync-audience-data-webhooks/).
"""

import hashlib
import hmac
import secrets
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext as _

from campaigns.mailchimp import shadow
from campaigns.mailchimp.client import Mailchimp
from campaigns.mailchimp.mapping import subscriber_hash
from campaigns.mailchimp.shadow import Heard
from campaigns.models import Audience, AudienceMember, WebhookEvent
from supporters.addresses import AddressError, normalise_email
from supporters.models import Supporter

TOLERANCE = 300
"""Seconds that a signature may be old."""
BATCH = 500
_LEAVINGS = {"unsubscribe": "unsubscribed", "cleaned": "cleaned"}


def ensure(mailchimp: Mailchimp, audience: Audience) -> None:
    """See that the audience tells us; makes the hook, or mends what somebody changed. Raises MailchimpError."""
    if settings.SITE_URL.startswith("http://") and not settings.MAILCHIMP_API_URL:
        return  # Mailchimp could not reach us
    if not audience.webhook_token:
        token = secrets.token_urlsafe(32)
        Audience.objects.filter(pk=audience.pk, webhook_token="").update(webhook_token=token)
        audience.refresh_from_db(fields=["webhook_token"])
    url = settings.SITE_URL + reverse("campaigns:mailchimp_webhook", args=[audience.webhook_token])
    hooks = {hook["id"]: hook for hook in mailchimp.webhooks(audience.list_id)}
    for hook in hooks.values():
        if hook["url"] == url and hook["id"] != audience.webhook_id:
            # Made by a call whose answer got lost, and with it the secret that is told only once.
            mailchimp.remove_webhook(audience.list_id, hook["id"])
    ours = hooks.get(audience.webhook_id)
    if ours is None:
        made = mailchimp.add_webhook(audience.list_id, url)
        audience.webhook_id, audience.webhook_secret = made["id"], made.get("secret", "")
    else:
        wanted = {"user": True, "admin": True, "api": False}
        heard = all(
            ours["events"].get(name) for name in ("subscribe", "unsubscribe", "profile", "cleaned", "upemail")
        )
        if ours["url"] != url or ours["sources"] != wanted or not heard:
            mailchimp.mend_webhook(audience.list_id, ours["id"], url)
        return
    audience.save(update_fields=["webhook_id", "webhook_secret"])


def is_genuine(audience: Audience, signature: str, body: bytes) -> bool:
    """Whether Mailchimp signed this body, lately. A hook without a secret has its token only."""
    secret = audience.webhook_secret or settings.MAILCHIMP_WEBHOOK_SECRET
    if not secret:
        return True
    parts = dict(part.partition("=")[::2] for part in signature.split(","))
    stamp = parts.get("t", "")
    if not (stamp.isascii() and stamp.isdigit()) or abs(time.time() - int(stamp[:15])) > TOLERANCE:
        return False
    expected = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), parts.get("v1", "").encode())


def apply_owed() -> dict:
    """Apply what was told and not yet applied, in order, up to some hundreds at a time."""
    counts = {"applied": 0, "left": 0, "bounced": 0, "moved": 0}
    while True:
        with transaction.atomic():
            events = list(
                WebhookEvent.objects.select_for_update(skip_locked=True, of=("self",))
                .filter(applied_at=None)
                .select_related("audience")
                .order_by("pk")[:BATCH]
            )
            if not events:
                return counts
            for audience in {event.audience for event in events}:
                _apply(audience, [event for event in events if event.audience_id == audience.pk], counts)
            WebhookEvent.objects.filter(pk__in=[event.pk for event in events]).update(applied_at=Now())
            counts["applied"] += len(events)


def _apply(audience: Audience, events: Sequence[WebhookEvent], counts: dict[str, int]) -> None:
    leaving: list[Heard] = []

    def hear() -> None:
        done = shadow.hear(audience, leaving, f"Mailchimp: {audience.name}"[:250])
        counts["left"] += done["left"]
        counts["bounced"] += done["bounced"]
        leaving.clear()

    for event in events:
        if event.kind in _LEAVINGS and event.data.get("action") != "delete":
            if email := _email(event.data.get("email")):
                leaving.append(Heard(subscriber_hash(email), email, _LEAVINGS[event.kind], _moment(event)))
        elif event.kind == "upemail":
            if leaving:
                hear()  # in order: who left under the old address must be known by it
            try:
                with transaction.atomic():
                    counts["moved"] += _move(audience, event)
            except IntegrityError:
                # Somebody took the address at this very moment. The nightly read and staff see to it.
                WebhookEvent.objects.filter(pk=event.pk).update(error=_("The new address belongs to somebody else."))
    if leaving:
        hear()


def _move(audience: Audience, event: WebhookEvent) -> bool:
    """Somebody changed their address there: it changes here, unless somebody else has it."""
    old, new = _email(event.data.get("old_email")), _email(event.data.get("new_email"))
    if not old or not new or old == new:
        return False
    member = AudienceMember.objects.filter(audience=audience, subscriber_hash=subscriber_hash(old)).first()
    person = member.supporter if member else Supporter.objects.filter(email=old).first()
    if person is None:
        return False
    if Supporter.objects.filter(email=new).exclude(pk=person.pk).exists():
        if member:
            note = _("They took an address in Mailchimp that belongs to somebody else on file. Please look.")
            AudienceMember.objects.filter(pk=member.pk).update(refusal=note, refused_at=Now())
        return False
    changed = Supporter.objects.filter(pk=person.pk, email=old).update(email=new, updated_at=Now())
    if member and not AudienceMember.objects.filter(audience=audience, subscriber_hash=subscriber_hash(new)).exists():
        AudienceMember.objects.filter(pk=member.pk).update(subscriber_hash=subscriber_hash(new))
    return bool(changed)


def _email(text: object) -> str:
    try:
        return normalise_email(text) if isinstance(text, str) else ""
    except AddressError:
        return ""


def _moment(event: WebhookEvent) -> datetime:
    """When it happened there, by Mailchimp's clock; when it reached us, if that can't be read."""
    try:
        return datetime.fromisoformat(str(event.data.get("fired_at"))).replace(tzinfo=UTC)
    except ValueError:
        return event.received_at
