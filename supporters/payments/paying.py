"""How a pledge is paid by Swish or bank transfer: numbers to copy, and codes for the camera of a phone."""

import re
from dataclasses import dataclass

from django.conf import settings
from segno.helpers import make_epc_qr

from supporters import codes
from supporters.models import Pledge
from supporters.payments import references, swish


@dataclass(frozen=True)
class Ways:
    """What the page shows; empty where it is not set up or does not go with the currency."""

    reference: str
    swish: str = ""
    bankgiro: str = ""
    iban: str = ""
    bic: str = ""
    creditor_reference: str = ""
    code: str = ""


def ways(pledge: Pledge) -> Ways:
    if pledge.method == Pledge.Method.SWISH:
        text = swish.qr_text(settings.SWISH_NUMBER, pledge.amount, pledge.reference)
        number = re.sub(r"(\d{3})(\d{3})(\d{2})(\d{2})", r"\1 \2 \3 \4", settings.SWISH_NUMBER)
        return Ways(pledge.reference, swish=number, code=codes.of_text(text))
    in_kronor, iban = pledge.currency == "SEK", settings.BANK_IBAN
    code = ""
    if iban and pledge.currency == "EUR":
        # The code of the European Payments Council (EPC069-12), which banking apps read; for euro only.
        code = codes.svg(
            make_epc_qr(
                settings.ORGANISATION_NAME[:70],
                iban,
                pledge.amount,
                reference=references.creditor_reference(pledge.reference),
                bic=settings.BANK_BIC or None,
            )
        )
    return Ways(
        pledge.reference,
        bankgiro=re.sub(r"(\d{3,4})(\d{4})$", r"\1-\2", settings.BANKGIRO) if in_kronor else "",
        iban=" ".join(re.findall(".{1,4}", iban)),
        bic=settings.BANK_BIC if iban else "",
        creditor_reference=" ".join(re.findall(".{1,4}", references.creditor_reference(pledge.reference)))
        if iban
        else "",
        code=code,
    )
