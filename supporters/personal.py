"""Where supporters hold something of a person: supporters.holdings says how it is read.

Stored files are gone through before, by supporters.blanking. The books keep gifts, the petition its count, both without the
person; the address stays suppressed as a hash. All else goes.
Erasure goes through the list from its end to its beginning: the person goes last.
"""

import re
from functools import reduce
from operator import or_

from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet, Value
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext_lazy as _

from supporters import consent, erasing, mentions, scrubbing
from supporters.exporting import making
from supporters.holdings import Holding, Person, same
from supporters.models import (
    Consent,
    Disclosure,
    Dispute,
    Donation,
    Double,
    ErasureRequest,
    Export,
    Handover,
    ImportChunk,
    ImportRun,
    InboxRequest,
    Letter,
    Merge,
    OrganisationContact,
    Receipt,
    RecurringDonation,
    Reference,
    Refund,
    Signature,
    Supporter,
    Suppression,
    Tally,
    TallyScan,
)
from supporters.partners import people
from supporters.payments import forgetting
from supporters.privacy import ledger_open_for
from supporters.receipts import giving
from supporters.receipts.record import VERSION

_HASH = "A salted hash, by which nobody can be found."
_KEY = "A number of ours for programs."


def _of(model: type, path: str = "supporter"):  # noqa: ANN202
    return lambda person: model.objects.filter(**{path: person.pk})


def _delete(about):  # noqa: ANN001, ANN202
    return lambda person: about(person).delete()


def _letters(person: Person) -> QuerySet:
    theirs = Q(signature__supporter=person.pk) | Q(donation__supporter=person.pk) | Q(supporter=person.pk)
    theirs |= Q(inbox_request__supporter=person.pk)
    typed = Q(signature__email=person.email) | Q(inbox_request__email=person.email)
    return Letter.objects.filter(theirs | typed if person.email else theirs)


def _inbox_requests(person: Person) -> QuerySet:
    theirs = Q(supporter=person.pk)
    return InboxRequest.objects.filter(theirs | Q(email=person.email) if person.email else theirs)


def _signatures(person: Person) -> QuerySet:
    """Theirs, and what was typed with their address and waits to be confirmed."""
    theirs = Q(supporter=person.pk)
    return Signature.objects.filter(theirs | Q(email=person.email) if person.email else theirs)


def _forget_signatures(person: Person) -> None:
    if person.email:
        Signature.objects.filter(email=person.email).delete()
    Signature.objects.filter(supporter=person.pk).update(supporter=None, comment="", typed={}, shown=False)


def _suppressions(person: Person) -> QuerySet:
    if not person.email:
        return Suppression.objects.none()
    return consent.suppressions_of(person.email)


def _suppress(person: Person) -> None:
    if person.email:
        consent.suppress(person.email, Suppression.Reason.ERASED)


def _forget_consents(person: Person) -> None:
    with ledger_open_for("erase"):
        Consent.objects.filter(supporter=person.pk).delete()


def _doubles(person: Person) -> QuerySet:
    return Double.objects.filter(Q(first=person.pk) | Q(second=person.pk))


def _forget_rows(person: Person) -> None:
    mentions.forget_rows(mentions.rows_about(person))


def _runs(person: Person) -> QuerySet:
    """Files whose name, column names or settings are about them."""
    said = "lower(concat_ws(' ', file_name, layout::text, mapping::text, options::text, consent_how, consent_wording, error))"
    named = RawSQL(f"{said} LIKE ANY(%s)", [scrubbing.anywhere(person)], BooleanField())  # noqa: S611
    columns = RawSQL(
        """
        (SELECT count(*) > 1 FROM jsonb_array_elements(CASE WHEN mapping ? 'columns' THEN mapping->'columns' END) c
         WHERE lower(c->>'name') = ANY(%s))
        """,
        [sorted(filter(None, (person.first_name.lower(), person.last_name.lower())))],
        BooleanField(),
    )
    return ImportRun.objects.alias(named=named, columns=columns).filter(Q(named=True) | Q(columns=True))


def _forget_runs(person: Person) -> None:
    for run in _runs(person):
        for name in ("file_name", "consent_how", "consent_wording", "error"):
            setattr(run, name, scrubbing.text(getattr(run, name), person))
        for name in ("layout", "mapping", "options"):
            setattr(run, name, scrubbing.document(getattr(run, name), person))
        for number, column in enumerate(run.mapping.get("columns", []), start=1):
            column["name"] = column["name"] or _("Column %(number)s") % {"number": number}
        run.save(
            update_fields=["file_name", "consent_how", "consent_wording", "error", "layout", "mapping", "options"]
        )


def _named(person: Person, field: str) -> Q:
    """That a text which people wrote names this person, in whole words."""
    words = [rf"\m{re.escape(text)}\M" for text in (person.email, person.last_name) if text]
    return Q(**{f"{field}__iregex": "|".join(words)}) if words else Q(pk__in=[])


def _forget_donations(person: Person) -> None:
    theirs = Donation.objects.filter(supporter=person.pk)
    theirs.filter(_named(person, "designation")).update(designation="")
    theirs.update(supporter=None)


def _forget_refunds(person: Person) -> None:
    _of(Refund, "donation__supporter")(person).filter(_named(person, "reason")).update(reason="")


def _exports(person: Person) -> QuerySet:
    """Those whose words name the person: a file or a segment that was called by them, a filter, the reason."""
    return Export.objects.filter(_named(person, "what") | _named(person, "filters") | _named(person, "reason"))


def _forget_exports(person: Person) -> None:
    with ledger_open_for("erase"):
        # Without its filter it would be of the whole list.
        making.stop(_exports(person))
        _exports(person).filter(_named(person, "filters")).update(filters="", query="")
        for name in ("what", "reason"):
            _exports(person).filter(_named(person, name)).update(**{name: "–"})


_TALLY_WORDS = ("source", "place", "no_scan", "withdrawn_because")


def _tallies(person: Person) -> QuerySet:
    """Batches in whose words somebody was named."""
    return Tally.objects.filter(reduce(or_, (_named(person, name) for name in _TALLY_WORDS)))


def _forget_tallies(person: Person) -> None:
    with ledger_open_for("erase"):
        for name in _TALLY_WORDS:
            Tally.objects.filter(_named(person, name)).update(**{name: "–"})


HOLDINGS: list[Holding] = [
    Holding(
        "person",
        _("You"),
        "supporters.Supporter",
        given=True,
        about=_of(Supporter, "pk"),
        columns={
            **same("first_name", "last_name", "email", "phone", "language", "country", "birth_date"),
            **same("how_often", "discreet"),
            **same("street", "postcode", "city", "region", "source_code", "marks"),
            "organisation": "organisation__name",
            "reached_through_another": ExpressionWrapper(
                Q(shares_email_with__isnull=False), output_field=BooleanField()
            ),
            **same("created_at", "updated_at"),
        },
        labels={"reached_through_another": _("reached through another person's address")},
        unshown={"search": "The same once more, for the search.", "shares_email_with": "Somebody else's record."},
        forget=_delete(_of(Supporter, "pk")),
    ),
    Holding(
        "references",
        _("Your numbers in other systems"),
        "supporters.Reference",
        about=_of(Reference),
        columns=same("system", "identifier"),
        forget=_delete(_of(Reference)),
    ),
    Holding(
        "tags",
        _("Labels"),
        "supporters.Supporter_tags",
        about=_of(Supporter.tags.through),
        columns={"tag": "tag__name"},
        forget=_delete(_of(Supporter.tags.through)),
    ),
    Holding(
        "contact_of",
        _("Organisations that you speak for"),
        "supporters.OrganisationContact",
        about=_of(OrganisationContact),
        columns={"organisation": "organisation__name", "function": "function"},
        forget=_delete(_of(OrganisationContact)),
    ),
    Holding(
        "consents",
        _("What you allowed, and took back"),
        "supporters.Consent",
        given=True,
        about=_of(Consent),
        columns={
            **same("purpose", "state"),
            "partner": "organisation__name",
            **same("wording", "wording_version", "language", "method", "source"),
            "file": "import_run__file_name",
            **same("happened_at", "recorded_at"),
        },
        unshown={"address_hash": _HASH},
        forget=_forget_consents,
    ),
    Holding(
        "consent_receipts",
        _("Receipts of what you allowed, and took back"),
        "supporters.Receipt",
        about=_of(Receipt, "line__supporter"),
        read=lambda person: giving.given(_of(Receipt, "line__supporter")(person)),
        by_key=True,
        columns={
            "format": Value(giving.FORMAT),
            "version": Value(VERSION),
            "receipt": "line",
            **same("salt", "commitment", "chain", "number"),
            "previous": Value(""),
            "hash": "hash",
            "position": "id",
            "day": Value(""),
        },
        labels={
            "format": _("format"),
            "version": _("version"),
            "receipt": _("receipt"),
            "previous": _("hash before"),
            "day": _("digest of the day"),
        },
        unshown={"asked": "It stands in the receipt.", "parties": "They stand in the receipt."},
        made=frozenset({"receipt", "salt", "commitment", "chain", "hash"}),
    ),
    Holding(
        "suppressions",
        _("Why your address is not written to"),
        "supporters.Suppression",
        about=_suppressions,
        columns=same("reason", "created_at"),
        unshown={"email_hash": _HASH},
        forget=_suppress,
    ),
    Holding(
        "signatures",
        _("Petitions that you signed"),
        "supporters.Signature",
        given=True,
        about=_signatures,
        columns={
            "petition": "petition__title",
            **same("state", "email", "country", "language"),
            "organisation": "organisation__name",
            **same("source_code", "comment", "shown", "typed", "created_at", "validated_at", "taken_back_at"),
        },
        labels={"typed": _("as you typed it")},
        forget=_forget_signatures,
    ),
    Holding(
        "tallies",
        _("Batches of signatures whose words name you"),
        "supporters.Tally",
        about=_tallies,
        columns={
            "petition": "petition__title",
            **same("way", "source", "place", "no_scan", "withdrawn_because", "gathered_on"),
        },
        unshown={"scan_hash": "A hash of the whole scan.", "country": "Of the batch."},
        forget=_forget_tallies,
    ),
    Holding(
        "tally_scans",
        _("Scans of signatures on paper"),
        "supporters.TallyScan",
        about=lambda _person: TallyScan.objects.none(),
        columns={"petition": "tally__petition__title"},
        unshown={
            "content": "A picture of sheets with many names: only people find somebody in it, and staff look for who asks."
        },
    ),
    Holding(
        "recurring_donations",
        _("Your agreements to give"),
        "supporters.RecurringDonation",
        given=True,
        about=_of(RecurringDonation),
        columns=same(
            *("amount", "currency", "interval", "state", "provider", "provider_id"),
            *("started_on", "next_due_on", "ended_on", "source_code"),
        ),
        forget=lambda person: RecurringDonation.objects.filter(supporter=person.pk).update(supporter=None),
    ),
    Holding(
        "donations",
        _("Your donations"),
        "supporters.Donation",
        given=True,
        about=_of(Donation),
        columns={
            **same("amount", "currency", "method", "state", "received_on", "source_code", "designation"),
            **same("provider", "provider_id", "other_ids"),
            "file": "import_run__file_name",
            "created_at": "created_at",
        },
        forget=_forget_donations,
    ),
    Holding(
        "refunds",
        _("What you were given back"),
        "supporters.Refund",
        about=_of(Refund, "donation__supporter"),
        columns={
            **same("amount"),
            "currency": "donation__currency",
            **same("refunded_on", "provider", "provider_id", "reason"),
        },
        forget=_forget_refunds,
    ),
    Holding(
        "disputes",
        _("Payments that your bank asked back"),
        "supporters.Dispute",
        about=_of(Dispute, "donation__supporter"),
        columns={
            **same("amount"),
            "currency": "donation__currency",
            **same("state", "reason", "provider", "provider_id", "opened_on", "closed_on"),
        },
    ),
    Holding(
        "pledges",
        _("What you said you would give"),
        "supporters.Pledge",
        given=True,
        about=forgetting.pledges_of,
        columns={
            **same("method", "minor_units", "currency", "interval", "state", "reference", "email"),
            **same("first_name", "last_name", "language", "source_code"),
            "organisation": "organisation__name",
            **same("news", "session_id", "created_at"),
        },
        labels={"news": _("box for news")},
        forget=forgetting.forget_pledges,
    ),
    Holding(
        "payment_events",
        _("What payment providers told us"),
        "supporters.PaymentEvent",
        about=forgetting.events_about,
        columns=same(
            "provider", "event_id", "kind", "state", "doubt", "note", "happened_at", "received_at", "payload"
        ),
        unshown={"waits_for": "The payment or agreement, as it stands with the donation."},
        forget=forgetting.forget_events,
    ),
    Holding(
        "letters",
        _("Emails to you"),
        "supporters.Letter",
        about=_letters,
        columns={**same("kind", "language", "state"), "sent_at": "taken_at", **same("times", "error")},
        forget=_delete(_letters),
    ),
    Holding(
        "inbox_requests",
        _("What you asked, and have yet to confirm from your inbox"),
        "supporters.InboxRequest",
        about=_inbox_requests,
        columns=same("kind", "email", "asked_at"),
        forget=_delete(_inbox_requests),
    ),
    Holding(
        "doubles",
        _("Records that may be yours too"),
        "supporters.Double",
        about=_doubles,
        columns=same("probability", "state", "found_by", "found_at", "decided_at"),
        unshown={"evidence": "How each comparison came out: no more than that it did."},
        forget=_delete(_doubles),
    ),
    Holding(
        "merges",
        _("Records that were yours too"),
        "supporters.Merge",
        about=_of(Merge, "survivor"),
        columns={
            "email": "other_email",
            "record": "away",
            **same("merged_at", "undone_at"),
        },
        labels={"record": _("as it was")},
        unshown={
            "away_uuid": _KEY,
            "changed": "What it was before stands in the record.",
            "kept": "Of what there was twice, the other one.",
            "numbers": "How many rows there were.",
        },
        forget=_delete(_of(Merge, "survivor")),
    ),
    Holding(
        "handovers",
        _("Partners that got your address"),
        "supporters.Handover",
        about=_of(Handover),
        columns={"partner": "organisation__name", **same("email", "handed_at")},
        forget=lambda person: people.forget(person.pk),
    ),
    Holding(
        "disclosures",
        _("What we handed out to you"),
        "supporters.Disclosure",
        about=_of(Disclosure),
        columns=same("form", "language", "reason", "state", "asked_at", "made_at", "expires_at"),
        unshown={"content": "The same as this."},
        forget=_delete(_of(Disclosure)),
    ),
    Holding(
        "erasure_requests",
        _("What you asked us to erase"),
        "supporters.ErasureRequest",
        about=_of(ErasureRequest),
        columns=same(
            *("state", "door", "identified", "note", "received_on", "due_on", "extended_on", "extension"),
            *("ground", "refusal", "decided_at"),
        ),
        unshown={"trouble": "What keeps a worker.", "owed": _KEY, "kept": "Counts."},
        forget=lambda person: erasing.forget_texts(person.pk),
    ),
    Holding(
        "exports",
        _("Exports that were asked for with your name"),
        "supporters.Export",
        about=_exports,
        columns=same("what", "filters", "reason", "format", "state", "created_at", "finished_at"),
        unshown={
            "listing": "A name of ours for programs.",
            "query": "The filters once more, for programs.",
            "columns": "Names of columns.",
            "error": "What went wrong, in words of ours.",
        },
        forget=_forget_exports,
    ),
    Holding(
        "export_files",
        _("Files made by us that you are in"),
        "supporters.ExportPart",
        about=lambda person: making.parts_with(person.pk),
        columns={
            "list": "export__what",
            "reason": "export__reason",
            "format": "export__format",
            "made_at": "export__finished_at",
            "kept_until": "export__expires_at",
        },
        unshown={
            "content": "Rows about many people; what they say of this one is handed out from the records.",
            "people": "Numbers of ours, of everybody in it.",
        },
        forget=lambda person: making.withdraw(person.pk),
    ),
    Holding(
        "import_rows",
        _("Rows of files that were kept aside"),
        "supporters.ImportRow",
        about=mentions.rows_about,
        columns={
            "file": "run__file_name",
            "uploaded_at": "run__created_at",
            "row": "number",
            **same("values", "reason", "went_in", "verdict", "decided_at"),
        },
        forget=_forget_rows,
    ),
    Holding(
        "import_previews",
        _("What files that wait would change"),
        "supporters.PreviewSlice",
        about=mentions.previews_about,
        read=mentions.preview_lines,
        columns={"file": "preview__run__file_name", "row": "first", "values": "outcomes"},
        labels={"row": _("row"), "values": _("values")},
        unshown={"people": "Who they are about, by numbers of ours.", "examples": "Numbers of rows."},
        forget=mentions.forget_previews,
        made=frozenset({"row", "values"}),
    ),
    Holding(
        "imports",
        _("Names of files that name you"),
        "supporters.ImportRun",
        about=_runs,
        columns={"file": "file_name", "uploaded_at": "created_at"},
        unshown={
            "file_hash": "A hash of the whole file.",
            "layout": "How it is read.",
            "mapping": "Names of columns, which the rows show too.",
            "options": "Settings for all rows.",
            "consent_wording": "The words for all rows.",
            "consent_language": "Their language.",
            "consent_how": "How all of them were asked.",
            "error": "Why it stopped.",
        },
        forget=_forget_runs,
    ),
    Holding(
        "import_changes",
        _("What files changed, while that can be undone"),
        "supporters.ImportTrace",
        about=mentions.traces_about,
        read=mentions.trace_lines,
        columns={"file": "run__file_name", "row": "changed_rows", "before": "before", "after": "after"},
        labels={"row": _("row"), "before": _("before"), "after": _("after")},
        unshown={
            **dict.fromkeys(("made", "changed", "donations", "grants"), _KEY),
            **dict.fromkeys(("references", "tag_links", "refunds"), _KEY),
            **dict.fromkeys(("made_rows", "donation_rows", "counts", "kept"), "Numbers of rows."),
        },
        forget=mentions.forget_traces,
        made=frozenset({"row", "before", "after"}),
    ),
    Holding(
        "import_files",
        _("Files that we received"),
        "supporters.ImportChunk",
        about=lambda _person: ImportChunk.objects.none(),
        read=mentions.file_lines,
        columns={"file": "run__file_name", "uploaded_at": "run__created_at", "row": "number", "values": "content"},
        labels={"row": _("row"), "values": _("values")},
        made=frozenset({"values"}),
    ),
]
"""In the order in which people read it."""

NOT_PERSONAL: dict[str, str] = {
    "supporters.DoubleSearch": "Counts of a search.",
    "supporters.Tidying": "Counts, and keys of people.",
    "supporters.ImportPreview": "Counts of a file that waits.",
    "supporters.ImportKey": "Hashes of rows, kept while a file is read.",
    "supporters.ImportUndo": "Counts, and numbers of rows and records.",
    "supporters.MergeBatch": "Counts, and numbers of pairs.",
    "supporters.MergeMoved": "Numbers of rows.",
    "supporters.Organisation": "Organisations, not people.",
    "supporters.OrganisationSite": "Addresses of sites.",
    "supporters.Petition": "What we demand.",
    "supporters.PetitionText": "What we demand.",
    "supporters.ReceiptDay": "Hashes over all receipts of a day.",
    "supporters.ReceiptParties": "Names of organisations.",
    "supporters.SavedMapping": "Names of columns.",
    "supporters.SignatureCount": "Sums.",
    "supporters.Tag": "Labels, not who bears them.",
}
"""Tables with room for text that hold nothing of a supporter, each with the reason."""
