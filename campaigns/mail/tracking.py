"""Counting what an appeal's readers follow: its links lead to `/c/<link>/<reader>` here and from there to their target.

The target stands in the database (AppealLink), never in the address, so that no address of ours can be bent to lead
elsewhere. Left as they are: the way out, mailto and tel, links that differ from person to person, links whose words
are an address, and everything in the plain-text part.
"""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar
from urllib.parse import quote
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, connection

from campaigns.mail import fields, markup
from campaigns.mail.compose import NOTHING_COUNTED, Counting
from campaigns.mail.message import shared_values
from campaigns.models import Appeal, AppealLink, AppealText

Key = TypeVar("Key")
logger = logging.getLogger(__name__)
OPENING = ""
"""The target of the picture that tells of opening: it has none."""
_ONE_FIELD = re.compile(r"\{\{.*\}\}\Z", re.DOTALL)


@dataclass(frozen=True)
class Link:
    """Where a counted link leads."""

    pk: int
    appeal: int
    target: str


def counting_all(appeal: Appeal, texts: Mapping[Key, AppealText]) -> dict[Key, Counting]:
    """What of each text is counted. Writes down where their links lead, once; one query where that was done before."""
    if not (settings.COUNT_CLICKS and appeal.count_clicks):
        return dict.fromkeys(texts, NOTHING_COUNTED)
    found = {key: _targets(appeal, text) for key, text in texts.items()}
    wanted = {target for targets in found.values() for target in targets.values()}
    codes = _codes(appeal.pk, wanted | ({OPENING} if settings.COUNT_OPENS else set()))
    picture = _through(codes[OPENING]) if OPENING in codes else ""
    return {
        key: Counting(
            tuple((written, _through(codes[target])) for written, target in targets.items() if target in codes),
            picture,
        )
        for key, targets in found.items()
    }


def counting(appeal: Appeal, text: AppealText) -> Counting:
    """The same of one text."""
    return counting_all(appeal, {text.language: text})[text.language]


def _targets(appeal: Appeal, text: AppealText) -> dict[str, str]:
    """Where the links of a text lead, by what was written."""
    values = shared_values(text.language, appeal.source_code)
    return {written: target for written in markup.to_addresses(text.body) if (target := resolve(written, values))}


def resolve(written: str, values: dict[str, str]) -> str | None:
    """Where a link leads; None if that differs from person to person, or isn't on the web."""
    pieces = list(fields.split(written))
    alone = bool(_ONE_FIELD.match(written)) and len(pieces) == 1
    target = ""
    for piece in pieces:
        if isinstance(piece, str):
            target += piece
        elif piece.is_shared:
            target += piece.value(values) if alone else quote(piece.value(values), safe="")
        else:
            return None
    return target if target.lower().startswith(("http://", "https://")) else None


@lru_cache(maxsize=4096)
def link(code: str) -> Link:
    """The link of a code, which leads to the same place for ever. Raises AppealLink.DoesNotExist."""
    return Link(*AppealLink.objects.values_list("pk", "appeal_id", "target").get(code=code))


_RECORD = """
INSERT INTO campaigns_click (link_id, delivery_id)
SELECT %(link)s, d.id
FROM campaigns_delivery d JOIN campaigns_appeal a ON a.id = d.appeal_id
WHERE d.uuid = %(delivery)s AND d.appeal_id = %(appeal)s AND d.supporter_id IS NOT NULL
  AND a.count_clicks AND a.clicks_forgotten_at IS NULL
ON CONFLICT (link_id, delivery_id) DO UPDATE
SET times = LEAST(campaigns_click.times + 1, 1000), last_at = now()
-- A browser and what looks ahead for it ask side by side: that is one click.
WHERE campaigns_click.last_at < now() - interval '2 seconds'
"""


def record(link: Link, delivery: UUID) -> None:
    """Note that a link was followed from a message. Nothing is noted of somebody erased, or of another appeal's message.

    Never raises for the database: the reader is on the way to the target, and must get there.
    """
    if not (settings.COUNT_OPENS if link.target == OPENING else settings.COUNT_CLICKS):
        return
    try:
        with connection.cursor() as cursor:
            cursor.execute(_RECORD, {"link": link.pk, "appeal": link.appeal, "delivery": delivery})
    except DatabaseError:
        logger.exception("A click on link %s could not be recorded", link.pk)


def _codes(appeal: int, targets: set[str]) -> dict[str, str]:
    if not targets:
        return {}
    known = AppealLink.objects.filter(appeal=appeal).values_list("target", "code")
    codes = dict(known)
    if targets - set(codes):
        missing = [AppealLink(appeal_id=appeal, target=target) for target in sorted(targets - set(codes))]
        AppealLink.objects.bulk_create(missing, ignore_conflicts=True)
        codes = dict(known.all())
    return {target: codes[target] for target in targets if target in codes}


def _through(code: str) -> str:
    return f"{settings.SITE_URL}/c/{code}/"
