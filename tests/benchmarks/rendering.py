"""Making messages: the compiled octets against Python's EmailMessage, both from the same text, for the same people."""

import time
from base64 import b64encode
from collections.abc import Callable, Iterable
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.test import override_settings
from dkim import sign

from campaigns.mail import message
from campaigns.mail.dkim import Key
from campaigns.mail.message import Recipient
from campaigns.models import Appeal, AppealText
from tests.benchmarks.measuring import line
from tests.campaigns.mail import plain

BODY = "Dear {{ first_name or 'friend' }},\n\n" + "the law has to change, and you can help. " * 20
MESSAGES, PEER_MESSAGES, SIGNED = 10_000, 100, 300


def run() -> None:
    appeal = Appeal(pk=7, source_code="spring", sender_name="RealStars", sender_email="hej@realstars.se")
    text = AppealText(language="en", subject="Hello {{ first_name }}", body=BODY)
    people = [Recipient(uuid4(), f"ann{n}@mail.se", "Ann", f"Öberg {n}", "Göteborg", "SE") for n in range(MESSAGES)]
    fill = message.wire(appeal, text, eight_bit=True).fill_wire
    ours = _micros(fill, people)
    peer = _micros(lambda person: plain.build(appeal, text, person), people[:PEER_MESSAGES])
    line("render.message", ours, peer, "EmailMessage", "µs CPU/message", more_is_better=False)
    for name, key in (("rsa", generate_private_key(65537, 2048)), ("ed25519", Ed25519PrivateKey.generate())):
        line(
            f"render.dkim-{name}",
            *_signing(Key("a", key), appeal, text, people),
            "dkimpy",
            "µs CPU/message",
            more_is_better=False,
        )


def _signing(key: Key, appeal: Appeal, text: AppealText, people: list[Recipient]) -> tuple[float, float]:
    raw = message.wire(appeal, text, eight_bit=True).fill(people[0])
    with override_settings(DKIM_KEYS=(key,)):
        ours = _micros(message.wire(appeal, text, eight_bit=True).fill_wire, people[:SIGNED])
    if key.algorithm == "rsa":
        private = key.private.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        algorithm = b"rsa-sha256"
    else:
        private, algorithm = b64encode(key.private.private_bytes_raw()), b"ed25519-sha256"
    peer = _micros(
        lambda _person: sign(
            raw, b"a", b"realstars.se", private, canonicalize=(b"relaxed", b"relaxed"), signature_algorithm=algorithm
        ),
        people[:PEER_MESSAGES],
    )
    return ours, peer


def _micros(make: Callable[[Recipient], bytes], people: Iterable[Recipient]) -> float:
    people = list(people)
    start = time.process_time()
    for person in people:
        make(person)
    return (time.process_time() - start) / len(people) * 1e6
