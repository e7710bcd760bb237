"""What can be exported of supporters and of what they did: supporters.exporting."""

from django.contrib.postgres.aggregates import StringAgg
from django.db.models import Case, CharField, OuterRef, QuerySet, Subquery, Sum, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Coalesce, Concat, TruncWeek
from django.urls import reverse
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from supporters import places
from supporters.exporting import change_list, consents, refused
from supporters.exporting.listings import Asked, Column, Extent, Kind, Listing, register
from supporters.importing.parsing import OWN_PROVIDER, REFERENCE_SYSTEM
from supporters.models import (
    Consent,
    Donation,
    Double,
    Merge,
    Organisation,
    OrganisationContact,
    Petition,
    Purpose,
    RecurringDonation,
    Reference,
    Refund,
    Signature,
    SignatureCount,
    Supporter,
    Tally,
)
from supporters.partners.listing import LISTINGS as PARTNERS

EXPORT_PEOPLE = "supporters.export_supporter"
EXPORT_GIFTS = "supporters.export_donation"
EXPORT_SIGNATURES = "supporters.export_signature"


def _joined(rows: QuerySet, owner: str, text: object, separator: str = ", ") -> Coalesce:
    """What belongs to a row, in one cell."""
    together = rows.order_by().values(owner).annotate(joined=StringAgg(text, separator, order_by=text))
    return Coalesce(Subquery(together.values("joined")), Value(""), output_field=CharField())


def reference(person: str) -> Coalesce:
    """The donor's number, by which our own import knows the person again."""
    numbers = Reference.objects.filter(supporter=OuterRef(person), system=REFERENCE_SYSTEM)
    return Coalesce(Subquery(numbers.order_by("pk").values("identifier")[:1]), Value(""), output_field=CharField())


def _other_references(person: str) -> Coalesce:
    others = Reference.objects.filter(supporter=OuterRef(person)).exclude(system=REFERENCE_SYSTEM)
    return _joined(others, "supporter", Concat("system", Value(": "), "identifier"))


def _tags(person: str) -> Coalesce:
    return _joined(Supporter.tags.through.objects.filter(supporter=OuterRef(person)), "supporter", "tag__name")


def _partners(person: str) -> Coalesce:
    """What was last said of each partner that was ever asked for."""
    said = Consent.objects.filter(supporter=OuterRef(OuterRef(person)), purpose=Purpose.PARTNER)
    last = said.order_by("organisation_id", "-happened_at", "-state", "-pk").distinct("organisation_id").values("pk")
    text = Concat("organisation__name", Value(": "), "state")
    return _joined(Consent.objects.filter(pk__in=last), "supporter", text, "; ")


PERSON = (
    Column("first_name", _("First name"), "first_name"),
    Column("last_name", _("Last name"), "last_name"),
    Column("email", _("Email"), "email"),
    Column("phone", _("Phone"), "phone"),
    Column("language", _("Language"), "language"),
    Column("how_often", _("How often"), "how_often"),
    Column("discreet", _("Discreet mail"), "discreet", Kind.FLAG),
    Column("country", _("Country"), "country"),
    Column("birth_date", _("Birth date"), "birth_date", Kind.DAY),
    Column("street", _("Street"), "street"),
    Column("postcode", _("Postcode"), "postcode"),
    Column("city", _("City"), "city"),
    Column("region", _("Region"), "region"),
    Column("organisation", _("Organisation"), "organisation__name"),
    Column("tags", _("Tags"), _tags("pk")),
    Column("reference", _("Donor number"), reference("pk")),
    Column("other_references", _("Numbers in other systems"), _other_references("pk")),
    Column("source_code", _("Source code"), "source_code"),
    Column("reached_through", _("Reached through"), "shares_email_with__email"),
    Column("created_at", _("On file since"), "created_at", Kind.MOMENT),
    *consents.columns("pk"),
    Column("partner_consents", _("Consent: partners"), _partners("pk")),
    Column(
        "signature_consent",
        _("Consent: signatures"),
        Consent.objects.latest_state(OuterRef("pk"), Purpose.SIGNATURE),
        needs=EXPORT_SIGNATURES,
    ),
)
"""The columns of a supporter;"""
WHO_IS_IN_IT = ("pk", "shares_email_with")
"""and whom they name."""


def who(path: str = "supporter") -> tuple[Column, ...]:
    """Whom a row belongs to."""
    return (
        Column("first_name", _("First name"), f"{path}__first_name"),
        Column("last_name", _("Last name"), f"{path}__last_name"),
        Column("email", _("Email"), f"{path}__email"),
        Column("reference", _("Donor number"), reference(path)),
    )


def _petition(asked: Asked) -> Petition:
    return asked.one(Petition.objects, "petition")


def _totals(asked: Asked) -> Extent:
    """Signatures of a petition by country and by week: sums, in which nobody can be found."""
    petition = _petition(asked)
    counts = SignatureCount.objects.filter(petition=petition).order_by()
    online = counts.annotate(week=TruncWeek("day")).values_list("country", "week").annotate(signed=Sum("number"))
    batches = Tally.objects.counted().filter(petition=petition).order_by().annotate(week=TruncWeek("gathered_on"))
    elsewhere = batches.values_list("country", "week", "way").annotate(signed=Sum("number"))
    found = [(*row[:2], "online", row[2]) for row in online] + list(elsewhere)
    language = get_language() or "en"
    rows = [
        (
            petition.slug,
            country,
            places.name_of(country, language) if country else "",
            country in places.EU,
            week,
            signed,
            way,
        )
        for country, week, way, signed in sorted(found)
        if signed
    ]
    return Extent(rows, len(rows), gettext("Totals: %(petition)s") % {"petition": petition.title})


def _or_ours(field: str, own: Combinable) -> Case:
    """What the payment is known by; our own number for one that was entered by hand, so that our import knows it again."""
    return Case(When(provider_id="", then=own), default=field, output_field=CharField())


_GIVEN_BACK = Refund.objects.filter(donation=OuterRef("pk")).order_by().values("donation").annotate(sum=Sum("amount"))

register(
    *PARTNERS,
    Listing(
        "supporters",
        _("Supporters"),
        **change_list.of(Supporter),
        columns=PERSON,
        needs=("supporters.view_supporter", EXPORT_PEOPLE),
        people=True,
        person=WHO_IS_IN_IT,
    ),
    Listing(
        "donations",
        _("Donations"),
        **change_list.of(Donation),
        columns=(
            *who(),
            Column("amount", _("Amount"), "amount", Kind.MONEY, currency="currency"),
            Column("currency", _("Currency"), "currency"),
            Column("received_on", _("Received on"), "received_on", Kind.DAY),
            Column("method", _("Method"), "method"),
            Column("state", _("State"), "state"),
            Column(
                "given_back",
                _("Given back"),
                Subquery(_GIVEN_BACK.values("sum")),
                Kind.MONEY,
                currency="currency",
            ),
            Column("source_code", _("Source code"), "source_code"),
            Column("designation", _("Designation"), "designation"),
            Column("provider", _("Provider"), _or_ours("provider", Value(OWN_PROVIDER))),
            Column("transaction_id", _("Transaction id"), _or_ours("provider_id", Cast("pk", CharField()))),
            *consents.columns("supporter"),
        ),
        needs=("supporters.view_donation", EXPORT_GIFTS),
        people=True,
        person=("supporter",),
    ),
    Listing(
        "recurring-donations",
        _("Recurring donations"),
        **change_list.of(RecurringDonation),
        columns=(
            *who(),
            Column("amount", _("Amount"), "amount", Kind.MONEY, currency="currency"),
            Column("currency", _("Currency"), "currency"),
            Column("interval", _("Interval"), "interval"),
            Column("state", _("State"), "state"),
            Column("started_on", _("Since"), "started_on", Kind.DAY),
            Column("next_due_on", _("Next due"), "next_due_on", Kind.DAY),
            Column("ended_on", _("Ended"), "ended_on", Kind.DAY),
            Column("source_code", _("Source code"), "source_code"),
            Column("provider", _("Provider"), "provider"),
            Column("agreement_id", _("Provider's id"), "provider_id"),
            *consents.columns("supporter"),
        ),
        needs=("supporters.view_recurringdonation", EXPORT_GIFTS),
        people=True,
        person=("supporter",),
    ),
    Listing(
        "signatures",
        _("Signatures"),
        **change_list.of(Signature),
        columns=(
            Column("petition", _("Petition"), "petition__slug"),
            *who(),
            Column("country", _("Country"), "country"),
            Column("language", _("Language"), "language"),
            Column("state", _("State"), "state"),
            Column("organisation", _("Organisation"), "organisation__name"),
            Column("source_code", _("Source code"), "source_code"),
            Column("created_at", _("Signed"), "created_at", Kind.MOMENT),
            Column("validated_at", _("Validated"), "validated_at", Kind.MOMENT),
            Column("comment", _("Comment"), "comment"),
            *consents.columns("supporter"),
        ),
        needs=("supporters.view_signature", EXPORT_SIGNATURES),
        people=True,
        person=("supporter",),
    ),
    Listing(
        "refused-rows",
        _("Rows of an import to look at"),
        extent=refused.extent,
        back=lambda asked: reverse("admin:supporters_importrun_change", args=[refused.run_of(asked).pk]),
        columns=refused.columns,
        needs=("supporters.view_importrun", EXPORT_PEOPLE),
        people=True,
        traced=False,
    ),
    Listing(
        "petition-totals",
        _("Totals of a petition"),
        extent=_totals,
        back=lambda asked: reverse("admin:supporters_petition_change", args=[_petition(asked).pk]),
        columns=(
            Column("petition", _("Petition")),
            Column("country", _("Country")),
            Column("country_name", _("Name of the country")),
            Column("member_state", _("Member state of the EU"), kind=Kind.FLAG),
            Column("week", _("Week, by its Monday"), kind=Kind.DAY),
            Column("signatures", _("Signatures"), kind=Kind.NUMBER),
            Column("gathered", _("Gathered: online, paper or partner")),
        ),
        needs=("supporters.view_petition",),
    ),
    Listing(
        "organisations",
        _("Organisations"),
        **change_list.of(Organisation),
        columns=(
            Column("name", _("Name"), "name"),
            Column("country", _("Country"), "country"),
            Column("role", _("Role"), "role"),
            Column("website", _("Website"), "website"),
            Column("source_code", _("Source code"), "source_code"),
            Column("created_at", _("On file since"), "created_at", Kind.MOMENT),
            Column(
                "contacts",
                _("Contacts"),
                _joined(
                    OrganisationContact.objects.filter(organisation=OuterRef("pk")),
                    "organisation",
                    Concat(
                        "supporter__first_name",
                        Value(" "),
                        "supporter__last_name",
                        Value(" <"),
                        Coalesce("supporter__email", Value("")),
                        Value(">"),
                        output_field=CharField(),
                    ),
                    "; ",
                ),
                needs=EXPORT_PEOPLE,
                people=True,
            ),
        ),
        needs=("supporters.view_organisation",),
        traced=False,
    ),
    Listing(
        "merges",
        _("Merges"),
        **change_list.of(Merge),
        columns=(
            Column("merged_at", _("Merged"), "merged_at", Kind.MOMENT),
            Column("record", _("Number of the record merged away"), "away_pk", Kind.NUMBER),
            *who("survivor"),
            Column("probability", _("How sure"), "probability", Kind.NUMBER),
            Column("merged_by", _("Merged by"), "merged_by__username"),
            Column("batch", _("Batch"), "batch_id", Kind.NUMBER),
            Column("undone_at", _("Undone"), "undone_at", Kind.MOMENT),
            Column("undone_by", _("Undone by"), "undone_by__username"),
            *consents.columns("survivor"),
        ),
        needs=("supporters.view_merge", "supporters.view_supporter", EXPORT_PEOPLE),
        people=True,
        person=("survivor",),
    ),
    Listing(
        "doubles",
        _("Possible doubles"),
        **change_list.of(Double),
        columns=(
            Column("probability", _("How sure"), "probability", Kind.NUMBER),
            *(
                Column(f"{side}_{name}", label, f"{side}__{name}", kind)
                for side in ("first", "second")
                for name, label, kind in (
                    ("first_name", _("First name"), Kind.TEXT),
                    ("last_name", _("Last name"), Kind.TEXT),
                    ("email", _("Email"), Kind.TEXT),
                    ("birth_date", _("Birth date"), Kind.DAY),
                    ("phone", _("Phone"), Kind.TEXT),
                    ("street", _("Street"), Kind.TEXT),
                    ("postcode", _("Postcode"), Kind.TEXT),
                    ("city", _("City"), Kind.TEXT),
                )
            ),
            Column("state", _("State"), "state"),
            Column("found_by", _("Found by"), "found_by"),
            Column("found_at", _("Found"), "found_at", Kind.MOMENT),
            *consents.columns("first", "first_"),
            *consents.columns("second", "second_"),
        ),
        needs=("supporters.view_double", "supporters.view_supporter", EXPORT_PEOPLE),
        people=True,
        person=("first", "second"),
    ),
)
