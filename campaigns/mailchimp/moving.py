"""A changed address: the same member under a new one, not a second member.

Few go by themselves, at once, and many are handed in. Whose new address is there as a member too, though nobody else's, stays
as that one, with its choice, and the old one is archived. Of whom the old one is gone it is looked where they are.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from django.db import connection, transaction
from django.utils.translation import gettext as _

from campaigns.mailchimp import bulk, difference, learning, mapping, reading, shadow
from campaigns.mailchimp.batch import Batch, refused
from campaigns.mailchimp.bulk import Operation, Outcome
from campaigns.mailchimp.client import MailchimpError, connect
from campaigns.mailchimp.difference import Owed
from campaigns.mailchimp.lanes import Job
from campaigns.mailchimp.shadow import Answer, Seen
from campaigns.models import Audience, AudienceMember, HandedIn

if TYPE_CHECKING:
    from campaigns.mailchimp.stretch import Stretch

Status = AudienceMember.Status
EXISTS = "Member Exists"


def work_off(stretch: "Stretch", number: int) -> None:
    """So many are owed."""
    if number > bulk.FEW:
        stretch.lanes.work_off(_handing_in(stretch))
    else:
        while moves := difference.free_moves(stretch.audience):
            stretch.lanes.work_off(stretch.in_time(map(partial(_job, stretch), moves)))
    # An address may come free by what is under way.
    if not stretch.audience.handed_in.filter(kind=bulk.MOVE).exists():
        difference.note_blocked_moves(_("Their new address is another person's in Mailchimp. Please look."))


# Each by itself


def _job(stretch: "Stretch", row: Owed) -> Job:
    list_id = stretch.audience.list_id

    def move() -> Answer | Seen:
        try:
            member = connect().change_member(list_id, row.old_hash, stretch.body(row))
        except MailchimpError as error:
            if error.status == 404:  # moved by a call whose answer got lost, or gone there, to be added anew
                found = connect().member(list_id, row.hash)
                return stretch.seen(row, found, row.hash) if found else Seen(row.member, Status.NONE)
            if error.title == EXISTS and row.ours:
                return _join(stretch, row)
            if error.status != 400:
                raise
            return refused(row, error.for_staff, error.title)._replace(status=Status.NONE)
        return stretch.batch.answer(row, member)

    def moved(outcome: Answer | Seen) -> None:
        if isinstance(outcome, Seen):
            stretch.see(row, outcome)
            stretch.read_soon(outcome.status == Status.NONE)
        else:
            stretch.take_over([outcome])
            stretch.count(moved=not outcome.refusal)

    return Job(move, moved)


def _join(stretch: "Stretch", row: Owed) -> Answer:
    (answer,) = _met(stretch.batch, [row], [stretch.body(row)])
    if not answer.refusal:
        connect().archive(stretch.audience.list_id, row.old_hash)
    return answer


def _met(batch: Batch, rows: Sequence[Owed], bodies: Sequence[dict]) -> list[Answer]:
    """What became of the members who have the new addresses."""
    answers = {answer.owed.member: answer for answer in batch.write(rows, bodies, update=True).answers}
    went_away = _("The new address was there, and then it was not.")
    return [answers.get(row.member, Answer(row, Status.NONE, went_away)) for row in rows]


# Many


def _handing_in(stretch: "Stretch") -> Iterator[Job]:
    stretch.breathe()
    while moves := difference.free_moves(stretch.audience):
        yield from hand_in(stretch, moves)
        stretch.breathe()


def hand_in(stretch: "Stretch", rows: Sequence[Owed]) -> Iterator[Job]:
    """Without a status, so that they stay what they are there, whenever Mailchimp comes to it."""
    path = f"lists/{stretch.audience.list_id}/members/"
    operations = [Operation(row.member, "PATCH", path + row.old_hash, stretch.body(row)) for row in rows]
    sent = {
        row.member: {
            "to": row.hash,
            "language": row.language,
            "values": row.values,
            "digest": row.digest.hex(),
        }
        for row in rows
    }
    return bulk.hand_in(stretch.audience, bulk.MOVE, operations, sent)


def written(handed: HandedIn, outcomes: Sequence[Outcome], count: Callable[..., None]) -> None:
    """Write down what became of them; of whom that is not clear it is looked before anything else is done with them."""
    audience = handed.audience
    batch = Batch(connect(), audience.list_id, reading.our_tags(audience))
    members = handed.members.filter(to_delete=False).exclude(moving_to="").select_related("supporter").in_bulk()
    answers, met = [], []
    for outcome in outcomes:
        if (member := members.get(outcome.member)) is None:
            continue
        row, error = _sent(member), outcome.error
        if outcome.done:
            row = row._replace(email=str(outcome.answer.get("email_address", "")).lower())
            answers.append(batch.answer(row, outcome.answer))
        elif error.title == EXISTS and row.ours and row.email:
            met.append(row)
        elif outcome.status == 400 and error.title != EXISTS:
            answers.append(refused(row, error.for_staff, error.title)._replace(status=Status.NONE))
        elif outcome.status == 400:
            answers.append(Answer(row, Status.NONE, error.for_staff))
    there = mapping.there(audience.merge_fields, audience.merge_types)
    bodies = [mapping.member(row.email, row.language, row.values, there) for row in met]
    joined = _met(batch, met, bodies) if met else []
    with transaction.atomic():
        heard_of = _heard_of_since(handed)
        unclear = [one for one in answers if one.owed.member in heard_of and not one.refusal]
        clear = [one for one in answers if one.owed.member not in heard_of or one.refusal]
        count(refused=learning.take_over(audience, [*clear, *joined]))
        shadow.write(audience, [one._replace(status=Status.NONE) for one in unclear])
        shadow.doubt([one.owed.member for one in unclear])
        _retire_old_ones(audience, [one.owed for one in joined if not one.refusal])
        bulk.end(handed)
    count(moved=sum(1 for one in (*answers, *joined) if not one.refusal))


def _sent(member: AudienceMember) -> Owed:
    """As they were handed in; with their address, if it is that still."""
    sent, email = member.sent or {}, (member.supporter and member.supporter.email) or ""
    return Owed(
        number=0,
        supporter=member.supporter_id or 0,
        member=member.pk,
        email=email if mapping.subscriber_hash(email) == member.moving_to else "",
        hash=member.moving_to,
        old_hash=member.subscriber_hash,
        language=sent.get("language", ""),
        values=sent.get("values", {}),
        digest=bytes.fromhex(sent.get("digest", "")),
        tags=(),
        ours=member.ours,
    )


def _heard_of_since(handed: HandedIn) -> set[int]:
    """Those of whom Mailchimp told something after they were handed in, at either address: it may be later than the answer, or not."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT held.id FROM campaigns_audiencemember held
            WHERE held.handed_in_id = %s AND (held.status_at > %s OR EXISTS (
                SELECT FROM campaigns_audiencemember stranger
                WHERE stranger.audience_id = held.audience_id AND stranger.subscriber_hash = held.moving_to
                AND stranger.supporter_id IS NULL AND NOT stranger.to_delete))
            """,
            [handed.pk, handed.handed_in_at],
        )
        return {member for (member,) in cursor.fetchall()}


def _retire_old_ones(audience: Audience, joined: Sequence[Owed]) -> None:
    """They are to be archived (retiring.py): each of these people has their new member now."""
    AudienceMember.objects.bulk_create(
        [
            AudienceMember(
                audience=audience,
                retired_from_id=row.supporter,
                subscriber_hash=row.old_hash,
                status=Status.SUBSCRIBED,
            )
            for row in joined
            if row.supporter and row.old_hash != row.hash
        ],
        ignore_conflicts=True,
    )
