"""Thanks for a donation, with what the donor's books ask for."""

from django.conf import settings
from django.utils.translation import gettext as _

from campaigns.letters.note import Note
from campaigns.mail.markup import Button
from campaigns.mail.punctuation import quoted
from supporters import figures, links
from supporters.links import Link
from supporters.models import Donation, Letter
from supporters.payments.donors import news_asked_for
from supporters.public import address


def write(letter: Letter) -> Note | None:
    """The receipt in the language that is active; None where the gift is nobody's any more, or did not stay."""
    gift = letter.donation
    if gift is None or gift.supporter is None or not gift.supporter.email or gift.state != Donation.State.RECEIVED:
        return None
    organisation = settings.ORGANISATION_NAME
    amount = figures.money(gift.amount, gift.currency)
    if gift.recurring_id:
        opening = _("Thank you for your monthly gift of %(amount)s.") % {"amount": amount}
    else:
        opening = _("Thank you for your gift of %(amount)s.") % {"amount": amount}
    lines = [
        _("Receipt number: %(number)s") % {"number": figures.code(gift.receipt_number)},
        _("Amount: %(amount)s") % {"amount": amount},
        _("Received on: %(day)s") % {"day": figures.day(gift.received_on)},
        _("Received by: %(organisation)s") % {"organisation": organisation},
    ]
    if settings.ORGANISATION_NUMBER:
        number = figures.code(settings.ORGANISATION_NUMBER)
        lines.append(_("Organisation number: %(number)s") % {"number": number})
    blocks: list[str | Button] = [opening, *lines, _("Keep this message: it is your receipt.")]
    if asked := news_asked_for(gift.supporter):
        link = settings.SITE_URL + address("news", token=links.token(Link.NEWS, gift.supporter.uuid))
        blocks += [
            _("With your gift somebody ticked this:"),
            quoted(asked.wording),
            Button(_("Yes, that was me"), link),
        ]
    return Note(
        to=gift.supporter.email,
        language=letter.language,
        subject=_("Your receipt from %(organisation)s") % {"organisation": organisation},
        blocks=tuple(blocks),
        quiet_subject=_("Your receipt"),
        reason=_("You get this message once because a gift to %(organisation)s was made with your email address.")
        % {"organisation": organisation},
    )
