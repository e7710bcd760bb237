"""What can be exported of segments, appeals and Mailchimp: supporters.exporting."""

from decimal import Decimal
from functools import partial
from typing import Any

from django.conf import settings
from django.db.models import CharField, F, Func
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns.appeals import report
from campaigns.models import Appeal, AudienceMember, Delivery, Return, Segment
from campaigns.segments import RuleProblem, describe, query
from campaigns.segments.fields import FIELDS, SIGNED
from supporters.exporting import change_list, consents
from supporters.exporting.listings import (
    Asked,
    Column,
    Extent,
    Kind,
    Listing,
    NothingThere,
    counted,
    register,
)
from supporters.exports import EXPORT_PEOPLE, EXPORT_SIGNATURES, PERSON, WHO_IS_IN_IT, who

# Segments ---------------------------------------------------------------------------------------


def _segment(asked: Asked) -> Segment:
    return asked.one(Segment.objects, "segment")


def _members(asked: Asked) -> Extent:
    """Those who meet the rules now and may be written to."""
    segment = _segment(asked)
    try:
        people, words = query(segment.rules).order_by("pk"), describe(segment.rules)
    except RuleProblem:
        raise NothingThere from None
    what = gettext("Segment: %(name)s") % {"name": segment.name}
    return Extent(people, counted(people, segment.size or 0), what, words)


def _rights_of_segment(asked: Asked) -> list[str]:
    segment = Segment.objects.filter(pk=asked.number("segment")).first()
    # What one that is gone by now told, nobody knows.
    return [EXPORT_SIGNATURES] if segment is None or tells_what_people_signed(segment.rules) else []


def tells_what_people_signed(rules: Any, seen: frozenset[int] = frozenset()) -> bool:
    """Whether these rules, or those of a segment that they name, ask what people signed."""
    if not isinstance(rules, dict):
        return False
    if isinstance(rules.get("rules"), list):
        return any(tells_what_people_signed(member, seen) for member in rules["rules"])
    field = FIELDS.get(str(rules.get("field")))
    if field and field.group == SIGNED:
        return True
    if field and field.model is Segment and isinstance(rules.get("value"), list):
        named = Segment.objects.filter(pk__in=[key for key in rules["value"] if key not in seen])
        return any(tells_what_people_signed(other, seen | {key}) for key, other in named.values_list("pk", "rules"))
    return False


# Appeals ----------------------------------------------------------------------------------------


def _appeal(asked: Asked) -> Appeal:
    return asked.one(Appeal.objects.filter(launched_at__isnull=False), "appeal")


_COUNTS = {
    "clicked": _("People who clicked"),
    "clicks": _("Clicks"),
    "opened": _("Opened"),
    "left": _("Unsubscribed"),
    "signatures": _("Signatures"),
    "gifts": _("Gifts"),
}
_SEEN_WITH = {"signatures": "supporters.view_signature", "gifts": "supporters.view_donation"}


def _result_columns(asked: Asked) -> list[Column]:
    total = report.of(_appeal(asked)).total
    number = partial(Column, kind=Kind.NUMBER)
    counts = [name for name in _COUNTS if name != "opened" or settings.COUNT_OPENS or total.opened]
    amounts = [
        Column(f"amount_{currency}", currency, kind=Kind.MONEY, currency=currency, needs="supporters.view_donation")
        for currency in sorted(total.income)
    ]
    return [
        Column("source_code", _("Source code")),
        Column("language", _("Language")),
        Column("variant", _("Variant")),
        number("recipients", _("Recipients")),
        *(number(state.value, state.label) for state in Delivery.State),
        *(number(name, _COUNTS[name], needs=_SEEN_WITH.get(name, "")) for name in counts),
        *amounts,
    ]


def _results(asked: Asked) -> Extent:
    """A row for each language and variant. Rates are left to the spreadsheet, and currencies are never added up."""
    appeal = _appeal(asked)
    found = report.of(appeal)
    names = [column.name for column in LISTING_OF_RESULTS.offered(asked)]
    rows = []
    for (language, variant), figures in sorted(found.texts.items()):
        cells = {"source_code": appeal.source_code, "language": language, "variant": variant}
        cells |= {"recipients": figures.recipients}
        cells |= {state.value: figures.states[state] for state in Delivery.State}
        cells |= {name: getattr(figures, name) for name in _COUNTS}
        for currency in found.total.income:
            cells[f"amount_{currency}"] = figures.income.get(currency, Decimal(0))
        rows.append([cells[name] for name in names])
    return Extent(rows, len(rows), gettext("Results: %(appeal)s") % {"appeal": appeal.name})


LISTING_OF_RESULTS = Listing(
    "appeal-results",
    _("Results of an appeal"),
    extent=_results,
    back=lambda asked: reverse("admin:campaigns_appeal_change", args=[_appeal(asked).pk]),
    columns=_result_columns,
    needs=("campaigns.view_appeal",),
)
_DIFFERS = Func(
    F("differs"),
    template="coalesce((SELECT string_agg(what, ', ') FROM jsonb_array_elements_text(%(expressions)s) what), '')",
    output_field=CharField(),
)

register(
    LISTING_OF_RESULTS,
    Listing(
        "segment",
        _("Members of a segment"),
        extent=_members,
        back=lambda asked: reverse("admin:campaigns_segment_change", args=[_segment(asked).pk]),
        columns=PERSON,
        needs=("campaigns.view_segment", "supporters.view_supporter", EXPORT_PEOPLE),
        also_needs=_rights_of_segment,
        people=True,
        person=WHO_IS_IN_IT,
    ),
    Listing(
        "deliveries",
        _("Deliveries"),
        **change_list.of(Delivery),
        columns=(
            Column("appeal", _("Appeal"), "appeal__name"),
            *who(),
            Column("state", _("State"), "state"),
            Column("reason", _("Reason"), "reason"),
            Column("language", _("Language"), "language"),
            Column("variant", _("Variant"), "variant"),
            Column("attempts", _("Attempts"), "attempts", Kind.NUMBER),
            Column("sent_at", _("Sent"), "sent_at", Kind.MOMENT),
            *consents.columns("supporter"),
        ),
        needs=("campaigns.view_delivery", "supporters.view_supporter", EXPORT_PEOPLE),
        people=True,
        person=("supporter",),
    ),
    Listing(
        "returns",
        _("Returned mail"),
        **change_list.of(Return),
        columns=(
            Column("happened_at", _("When"), "happened_at", Kind.MOMENT),
            *who(),
            Column("address", _("Address"), "address"),
            Column("kind", _("What"), "kind"),
            Column("reason", _("Reason"), "reason"),
            Column("status", _("Status code"), "status"),
            Column("said", _("The server's words"), "said"),
            Column("match", _("Matched by"), "match"),
            Column("done", _("Done"), "done"),
            Column("appeal", _("Appeal"), "delivery__appeal__name"),
            *consents.columns("supporter"),
        ),
        needs=("campaigns.view_return", "supporters.view_supporter", EXPORT_PEOPLE),
        people=True,
        person=("supporter",),
        traced=False,
    ),
    Listing(
        "mailchimp-members",
        _("Members in Mailchimp"),
        **change_list.of(AudienceMember),
        columns=(
            Column("audience", _("Audience"), "audience__name"),
            *who(),
            Column("status", _("Status"), "status"),
            Column("differs", _("Differs"), _DIFFERS),
            Column("refusal", _("Refused because"), "refusal"),
            Column("refused_at", _("Refused"), "refused_at", Kind.MOMENT),
            Column("note", _("Note"), "note"),
            Column("changed_there", _("Changed there"), "last_changed", Kind.MOMENT),
            Column("synced_at", _("Synced"), "updated_at", Kind.MOMENT),
            *consents.columns("supporter"),
        ),
        needs=("campaigns.view_audiencemember", "supporters.view_supporter", EXPORT_PEOPLE),
        people=True,
        person=("supporter",),
    ),
)
