"""All that is held of people, over all floors: supporters.holdings says how it is read."""

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import BooleanField, Q, QuerySet, TextField
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast
from django.utils.translation import gettext_lazy as _

from campaigns import personal as campaigns
from supporters import personal as supporters
from supporters import scrubbing
from supporters.holdings import Holding, Person, Row, same


def _entries(person: Person) -> QuerySet:
    """What staff did with the person and with what belongs to them, and whatever names the address."""
    about = Q(pk__in=[])
    for holding in _LOGGED:
        kind = ContentType.objects.get_for_model(holding.table)
        keys = holding.about(person).order_by().values_list(Cast("pk", TextField()))
        about |= Q(content_type=kind, object_id__in=keys)
    named = RawSQL(
        "lower(object_repr || ' ' || change_message) LIKE ANY(%s)", [scrubbing.anywhere(person)], BooleanField()
    )
    # A record of its own kind that bears the same name is a namesake's.
    namesakes = Q(content_type__in=[ContentType.objects.get_for_model(holding.table) for holding in _LOGGED])
    address = Q(object_repr__icontains=person.email) | Q(change_message__icontains=person.email)
    if not person.email:
        address = Q(pk__in=[])
    return LogEntry.objects.alias(named=named).filter(about | address | (Q(named=True) & ~namesakes))


def _in_words(row: Row) -> Row:
    entry = LogEntry(change_message=row["message"])
    return row | {"message": entry.get_change_message()}


_BELOW = [*supporters.HOLDINGS, *campaigns.HOLDINGS]
_LOGGED = [
    holding
    for holding in _BELOW
    if holding.model
    in {
        *("supporters.Supporter", "supporters.Donation", "supporters.RecurringDonation", "supporters.Signature"),
        *("supporters.Refund", "supporters.Consent", "supporters.Double", "supporters.PaymentEvent"),
        *("supporters.Pledge", "supporters.Dispute", "campaigns.Delivery", "campaigns.Return"),
        *("campaigns.ReturnedMessage", "campaigns.AudienceMember"),
    }
]
"""Records that have a page on the staff site, of which Django keeps who changed what."""

HOLDINGS: list[Holding] = [
    *_BELOW,
    Holding(
        "staff_log",
        _("What we did with your records"),
        "admin.LogEntry",
        about=_entries,
        columns={
            **same("action_time"),
            "action": "action_flag",
            "record": "object_repr",
            "message": "change_message",
        },
        labels={
            "action_time": _("when"),
            "action": _("kind of change"),
            "record": _("record"),
            "message": _("what"),
        },
        unshown={"object_id": "A number of ours for programs."},
        forget=lambda person: _entries(person).update(object_repr="", change_message=""),
        finish=_in_words,
        made=frozenset({"message"}),
    ),
]
"""In the order in which people read it. Erasure goes through it backwards, from what is about records to the records."""

NOT_PERSONAL: dict[str, str] = {
    **supporters.NOT_PERSONAL,
    **campaigns.NOT_PERSONAL,
    "auth.Group": "Roles of staff.",
    "auth.Permission": "What staff may do.",
    "auth.User": "Staff, and people of partners, who are no supporters by that.",
    "contenttypes.ContentType": "Names of tables.",
    "crm.Job": "Counts of background work.",
    "crm.RetentionRun": "Counts of what was forgotten.",
    "sessions.Session": "Who is logged in; see config.settings on messages.",
}
"""Tables with room for text that hold nothing of a supporter, each with the reason."""
