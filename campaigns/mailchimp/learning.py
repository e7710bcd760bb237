"""Taking over what a call of ours told of members: who turns out to have left there has left here, in the same transaction."""

from collections.abc import Sequence

from django.db import transaction

from campaigns.mailchimp import shadow
from campaigns.mailchimp.client import connect
from campaigns.mailchimp.hearing import LEAVINGS, Heard, hear
from campaigns.mailchimp.shadow import Answer, Seen
from campaigns.models import Audience, AudienceMember

FORGOTTEN = AudienceMember.Status.FORGOTTEN


def take_over(audience: Audience, answers: Sequence[Answer]) -> int:
    """Write down what became of these; returns how many were refused. Raises MailchimpError."""
    if any(answer.status == FORGOTTEN for answer in answers):
        answers = [_with_the_way_back(audience, answer) for answer in answers]
    gone = [
        # A compliance state may be years old: a yes that they have confirmed since then stands.
        Heard(answer.owed.hash, answer.owed.email, answer.status, answer.changed_at, old=bool(answer.refusal))
        for answer in answers
        if answer.status in LEAVINGS
    ]
    with transaction.atomic():
        shadow.write(audience, answers)
        hear_gone(audience, gone)
    return sum(1 for answer in answers if answer.refusal)


def see(audience: Audience, email: str, seen: Seen) -> None:
    """Take over how somebody with this address was found there."""
    with transaction.atomic():
        shadow.see([seen])
        hear_gone(audience, [Heard(seen.hash, email, seen.status)] if seen.status in LEAVINGS else [])


def hear_gone(audience: Audience, gone: Sequence[Heard]) -> None:
    if gone:
        hear(audience, gone, f"Mailchimp: {audience.name}"[:250])


def _with_the_way_back(audience: Audience, answer: Answer) -> Answer:
    if answer.status != FORGOTTEN:
        return answer
    if not audience.signup_url:
        audience.signup_url = connect().signup_url(audience.list_id)[:300]
        audience.save(update_fields=["signup_url"])
    return answer._replace(refusal=f"{answer.refusal} {audience.signup_url}")
