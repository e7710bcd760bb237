import re
from uuid import UUID

import dkim as verifier
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from hypothesis import HealthCheck, assume, given
from hypothesis import settings as effort

from campaigns.mail import compose, message
from campaigns.mail.dkim import Key
from campaigns.mail.message import Recipient
from campaigns.models import Appeal, AppealText
from tests.campaigns.mail.test_skeleton import BODY, LINE, LITERAL, NO_SHRINKING, PEOPLE

RSA = Key("spring", generate_private_key(65537, 2048))
ED25519 = Key("autumn", Ed25519PrivateKey.generate())
DOMAIN = "realstars.se"


@pytest.fixture(autouse=True)
def keys(settings):
    settings.DKIM_KEYS = (RSA, ED25519)
    settings.DKIM_DOMAIN = ""


def made(subject="Åsa & co", body="Hej {{ first_name }}  \n\n\tyou", eight_bit=True, sender="RealStars", person=None):
    appeal = Appeal(pk=7, source_code="spring", sender_name=sender, sender_email=f"hej@{DOMAIN}")
    text = AppealText(language="sv", subject=subject, body=body)
    person = person or Recipient(UUID(int=1), "ann@mail.se", "Ann", "Öberg")
    return message.wire(appeal, text, eight_bit=eight_bit).fill(person)


def asked(name, timeout=5):
    for key in (RSA, ED25519):
        if name.rstrip(b".").decode() == key.name(DOMAIN):
            return key.record.encode()
    return None


def verified(raw, signature=0):
    try:
        return verifier.DKIM(raw).verify(signature, dnsfunc=asked)
    except verifier.ValidationError:
        return False


@pytest.mark.parametrize("eight_bit", [True, False])
@pytest.mark.parametrize("signature", [0, 1])
def test_a_signature_stands_for_each_key(signature, eight_bit):
    raw = made(eight_bit=eight_bit)
    assert raw.count(b"DKIM-Signature: ") == 2
    assert verified(raw, signature)
    assert max(map(len, raw.split(b"\r\n\r\n")[0].split(b"\r\n"))) <= 110


@effort(deadline=None, max_examples=40, phases=NO_SHRINKING, suppress_health_check=list(HealthCheck))
@given(person=PEOPLE, subject=LINE, body=BODY, sender=LITERAL)
def test_whatever_is_signed_verifies(person, subject, body, sender):
    assume(not (compose.check_line(subject) or compose.check(body)))
    assert verified(made(subject, body, sender=sender, person=person), 1)


@pytest.mark.parametrize("name", ["From", "To", "Subject", "Date", "Content-Type", "MIME-Version", "Reply-To", "Cc"])
def test_nobody_can_add_a_field_that_a_reader_looks_at(name):
    assert not verified(f"{name}: all@example.org\r\n".encode() + made())


@pytest.mark.parametrize(
    ("words", "others"),
    [
        (b"Hej Ann", b"Hej Bo"),
        (b"List-Unsubscribe: <http", b"List-Unsubscribe: <https"),
        (b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n", b""),
        (b"Feedback-ID: 7", b"Feedback-ID: 8"),
    ],
)
def test_nobody_can_change_what_was_signed(words, others):
    raw = made()
    assert verified(raw)
    changed = raw.replace(words, others)
    assert changed != raw
    assert not verified(changed)


def test_a_server_that_folds_anew_or_replaces_the_message_id_breaks_nothing():
    raw = made()
    raw = raw.replace(b"Feedback-ID: 7", b"Feedback-ID:\r\n\t7")
    raw = re.sub(rb"Message-ID: [^\r]+", b"Message-ID: <another@relay.example>", raw)
    assert verified(raw)


def test_the_domain_is_the_senders_unless_another_is_set(settings):
    assert b" d=realstars.se; s=spring;" in made()
    settings.DKIM_DOMAIN = "lists.example.org"
    assert b" d=lists.example.org; s=spring;" in made()


def test_nothing_is_signed_without_a_key(settings):
    settings.DKIM_KEYS = ()
    assert b"DKIM-Signature" not in made()


def test_nothing_is_signed_that_a_provider_makes_anew(settings):
    settings.EMAIL_PROVIDER = {"name": "postmark"}
    assert b"DKIM-Signature" not in made()
