"""What Mailchimp tells us by itself: taken in, kept, and applied by a worker.

Messages come late, twice, in any order, or never. So only what must not wait is taken from the message itself: somebody left,
bounced, or has another address. For everything else the message is a sign that there is something to read, and what is
read then is how things are, whatever the order of the messages.
"""

import hashlib
import hmac
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now

from campaigns.mailchimp import hearing, reading
from campaigns.mailchimp.client import MailchimpError, connect
from campaigns.mailchimp.hearing import Heard, hear
from campaigns.mailchimp.mapping import subscriber_hash
from campaigns.mailchimp.pull import pull, source, take_over
from campaigns.models import Audience, AudienceMember, SyncRun, WebhookEvent
from supporters import finding
from supporters.addresses import AddressError, normalise_email

TOLERANCE = 300
"""Seconds that a signature may be old."""
BATCH = 500
PATIENCE = timedelta(minutes=5)
"""After a read that failed; the next message does not try again before."""
_LEAVINGS = {"unsubscribe": "unsubscribed", "cleaned": "cleaned"}
_TO_READ = {"subscribe", "profile", "upemail", *_LEAVINGS}
_TAKEN_AWAY = Q(kind="unsubscribe") & (
    Q(data__contains={"action": "delete"}) | Q(data__contains={"action": "archive"})
)
"""Somebody there deleted or archived the member; which of the two, only Mailchimp can say."""


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


def keep(audience: Audience, kind: str, data: dict, body: bytes) -> None:
    """Store a message to be applied; one that is told twice is kept once."""
    event = WebhookEvent(audience=audience, kind=kind, data=data, digest=hashlib.sha256(body).digest())
    WebhookEvent.objects.bulk_create([event], ignore_conflicts=True)


def apply_owed() -> dict:
    """Apply what was told and not yet applied, then read what there is to read."""
    counts = {"applied": 0, "left": 0, "bounced": 0, "moved": 0}
    while _apply_some(counts):
        pass
    _look_owed(counts)
    failed = SyncRun.objects.filter(
        audience=OuterRef("pk"), kind=SyncRun.Kind.PULL, state=SyncRun.State.FAILED, started_at__gt=Now() - PATIENCE
    )
    waiting = Audience.objects.filter(~Exists(failed), paused=False, pull_requested_at__isnull=False)
    for pk in waiting.values_list("pk", flat=True):
        if pull(pk):
            _go_on(pk)
    return counts


def _go_on(pk: int) -> None:
    from campaigns.tasks import pull_audience

    pull_audience.delay(pk)


@transaction.atomic
def _apply_some(counts: dict[str, int]) -> bool:
    events = list(
        WebhookEvent.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(applied_at=None)
        .exclude(_TAKEN_AWAY)
        .select_related("audience")
        .order_by("pk")[:BATCH]
    )
    for audience in {event.audience for event in events}:
        _apply(audience, sorted((e for e in events if e.audience_id == audience.pk), key=_moment), counts)
    to_read = {event.audience_id for event in events if event.kind in _TO_READ}
    Audience.objects.filter(pk__in=to_read).update(pull_requested_at=Now())
    WebhookEvent.objects.filter(pk__in=[event.pk for event in events]).update(applied_at=Now())
    counts["applied"] += len(events)
    return bool(events)


def _apply(audience: Audience, events: Sequence[WebhookEvent], counts: dict[str, int]) -> None:
    leaving: list[Heard] = []

    def flush() -> None:
        done = hear(audience, leaving, source(audience))
        counts["left"] += done.get("left", 0)
        counts["bounced"] += done.get("bounced", 0)
        leaving.clear()

    for event in events:
        if event.kind in _LEAVINGS:
            if email := _email(event.data.get("email")):
                reason = str(event.data.get("reason", ""))
                status = _LEAVINGS[event.kind]
                leaving.append(Heard(subscriber_hash(email), email, status, _moment(event), reason=reason))
        elif event.kind == "upemail":
            flush()  # in order: who left under the old address must be known by it
            counts["moved"] += _move(audience, event)
    flush()


def _move(audience: Audience, event: WebhookEvent) -> int:
    """Somebody changed their address there: it changes here, unless somebody else has it."""
    old, new = _email(event.data.get("old_email")), _email(event.data.get("new_email"))
    if not old or not new or old == new:
        return 0
    held = AudienceMember.objects.filter(audience=audience, to_delete=False)
    # Who was erased here is owed a deletion wherever they are by now.
    erased = AudienceMember.objects.filter(audience=audience, to_delete=True, subscriber_hash=subscriber_hash(old))
    if erased.update(moving_to=subscriber_hash(new), updated_at=Now()):
        return 0
    member = held.filter(subscriber_hash=subscriber_hash(old)).first()
    if member is None and not held.filter(subscriber_hash=subscriber_hash(new)).exists():
        person = finding.by_email(old)
        if person and not held.filter(supporter=person).exists():
            member = AudienceMember.objects.create(
                audience=audience, supporter=person, subscriber_hash=subscriber_hash(old), ours=False
            )
    if member is None:
        return 0
    return hearing.move(audience, [(member.pk, member.subscriber_hash, subscriber_hash(new), new)])


def _look_owed(counts: dict[str, int]) -> None:
    """Ask after those who were archived or deleted there; what can't be asked now waits for the next minute."""
    for event in (
        WebhookEvent.objects.filter(_TAKEN_AWAY, applied_at=None).select_related("audience").order_by("pk")[:BATCH]
    ):
        audience, email = event.audience, _email(event.data.get("email"))
        key = subscriber_hash(email)
        if email and AudienceMember.objects.filter(audience=audience, subscriber_hash=key, to_delete=False).exists():
            try:
                member = connect().read_member(audience.list_id, key, reading.fields(audience))
            except MailchimpError as error:
                WebhookEvent.objects.filter(pk=event.pk).update(error=error.for_staff)
                return
            with transaction.atomic():
                if member:
                    take_over(audience, [reading.heard_of(member, reading.our_tags(audience))])
                else:
                    hearing.gone(audience, [key])
        WebhookEvent.objects.filter(pk=event.pk).update(applied_at=Now(), error="")
        counts["applied"] += 1


def _email(text: object) -> str:
    """As Mailchimp has it; empty if it is no address."""
    if not isinstance(text, str):
        return ""
    try:
        normalise_email(text)
    except AddressError:
        return ""
    return text.strip().lower()


def _moment(event: WebhookEvent) -> datetime:
    """When it happened there, by Mailchimp's clock; when it reached us, if that can't be read."""
    try:
        return datetime.fromisoformat(str(event.data.get("fired_at"))).replace(tzinfo=UTC)
    except ValueError:
        return event.received_at
