"""Erasing a person from the whole house, from the roof down, in one transaction."""

from typing import TYPE_CHECKING

from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.privacy import forget
from supporters.models import Supporter
from supporters.privacy import erase as erase_supporter

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser


@transaction.atomic
def erase(supporter: Supporter, by: "AbstractBaseUser") -> None:
    """Erase the person; what is left of it in the log says who did it and when, not whom.

    Raises Supporter.DoesNotExist if somebody else has just done it.
    """
    supporter = Supporter.objects.select_for_update().get(pk=supporter.pk)
    number = supporter.pk
    forget(supporter)
    erase_supporter(supporter)
    LogEntry.objects.create(
        user_id=by.pk,
        content_type=ContentType.objects.get_for_model(Supporter),
        object_id=str(number),
        object_repr=_("An erased supporter"),
        action_flag=DELETION,
        change_message="",
    )
