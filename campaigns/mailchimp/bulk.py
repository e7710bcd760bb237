"""Many calls about single members handed to Mailchimp at once, which works them off by and by.

    nothing ──about to be handed in──▶ HandedIn ──taken──▶ with its id there ──answered──▶ nothing
                                          └──not known to be taken, or not known there any more: lost──▶ nothing

A row of the database stands for each, and the members it is about point to it: nobody hands one in twice, and no other call is
made about them meanwhile, but when they leave or are erased. The answers come when they come, by a later run as well; they are written down
before anything else is done with the audience (taking_up.py). What was lost, or failed in passing, is owed again, as each call
may be repeated.

Mailchimp packs the answers into an archive, whose address lives ten minutes and is fetched without our key
(https://mailchimp.com/developer/marketing/guides/run-async-requests-batch-endpoint/). Each answer is a call's own: all may have
failed in what is finished. It works off one batch after the other, and forgets them after seven days.
"""

import io
import json
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

import requests
from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from campaigns.mailchimp.client import MOST_BYTES, READ_TIMEOUT, MailchimpError, connect
from campaigns.mailchimp.lanes import Job
from campaigns.mailchimp.shadow import CLOCK
from campaigns.models import Audience, AudienceMember, HandedIn

DELETE, MOVE, PERMIT, ARCHIVE, RETIRE = "delete", "move", "permit", "archive", "retire"
"""What is handed in; deletions are about members of people who were erased, the others about anybody else's."""
FEW = 5
"""So many of one kind go by themselves, and at once."""
GIVE_UP = timedelta(days=2)
"""After so long it is taken back, and owed again."""
POLL, LONGEST = 0.5, 8
"""Seconds between two looks of one run: the pause is doubled each time."""
SOONEST, LATEST = timedelta(minutes=1), timedelta(minutes=15)
"""Between two looks of different runs."""


class Operation(NamedTuple):
    """A call about one member."""

    member: int
    method: str
    path: str
    body: dict | None = None
    note: str = ""
    """Comes back with the outcome."""


class Outcome(NamedTuple):
    member: int
    note: str
    status: int
    answer: dict

    @property
    def done(self) -> bool:
        return self.status < 300

    @property
    def refused(self) -> bool:
        """What failed in passing is owed still, and that is all."""
        return 400 <= self.status < 500 and self.status != 429

    @property
    def error(self) -> MailchimpError:
        """What it would have been as a call by itself."""
        errors = self.answer.get("errors")
        title, detail = (str(self.answer.get(name) or "") for name in ("title", "detail"))
        return MailchimpError(self.status, title, detail, tuple(errors) if isinstance(errors, list) else ())


def hand_in(
    audience: Audience, kind: str, operations: Sequence[Operation], sent: Mapping[int, Mapping] | None = None
) -> Iterator[Job]:
    """The call that does it, for those members of whom none is under way.

    `sent` is kept with each until it is answered: `to` is the id that a move gives them.
    """
    handed, members = _note(audience, kind, [operation.member for operation in operations], sent or {})
    ours = [_described(operation) for operation in operations if operation.member in members]
    if not ours:
        handed.delete()
        return

    def call() -> str | MailchimpError:
        try:
            return connect().hand_in(ours)
        except MailchimpError as error:
            if error.passing:
                raise  # it may have them
            return error

    def taken(outcome: str | MailchimpError) -> None:
        if isinstance(outcome, MailchimpError):
            end(handed)
            raise outcome
        HandedIn.objects.filter(pk=handed.pk).update(batch=outcome)

    yield Job(call, taken)


@transaction.atomic
def _note(
    audience: Audience, kind: str, members: Sequence[int], sent: Mapping[int, Mapping]
) -> tuple[HandedIn, set[int]]:
    handed = HandedIn.objects.create(audience=audience, kind=kind, handed_in_at=CLOCK)
    ids = list(dict.fromkeys(members))
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE campaigns_audiencemember held SET handed_in_id = %s, sent = t.sent::jsonb,
                   moving_to = coalesce(t.sent::jsonb ->> 'to', held.moving_to)
            FROM unnest(%s::bigint[], %s::text[]) AS t (member, sent)
            WHERE held.id = t.member AND held.handed_in_id IS NULL AND held.to_delete = %s RETURNING held.id
            """,
            [handed.pk, ids, [json.dumps(sent[one]) if one in sent else None for one in ids], kind == DELETE],
        )
        return handed, {member for (member,) in cursor.fetchall()}


def _described(operation: Operation) -> dict:
    described: dict[str, object] = {
        "operation_id": f"{operation.member}:{operation.note}",
        "method": operation.method,
        "path": operation.path,
    }
    if operation.body:
        described |= {"params": {"skip_merge_validation": True}, "body": json.dumps(operation.body)}
    return described


def answers(handed: HandedIn) -> list[Outcome] | None:
    """What became of these calls, each of which is of a member that is under way with it; None if it is not known yet.

    Raises MailchimpError if Mailchimp can't be asked. What is lost has no outcomes.
    """
    if not handed.batch:
        return []
    try:
        told = connect().handed_in(handed.batch)
    except MailchimpError as error:
        if error.status != 404:
            raise
        return []
    try:
        found = list(_unpacked(_fetched(told["response_body_url"]))) if told["status"] == "finished" else None
    except MailchimpError:
        found = None  # asked again it tells another address
    if found is None and timezone.now() - handed.handed_in_at > GIVE_UP:
        connect().take_back(handed.batch)
        return []
    return found


def end(handed: HandedIn) -> None:
    """Nothing is under way with it any more."""
    with transaction.atomic():
        AudienceMember.objects.filter(handed_in=handed.pk).update(handed_in=None, sent=None)
        handed.delete()


def look_later(audience: Audience) -> None:
    """Leave it to a run to come, the later the longer it has taken already."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE campaigns_handedin SET look_at = now() + least(greatest((now() - handed_in_at) / 2, %s), %s)
            WHERE audience_id = %s
            """,
            [SOONEST, LATEST, audience.pk],
        )


def look_now(audience: Audience) -> None:
    audience.handed_in.update(look_at=Now())


def _fetched(url: str) -> bytes:
    try:
        with requests.get(url, timeout=READ_TIMEOUT, stream=True, allow_redirects=False) as answer:
            content = answer.raw.read(MOST_BYTES + 1)
    except (requests.RequestException, OSError) as failure:
        raise MailchimpError(0, type(failure).__name__) from None
    if answer.status_code != 200 or len(content) > MOST_BYTES:
        raise MailchimpError(502, "Unreadable answer")
    return content


def _unpacked(archive: bytes) -> Iterator[Outcome]:
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
            for entry in tar:
                file = tar.extractfile(entry) if entry.isfile() and entry.size <= MOST_BYTES else None
                for one in json.load(file) if file else []:
                    member, _colon, note = str(one["operation_id"]).partition(":")
                    yield Outcome(int(member), note, int(one["status_code"]), _document(one["response"]))
    except (tarfile.TarError, ValueError, KeyError, TypeError, EOFError, OSError):
        raise MailchimpError(502, "Unreadable answer") from None


def _document(text: str) -> dict:
    """Of what failed there may be none."""
    try:
        document = json.loads(text)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
