"""Words for what is held of people: what for, where it comes from, who gets it, and how long it is kept (GDPR, article 15(1)).

crm.disclosing.explaining says which of them goes with what.
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _L
from django.utils.translation import ngettext

Text = str | Promise
Kept = Callable[[], str]


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
MAIL = _L("To send what was allowed, each message only once, and to stop where an address does not work.")
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
PARTNERS = _L("The partners that are named here.")
PAYERS = _L("The payment provider or bank, auditors and tax authorities.")


def with_record() -> str:
    return _("As long as you are on file.")


def with_books() -> str:
    years = settings.BOOKKEEPING_YEARS
    return ngettext(
        "With your name %(number)d year after the year of the gift at least; without it, as part of the books.",
        "With your name %(number)d years after the year of the gift at least; without it, as part of the books.",
        years,
    ) % {"number": years}


def for_good() -> str:
    return _("For good, as a hash by which nobody can be found.")


def a_week() -> str:
    return _so_many(7)


def _so_many(days: int) -> str:
    return ngettext("%(number)d day.", "%(number)d days.", days) % {"number": days}


def days(setting: str) -> Callable[[], str]:
    """As many days as a setting says; as long as the person is on file where it says 0."""

    def told() -> str:
        number = getattr(settings, setting)
        return _so_many(number) if number else with_record()

    return told
