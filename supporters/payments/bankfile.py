"""The bank's file of what came to the account: ISO 20022, camt.053 (statement) or camt.054 (advice of credit).

Only money that is booked on the account and came in is read; what the bank took back or sent out is left alone.
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from supporters import money
from supporters.payments import references
from supporters.payments.events import Unreadable
from supporters.payments.incoming import Incoming, name_of


def read(content: bytes) -> list[Incoming]:
    """What came in. Raises Unreadable."""
    try:
        document = fromstring(content, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        raise Unreadable("no XML") from None
    if not any(_name(element).startswith("BkToCstmr") for element in document):
        raise Unreadable("neither camt.053 nor camt.054")
    try:
        return [line for entry in _all(document, "Ntry") for line in _lines(entry)]
    except (ValueError, InvalidOperation) as error:
        raise Unreadable(str(error) or "a figure or day that can't be read") from None


def _lines(entry: Element) -> Iterator[Incoming]:
    booked = _text(entry, "Sts", "Cd") or _text(entry, "Sts")
    if _text(entry, "CdtDbtInd") != "CRDT" or booked != "BOOK" or _text(entry, "RvslInd") == "true":
        return
    day = (_text(entry, "BookgDt", "Dt") or _text(entry, "BookgDt", "DtTm"))[:10]
    parts = list(_all(entry, "TxDtls")) or [entry]
    for place, part in enumerate(parts):
        paid = _find(part, "Amt")
        if paid is None:
            paid = _find(part, "AmtDtls", "TxAmt", "Amt")
        if paid is None and len(parts) == 1:
            paid = _find(entry, "Amt")
        if paid is None:
            raise Unreadable("an entry without an amount")
        currency = paid.get("Ccy", "")
        minor = money.to_minor(Decimal(paid.text or ""), currency)
        said = " ".join(_texts(part, "RmtInf"))[:500]
        payer = next(_texts(part, "RltdPties", "Dbtr"), "")[:150]
        bank = _text(part, "Refs", "AcctSvcrRef") or _text(part, "Refs", "TxId")
        whole = _text(entry, "AcctSvcrRef") or _text(entry, "NtryRef")
        name = bank or (f"{whole}-{place}" if whole else name_of(day, minor, currency, said, payer, place))
        reference = references.found_in(said)
        yield Incoming(name[:190], minor, currency, date.fromisoformat(day), reference, payer, said)


def _name(element: Any) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _all(element: Element, name: str) -> Iterator[Element]:
    return (each for each in element.iter() if _name(each) == name)


def _find(element: Element, *path: str) -> Element | None:
    for name in path:
        element = next((each for each in element if _name(each) == name), None)
        if element is None:
            return None
    return element


def _text(element: Element, *path: str) -> str:
    found = _find(element, *path)
    return (found.text or "").strip() if found is not None else ""


def _texts(element: Element, *path: str) -> Iterator[str]:
    found = _find(element, *path)
    if found is not None:
        yield from (each.text.strip() for each in found.iter() if each.text and each.text.strip())
