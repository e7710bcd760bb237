"""“Never write to this address again”, by the word of whoever reads what comes to it. It holds for good.

It is said on one's own page, on the way out of a message, by the link in a letter that asks to confirm a signature, or by a
form that needs no more than the inbox (`ask`). No signing, giving, file or sync lifts it, and it outlives the record. Whoever
comes to a page of ours with such an address gets the same answer as anybody; only no letter follows. To come back, people
write to the organisation, and staff lift it with a reason (supporters.admin.consent).
"""

from datetime import timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models.functions import Now

from supporters import consent, letters
from supporters.models import Consent, InboxRequest, Purpose, Signature, Supporter, Suppression

LIFE = timedelta(days=7)
"""Of a link that confirms it."""
AGAIN_AFTER = timedelta(minutes=10)
"""Who asks again before confirming gets another letter, but not sooner than this,"""
MOST_LETTERS = 3
"""and not more of them."""
SOURCE = "never"
"""What the consent ledger says of where it came from, unless it was one's own page or a message."""
_OURS = (Suppression.Reason.NEVER, Suppression.Reason.BY_HAND)


def ask(email: str, language: str) -> None:
    """Owe the letter that asks to confirm, to an address in the spelling that records have.

    The same statement runs whoever is on file. One that is never written to gets nothing (campaigns.letters.sending).
    """
    with connection.cursor() as cursor:
        cursor.execute(_ASK, {"email": email, "language": language, "again_after": AGAIN_AFTER, "most": MOST_LETTERS})
    letters.wake()


_ASK = """
WITH asked AS (
    INSERT INTO supporters_inboxrequest (kind, email) VALUES ('never', %(email)s)
    ON CONFLICT (email) WHERE kind = 'never' DO UPDATE SET asked_at = statement_timestamp() RETURNING id
)
INSERT INTO supporters_letter AS letter (kind, inbox_request_id, language) SELECT 'never', id, %(language)s FROM asked
ON CONFLICT (inbox_request_id, kind) WHERE inbox_request_id IS NOT NULL DO UPDATE SET state = 'owed', due_at = statement_timestamp(), language = excluded.language
WHERE letter.state IN ('sent', 'failed', 'unknown') AND letter.times < %(most)s
  AND letter.taken_at < statement_timestamp() - %(again_after)s
"""


def asked_by(uuid: UUID) -> bool:
    """Whether there is such a request to confirm."""
    return _requests(uuid).exists()


@transaction.atomic
def confirm(uuid: UUID) -> bool:
    """Do what was asked; False where there is nothing to confirm any more."""
    request = _requests(uuid).select_for_update().first()
    if request is None:
        return False
    say(request.email, source=SOURCE)
    request.delete()
    return True


def typed_in(uuid: UUID) -> str:
    """The address of a signature that its letter was sent to; empty if it is known no more."""
    found = Signature.objects.filter(uuid=uuid).values_list("email", "supporter__email").first()
    return next(filter(None, found or ()), "")


@transaction.atomic
def say(email: str, *, source: str, method: str = Consent.Method.LINK) -> None:
    """Nothing more from us to this address, from now on and for good.

    What its owner allowed is withdrawn, partners' mail too, and signatures that wait to be confirmed from there are erased.
    """
    consent.suppress(email, Suppression.Reason.NEVER)
    Signature.objects.filter(email=email).delete()
    supporter = Supporter.objects.select_for_update(of=["self"]).filter(email=email).first()
    if supporter is None:
        return
    consent.leave(supporter, method=method, reason=Suppression.Reason.NEVER, source=source)
    for line in consent.to_partners(supporter):
        if line.state == Consent.State.GRANTED:
            consent.withdraw(supporter, Purpose.PARTNER, organisation=line.organisation, method=method, source=source)


def is_said(email: str | None) -> bool:
    """Whether this address is never to be written to, by its owner's word or that of staff."""
    return bool(email) and consent.suppressions_of(email).filter(reason__in=_OURS).exists()


def _requests(uuid: UUID):  # noqa: ANN202
    return InboxRequest.objects.filter(uuid=uuid, kind=InboxRequest.Kind.NEVER, asked_at__gt=Now() - LIFE)
