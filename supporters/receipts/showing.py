"""Receipts as people read them, in the language of the moment."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from supporters import figures
from supporters.models import Consent, Organisation, Purpose, Receipt
from supporters.receipts import giving
from supporters.signing import wordings

MOST = 200
"""On a page; the file has all."""
Method, State = Consent.Method, Consent.State


@dataclass(frozen=True)
class Shown:
    """One receipt on a page."""

    granted: bool
    text: str
    language: str
    """Of the text."""
    rows: list[tuple[str, str]]
    codes: list[tuple[str, str]]
    """By which it is checked."""
    number: int


def shown(receipts: QuerySet[Receipt], *, staff: bool = False) -> list[Shown]:
    """The newest first."""
    newest = receipts.order_by("-pk").values_list("pk", flat=True)[:MOST]
    return [_shown(each, staff) for each in islice(giving.given(receipts.filter(pk__in=list(newest))), MOST)][::-1]


def as_json(receipts: QuerySet[Receipt]) -> Iterator[str]:
    """All of them as a stream: what `verify_consents --receipt` reads."""
    yield '{"receipts": ['
    for number, each in enumerate(giving.given(receipts)):
        yield (",\n" if number else "\n") + json.dumps(each, ensure_ascii=False, indent=1)
    yield "\n]}\n"


def _shown(given: dict[str, Any], staff: bool) -> Shown:
    record = given["receipt"]
    moment = _moment_for_staff if staff else figures.moment
    rows = [
        (_("Organisations"), ", ".join(filter(None, (record["controller"], record["partner"])))),
        (_("When"), moment(_time(record["happened_at"]))),
        (_("How"), Method(record["how"]).label if staff else _how(record["how"])),
        (_("Asked"), moment(_time(record["asked_at"])) if record["asked_at"] else ""),
        (_("Where"), record["page"] or record["source"]),
        (_("Version of the words"), " · ".join(filter(None, (record["version"], record["language"])))),
    ]
    if not record["text"]:
        rows.pop()
    if staff:
        rows += [
            ("Purpose", Purpose(record["purpose"]).label),
            ("Recorded", moment(_time(record["recorded_at"]))),
            ("Line of the ledger", str(record["line"])),
            ("Entered by member of staff no.", str(record["entered_by"] or "")),
            ("Import", str(record["import"] or "")),
            ("Receipt before in the chain", given["previous"] if given["number"] > 1 else ""),
        ]
    codes = [("SHA-256", given["hash"])]
    if day := given["day"]:
        codes.append((day["day"], day["digest"]))
    granted = record["state"] == State.GRANTED
    text = record["text"] or _purpose(record)
    language = record["language"] if record["text"] else ""
    return Shown(granted, text, language, [row for row in rows if row[1]], codes, given["position"])


def _how(method: str) -> str:
    if method == Method.CONFIRMED:
        return _("Confirmed from your inbox")
    if method in {Method.FORM, Method.LINK, Method.ONE_CLICK}:
        return _("By you, on a page or by a link of ours")
    return _("Entered by us")


def _purpose(record: dict[str, Any]) -> str:
    """What was taken back, in the words by which it is allowed today."""
    if record["purpose"] == Purpose.PARTNER:
        return wordings.for_partner(Organisation(pk=record["partner_number"], name=record["partner"])).text
    if record["purpose"] == Purpose.SIGNATURE:
        return _("Signatures")
    own = {Purpose.EMAIL: wordings.for_news, Purpose.POST: wordings.for_post, Purpose.PHONE: wordings.for_calls}
    return own[record["purpose"]]().text


def _moment_for_staff(value: datetime) -> str:
    return date_format(timezone.localtime(value), "j F Y H:i:s e")


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
