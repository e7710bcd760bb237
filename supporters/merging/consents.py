"""What a merged person allows: withdrawal beats grant, whichever came later.

The lines of both ledgers become one, and the latest decides as ever. Where one of the two had said no and the latest line of
both together would not, a line is added that says no. The same where the address that is given up is suppressed by
the person's own word, or a person's on the staff.
"""

from collections.abc import Iterable

from django.db import connection

from supporters.consent import suppressions_of
from supporters.merging.declaring import Pair
from supporters.models import Consent, Purpose, Suppression
from supporters.privacy import ledger_open_for

Topic = tuple[str, int | None]
"""Purpose, and the partner it is about."""
_LATEST = """
SELECT DISTINCT ON (supporter_id, purpose, organisation_id) supporter_id, purpose, organisation_id, state
FROM supporters_consent WHERE supporter_id = ANY(%s)
ORDER BY supporter_id, purpose, organisation_id, happened_at DESC, state DESC, id DESC
"""
_A_NO = [
    Suppression.Reason.LEFT,
    Suppression.Reason.COMPLAINT,
    Suppression.Reason.BY_HAND,
    Suppression.Reason.NEVER,
]
"""Reasons that are somebody's word. That an address bounced says nothing of another."""


def states(pks: Iterable[int]) -> dict[int, dict[Topic, str]]:
    """What decides for each of these people."""
    found: dict[int, dict[Topic, str]] = {pk: {} for pk in pks}
    with connection.cursor() as cursor:
        cursor.execute(_LATEST, [list(found)])
        for pk, purpose, organisation, state in cursor.fetchall():
            found[pk][purpose, organisation] = state
    return found


def strictest(pair: Pair, said: dict[int, dict[Topic, str]]) -> set[Topic]:
    """What at least one of the two records says no to."""
    noes = {topic for state in said.values() for topic, what in state.items() if what == Consent.State.WITHDRAWN}
    if pair.other_email and suppressions_of(pair.other_email).filter(reason__in=_A_NO).exists():
        noes.add((Purpose.EMAIL, None))
    return noes


def settle(pair: Pair, merge: int, noes: set[Topic]) -> None:
    """Once the lines are the survivor's: add those that say no, where the latest does not."""
    now = states([pair.survivor])[pair.survivor]
    say_no(pair.survivor, merge, [topic for topic in noes if now.get(topic) not in {None, Consent.State.WITHDRAWN}])


def say_no(pk: int, merge: int, topics: Iterable[Topic]) -> None:
    Consent.objects.bulk_create(
        Consent(
            supporter_id=pk,
            purpose=purpose,
            organisation_id=organisation,
            state=Consent.State.WITHDRAWN,
            method=Consent.Method.MERGE,
            source=f"merge {merge}",
        )
        for purpose, organisation in sorted(topics, key=str)
    )


def remember(pair: Pair, said: dict[Topic, str]) -> list[int]:
    """Suppress the address that is given up, if its owner had left under it; keys of the suppressions made."""
    if not pair.other_email or said.get((Purpose.EMAIL, None)) != Consent.State.WITHDRAWN:
        return []
    rows = pair.run(
        """
        INSERT INTO supporters_suppression (email_hash, reason)
        SELECT supporters_address_hash(%(other_email)s), 'left'
        WHERE NOT EXISTS (SELECT FROM supporters_suppression WHERE email_hash = supporters_address_hash(%(other_email)s))
        ON CONFLICT DO NOTHING RETURNING id
        """
    )
    return [pk for (pk,) in rows]


def part(pair: Pair, merge: int, since: object, suppressions: list[int]) -> None:
    """Undo what was added. Who has said no since the merge has said so as either: it holds for both."""
    lines = Consent.objects.filter(supporter=pair.survivor)
    with ledger_open_for("merge"):
        lines.filter(method=Consent.Method.MERGE, source=f"merge {merge}").delete()
    later = lines.filter(state=Consent.State.WITHDRAWN, recorded_at__gt=since).exclude(method=Consent.Method.MERGE)
    topics = set(later.values_list("purpose", "organisation"))
    had = states([pair.away])[pair.away]
    say_no(
        pair.away,
        merge,
        [topic for topic in topics if had.get(topic) != Consent.State.WITHDRAWN],
    )
    if not topics:
        Suppression.objects.filter(pk__in=suppressions).delete()
