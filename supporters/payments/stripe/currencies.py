"""Stripe's own minor units: https://docs.stripe.com/currencies#zero-decimal and #special-cases

They differ from ISO 4217 in a few: Stripe counts krónur and shillings in hundredths though they have none, and the ariary,
whose unit has five parts, in whole ones.
"""

from supporters import money
from supporters.payments.events import Sum, Unreadable

_HUNDREDTHS = frozenset({"ISK", "UGX"})
_WHOLE = frozenset({"MGA"})


def to_stripe(minor: int, currency: str) -> int:
    return minor * 100 if currency in _HUNDREDTHS else minor // 100 if currency in _WHOLE else minor


def from_stripe(amount: object, currency: object) -> Sum:
    """Raises Unreadable."""
    if not isinstance(amount, int) or isinstance(amount, bool) or not isinstance(currency, str):
        raise Unreadable("no amount")
    code = currency.upper()
    try:
        money.exponent(code)
    except ValueError as problem:
        raise Unreadable(str(problem)) from None
    if code in _HUNDREDTHS:
        if amount % 100:
            raise Unreadable(f"a part of the smallest unit of {code}")
        amount //= 100
    elif code in _WHOLE:
        amount *= 100
    return Sum(amount, code)
