"""What a merge would do: it is done, looked at, and rolled back, so that what staff are shown is what would happen."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from supporters.merging import consents
from supporters.merging.declaring import moves
from supporters.merging.joining import merge
from supporters.models import Consent, Organisation, Purpose, Supporter


@dataclass(frozen=True)
class Permission:
    """What the two and the merged record allow for one purpose, in words; empty where nothing was said."""

    purpose: str
    survivor: str
    away: str
    merged: str


@dataclass(frozen=True)
class Preview:
    goes_over: list[tuple[str, int]]
    """What, and how many rows of it."""
    twice: list[tuple[str, int]]
    """What there can only be one of, and how often there are two."""
    permissions: list[Permission]


def preview(survivor: Supporter, away: Supporter, chosen: Mapping[str, str] | None = None) -> Preview:
    """Raises CannotMerge."""
    said = consents.states([survivor.pk, away.pk])
    with transaction.atomic():
        act = merge(survivor.pk, away.pk, chosen)
        merged = consents.states([survivor.pk])[survivor.pk]
        transaction.set_rollback(True)
    topics = sorted({*said[survivor.pk], *said[away.pk]}, key=str)
    partners = Organisation.objects.in_bulk([organisation for _purpose, organisation in topics if organisation])
    return Preview(
        [(move.label, act.numbers[move.name]) for move in moves() if move.shown and move.name in act.numbers],
        [
            (str(move.twice), _number(act.kept[move.name]))
            for move in moves()
            if move.twice and _number(act.kept.get(move.name, {}))
        ],
        [
            Permission(
                _topic(topic, partners),
                *(_state(states.get(topic)) for states in (said[survivor.pk], said[away.pk], merged)),
            )
            for topic in topics
        ],
    )


def _number(kept: Mapping) -> int:
    return max((len(kept.get(name, ())) for name in ("rows", "spare", "retired")), default=0)


def _topic(topic: consents.Topic, partners: Mapping[int, Organisation]) -> str:
    purpose, organisation = topic
    label = str(Purpose(purpose).label)
    return (
        _("%(purpose)s: %(partner)s") % {"purpose": label, "partner": partners[organisation]}
        if organisation
        else label
    )


def _state(state: str | None) -> str:
    return str(Consent.State(state).label) if state else ""
