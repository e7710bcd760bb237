"""Who of a partner may log in, and how they come to a password.

    invited ──set_password──▶ active ──disable──▶ disabled
       ▲ └──────────────────────disable──────────────▲ │
       └──────────────────────────enable───────────────┘

A login is a user of Django's without any right: never staff, in no group. What tells an invitation from a password that is forgotten is
how long the link works. Both links are made of the login's key, which changes once a password is set or the login is disabled: each works
once, and none outlives what came after it.
"""

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, connection, transaction
from django.db.models import Q
from django.db.models.functions import Coalesce, Now
from django.utils.translation import gettext as _

from supporters import letters, links
from supporters.addresses import AddressError, normalise_email
from supporters.exporting import making
from supporters.links import Link
from supporters.models import Export, Letter, Organisation, PartnerEvent, PartnerUser

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

INVITATION_LIFE = timedelta(days=7)
PASSWORD_LIFE = timedelta(hours=2)
AGAIN_AFTER = timedelta(minutes=10)
"""Who asks for a link again gets another letter, but not sooner than this."""
Kind = PartnerEvent.Kind


class NotInvited(Exception):
    """Why not, in words for staff."""


def invite(
    organisation: Organisation, email: str, by: "AbstractBaseUser | None", language: str = settings.LANGUAGE_CODE
) -> PartnerUser:
    """Make the login, if there is none yet, and owe the letter with the link, in this language. Raises NotInvited."""
    try:
        email = normalise_email(email)
    except AddressError:
        raise NotInvited(_("This is no email address.")) from None
    if len(email) > 150:
        raise NotInvited(_("This address is too long for a login."))
    try:
        with transaction.atomic():
            member = _member(organisation, email)
            note(member, Kind.INVITED, by=by)
            _owe_invitation(member, language)
    except IntegrityError:
        raise NotInvited(_("Somebody else is inviting this address just now.")) from None
    letters.wake()
    return member


def _owe_invitation(member: PartnerUser, language: str) -> None:
    Letter.objects.update_or_create(
        partner=member,
        kind=Letter.Kind.INVITATION,
        defaults={"language": language, "state": Letter.State.OWED, "due_at": Now()},
    )


def _member(organisation: Organisation, email: str) -> PartnerUser:
    users = get_user_model().objects
    user = users.filter(Q(username__iexact=email) | Q(email__iexact=email)).first()
    if user is None:
        user = users.create_user(email, email)  # without a password nobody gets in
        return PartnerUser.objects.create(user=user, organisation=organisation)
    member = PartnerUser.objects.filter(user=user).first()
    if member is None:
        raise NotInvited(_("This is the address of somebody of the staff."))
    if member.organisation_id != organisation.pk:
        raise NotInvited(_("Whoever has this address logs in for another organisation."))
    if not user.is_active:
        raise NotInvited(_("This login is disabled: enable it first."))
    if user.has_usable_password():
        raise NotInvited(_("Whoever has this address has a password already, and can ask for another one."))
    return member


def ask_for_password(email: str, language: str) -> None:
    """Owe the letter with the link, in this language, to whoever logs in with this address, in the spelling that records have.

    The same statement runs whether there is such a login or not: nothing tells one from the other.
    """
    with connection.cursor() as cursor:
        cursor.execute(_ASK, {"email": email, "language": language, "again_after": AGAIN_AFTER})
    letters.wake()


_ASK = """
INSERT INTO supporters_letter AS letter (kind, partner_id, language)
SELECT 'password', p.id, %(language)s FROM supporters_partneruser p JOIN auth_user u ON u.id = p.user_id
WHERE u.username = %(email)s AND u.is_active AND NOT u.is_staff
ON CONFLICT (partner_id, kind) WHERE partner_id IS NOT NULL DO UPDATE
SET state = 'owed', due_at = statement_timestamp(), language = excluded.language
WHERE letter.state IN ('sent', 'failed', 'unknown') AND letter.taken_at < statement_timestamp() - %(again_after)s
"""


def link_token(letter: Letter) -> str:
    """The token of the link in this letter, which is made when it leaves: it works from then on."""
    kind = Link.PARTNER_INVITATION if letter.kind == Letter.Kind.INVITATION else Link.PARTNER_PASSWORD
    return links.dated_token(kind, letter.partner.key)


def behind(token: str) -> PartnerUser | None:
    """Whose password this link is for; None once it is too old, was used, or the login is disabled."""
    key = links.read_dated(Link.PARTNER_INVITATION, token, INVITATION_LIFE) or links.read_dated(
        Link.PARTNER_PASSWORD, token, PASSWORD_LIFE
    )
    return _open(key).first() if key else None


def set_password(member: PartnerUser, password: str) -> bool:
    """Take the password, once for each link; False if somebody was quicker."""
    with transaction.atomic():
        if not _open(member.key).update(key=uuid4(), accepted_at=Coalesce("accepted_at", Now())):
            return False
        member.user.set_password(password)
        member.user.save(update_fields=["password"])
        note(member, Kind.PASSWORD)
    return True


def disable(member: PartnerUser, by: "AbstractBaseUser") -> bool:
    """Out at once, files that were made included; False if it was disabled already."""
    with transaction.atomic():
        if not _users(member).filter(is_active=True).update(is_active=False, password=make_password(None)):
            return False
        PartnerUser.objects.filter(pk=member.pk).update(key=uuid4())
        making.stop(Export.objects.filter(by=member.user_id))
        note(member, Kind.DISABLED, by=by)
    return True


def enable(member: PartnerUser, by: "AbstractBaseUser") -> bool:
    """Invited anew, for there is no password any more; False if it was not disabled."""
    with transaction.atomic():
        if not _users(member).filter(is_active=False).update(is_active=True):
            return False
        note(member, Kind.ENABLED, by=by)
        _owe_invitation(member, _last_language(member))
    letters.wake()
    return True


def _last_language(member: PartnerUser) -> str:
    """That of the last letter: of the page on which they asked for it, or as staff chose."""
    last = Letter.objects.filter(partner=member).order_by("-due_at").values_list("language", flat=True).first()
    return last or settings.LANGUAGE_CODE


def note(member: PartnerUser, kind: str, *, number: int = 0, by: "AbstractBaseUser | None" = None) -> None:
    PartnerEvent.objects.create(
        organisation_id=member.organisation_id, user_id=member.user_id, kind=kind, number=number, by=by
    )


def _open(key: UUID):  # noqa: ANN202
    return PartnerUser.objects.select_related("user", "organisation").filter(
        key=key, user__is_active=True, user__is_staff=False
    )


def _users(member: PartnerUser):  # noqa: ANN202
    return get_user_model().objects.filter(pk=member.user_id)
