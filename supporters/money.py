"""Amounts in the minor units of their currency, as payment providers count them.

The books keep two decimals at most, so the few currencies with three (ISO 4217: BHD, IQD, JOD, KWD, LYD, OMR, TND) can't
be given in.
"""

from decimal import Decimal, InvalidOperation

WHOLE_CURRENCIES = [
    "BIF",
    "CLP",
    "DJF",
    "GNF",
    "ISK",
    "JPY",
    "KMF",
    "KRW",
    "PYG",
    "RWF",
    "UGX",
    "VND",
    "VUV",
    "XAF",
    "XOF",
    "XPF",
]
"""ISO 4217 currencies without a minor unit."""
_THREE = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})


def exponent(currency: str) -> int:
    """How many decimals the currency has. Raises ValueError for one that the books can't keep."""
    if currency in _THREE:
        raise ValueError(f"{currency} has three decimals")
    return 0 if currency in WHOLE_CURRENCIES else 2


def from_minor(minor: int, currency: str) -> Decimal:
    """The amount: 10050 öre are 100.50 SEK."""
    return Decimal(minor).scaleb(-exponent(currency))


def to_minor(amount: Decimal, currency: str) -> int:
    """In minor units. Raises ValueError for parts of one, and for what is no number."""
    try:
        units = amount.scaleb(exponent(currency))
        whole = units.to_integral_value()
    except InvalidOperation:
        raise ValueError("no amount") from None
    if not units.is_finite() or units != whole:
        raise ValueError("a part of the smallest unit")
    return int(whole)
