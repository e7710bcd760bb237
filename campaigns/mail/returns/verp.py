"""The address that a message comes back to, different for each delivery (VERP).

`bounces+<delivery><proof>@lists.example.org`: both in hexadecimal, because some mail servers change the case of a local
part on the way back. The proof is a short keyed hash, so that nobody can aim a forged bounce at a delivery whose uuid they
have seen, for a uuid also stands in the Message-ID and the links of its message.
"""

import re
from functools import lru_cache
from hashlib import blake2s, sha256
from hmac import compare_digest
from uuid import UUID

from django.conf import settings

PROOF = 6
"""Octets of the proof: to hit one takes 2^47 tries by mail."""
_TOKEN = re.compile(rf"\+([0-9a-f]{{32}})([0-9a-f]{{{2 * PROOF}}})\Z")


def envelope_sender(appeal_sender: str, delivery: UUID) -> str:
    """Where this delivery comes back to; the appeal's own sender where no BOUNCE_ADDRESS is set. Microseconds."""
    address = settings.BOUNCE_ADDRESS
    if not address:
        return appeal_sender
    local, _at, domain = address.rpartition("@")
    return f"{local}+{delivery.hex}{_proof(delivery, settings.SECRET_KEY)}@{domain}"


def delivery_of(address: str) -> UUID | None:
    """The delivery whose messages come back to this address; None unless we made it."""
    local, _at, _domain = address.strip().strip("<>").lower().rpartition("@")
    found = _TOKEN.search(local)
    if not found:
        return None
    delivery = UUID(hex=found[1])
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return delivery if any(compare_digest(_proof(delivery, secret), found[2]) for secret in secrets) else None


def _proof(delivery: UUID, secret: str) -> str:
    return blake2s(delivery.bytes, key=_key(secret), digest_size=PROOF).hexdigest()


@lru_cache(maxsize=8)
def _key(secret: str) -> bytes:
    return sha256(b"campaigns.mail.returns.verp" + secret.encode()).digest()
