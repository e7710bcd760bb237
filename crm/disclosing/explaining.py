"""Of each kind of thing that is held: what for, where it comes from, who gets it, and how long it is kept (GDPR, article 15(1))."""

from collections.abc import Callable
from dataclasses import asdict, dataclass

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _L
from django.utils.translation import ngettext

Text = str | Promise


@dataclass(frozen=True)
class Explained:
    purpose: str
    source: str
    recipients: str
    kept: str


CONTACT = _L("To know who supports us, and to write to those who allow it.")
CAMPAIGN = _L("To count who stands behind a demand.")
BOOKS = _L("To receive gifts and to keep the books that the law demands.")
PROOF = _L("To prove what was allowed, and to keep to what was not.")
MAIL = _L("To send what was allowed once, and to stop where an address does not work.")
ORDER = _L("To load lists without mistakes, and to mend them.")
RIGHTS = _L("To answer to your rights, and to show that we did.")

YOU = _L("You, or a list that you are on.")
YOURSELF = _L("You.")
PROVIDERS = _L("You, and whoever carries out the payment.")
SERVERS = _L("Mail servers and mail providers.")
STAFF = _L("Our staff.")
LISTS = _L("Lists that we were given.")
MAILCHIMP = _L("Mailchimp.")

NOBODY = _L("Nobody else.")
SENDERS = _L("Our mail provider and, where you are on such a list, Mailchimp.")
PAYERS = _L("The payment provider or bank, auditors and tax authorities.")


def _with_record() -> str:
    return _("As long as you are on file.")


def _with_books() -> str:
    years = settings.BOOKKEEPING_YEARS
    return ngettext(
        "With your name %(number)d year after the year of the gift at least; without it, as part of the books.",
        "With your name %(number)d years after the year of the gift at least; without it, as part of the books.",
        years,
    ) % {"number": years}


def _for_good() -> str:
    return _("For good, as a hash by which nobody can be found.")


def _a_week() -> str:
    return ngettext("%(number)d day.", "%(number)d days.", 7) % {"number": 7}


def _days(setting: str) -> Callable[[], str]:
    def told() -> str:
        days = getattr(settings, setting)
        if not days:
            return _with_record()
        return ngettext("%(number)d day.", "%(number)d days.", days) % {"number": days}

    return told


_FILES = _days("KEEP_FILES_DAYS")
_EXPLAINED: dict[str, tuple[Text, Text, Text, Callable[[], str]]] = {
    "person": (CONTACT, YOU, SENDERS, _with_record),
    "references": (ORDER, LISTS, NOBODY, _with_record),
    "tags": (CONTACT, STAFF, SENDERS, _with_record),
    "contact_of": (CONTACT, STAFF, NOBODY, _with_record),
    "consents": (PROOF, YOU, NOBODY, _with_record),
    "consent_receipts": (PROOF, YOU, NOBODY, _with_record),
    "suppressions": (PROOF, YOU, NOBODY, _for_good),
    "signatures": (CAMPAIGN, YOURSELF, NOBODY, _with_record),
    "recurring_donations": (BOOKS, PROVIDERS, PAYERS, _with_books),
    "donations": (BOOKS, PROVIDERS, PAYERS, _with_books),
    "refunds": (BOOKS, PROVIDERS, PAYERS, _with_books),
    "disputes": (BOOKS, PROVIDERS, PAYERS, _with_books),
    "pledges": (BOOKS, YOURSELF, PAYERS, _days("KEEP_PLEDGES_DAYS")),
    "payment_events": (BOOKS, PROVIDERS, NOBODY, _days("KEEP_PAYMENT_MESSAGES_DAYS")),
    "letters": (MAIL, STAFF, SENDERS, _days("KEEP_LETTERS_DAYS")),
    "inbox_requests": (RIGHTS, YOURSELF, NOBODY, _a_week),
    "doubles": (ORDER, STAFF, NOBODY, _with_record),
    "merges": (ORDER, STAFF, NOBODY, _with_record),
    "disclosures": (RIGHTS, STAFF, NOBODY, _with_record),
    "erasure_requests": (RIGHTS, YOURSELF, NOBODY, _with_record),
    "exports": (RIGHTS, STAFF, NOBODY, _with_record),
    "export_files": (ORDER, STAFF, NOBODY, _days("EXPORT_DAYS")),
    "import_rows": (ORDER, LISTS, NOBODY, _days("KEEP_ROWS_DAYS")),
    "import_previews": (ORDER, LISTS, NOBODY, _FILES),
    "imports": (ORDER, LISTS, NOBODY, _with_record),
    "import_changes": (ORDER, LISTS, NOBODY, _days("UNDO_DAYS")),
    "import_files": (ORDER, LISTS, NOBODY, _FILES),
    "segments": (CONTACT, STAFF, SENDERS, _with_record),
    "deliveries": (MAIL, STAFF, SENDERS, _with_record),
    "turns": (MAIL, YOURSELF, NOBODY, _with_record),
    "clicks": (MAIL, YOURSELF, NOBODY, _days("KEEP_CLICKS_DAYS")),
    "returns": (MAIL, SERVERS, NOBODY, _with_record),
    "returned_messages": (MAIL, SERVERS, NOBODY, _days("KEEP_RETURNED_DAYS")),
    "mailchimp_memberships": (CONTACT, MAILCHIMP, MAILCHIMP, _with_record),
    "mailchimp_events": (CONTACT, MAILCHIMP, NOBODY, _days("KEEP_MAILCHIMP_DAYS")),
    "staff_log": (RIGHTS, STAFF, NOBODY, _with_record),
}


def explained(holding: str) -> Explained:
    """In the language of the moment."""
    purpose, source, recipients, kept = _EXPLAINED[holding]
    return Explained(str(purpose), str(source), str(recipients), kept())


def as_dict(holding: str) -> dict[str, str]:
    return asdict(explained(holding))
