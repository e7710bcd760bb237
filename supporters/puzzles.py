"""Puzzles that a browser solves instead of waiting: proof of work as altcha defines it, and no third party asked.

A puzzle is signed, made for one form, good for some minutes and once. Solving it is a matter of computing; checking it is
none. supporters/static/supporters/puzzle.js solves it. Decision 0036 tells why there is no widget.
"""

import hmac
import json
import logging
import secrets
import time
from hashlib import sha256

import altcha
import redis
from django.conf import settings
from django.core.cache import cache

logger = logging.getLogger(__name__)
LIFE = 600
"""Seconds that a puzzle can be handed in."""
ROUNDS = 5_000
"""Of PBKDF2 for each try: a millisecond or two, so that a browser loses little to a program of one's own."""
TRIES = 100
"""That the easiest puzzle takes on average."""
HARDEST = 25
"""Times as many as the easiest takes: some seconds on a laptop, half a minute on an old phone."""
LONGEST = 2_000
"""Characters of a solution that is handed in."""


def make(about: str, over: float) -> str:
    """A puzzle for this form as JSON. `over`: how far over its limit a place is, 0 where it just got there, 1 at the most."""
    tries = round(TRIES * (1 + (HARDEST - 1) * min(1.0, max(0.0, over))))
    return json.dumps(
        altcha.create_challenge(
            "PBKDF2/SHA-256",
            ROUNDS,
            counter=tries // 2 + secrets.randbelow(tries),
            expires_at=int(time.time()) + LIFE,
            data={"about": about},
            hmac_secret=_key("puzzle"),
            hmac_key_secret=_key("solution"),
        ).to_dict()
    )


def solved(said: str, about: str) -> bool:
    """Whether this solves a puzzle that we made for this form and that nobody has handed in before. It is used up by this."""
    if not said or len(said) > LONGEST:
        return False
    found = altcha.verify_solution(said, _key("puzzle"), hmac_key_secret=_key("solution"))
    if not found.verified:
        return False
    challenge = altcha.Payload.from_base64(said).challenge
    return challenge.parameters.data == {"about": about} and _first(challenge.signature)


def _first(signature: str) -> bool:
    try:
        return cache.add(f"puzzle:{signature}", 1, LIFE)
    except redis.RedisError as error:
        logger.warning("Who has solved a puzzle can't be kept (%s)", type(error).__name__)
        return True


def _key(use: str) -> bytes:
    return hmac.new(settings.SECRET_KEY.encode(), f"supporters.puzzles.{use}".encode(), sha256).digest()
