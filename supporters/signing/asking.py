"""Signing: one statement writes the signature, still nobody's, and the letter that asks its owner to confirm.

It calls a function of the database: supporters/migrations/0008_signing.py.
"""

from dataclasses import dataclass
from datetime import timedelta

import msgspec
from django.db import connection

from supporters import letters
from supporters.models import Petition
from supporters.signing.wordings import Wording

AGAIN_AFTER = timedelta(minutes=10)
"""Who signs again before confirming gets another letter, but not sooner than this,"""
MOST_LETTERS = 4
"""and not more of them: nobody can have letters heaped on somebody else."""


@dataclass(frozen=True)
class Typed:
    """What a signer typed, checked and in the spelling that records have."""

    email: str
    first_name: str
    last_name: str
    country: str
    language: str
    agreed: tuple[Wording, ...]
    """The words they ticked: the one for signing, and those they chose to."""
    postcode: str = ""
    shown: bool = False
    discreet: bool = False
    """Whether what is sent to them, the letter that asks to confirm first of all, is to tell nothing before it is opened."""
    organisation: int | None = None
    source_code: str = ""

    @property
    def rest(self) -> dict[str, object]:
        """What waits on the signature until it is confirmed."""
        named = {"first_name": self.first_name, "last_name": self.last_name, "postcode": self.postcode}
        filled: dict[str, object] = {name: text for name, text in named.items() if text}
        filled |= {"discreet": True} if self.discreet else {}
        return filled | {"agreed": [wording.as_json() for wording in self.agreed]}


def ask(petition: Petition, typed: Typed) -> bool:
    """Keep what was typed and owe the letter; False where the petition can't be signed any more.

    It is the same for everybody, whether they are on file, have signed, or never came by: nothing here tells one from
    the other, neither by its answer nor by its time.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT supporters_sign(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                petition.pk,
                typed.email,
                msgspec.json.encode(typed.rest).decode(),
                typed.country,
                typed.language,
                typed.organisation,
                typed.source_code,
                typed.shown,
                AGAIN_AFTER,
                MOST_LETTERS,
            ],
        )
        (done,) = cursor.fetchone()
    if done:
        letters.wake()
    return done
