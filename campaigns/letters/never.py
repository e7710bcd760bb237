"""Asks whoever reads an address to confirm that it is never to be written to again. It is the last letter to it."""

from django.conf import settings
from django.utils.translation import gettext as _

from campaigns.letters.note import Note
from campaigns.mail.markup import Button
from supporters import links, never
from supporters.links import Link
from supporters.models import Letter
from supporters.public import address


def write(letter: Letter) -> Note | None:
    """The letter in the language that is active; None where it is done, or too late."""
    request = letter.inbox_request
    if request is None or not never.asked_by(request.uuid):
        return None
    link = settings.SITE_URL + address("never_confirm", token=links.token(Link.NEVER, request.uuid))
    return Note(
        to=request.email,
        language=letter.language,
        subject=_("Confirm that we never write to you again"),
        blocks=(
            _("Somebody, we think it was you, asked that we never write to this address again."),
            Button(_("Never write to me again"), link),
            _("The link works for seven days."),
            _("If it wasn't you, do nothing: nothing changes."),
        ),
        reason=_("You get this message once because your address was typed on a page of %(organisation)s.")
        % {"organisation": settings.ORGANISATION_NAME},
        quiet_subject=_("Please confirm your address"),
    )
