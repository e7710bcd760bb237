"""Erasing a person from the whole house (GDPR, article 17), from the roof down, in one transaction.

`carrying` does for approved requests what must come before and after it.
"""

from typing import TYPE_CHECKING

from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.utils.translation import gettext as _

from crm.personal import HOLDINGS
from supporters import erasing
from supporters.holdings import Person
from supporters.merging.locking import lock
from supporters.models import Donation, Signature, Supporter
from supporters.payments import ending

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser


@transaction.atomic
def erase(supporter: Supporter, by: "AbstractBaseUser | None" = None, request: int | None = None) -> None:
    """Erase the person; what is left in the log says who did it and when, not whom.

    The row stays locked till the end of it, so that no gift, agreement, signature or consent can be added to somebody who
    is on the way out. Raises Supporter.DoesNotExist if somebody else has just done it, NotEnded if an agreement to give
    still runs, and TakenBack if `request`, the key of the one that is carried out, is not approved any more.
    """
    try:
        supporter = lock([supporter.pk])[supporter.pk]
    except KeyError:
        raise Supporter.DoesNotExist from None
    asked = erasing.still_standing(request, supporter) if request else None
    if ending.running([supporter.pk]).exists():
        raise ending.NotEnded(_("An agreement to give is still running."))
    asked = asked or erasing.standing(supporter, by)
    person = Person.of(supporter)
    kept = {
        "donations": Donation.objects.filter(supporter=supporter).count(),
        "signatures": Signature.objects.filter(supporter=supporter).count(),
    }
    owed = {}
    for holding in reversed(HOLDINGS):
        left = holding.forget_all(person)
        if left:
            owed[holding.name] = left
    erasing.erased(asked.pk, person.pk, owed, kept)
    if by:
        LogEntry.objects.create(
            user_id=by.pk,
            content_type=ContentType.objects.get_for_model(Supporter),
            object_id=str(person.pk),
            object_repr=_("An erased supporter"),
            action_flag=DELETION,
            change_message="",
        )
