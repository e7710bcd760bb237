"""When a mailing goes: Mailchimp schedules to quarters of an hour only."""

from datetime import datetime, timedelta

AHEAD = timedelta(hours=1)
"""How long before its hour an appeal is launched, so that Mailchimp has it in time."""
QUARTER = timedelta(minutes=15)
SOON = timedelta(minutes=3)
"""An hour nearer than this is not scheduled: it is waited for, and then sent at once."""


def quarter(moment: datetime) -> datetime:
    """The first quarter of an hour that is not before this moment."""
    over = timedelta(minutes=moment.minute % 15, seconds=moment.second, microseconds=moment.microsecond)
    return moment - over + QUARTER if over else moment
