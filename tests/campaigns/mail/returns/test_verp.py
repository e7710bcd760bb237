import re
from uuid import UUID

import pytest

from campaigns.mail.returns.verp import delivery_of, envelope_sender

DELIVERY = UUID("6f1c2b7e-90a4-4d35-8c11-3f6f0f1d2a3b")


@pytest.fixture(autouse=True)
def _bounce_address(settings):
    settings.BOUNCE_ADDRESS = "bounces@lists.example.org"


def test_envelope_sender_is_the_appeals_without_a_bounce_address(settings):
    settings.BOUNCE_ADDRESS = ""
    assert envelope_sender("anna@example.org", DELIVERY) == "anna@example.org"


def test_envelope_sender_carries_the_delivery_and_a_proof():
    address = envelope_sender("anna@example.org", DELIVERY)
    assert re.fullmatch(rf"bounces\+{DELIVERY.hex}[0-9a-f]{{12}}@lists\.example\.org", address)
    assert delivery_of(address) == DELIVERY


@pytest.mark.parametrize("change", [str.upper, str.title, lambda text: f" <{text}> "])
def test_delivery_of_survives_what_mail_servers_do_to_an_address(change):
    assert delivery_of(change(envelope_sender("anna@example.org", DELIVERY))) == DELIVERY


def test_envelope_sender_fits_a_local_part(settings):
    settings.BOUNCE_ADDRESS = "nineteen-characters@lists.example.org"
    local = envelope_sender("anna@example.org", DELIVERY).partition("@")[0]
    assert len(local) == 64


@pytest.mark.parametrize(
    "address",
    [
        f"bounces+{DELIVERY.hex}{'0' * 12}@lists.example.org",
        f"bounces+{DELIVERY.hex}@lists.example.org",
        "bounces@lists.example.org",
        "",
        "@",
        "bounces+zz@lists.example.org",
    ],
)
def test_delivery_of_forged_or_foreign_addresses_is_none(address):
    assert delivery_of(address) is None


def test_delivery_of_another_delivery_with_this_proof_is_none():
    other = UUID("00000000-90a4-4d35-8c11-3f6f0f1d2a3b")
    assert delivery_of(envelope_sender("anna@example.org", DELIVERY).replace(DELIVERY.hex, other.hex)) is None


def test_delivery_of_reads_what_an_earlier_secret_made(settings):
    address = envelope_sender("anna@example.org", DELIVERY)
    earlier = settings.SECRET_KEY
    settings.SECRET_KEY = "quite another secret, long enough to be one, and not to be guessed"
    assert delivery_of(address) is None
    settings.SECRET_KEY_FALLBACKS = [earlier]
    assert delivery_of(address) == DELIVERY
