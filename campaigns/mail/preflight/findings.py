"""What a check finds, in words for staff."""

from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext_lazy as _


class Grade(StrEnum):
    GOOD = "good"
    UNKNOWN = "unknown"
    WARNING = "warning"
    REFUSED = "refused"
    """Gmail or Yahoo would refuse it, so we don't send it."""

    @property
    def label(self) -> str:
        return str(_LABELS[self])


_LABELS = {
    Grade.GOOD: _("Good"),
    Grade.UNKNOWN: _("Not known"),
    Grade.WARNING: _("Look at this"),
    Grade.REFUSED: _("Has to be mended"),
}


@dataclass(frozen=True)
class Finding:
    topic: str
    grade: Grade
    said: str
    advice: str = ""
    """What to do about it."""
    record: tuple[str, str] | None = None
    """A DNS record to publish: its name and its text."""
