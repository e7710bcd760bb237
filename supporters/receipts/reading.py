"""Checking a receipt that somebody was given, with nothing but the receipt: no database, no network."""

import json
from collections.abc import Mapping
from datetime import date
from hashlib import sha256
from typing import Any
from uuid import UUID

from supporters.receipts import merkle
from supporters.receipts.days import digest
from supporters.receipts.giving import FORMAT
from supporters.receipts.record import VERSION


class Unreadable(ValueError):
    """It is no receipt of ours; the message says why."""


def receipts_in(text: str) -> list[dict[str, Any]]:
    """One receipt, or the list that somebody is given of all theirs. Raises Unreadable."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise Unreadable("This is not JSON.") from None
    if isinstance(found, Mapping) and isinstance(found.get("receipts"), list):
        found = found["receipts"]
    found = found if isinstance(found, list) else [found]
    for each in found:
        if not isinstance(each, Mapping) or each.get("format") != FORMAT:
            raise Unreadable("This is not a receipt of consent.")
        if each.get("version") != VERSION:
            raise Unreadable("This receipt is of a version that is not known here.")
    return found


def canonical(record: Mapping[str, Any]) -> bytes:
    """RFC 8785, for objects of texts, whole numbers and null whose keys are ASCII."""
    return json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def troubles(given: Mapping[str, Any]) -> list[str]:
    """What does not hold; nothing if all does. Raises Unreadable."""
    try:
        return list(_troubles(given))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        raise Unreadable("Something is missing in this receipt, or is not what it should be.") from None


def _troubles(given: Mapping[str, Any]):  # noqa: ANN202
    commitment, hash_ = bytes.fromhex(given["commitment"]), bytes.fromhex(given["hash"])
    if sha256(UUID(hex=given["salt"]).bytes + canonical(given["receipt"])).digest() != commitment:
        yield "The record is not the one that was sealed."
    number = given["number"].to_bytes(8, "big")
    if sha256(bytes.fromhex(given["previous"]) + UUID(given["chain"]).bytes + number + commitment).digest() != hash_:
        yield "The hash does not follow from the record and the one before."
    day = given["day"]
    if day is None:
        return
    root, steps = bytes.fromhex(day["root"]), [bytes.fromhex(step) for step in day["path"]]
    if merkle.rises_to(hash_, day["index"], day["receipts"], steps) != root:
        yield "The receipt is not one of those of its day."
    made = digest(
        bytes.fromhex(day["previous"]), date.fromisoformat(day["day"]), day["receipts"], day["taken_away"], root
    )
    if made != bytes.fromhex(day["digest"]):
        yield "The digest does not follow from its day."
