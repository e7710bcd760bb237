from datetime import date

import pytest

from supporters.models import Donation, PaymentEvent
from supporters.payments import applying, bankfile, references, storing
from supporters.payments.events import Unreadable
from tests.factories import make_pledge

HEAD = '<?xml version="1.0" encoding="UTF-8"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt><Stmt>'
TAIL = "</Stmt></BkToCstmrStmt></Document>"


def entry(
    amount="250.00", currency="SEK", said="<Ustrd>1234567897</Ustrd>", way="CRDT", status="BOOK", name="T1", more=""
):
    return (
        f'<Ntry><Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>{way}</CdtDbtInd>{more}<Sts>{status}</Sts>'
        f"<BookgDt><Dt>2026-05-04</Dt></BookgDt><NtryDtls><TxDtls><Refs><AcctSvcrRef>{name}</AcctSvcrRef></Refs>"
        f"<RltdPties><Dbtr><Nm>Eva Ek</Nm></Dbtr></RltdPties><RmtInf>{said}</RmtInf></TxDtls></NtryDtls></Ntry>"
    )


def read(*entries):
    return bankfile.read((HEAD + "".join(entries) + TAIL).encode())


def test_what_came_in_is_read_with_reference_payer_and_day():
    [line] = read(entry())
    assert (line.name, line.minor, line.currency, line.on) == ("T1", 25_000, "SEK", date(2026, 5, 4))
    assert (line.reference, line.payer, line.text) == ("1234567897", "Eva Ek", "1234567897")


def test_a_creditor_reference_is_read():
    grouped = references.creditor_reference("1234567897")
    [line] = read(entry(currency="EUR", said=f"<Strd><CdtrRefInf><Ref>{grouped}</Ref></CdtrRefInf></Strd>"))
    assert line.reference == "1234567897"


def test_what_went_out_is_not_booked_or_was_taken_back_is_left_alone():
    assert read(entry(way="DBIT"), entry(status="PDNG"), entry(more="<RvslInd>true</RvslInd>")) == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"date;amount\n1;2",
        b"<a/>",
        b'<!DOCTYPE a [<!ENTITY b "c">]><Document><BkToCstmrStmt/></Document>',
        (HEAD + entry(amount="x") + TAIL).encode(),
        (HEAD + entry(amount="1.005") + TAIL).encode(),
        (HEAD + entry().replace("2026-05-04", "2026-13-04") + TAIL).encode(),
    ],
)
def test_what_is_no_such_file_is_refused(content):
    with pytest.raises(Unreadable):
        bankfile.read(content)


@pytest.mark.django_db
def test_the_file_twice_books_once_and_shows_what_has_no_pledge(broker):
    pledge = make_pledge(reference="1234567897", method="bank", minor_units=25_000)
    lines = read(entry(), entry(name="T2", said="<Ustrd>thanks!</Ustrd>"))
    for _twice in range(2):
        storing.keep("bank", [line.told() for line in lines])
        applying.apply_owed()
    gift = Donation.objects.get()
    assert (gift.pledge, gift.provider, gift.method, gift.received_on) == (pledge, "bank", "bank", date(2026, 5, 4))
    assert gift.letters.get().kind == "receipt"
    assert list(PaymentEvent.objects.values_list("state", "doubt")) == [("applied", ""), ("review", "unknown")]
