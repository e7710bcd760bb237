"""Asks the signer of a petition to confirm, and asks once more. Nothing that was typed is repeated but the address it goes to:
whoever typed it may have been somebody else."""

from django.conf import settings
from django.utils.translation import gettext as _

from campaigns.letters.note import Note
from campaigns.mail.markup import Button
from campaigns.mail.punctuation import quoted
from supporters import links
from supporters.links import Link
from supporters.models import Letter
from supporters.public import address
from supporters.signing.texts import text_of


def write(letter: Letter) -> Note | None:
    """The letter in the language that is active; None where there is nothing to confirm any more."""
    signature = letter.signature
    if signature is None or signature.email is None or not signature.petition.is_open():
        return None
    organisation = settings.ORGANISATION_NAME
    link = settings.SITE_URL + address("confirm", token=links.token(Link.CONFIRM, signature.uuid))
    never = settings.SITE_URL + address("never_confirm", token=links.token(Link.NEVER_BY_SIGNATURE, signature.uuid))
    title = text_of(signature.petition).title
    if letter.kind == Letter.Kind.REMIND:
        subject = _("Your signature is still waiting for you")
        opening = _("Some days ago somebody signed this petition with your email address:")
    else:
        subject = _("Please confirm your signature")
        opening = _("Somebody, we think it was you, signed this petition with your email address:")
    return Note(
        to=signature.email,
        language=letter.language,
        subject=subject,
        blocks=(
            opening,
            quoted(title),
            _("The signature counts once you have confirmed it. Open this page and press the button:"),
            Button(_("Confirm your signature"), link),
            _("If it wasn't you, do nothing: the signature won't count, and your address will be erased."),
            _("If you never want to hear from us again, whoever types your address: %(link)s") % {"link": never},
        ),
        quiet_subject=_("Please confirm your address"),
        reason=_("You get this message once because your address was typed on a page of %(organisation)s.")
        % {"organisation": organisation},
    )
