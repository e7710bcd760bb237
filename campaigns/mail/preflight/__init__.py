"""What an appeal looks like to the mail servers that will receive it, before it goes.

`check` asks the domain name system and may take seconds: it belongs to a page. `refusals` is what keeps an appeal from
going out, from answers that are at hand; who is about to schedule or launch one calls `look` first, outside of any
transaction. Where Lodestar is not in production nothing is refused, for no domain of a demonstration would stand it.
"""

from collections.abc import Iterator
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _

from campaigns.mail import message
from campaigns.mail.addresses import AddressUnusable, deliverable
from campaigns.mail.compose import Letter
from campaigns.mail.fields import FieldError
from campaigns.mail.message import Recipient
from campaigns.mail.preflight import letters, sender
from campaigns.mail.preflight.findings import Finding, Grade
from campaigns.mail.preflight.sender import Sender
from campaigns.models import Appeal, AppealText

__all__ = ["Finding", "Grade", "check", "look", "refusals"]
_SOMEBODY = Recipient(UUID(int=0), "somebody@example.org", "Maria", "Andersson", "Göteborg", "SE")


def check(appeal: Appeal, texts: dict[str, AppealText]) -> list[Finding]:
    """Everything that can be found out; the texts, by what staff call each, have passed compose.check."""
    read = list(_reading(appeal, texts))
    if appeal.channel != Appeal.Channel.MAIL:
        return read  # Mailchimp answers for its own servers, and for the foot of its messages.
    return [*_sending(appeal, ask=True), letters.unsubscribing(), letters.postal_address(), *read]


def look(appeal: Appeal) -> None:
    """Have the answers at hand that `refusals` reads. May take seconds: never call it inside a transaction."""
    if settings.PRODUCTION:
        list(_sending(appeal, ask=True))


def refusals(appeal: Appeal) -> list[str]:
    """What Gmail's and Yahoo's rules for bulk senders would certainly refuse. Asks nobody."""
    try:
        for address in filter(None, (appeal.sender_email, appeal.reply_to)):
            deliverable(address)
    except AddressUnusable as error:
        # Every single message would fail of it, in production or not.
        return [f"{address}: {error}"]
    if not settings.PRODUCTION:
        return []
    found = [*_sending(appeal, ask=False), letters.unsubscribing()]
    return [f"{each.topic}: {each.said}" for each in found if each.grade is Grade.REFUSED]


def _sending(appeal: Appeal, *, ask: bool) -> Iterator[Finding]:
    try:
        known = Sender.of(appeal.sender_email)
    except AddressUnusable as error:
        yield Finding(_("Sender"), Grade.REFUSED, str(error), _("Mend the sender's address."))
        return
    facts = known.facts() if ask else known.known_facts()
    if facts:
        yield from sender.judge(known, facts)


def _reading(appeal: Appeal, texts: dict[str, AppealText]) -> Iterator[Finding]:
    made: dict[str, Letter] = {}
    for name, text in texts.items():
        try:
            made[name] = message.letter(appeal, text, _SOMEBODY)
        except FieldError as error:
            yield Finding(name, Grade.WARNING, str(error), _("Mend the field."))
    yield from letters.judge(made)
