"""Which of two values a merged record has, by rule; staff may choose otherwise for each.

The record that stays is the one with an address, with more gifts, with more signatures, or the older. Its values stay where it
has any, and are filled from the other's. A postal address is taken whole. What brought them in, and when, is what did so first.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Count, Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from supporters.hygiene.contact import contact_of
from supporters.models import Donation, Signature, Supporter

SURVIVOR, AWAY = "survivor", "away"
_STAYS = _("They differ: that of the record that stays is kept.")
_SAME = _("Both have it.")
_FILLED = _("Only one of them has it.")
_EMPTY = _("Neither has it.")
_FIRST = _("They differ: what brought the person in first is kept.")
_STAYS_EMAIL = _("They differ: the other one goes on finding this person, and is not written to.")


@dataclass(frozen=True)
class Choice:
    """One field of the two records, or several that are only taken together."""

    name: str
    label: str | Promise
    columns: tuple[str, ...]
    survivor: tuple[object, ...]
    away: tuple[object, ...]
    taken: str
    """SURVIVOR or AWAY, by the rule;"""
    why: str | Promise
    """in words for staff."""

    @property
    def differs(self) -> bool:
        return self.survivor != self.away

    @property
    def open(self) -> bool:
        """Whether there is something to choose."""
        return self.differs and any(self.survivor) and any(self.away)


_TOGETHER = {"address": ("street", "postcode", "city", "region")}
_ALONE = ("first_name", "last_name", "email", "phone", "language", "country", "birth_date", "organisation_id")


def survivor_of(one: Supporter, other: Supporter) -> tuple[Supporter, Supporter]:
    """The record that stays and the one that goes: by gifts, signatures, an address of one's own, and age."""
    gifts = _numbers(Donation.objects.filter(state__in=["received", "refunded"]), one, other)
    signed = _numbers(Signature.objects.filter(state="validated"), one, other)

    def weight(person: Supporter) -> tuple:
        return bool(person.email), gifts.get(person.pk, 0), signed.get(person.pk, 0), -person.pk

    stays, goes = sorted((one, other), key=weight, reverse=True)
    return stays, goes


def fields(survivor: Supporter, away: Supporter) -> list[Choice]:
    """What there is to choose, with what the rule takes."""
    choices = [_choice(name, (name,), survivor, away) for name in _ALONE]
    choices.insert(5, _choice("address", _TOGETHER["address"], survivor, away))
    first = SURVIVOR if survivor.created_at <= away.created_at else AWAY
    source = _choice("source_code", ("source_code",), survivor, away)
    if source.open:
        source = Choice(**{**source.__dict__, "taken": first, "why": _FIRST})
    return [*choices, source]


def values(survivor: Supporter, away: Supporter, chosen: Mapping[str, str]) -> dict[str, object]:
    """The columns of the merged record: as chosen, else by the rule."""
    taken: dict[str, object] = {}
    for choice in fields(survivor, away):
        side = chosen.get(choice.name, choice.taken)
        taken |= dict(zip(choice.columns, choice.away if side == AWAY else choice.survivor, strict=True))
    # What asks for more care stays, whoever of the two asked for it.
    taken["how_often"] = max((survivor.how_often, away.how_often), key=Supporter.HowOften.values.index)
    taken["discreet"] = survivor.discreet or away.discreet
    taken["created_at"] = min(survivor.created_at, away.created_at)
    shares = survivor.shares_email_with_id or away.shares_email_with_id
    if shares in {survivor.pk, away.pk}:
        shares = next(
            (
                pk
                for pk in (survivor.shares_email_with_id, away.shares_email_with_id)
                if pk not in {None, survivor.pk, away.pk}
            ),
            None,
        )
    taken["shares_email_with_id"] = None if taken["email"] else shares
    owner = away if taken["email"] and taken["email"] == away.email else survivor
    taken["marks"] = contact_of(owner, taken)["marks"]
    return taken


def _choice(name: str, columns: tuple[str, ...], survivor: Supporter, away: Supporter) -> Choice:
    mine, theirs = (tuple(getattr(one, column) for column in columns) for one in (survivor, away))
    label = _("Postal address") if name in _TOGETHER else Supporter._meta.get_field(columns[0]).verbose_name
    if mine == theirs:
        taken, why = SURVIVOR, _SAME if any(mine) else _EMPTY
    elif any(mine):
        taken, why = SURVIVOR, _FILLED if not any(theirs) else _STAYS_EMAIL if name == "email" else _STAYS
    else:
        taken, why = AWAY, _FILLED
    return Choice(name, label, columns, mine, theirs, taken, why)


def _numbers(rows, one: Supporter, other: Supporter) -> dict[int, int]:  # noqa: ANN001
    pair = Q(supporter__in=[one.pk, other.pk])
    return dict(rows.filter(pair).values_list("supporter").annotate(number=Count("pk")))
