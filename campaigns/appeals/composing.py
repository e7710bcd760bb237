"""An appeal's messages, each for one person, ready for the wire."""

from collections.abc import Mapping

from campaigns.appeals.ledger import Addressee
from campaigns.mail import message, tracking
from campaigns.mail.message import Recipient
from campaigns.mail.returns.verp import envelope_sender
from campaigns.mail.transport import Mail, on_the_wire
from campaigns.models import Appeal, AppealText


class Composer:
    """Makes the messages of one appeal."""

    def __init__(self, appeal: Appeal, texts: Mapping[str, AppealText]) -> None:
        self._appeal = appeal
        self._texts = texts
        self._counting = {language: tracking.counting(appeal, text) for language, text in texts.items()}

    def mail(self, addressee: Addressee, eight_bit: bool) -> Mail:
        """Raises fields.FieldError or AddressUnusable."""
        text = self._texts.get(addressee.language) or self._texts[self._appeal.default_language]
        recipient = Recipient(
            addressee.uuid,
            addressee.email,
            addressee.first_name,
            addressee.last_name,
            addressee.city,
            addressee.country,
        )
        letter = message.letter(self._appeal, text, recipient, self._counting[text.language])
        body = on_the_wire(message.build(self._appeal, letter, recipient))
        return Mail(addressee.pk, envelope_sender(self._appeal.sender_email, addressee.uuid), addressee.email, body)
