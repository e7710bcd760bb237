"""Of each kind of thing that is held: what for, where it comes from, who gets it, and how long it is kept (GDPR, article 15(1))."""

from dataclasses import asdict

from supporters.explaining import (
    BOOKS,
    CAMPAIGN,
    CONTACT,
    LISTS,
    MAIL,
    MAILCHIMP,
    NOBODY,
    ORDER,
    PARTNERS,
    PAYERS,
    PROOF,
    PROVIDERS,
    RIGHTS,
    SENDERS,
    SERVERS,
    STAFF,
    YOU,
    YOURSELF,
    Explained,
    Kept,
    Text,
    a_week,
    days,
    for_good,
    with_books,
    with_record,
)

_FILES = days("KEEP_FILES_DAYS")
_EXPLAINED: dict[str, tuple[Text, Text, Text, Kept]] = {
    "person": (CONTACT, YOU, SENDERS, with_record),
    "references": (ORDER, LISTS, NOBODY, with_record),
    "tags": (CONTACT, STAFF, SENDERS, with_record),
    "contact_of": (CONTACT, STAFF, NOBODY, with_record),
    "consents": (PROOF, YOU, NOBODY, with_record),
    "consent_receipts": (PROOF, YOU, NOBODY, with_record),
    "suppressions": (PROOF, YOU, NOBODY, for_good),
    "signatures": (CAMPAIGN, YOURSELF, NOBODY, with_record),
    "tallies": (CAMPAIGN, STAFF, NOBODY, with_record),
    "tally_scans": (CAMPAIGN, YOURSELF, NOBODY, days("KEEP_SCANS_DAYS")),
    "recurring_donations": (BOOKS, PROVIDERS, PAYERS, with_books),
    "donations": (BOOKS, PROVIDERS, PAYERS, with_books),
    "refunds": (BOOKS, PROVIDERS, PAYERS, with_books),
    "disputes": (BOOKS, PROVIDERS, PAYERS, with_books),
    "pledges": (BOOKS, YOURSELF, PAYERS, days("KEEP_PLEDGES_DAYS")),
    "payment_events": (BOOKS, PROVIDERS, NOBODY, days("KEEP_PAYMENT_MESSAGES_DAYS")),
    "letters": (MAIL, STAFF, SENDERS, days("KEEP_LETTERS_DAYS")),
    "inbox_requests": (RIGHTS, YOURSELF, NOBODY, a_week),
    "doubles": (ORDER, STAFF, NOBODY, with_record),
    "merges": (ORDER, STAFF, NOBODY, with_record),
    "handovers": (RIGHTS, YOURSELF, PARTNERS, with_record),
    "disclosures": (RIGHTS, STAFF, NOBODY, with_record),
    "erasure_requests": (RIGHTS, YOURSELF, NOBODY, with_record),
    "exports": (RIGHTS, STAFF, NOBODY, with_record),
    "export_files": (ORDER, STAFF, NOBODY, days("EXPORT_DAYS")),
    "import_rows": (ORDER, LISTS, NOBODY, days("KEEP_ROWS_DAYS")),
    "import_previews": (ORDER, LISTS, NOBODY, _FILES),
    "imports": (ORDER, LISTS, NOBODY, with_record),
    "import_changes": (ORDER, LISTS, NOBODY, days("UNDO_DAYS")),
    "import_files": (ORDER, LISTS, NOBODY, _FILES),
    "segments": (CONTACT, STAFF, SENDERS, with_record),
    "deliveries": (MAIL, STAFF, SENDERS, with_record),
    "turns": (MAIL, YOURSELF, NOBODY, with_record),
    "clicks": (MAIL, YOURSELF, NOBODY, days("KEEP_CLICKS_DAYS")),
    "returns": (MAIL, SERVERS, NOBODY, with_record),
    "returned_messages": (MAIL, SERVERS, NOBODY, days("KEEP_RETURNED_DAYS")),
    "mailchimp_memberships": (CONTACT, MAILCHIMP, MAILCHIMP, with_record),
    "mailchimp_events": (CONTACT, MAILCHIMP, NOBODY, days("KEEP_MAILCHIMP_DAYS")),
    "staff_log": (RIGHTS, STAFF, NOBODY, with_record),
}


def explained(holding: str) -> Explained:
    """In the language of the moment."""
    purpose, source, recipients, kept = _EXPLAINED[holding]
    return Explained(str(purpose), str(source), str(recipients), kept())


def as_dict(holding: str) -> dict[str, str]:
    return asdict(explained(holding))
