"""Erasing a person from the whole house (GDPR, article 17), from the roof down, in one transaction."""

from typing import TYPE_CHECKING

from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.utils.translation import gettext as _

from crm.personal import HOLDINGS
from supporters.holdings import Person
from supporters.merging.locking import lock
from supporters.models import Supporter

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser


@transaction.atomic
def erase(supporter: Supporter, by: "AbstractBaseUser") -> None:
    """Erase the person; what is left of it in the log says who did it and when, not whom.

    The row stays locked till the end of it, so that no gift, signature or consent can be added to somebody who is on
    the way out. Raises Supporter.DoesNotExist if somebody else has just done it.
    """
    try:
        supporter = lock([supporter.pk])[supporter.pk]
    except KeyError:
        raise Supporter.DoesNotExist from None
    person = Person.of(supporter)
    for holding in reversed(HOLDINGS):
        holding.forget_all(person)
    LogEntry.objects.create(
        user_id=by.pk,
        content_type=ContentType.objects.get_for_model(Supporter),
        object_id=str(person.pk),
        object_repr=_("An erased supporter"),
        action_flag=DELETION,
        change_message="",
    )
