from datetime import date
from decimal import Decimal

import pytest

from campaigns import letters
from supporters import consent
from supporters.models import Donation, Letter
from tests.factories import make_donation, make_supporter

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _broker(broker):
    return broker


def owe(language="en", **fields):
    gift = make_donation(make_supporter(email="eva@mail.se"), received_on=date(2026, 5, 1), **fields)
    Letter.objects.create(kind="receipt", donation=gift, language=language)
    return gift


def test_the_receipt_says_what_was_given_when_and_to_whom(server, settings):
    settings.ORGANISATION_NAME, settings.ORGANISATION_NUMBER = "RealStars", "802440-0000"
    settings.ORGANISATION_ADDRESS = "Järntorget 7, Göteborg"
    gift = owe(amount=Decimal("1250.50"))
    letters.work(linger=0)
    letters.work(linger=0)
    [mail] = server.mails
    assert mail["To"] == "eva@mail.se"
    assert mail["Subject"] == "Your receipt from RealStars"
    text = mail.get_body(("plain",)).get_content()
    for line in (
        "Thank you for your gift of SEK\u00a01,250.50.",
        f"Receipt number: 2026-{gift.pk:06d}",
        "Received on: 1 May 2026",
        "Received by: RealStars",
        "Organisation number: 802440-0000",
        "Järntorget 7, Göteborg",
    ):
        assert line in text
    assert Letter.objects.get().state == "sent"


def test_amount_and_day_follow_the_donors_language(server):
    owe(language="sv", amount=Decimal("1250.50"))
    letters.work(linger=0)
    text = server.mails[0].get_body(("plain",)).get_content()
    assert "1\u00a0250,50\u00a0kr" in text
    assert "1 maj 2026" in text


def test_numbers_keep_their_order_among_words_from_right_to_left(server, settings):
    settings.ORGANISATION_NUMBER = "802440-0000"
    gift = owe(language="ar")
    letters.work(linger=0)
    for part in ("plain", "html"):
        text = server.mails[0].get_body((part,)).get_content()
        assert f"\u20662026-{gift.pk:06d}\u2069" in text
        assert "\u2066802440-0000\u2069" in text


def test_somebody_who_left_gets_the_receipt_all_the_same(server):
    consent.leave(owe().supporter, method="link")
    letters.work(linger=0)
    assert len(server.mails) == 1


@pytest.mark.parametrize("fields", [{"state": "refunded"}, {"supporter": None}])
def test_a_gift_that_did_not_stay_or_is_nobodys_gets_none(server, fields):
    Donation.objects.filter(pk=owe().pk).update(**fields)
    letters.work(linger=0)
    assert server.mails == []
