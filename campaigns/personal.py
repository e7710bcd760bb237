"""Where campaigns hold something of a person: supporters.holdings says how it is read.

Deliveries keep their outcome without the person; memberships become owed deletions at Mailchimp. What mail servers and
Mailchimp answered goes too: they like to quote the address.
"""

from django.db.models import BooleanField, OuterRef, Q, QuerySet, Subquery
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext_lazy as _

from campaigns.appeals.ledger import ERASED
from campaigns.mailchimp import newcomers
from campaigns.models import (
    AppealText,
    AudienceMember,
    Click,
    Delivery,
    Return,
    ReturnedMessage,
    SegmentMember,
    Turn,
    WebhookEvent,
)
from supporters.holdings import Holding, Person, Row, escape_like, same

_TOLD = ("email", "old_email", "new_email")
"""Where Mailchimp's messages name the person they are about."""
_NAMED = "encode(raw, 'escape') ILIKE %s OR event::text ILIKE %s"
_HASH = "Mailchimp's key of the address."
_SUBJECT = AppealText.objects.filter(appeal=OuterRef("appeal"), language=OuterRef("language"))


def _deliveries(person: Person) -> QuerySet:
    return Delivery.objects.filter(supporter=person.pk)


def _forget_deliveries(person: Person) -> None:
    theirs = _deliveries(person)
    waiting = theirs.filter(state__in=[Delivery.State.HELD, Delivery.State.QUEUED])
    waiting.update(state=Delivery.State.SKIPPED, claim=None)
    theirs.filter(state=Delivery.State.SKIPPED).update(supporter=None, reason=ERASED)
    theirs.update(supporter=None, reason="")


def _clicks(person: Person) -> QuerySet:
    return Click.objects.filter(delivery__supporter=person.pk)


def _returns(person: Person) -> QuerySet:
    about = Q(supporter=person.pk) | Q(delivery__supporter=person.pk)
    return Return.objects.filter(about | Q(address=person.email) if person.email else about)


def _returned(person: Person) -> QuerySet:
    """Those that were found to be about them, and those in which their address stands."""
    about = Q(pk__in=_returns(person).values("message"))
    if person.email:
        pattern = f"%{escape_like(person.email)}%"
        named = RawSQL(_NAMED, [pattern, pattern], BooleanField())  # noqa: S611 - only its parameters vary
        about |= Q(pk__in=ReturnedMessage.objects.alias(named=named).filter(named=True))
    return ReturnedMessage.objects.filter(about)


def _readable(row: Row) -> Row:
    raw = row["message"]
    return row | {"message": bytes(raw).decode("utf-8", "replace") if raw is not None else None}


def _memberships(person: Person) -> QuerySet:
    """Those of addresses that they had under a record which was merged too."""
    return AudienceMember.objects.filter(Q(supporter=person.pk) | Q(retired_from=person.pk))


def _forget_memberships(person: Person) -> list[int]:
    newcomers.settle_one(person.pk)
    owed = list(_memberships(person).values_list("pk", flat=True))
    _memberships(person).update(
        supporter=None,
        retired_from=None,
        to_delete=True,
        digest=None,
        agreed=None,
        sent=None,
        permissions=None,
        note="",
        differs=[],
        refusal="",
        refused_at=None,
    )
    return owed


def _events(person: Person) -> QuerySet:
    if not person.email:
        return WebhookEvent.objects.none()
    about = Q()
    for name in _TOLD:
        about |= Q(**{f"data__{name}__iexact": person.email})
    return WebhookEvent.objects.filter(about)


HOLDINGS: list[Holding] = [
    Holding(
        "segments",
        _("Groups that you are in"),
        "campaigns.SegmentMember",
        about=lambda person: SegmentMember.objects.filter(supporter=person.pk),
        columns={"segment": "segment__name"},
        forget=lambda person: SegmentMember.objects.filter(supporter=person.pk).delete(),
    ),
    Holding(
        "deliveries",
        _("Appeals that we sent you"),
        "campaigns.Delivery",
        about=_deliveries,
        columns={
            "appeal": "appeal__name",
            "subject": Subquery(_SUBJECT.values("subject")[:1]),
            **same("language", "state", "reason", "attempts", "sent_at", "updated_at"),
        },
        labels={"subject": _("subject")},
        unshown={"receiver": "Which mail service takes it.", "variant": "Which of several texts it was."},
        forget=_forget_deliveries,
    ),
    Holding(
        "turns",
        _("The last appeal, where you asked for fewer"),
        "campaigns.Turn",
        about=lambda person: Turn.objects.filter(supporter=person.pk),
        columns=same("taken_at"),
        forget=lambda person: Turn.objects.filter(supporter=person.pk).delete(),
    ),
    Holding(
        "clicks",
        _("Links that you followed"),
        "campaigns.Click",
        about=_clicks,
        columns={
            "appeal": "delivery__appeal__name",
            "link": "link__target",
            **same("times", "first_at", "last_at"),
        },
        forget=lambda person: _clicks(person).delete(),
    ),
    Holding(
        "returns",
        _("What mail servers told us"),
        "campaigns.Return",
        about=_returns,
        columns=same("kind", "reason", "status", "said", "address", "match", "done", "happened_at"),
        forget=lambda person: _returns(person).update(supporter=None, address="", said=""),
    ),
    Holding(
        "returned_messages",
        _("Messages that came back"),
        "campaigns.ReturnedMessage",
        about=_returned,
        columns={**same("channel", "provider", "received_at", "applied_at", "error", "event"), "message": "raw"},
        labels={"message": _("message"), "event": _("what the provider told")},
        unshown={"digest": "A hash, by which the same message is known."},
        forget=lambda person: _returned(person).update(raw=None, event=None, error=""),
        finish=_readable,
        made=frozenset({"message"}),
    ),
    Holding(
        "mailchimp_memberships",
        _("Lists at Mailchimp"),
        "campaigns.AudienceMember",
        about=_memberships,
        columns={
            "audience": "audience__name",
            **same(
                "status", "status_at", "left_at", "asked_back_at", "agreed", "permissions", "refusal", "refused_at"
            ),
            **same("note", "last_changed", "updated_at"),
        },
        labels={"agreed": _("fields there"), "permissions": _("permissions there")},
        unshown={
            "subscriber_hash": _HASH,
            "moving_to": _HASH,
            "contact": "Mailchimp's key of the person.",
            "handed_in": "Which call about them is under way.",
            "sent": "Fields of their record, as they are on their way there.",
            "digest": "A hash, by which changes are known.",
            "tags": "Mailchimp's numbers of the groups.",
            "differs": "Names of fields.",
        },
        forget=_forget_memberships,
        confirmed_outside=True,
    ),
    Holding(
        "mailchimp_events",
        _("What Mailchimp told us"),
        "campaigns.WebhookEvent",
        about=_events,
        columns={"audience": "audience__name", **same("kind", "data", "received_at", "applied_at", "error")},
        labels={"data": _("what it told")},
        unshown={"digest": "A hash, by which the same message is known."},
        forget=lambda person: _events(person).delete(),
    ),
]
"""In the order in which people read it; erasure goes through it backwards, so that returns are found by their deliveries."""

NOT_PERSONAL: dict[str, str] = {
    "campaigns.Addition": "Keys and hashes of a call to Mailchimp that is under way.",
    "campaigns.Appeal": "What we write, and who of us.",
    "campaigns.AppealIncome": "Sums.",
    "campaigns.AppealLink": "Addresses of pages.",
    "campaigns.AppealResult": "Sums.",
    "campaigns.AppealText": "What we write.",
    "campaigns.AppealVariant": "What we write.",
    "campaigns.Audience": "Settings of a list.",
    "campaigns.Campaign": "What we plan.",
    "campaigns.Claim": "Which machine is at work.",
    "campaigns.DeliveryCount": "Sums.",
    "campaigns.HandedIn": "Keys of calls to Mailchimp that are under way.",
    "campaigns.Mailing": "What Mailchimp sends, and sums.",
    "campaigns.Receiver": "Mail services.",
    "campaigns.ReceiverDomain": "Mail services.",
    "campaigns.Segment": "Rules.",
    "campaigns.SendingControl": "Settings.",
    "campaigns.SyncRun": "Counts of a sync.",
    "campaigns.WarmUp": "Settings.",
    "campaigns.WarmUpDay": "Counts.",
}
"""Tables with room for text that hold nothing of a supporter, each with the reason."""
