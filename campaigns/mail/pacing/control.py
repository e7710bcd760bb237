"""The stop button: nothing of ours leaves while it is pressed, whatever its state says.

going ──stop──▶ stopped ──go_on──▶ going
"""

from django.contrib.auth.models import AbstractBaseUser
from django.db.models.functions import Now

from campaigns.models import SendingControl

STOPPED_SQL = "EXISTS (SELECT FROM campaigns_sendingcontrol WHERE stopped_at IS NOT NULL)"
"""For the statements that look once more right before a message leaves."""


def current() -> SendingControl:
    """The row as it is now; its defaults where nobody has set anything yet."""
    return SendingControl.objects.select_related("stopped_by").first() or SendingControl()


def stop(by: AbstractBaseUser | None) -> bool:
    """Press the button; False if it was pressed already."""
    SendingControl.objects.bulk_create([SendingControl()], ignore_conflicts=True)
    return bool(SendingControl.objects.filter(stopped_at=None).update(stopped_at=Now(), stopped_by=by))


def go_on() -> bool:
    """Let go of the button; False if it was not pressed."""
    going = {"stopped_at": None, "stopped_by": None}
    return bool(SendingControl.objects.filter(stopped_at__isnull=False).update(**going))
