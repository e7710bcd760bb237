"""References that a payer writes with the money, with digits that show a slip of the pen.

For Swedish bankgiro and Swish a number whose last digit is its check digit by the modulus-10 method (Luhn), as Bankgirot's
OCR references have it (Bankgirot, “OCR-referenskontroll”). For a transfer within the Union the same number as a creditor reference,
ISO 11649: RF, two check digits, the number.
"""

import re
import secrets

_DIGITS = 9


def new() -> str:
    """Nine random digits and a check digit: no order and no number of donors can be read from it."""
    number = str(secrets.randbelow(9 * 10 ** (_DIGITS - 1)) + 10 ** (_DIGITS - 1))
    return number + check_digit(number)


def check_digit(number: str) -> str:
    """By the modulus-10 method: from the right, every other digit doubled."""
    total = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def is_whole(reference: str) -> bool:
    return bool(re.fullmatch(r"\d{2,25}", reference, re.ASCII)) and check_digit(reference[:-1]) == reference[-1]


def creditor_reference(reference: str) -> str:
    """ISO 11649, as RF18 5390 0754 7034 without the spaces: the check digits by ISO 7064, modulus 97-10."""
    return f"RF{98 - int(reference + '271500') % 97:02d}{reference}"


def found_in(text: str) -> str:
    """The first whole reference of ours in what a payer wrote, however it is spaced; empty if there is none."""
    for run in re.findall(r"(?:\d[ \-]?){10,27}", text, re.ASCII):
        digits = re.sub(r"\D", "", run)
        # A creditor reference begins with two check digits of its own.
        for candidate in (digits, digits[2:]):
            if len(candidate) == _DIGITS + 1 and is_whole(candidate):
                return candidate
    return ""
