"""DKIM signatures (RFC 6376; Ed25519 by RFC 8463), relaxed both ways.

Every field that is there is signed, save Message-ID, which relays are known to replace; those that a forger would like to
add are named once more than they occur, so that another one breaks the signature (RFC 6376, 8.15).
"""

from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from time import time
from typing import TYPE_CHECKING, TypeAlias

from django.conf import settings

if TYPE_CHECKING:  # cryptography is loaded by whoever has a key: config.env
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    PrivateKey: TypeAlias = RSAPrivateKey | Ed25519PrivateKey

_ONCE_MORE = (
    *(b"from", b"to", b"cc", b"reply-to", b"subject", b"date", b"mime-version", b"content-type"),
    *(b"list-unsubscribe", b"list-unsubscribe-post"),
)
_UNSIGNED = {b"message-id"}
_WIDTH = 72


@dataclass(frozen=True)
class Key:
    """A private key, and the selector under which its public half is published."""

    selector: str
    private: "PrivateKey"

    @cached_property
    def algorithm(self) -> str:
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

        return "rsa" if isinstance(self.private, RSAPrivateKey) else "ed25519"

    @cached_property
    def public(self) -> str:
        """As the p= of its DNS record has it."""
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        public = self.private.public_key()
        if self.algorithm == "rsa":
            octets = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        else:
            octets = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
        return b64encode(octets).decode()

    @property
    def record(self) -> str:
        """The TXT record to publish at `name`."""
        return f"v=DKIM1; k={self.algorithm}; p={self.public}"

    def name(self, domain: str) -> str:
        return f"{self.selector}._domainkey.{domain}"

    def signature(self, octets: bytes) -> bytes:
        digest = sha256(octets).digest()
        if self.algorithm == "rsa":
            from cryptography.hazmat.primitives import hashes
            from cryptography.hazmat.primitives.asymmetric import padding, utils

            return self.private.sign(digest, padding.PKCS1v15(), utils.Prehashed(hashes.SHA256()))
        return self.private.sign(digest)


def own_keys() -> tuple[Key, ...]:
    """The keys of our own mail server's messages; a provider makes each message anew, and signs it."""
    return () if settings.EMAIL_PROVIDER else settings.DKIM_KEYS


def sign(keys: Iterable[Key], domain: str, head: bytes, body: bytes) -> bytes:
    """The DKIM-Signature fields, one for each key, to stand before this head.

    Head and body are as they leave, before dots are doubled; the fields of the head are folded with `CRLF SP`.
    """
    fields = _relaxed_fields(head)
    # From the bottom up: where a name occurs twice, that is the order in which h= names them (RFC 6376, 5.4.2).
    signed = [(name, value) for name, value in reversed(fields) if name not in _UNSIGNED]
    names = [name for name, _value in signed] + list(_ONCE_MORE)
    octets = b"".join(b"%b:%b\r\n" % field for field in signed)
    body_hash = b64encode(sha256(_relaxed_body(body)).digest())
    return b"".join(_field(key, domain, names, body_hash, octets) for key in keys)


def _field(key: Key, domain: str, names: list[bytes], body_hash: bytes, octets: bytes) -> bytes:
    lines = [
        f"v=1; a={key.algorithm}-sha256; c=relaxed/relaxed;".encode(),
        f"d={domain}; s={key.selector}; t={int(time())};".encode(),
        *_wrapped(b"h=" + b": ".join(names) + b";"),
        b"bh=%b;" % body_hash,
        b"b=",
    ]
    signature = b64encode(key.signature(octets + b"dkim-signature:" + b" ".join(lines)))
    for start in range(0, len(signature), _WIDTH):
        lines.append(signature[start : start + _WIDTH])
    return b"DKIM-Signature: " + b"\r\n ".join(lines) + b"\r\n"


def _wrapped(text: bytes) -> list[bytes]:
    """Lines cut at spaces: folded with `CRLF SP` they read, relaxed, as the text did."""
    lines = [b""]
    for word in text.split(b" "):
        if lines[-1] and len(lines[-1]) + 1 + len(word) > _WIDTH:
            lines.append(word)
        else:
            lines[-1] += b" " + word if lines[-1] else word
    return lines


def _relaxed_fields(head: bytes) -> list[tuple[bytes, bytes]]:
    """RFC 6376, 3.4.2."""
    lines = head.rstrip(b"\r\n").replace(b"\r\n ", b" ").split(b"\r\n")
    fields = []
    for line in lines:
        name, _colon, value = line.partition(b":")
        fields.append((name.lower(), b" ".join(value.split())))
    return fields


def _relaxed_body(body: bytes) -> bytes:
    """RFC 6376, 3.4.4."""
    body = body.replace(b"\t", b" ")
    while b"  " in body:
        body = body.replace(b"  ", b" ")
    return body.replace(b" \r\n", b"\r\n").rstrip(b"\r\n") + b"\r\n"
