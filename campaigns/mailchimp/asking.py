"""Putting the question to who left there and has said yes here since, with proof: Mailchimp asks them to confirm, once.

Whether they are still those who left is looked at for each where they are few; of many what changed there is read first
(push.py), and one call asks 500. Who has another address by now moves to it first, and is asked there.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from django.db import connection
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from campaigns.mailchimp import bulk, difference, learning, moving, shadow
from campaigns.mailchimp.batch import Written, refused
from campaigns.mailchimp.client import MailchimpError, connect
from campaigns.mailchimp.difference import RETURN, Owed
from campaigns.mailchimp.lanes import Job
from campaigns.mailchimp.shadow import Answer, Seen
from campaigns.models import AudienceMember

if TYPE_CHECKING:
    from campaigns.mailchimp.stretch import Stretch

Status = AudienceMember.Status
LEFT = (Status.UNSUBSCRIBED, Status.TRANSACTIONAL)


def work_off(stretch: "Stretch", number: int) -> None:
    """So many are owed."""
    if number <= bulk.FEW:
        stretch.lanes.work_off(stretch.each(RETURN, partial(_each, stretch)))
        return
    unasked: list[Owed] = []
    stretch.lanes.work_off(stretch.each(RETURN, partial(_together, stretch, unasked)))
    stretch.lanes.work_off(stretch.in_time(_each(stretch, unasked)))


# Each by itself


def _each(stretch: "Stretch", rows: list[Owed]) -> Iterator[Job]:
    for row in rows:
        yield Job(partial(_ask, stretch, row), partial(_asked, stretch, row))


def _ask(stretch: "Stretch", row: Owed) -> Answer | Seen:
    list_id = stretch.audience.list_id
    found = connect().member(list_id, row.old_hash)
    if found is None:
        return Seen(row.member, Status.NONE)
    if found[0] not in LEFT:
        return stretch.seen(row, found, row.old_hash)
    try:
        body = {**stretch.body(row), "status": Status.PENDING}
        member = connect().change_member(list_id, row.old_hash, body)
    except MailchimpError as error:
        if error.status != 400:
            raise
        return refused(row, error.for_staff, error.title)._replace(status=Status.NONE)
    return stretch.batch.answer(row, member)


def _asked(stretch: "Stretch", row: Owed, outcome: Answer | Seen) -> None:
    if isinstance(outcome, Seen):
        stretch.see(row, outcome)
        return
    shadow.write(stretch.audience, [outcome])
    AudienceMember.objects.filter(pk=row.member).update(asked_back_at=Now())
    stretch.count(asked_back=not outcome.refusal, refused=bool(outcome.refusal))


# Many


def _together(stretch: "Stretch", unasked: list[Owed], rows: list[Owed]) -> Iterator[Job]:
    """Should that leave somebody as they were, they come to stand in `unasked`."""
    rows = _still(stretch, rows)
    if elsewhere := [row for row in rows if row.hash != row.old_hash]:
        yield from moving.hand_in(stretch, elsewhere)
    if here := [row for row in rows if row.hash == row.old_hash]:
        bodies = [{**stretch.body(row), "status": Status.PENDING} for row in here]
        yield Job(lambda: stretch.batch.write(here, bodies, update=True), partial(_all_asked, stretch, unasked))


def _still(stretch: "Stretch", rows: Sequence[Owed]) -> list[Owed]:
    """Those who may be written to at this moment, are there as who left, and whose address is nobody else's there."""
    contactable, named = difference.contactable_sql(
        stretch.audience, "supporters_supporter.id = ANY(%(supporters)s::bigint[])"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT held.id FROM campaigns_audiencemember held JOIN supporters_supporter s ON s.id = held.supporter_id
            JOIN unnest(%(members)s::bigint[], %(hashes)s::text[], %(olds)s::text[]) AS o (member, hash, old_hash) ON o.member = held.id
            WHERE held.supporter_id IN ({contactable}) AND held.status = ANY(%(left)s) AND NOT held.to_delete AND held.handed_in_id IS NULL
              AND held.subscriber_hash = o.old_hash AND md5(s.email) = o.hash AND NOT EXISTS (
                SELECT FROM campaigns_audiencemember other WHERE other.audience_id = held.audience_id
                AND other.subscriber_hash = o.hash AND (other.supporter_id <> held.supporter_id OR other.to_delete))
            """,
            {
                "supporters": [row.supporter for row in rows],
                "members": [row.member for row in rows],
                "hashes": [row.hash for row in rows],
                "olds": [row.old_hash for row in rows],
                "left": list(LEFT),
                **named,
            },
        )
        still = {member for (member,) in cursor.fetchall()}
    return [row for row in rows if row.member in still]


def _all_asked(stretch: "Stretch", unasked: list[Owed], written: Written) -> None:
    no_reason = _("Mailchimp gave no reason.")
    answers = [refused(row, no_reason, "") for row in written.absent]
    for answer in written.answers:
        if answer.status in LEFT and not answer.refusal:
            unasked.append(answer.owed)
        else:
            answers.append(answer)
    # Refused, they are as they were; but for those who were deleted for good.
    answers = [
        answer._replace(status=Status.NONE) if answer.refusal and answer.status != Status.FORGOTTEN else answer
        for answer in answers
    ]
    refusals = learning.take_over(stretch.audience, answers)
    AudienceMember.objects.filter(pk__in=[answer.owed.member for answer in answers]).update(asked_back_at=Now())
    stretch.count(asked_back=len(answers) - refusals, refused=refusals)
