"""Whether a message comes from Stripe: https://docs.stripe.com/webhooks#verify-manually"""

import hmac
import re
import time
from collections.abc import Sequence
from hashlib import sha256

TOLERANCE = 300
"""Seconds that a message may be old, or ahead, as in Stripe's own libraries: one that was caught can't be sent again later."""


def is_genuine(header: str, body: bytes, secrets: Sequence[str], now: float | None = None) -> bool:
    """Whether one of our secrets made one of the header's v1 signatures, lately.

    For a day after a secret was rolled there are two of them in each header, and may be two with us.
    """
    pairs = [part.strip().partition("=") for part in header[:2000].split(",")]
    times = [value for name, _, value in pairs if name == "t"]
    given = [value for name, _, value in pairs if name == "v1"]
    if len(times) != 1 or not re.fullmatch(r"\d{1,12}", times[0], re.ASCII):
        return False
    if abs((time.time() if now is None else now) - int(times[0])) > TOLERANCE:
        return False
    signed = times[0].encode() + b"." + body
    wanted = [hmac.new(secret.encode(), signed, sha256).hexdigest() for secret in secrets]
    return any(hmac.compare_digest(mine.encode(), theirs.encode()) for mine in wanted for theirs in given)
