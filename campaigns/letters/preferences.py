"""The link to somebody's own choices. It is sent to the address on file only, whoever asked for it."""

from django.conf import settings
from django.utils.translation import gettext as _

from campaigns.letters.note import Note
from campaigns.mail.markup import Button
from supporters import links
from supporters.links import Link
from supporters.models import Letter, Supporter
from supporters.public import address


def own_page(supporter: Supporter) -> str:
    """The link to somebody's own page, which works for seven days."""
    return settings.SITE_URL + address("me", token=links.dated_token(Link.PREFERENCES, supporter.uuid))


def write(letter: Letter) -> Note | None:
    """The letter in the language that is active; None where there is nobody to write to any more."""
    supporter = letter.supporter
    if supporter is None or not supporter.email:
        return None
    organisation = settings.ORGANISATION_NAME
    return Note(
        to=supporter.email,
        language=letter.language,
        subject=_("Your choices at %(organisation)s") % {"organisation": organisation},
        blocks=(
            _("Somebody, we think it was you, asked for the page on which you choose what you hear from us."),
            Button(_("See and change my choices"), own_page(supporter)),
            _("The link works for seven days. Give it to nobody: it shows what we hold of you."),
            _("If it wasn't you, do nothing: nothing changes."),
        ),
        quiet_subject=_("The link you asked for"),
        reason=_("You get this message once because somebody asked for it with your email address."),
    )
