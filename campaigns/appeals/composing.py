"""An appeal's messages, each for one person, ready for the wire."""

from collections.abc import Mapping

from campaigns.appeals import variants
from campaigns.appeals.ledger import Addressee
from campaigns.appeals.variants import Wording
from campaigns.mail import message, tracking
from campaigns.mail.message import MessageSkeleton, Recipient
from campaigns.mail.returns.verp import envelope_sender
from campaigns.mail.transport import Mail
from campaigns.models import Appeal, AppealText


class Composer:
    """Makes the messages of one appeal."""

    def __init__(self, appeal: Appeal, texts: Mapping[Wording, AppealText]) -> None:
        self._appeal = appeal
        self._texts = texts
        self._counting = tracking.counting_all(appeal, texts)
        self._skeletons: dict[tuple[Wording, bool, bool], MessageSkeleton] = {}

    def mail(self, addressee: Addressee, eight_bit: bool) -> Mail:
        """Raises fields.FieldError or AddressUnusable."""
        wording = variants.chosen(self._texts, self._appeal.default_language, addressee.language, addressee.variant)
        recipient = Recipient(
            addressee.uuid,
            addressee.email,
            addressee.first_name,
            addressee.last_name,
            addressee.city,
            addressee.country,
        )
        skeleton = self._skeleton(wording, eight_bit, addressee.discreet)
        sender = envelope_sender(skeleton.sender, addressee.uuid)
        return Mail(addressee.pk, sender, addressee.email, skeleton.fill_wire(recipient))

    def _skeleton(self, wording: Wording, eight_bit: bool, discreet: bool) -> MessageSkeleton:
        kept = self._skeletons.get((wording, eight_bit, discreet))
        if kept is None:
            kept = message.wire(
                self._appeal,
                self._texts[wording],
                self._counting[wording],
                eight_bit=eight_bit,
                discreet=discreet,
            )
            self._skeletons[wording, eight_bit, discreet] = kept
        return kept
