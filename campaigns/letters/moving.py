"""Somebody's new address: a letter to it that asks to confirm, and word of it to the old one."""

from django.conf import settings
from django.utils.translation import gettext as _

from campaigns.letters.note import Note
from campaigns.letters.preferences import own_page
from campaigns.mail.markup import Button
from supporters import links, moving
from supporters.links import Link
from supporters.models import Letter
from supporters.public import address


def write(letter: Letter) -> Note | None:
    """To the new address, in the language that is active; None where it is done, taken back or too late."""
    request = letter.inbox_request
    if request is None or not moving.asked_by(request.uuid):
        return None
    link = settings.SITE_URL + address("move", token=links.token(Link.MOVE, request.uuid))
    return Note(
        to=request.email,
        language=letter.language,
        subject=_("Please confirm your address"),
        blocks=(
            _("Somebody, we think it was you, wants our messages to come to this address from now on."),
            Button(_("Yes, write to me here"), link),
            _("The link works for three days."),
            _("If it wasn't you, do nothing: nothing changes, and this address is erased after some days."),
        ),
        reason=_("You get this message once because your address was typed on a page of %(organisation)s.")
        % {"organisation": settings.ORGANISATION_NAME},
    )


def write_to_the_old(letter: Letter) -> Note | None:
    """Word of it to the address that still holds; None where nothing is asked for any more."""
    supporter = letter.supporter
    if supporter is None or not supporter.email or moving.waiting(supporter) is None:
        return None
    return Note(
        to=supporter.email,
        language=letter.language,
        subject=_("A new address for your messages?"),
        blocks=(
            _("On your own page somebody, we think it was you, asked that our messages go to another address."),
            _("They do so once it is confirmed from there. If it wasn't you, open your page and take it back:"),
            Button(_("See and change my choices"), own_page(supporter)),
            _("The link works for seven days. Give it to nobody: it shows what we hold of you."),
        ),
        reason=_("You get this message because your messages are to go to another address."),
    )
