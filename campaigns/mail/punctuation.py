"""Marks round what others wrote, as the language that is active sets them."""

from django.utils.translation import gettext as _


def quoted(words: str) -> str:
    return _("“%(words)s”") % {"words": words}


def leading(label: str) -> str:
    """A label before the address that it names."""
    return _("%(label)s:") % {"label": label}
