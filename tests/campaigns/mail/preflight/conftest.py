import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from campaigns.mail.dkim import Key
from campaigns.mail.preflight import asking
from tests.standins.dns import NameServer

KEY = Key("spring", generate_private_key(65537, 2048))


@pytest.fixture
def impatient(monkeypatch):
    """For those who wait for no answer."""
    monkeypatch.setattr(asking, "PATIENCE", 0.3)


@pytest.fixture
def names(settings, monkeypatch):
    """A name server that knows realstars.se as its owner would have it; settings that lead to it."""
    monkeypatch.setattr(asking, "PATIENCE", 30)
    with NameServer() as server:
        settings.DNS_SERVER = server.address
        settings.BOUNCE_ADDRESS = settings.DKIM_DOMAIN = ""
        settings.DKIM_KEYS = (KEY,)
        server.records = {
            "realstars.se": ["v=spf1 include:_spf.mailer.example -all", "google-site-verification=x"],
            "_spf.mailer.example": ["v=spf1 ip4:192.0.2.1 -all"],
            "_dmarc.realstars.se": ["v=DMARC1; p=none; rua=mailto:dmarc@realstars.se"],
            "spring._domainkey.realstars.se": [KEY.record],
        }
        yield server
