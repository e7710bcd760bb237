"""Links to a password, for somebody who logs in for a partner: the invitation, and for who has forgotten theirs."""

from django.conf import settings
from django.utils.translation import gettext as _

from campaigns.letters.note import Note
from campaigns.mail.markup import Button
from supporters.models import Letter
from supporters.partners import members
from supporters.public import address


def write(letter: Letter) -> Note | None:
    """The letter; None where there is no such login any more."""
    member = letter.partner
    if member is None or not member.user.is_active:
        return None
    link = settings.SITE_URL + address("set_password", of="partners", token=members.link_token(letter))
    said = {
        "organisation": settings.ORGANISATION_NAME,
        "partner": member.organisation.name,
        "address": member.user.get_username(),
    }
    if letter.kind == Letter.Kind.INVITATION:
        subject = _("Your login for %(partner)s at %(organisation)s") % said
        blocks = (
            _(
                "%(organisation)s invites you to see the signatures that %(partner)s brings in, and the people who allow it to write."
            )
            % said,
            Button(_("Choose a password"), link),
            _("The link works for seven days, and once."),
            _("You log in with this address: %(address)s") % said,
        )
    else:
        subject = _("A new password at %(organisation)s") % said
        blocks = (
            _("Somebody, we think it was you, asked for a new password for the login of %(partner)s.") % said,
            Button(_("Choose a password"), link),
            _(
                "The link works for two hours, and once. If it wasn't you, do nothing: the old password goes on working."
            ),
        )
    return Note(
        to=member.user.get_username(),
        language=letter.language,
        subject=subject,
        blocks=blocks,
        reason=_("You get this message once because this address is that of a login for %(partner)s.") % said,
    )
