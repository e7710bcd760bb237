"""What can be given: in which currencies, which ways, how often."""

from babel.numbers import get_territory_currencies
from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from supporters.models import Pledge

Method, Interval = Pledge.Method, Pledge.Interval
_OF_LANGUAGES = {"sv": "SEK", "da": "DKK", "pl": "PLN", "cs": "CZK", "hu": "HUF", "ro": "RON"}
COMMON = "EUR"


def methods(currency: str) -> list[tuple[str, str]]:
    """The ways to give that are set up, with their labels, for this currency."""
    found = []
    if settings.STRIPE_SECRET_KEY:
        found.append((Method.CARD.value, _("Card or wallet")))
    if settings.SWISH_NUMBER and currency == "SEK":
        found.append((Method.SWISH.value, _("Swish")))
    if settings.BANK_IBAN or (settings.BANKGIRO and currency == "SEK"):
        found.append((Method.BANK.value, _("Bank transfer")))
    return found


def currencies() -> list[str]:
    """Those that there is a way to give in, in the order in which they are set."""
    return [code for code in settings.GIVING_AMOUNTS if methods(code)]


def intervals() -> list[tuple[str, str]]:
    """How often, with their labels."""
    often = [(Interval.ONCE.value, _("Once"))]
    if settings.STRIPE_SECRET_KEY:
        often.append((Interval.MONTH.value, _("Each month")))
    return often


def usual_currency(country: str = "") -> str:
    """What people of this country, or else readers of this language, most likely give in, of those that can be given.

    Empty where nothing can be given at all.
    """
    offered = currencies()
    wanted = [*get_territory_currencies(country)] if country else []
    wanted += [_OF_LANGUAGES.get(get_language(), COMMON), COMMON, *offered]
    return next((code for code in wanted if code in offered), "")
