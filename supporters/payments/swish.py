"""Swish: a number to pay to and a QR code that fills in the rest.

The code's text: https://developer.getswish.se/qr-api-manual/6-qr-code-encoding-specification/
"""

from decimal import Decimal
from urllib.parse import quote

LOCKED = 0
"""No part may be changed in the app: the bits are 1 for the payee, 2 for the amount, 4 for the message."""


def qr_text(number: str, amount: Decimal, message: str) -> str:
    """`C1237856901;100,00;12229445;0`: payee, SEK with a decimal comma, message as in an address, what may be changed."""
    payee = "".join(c for c in number if c.isdigit())
    return f"C{payee};{amount:.2f};{quote(message, safe='')};{LOCKED}".replace(".", ",")
