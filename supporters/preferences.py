"""What somebody chooses on their own page: what they hear from us and from partners, and what is theirs to take back.

The page is reached by a link that only goes to their inbox (`ask`). So what they tick there is confirmed by its owner,
and brings back who left.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from supporters import consent, finding, letters, never
from supporters.models import Consent, Organisation, Purpose, Signature, Supporter
from supporters.signing import states, totals, wordings
from supporters.signing.wordings import Wording, proof

LIFE = timedelta(days=7)
"""Of a link to the page."""
AGAIN_AFTER = timedelta(minutes=10)
"""Who asks for the link again gets another letter, but not sooner than this,"""
MOST_LETTERS = 5
"""and not more of them while the last link still works: nobody can have letters heaped on somebody else."""
SOURCE = "me"
"""What the consent ledger says of where it came from."""
_OWN = {Purpose.EMAIL: wordings.for_news, Purpose.POST: wordings.for_post, Purpose.PHONE: wordings.for_calls}


@dataclass(frozen=True)
class Choice:
    """One thing that somebody may allow, in the words that they see, and whether they do."""

    wording: Wording
    given: bool
    partner: Organisation | None = None

    @property
    def key(self) -> str:
        return f"{self.wording.purpose}:{self.partner.pk}" if self.partner else self.wording.purpose


def ask(email: str, language: str) -> None:
    """Owe the letter with the link to whoever has this address, in the spelling that records have.

    The same statement runs whether there is such a person or not: nothing tells one from the other.
    """
    with connection.cursor() as cursor:
        said = {"email": email, "language": language}
        cursor.execute(_ASK, {**said, "again_after": AGAIN_AFTER, "most": MOST_LETTERS, "life": LIFE})
    letters.wake()


_ASK = f"""
INSERT INTO supporters_letter AS letter (kind, supporter_id, language)
SELECT 'preferences', id, %(language)s FROM supporters_supporter
WHERE id = coalesce((SELECT id FROM supporters_supporter WHERE email = %(email)s), {finding.KNOWN_AS.format(email="%(email)s")})
ON CONFLICT (supporter_id, kind) WHERE supporter_id IS NOT NULL DO UPDATE SET state = 'owed', due_at = statement_timestamp(), language = excluded.language,
    times = CASE WHEN letter.taken_at < statement_timestamp() - %(life)s THEN 0 ELSE letter.times END
WHERE letter.state IN ('sent', 'failed', 'unknown') AND letter.taken_at < statement_timestamp() - %(again_after)s
  AND (letter.times < %(most)s OR letter.taken_at < statement_timestamp() - %(life)s)
"""


def choices(supporter: Supporter) -> list[Choice]:
    """What they may choose: what we can do with what we know of them, and every partner that they ever allowed."""
    silent = never.is_said(supporter.email)
    reachable = {
        Purpose.EMAIL: bool(supporter.email) and not silent,
        Purpose.POST: bool(supporter.street),
        Purpose.PHONE: bool(supporter.phone),
    }
    found = []
    for purpose, wording in _OWN.items():
        state = consent.state_of(supporter, purpose)
        if reachable[purpose] or (state == Consent.State.GRANTED and not (silent and purpose == Purpose.EMAIL)):
            found.append(Choice(wording(), state == Consent.State.GRANTED))
    return found if silent else [*found, *_partners(supporter)]


def _partners(supporter: Supporter) -> Iterator[Choice]:
    for line in consent.to_partners(supporter):
        yield Choice(
            wordings.for_partner(line.organisation), line.state == Consent.State.GRANTED, partner=line.organisation
        )


@transaction.atomic
def choose(uuid: UUID, keys: Collection[str]) -> None:
    """Allow what these are the keys of, and nothing else; what stays as it was is not written down again."""
    supporter = finding.by_uuid(uuid, lock=True)
    if supporter is None:
        return
    for choice in choices(supporter):
        wanted = choice.key in keys
        if wanted and not choice.given:
            consent.grant(
                supporter,
                choice.wording.purpose,
                organisation=choice.partner,
                method=Consent.Method.CONFIRMED,
                source=SOURCE,
                **proof(choice.wording.as_json()),
            )
        elif choice.given and not wanted:
            _stop(supporter, choice)


@transaction.atomic
def wish(uuid: UUID, **how: object) -> None:
    """Write to them so from now on: `how_often` and `discreet`."""
    supporter = finding.by_uuid(uuid, lock=True)
    if supporter:
        Supporter.objects.filter(pk=supporter.pk).update(**how, updated_at=Now())


def _stop(supporter: Supporter, choice: Choice) -> None:
    if choice.wording.purpose == Purpose.EMAIL:
        consent.leave(supporter, method=Consent.Method.LINK, source=SOURCE)
        return
    consent.withdraw(
        supporter,
        choice.wording.purpose,
        organisation=choice.partner,
        method=Consent.Method.LINK,
        source=SOURCE,
    )


def signatures(supporter: Supporter) -> QuerySet[Signature]:
    """Those that count, the newest first."""
    counted = supporter.signatures.filter(state=Signature.State.VALIDATED)
    return counted.select_related("petition").order_by("-validated_at", "-pk")


@transaction.atomic
def show(uuid: UUID, signature: int, shown: bool) -> None:
    """Let first name and country stand on the page of the petition, or not any more."""
    supporter = finding.by_uuid(uuid, lock=True)
    if supporter and (kept := signatures(supporter).filter(pk=signature).first()):
        Signature.objects.filter(pk=kept.pk).update(shown=shown)
        transaction.on_commit(lambda: totals.forget(kept.petition_id))


@transaction.atomic
def take_back(uuid: UUID, signature: int) -> bool:
    """Take a signature of theirs out of the count; with the last of them goes the consent to keep it."""
    supporter = finding.by_uuid(uuid, lock=True)
    if supporter is None or not states.take_back(supporter.signatures.filter(pk=signature)):
        return False
    if not signatures(supporter).exists():
        consent.withdraw(supporter, Purpose.SIGNATURE, method=Consent.Method.LINK, source=SOURCE)
    return True
