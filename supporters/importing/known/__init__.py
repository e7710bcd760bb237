"""Exports of other systems that are known by their columns and read without a mapping: one small module for each.

Mailchimp's audience exports are older than this package: supporters.importing.mapping knows them.
"""

from collections.abc import Iterable

from supporters.importing.known import action_network, civicrm, donorbox, paypal, stripe
from supporters.importing.known.base import OWN, Known

KNOWN: dict[str, Known] = {
    known.name: known
    for known in (
        stripe.BALANCE,
        stripe.PAYMENTS,
        paypal.ACTIVITY,
        donorbox.DONATIONS,
        civicrm.CONTRIBUTIONS,
        civicrm.CONTACTS,
        action_network.DONATIONS,
        action_network.PEOPLE,
    )
}


def recognise(names: Iterable[str]) -> Known | None:
    """The export with columns of these bare names, if we know it."""
    bare = set(names)
    return next((known for known in KNOWN.values() if known.fits(bare)), None)


__all__ = ["KNOWN", "OWN", "Known", "recognise"]
