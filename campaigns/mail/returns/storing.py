"""What came back, kept before anything is made of it; the same thing twice is kept once."""

import json
from collections.abc import Iterable
from hashlib import sha256

from campaigns.mail.returns.reports import MOST_BYTES
from campaigns.models import ReturnedMessage

Channel = ReturnedMessage.Channel


def store_message(raw: bytes, channel: str) -> bool:
    """Keep a message, up to MOST_BYTES of it; False if it is here already."""
    raw = raw[:MOST_BYTES]
    return store([ReturnedMessage(channel=channel, digest=sha256(raw).digest(), raw=raw)]) == 1


def store_events(provider: str, events: Iterable[dict]) -> int:
    """Keep what a provider told; how many of it were new."""
    rows = []
    for event in events:
        told = json.dumps([provider, event], sort_keys=True).encode()
        digest = sha256(told).digest()
        rows.append(ReturnedMessage(channel=Channel.PROVIDER, provider=provider[:32], digest=digest, event=event))
    return store(rows)


def store(rows: list[ReturnedMessage]) -> int:
    before = ReturnedMessage.objects.filter(digest__in=[row.digest for row in rows]).count()
    ReturnedMessage.objects.bulk_create(rows, ignore_conflicts=True)
    return len({row.digest for row in rows}) - before
