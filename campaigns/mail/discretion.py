"""What a message shows before it is opened, where the person asked that it tell nothing (Supporter.discreet).

An inbox shows sender, subject and how the text begins, be it on the screen of a telephone that others see. Inside, the
message says what it has to say.
"""

from django.conf import settings
from django.utils.translation import gettext as _

_FILLER = "\u034f\u200c\u00a0 " * 60
"""Nothing to be seen, and longer than what an inbox shows of a text."""
_CURTAIN = "\n".join(["- " * 35 + "-"] * 3)


def sender(name: str, address: str) -> tuple[str, str]:
    """Whom the message is from, in place of these."""
    return settings.DISCREET_FROM_NAME, settings.DISCREET_FROM_EMAIL or address


def subject() -> str:
    """In the language that is active."""
    return _("A message for you")


def preview() -> str:
    """What stands beside the subject, and keeps away what follows."""
    return f"{opening()} {_FILLER}"


def opening() -> str:
    return _("This message says what it is about further down, as you wished.")


def plain(text: str) -> str:
    """The plain-text part, which inboxes show the beginning of as well."""
    return f"{opening()}\n\n{_CURTAIN}\n\n{text}"
