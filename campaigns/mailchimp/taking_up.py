"""Writing down what became of what was handed in, whichever run did that: before anything else is done with an audience."""

import time
from collections.abc import Callable, Sequence

from campaigns.mailchimp import bulk, deleting, each, moving, retiring
from campaigns.mailchimp.bulk import Outcome
from campaigns.models import Audience, HandedIn

WRITERS = {
    bulk.DELETE: deleting.written,
    bulk.MOVE: moving.written,
    bulk.PERMIT: each.permitted,
    bulk.ARCHIVE: each.archived,
    bulk.RETIRE: retiring.written,
}
"""Each ends what is under way once it is written down; a death between the two does no harm."""


def take_up(audience: Audience, count: Callable[..., None], until: float) -> bool:
    """Ask after what was handed in, for so long, and whether something of it is over now. Raises MailchimpError.

    Mailchimp works off one after the other: behind one that is not done nobody asks.
    """
    ended = False
    for handed in audience.handed_in.order_by("pk"):
        if time.monotonic() > until:
            break
        outcomes = bulk.answers(handed)
        if outcomes is None:
            break
        WRITERS[handed.kind](handed, _still_theirs(handed, outcomes), count)
        ended = True
    return ended


def _still_theirs(handed: HandedIn, outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Of who was erased meanwhile nothing is written down but that they are deleted there."""
    for_good = handed.kind == bulk.DELETE
    under_way = set(handed.members.filter(to_delete=for_good).values_list("pk", flat=True))
    return [outcome for outcome in outcomes if outcome.member in under_way]
