"""Merging two records, in one transaction."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from django.db.models import Sum
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from supporters.locks import in_the_end
from supporters.merging import choosing, consents
from supporters.merging.declaring import Pair, count, moves
from supporters.merging.locking import lock
from supporters.models import Donation, Merge, MergeBatch, MergeMoved, Supporter
from supporters.privacy import ledger_open_for

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser


class CannotMerge(ValueError):
    """The two can't be merged; the message says why. Nothing was changed."""


def merge(
    survivor: int,
    away: int,
    chosen: Mapping[str, str] | None = None,
    *,
    by: "AbstractBaseUser | None" = None,
    batch: MergeBatch | None = None,
    probability: float | None = None,
) -> Merge:
    """Give everything of the second to the first. `chosen` says per field whose value stays, where not the rule's does.

    Raises CannotMerge if one of them is not on file any more: of two who merge the same people at once, one is told so.
    """
    return in_the_end(lambda: _merge(survivor, away, chosen or {}, by, batch, probability))


@transaction.atomic
def _merge(
    survivor_pk: int,
    away_pk: int,
    chosen: Mapping[str, str],
    by: "AbstractBaseUser | None",
    batch: MergeBatch | None,
    probability: float | None,
) -> Merge:
    if survivor_pk == away_pk:
        raise CannotMerge(_("That is one record, not two."))
    people = lock([survivor_pk, away_pk])
    if len(people) < 2:
        raise CannotMerge(_("One of the two is not on file any more: it was merged or erased meanwhile."))
    survivor, away = people[survivor_pk], people[away_pk]
    values = choosing.values(survivor, away, chosen)
    pair = _pair(survivor, away, values["email"])
    said = consents.states(people)
    noes = consents.strictest(pair, said)
    given_up_by = away_pk if pair.other_email == away.email else survivor_pk
    act = Merge.objects.create(
        survivor=survivor,
        away_pk=away.pk,
        away_uuid=away.uuid,
        other_email=pair.other_email or None,
        away=_row(away_pk),
        changed=_changes(survivor, values),
        batch=batch,
        probability=probability,
        merged_by=by,
    )
    before, money = count(people), _money(people)
    kept: dict[str, object] = {"suppressions": consents.remember(pair, said[given_up_by])}
    numbers: dict[str, int] = {}
    with ledger_open_for("merge"):
        moved = []
        for move in moves():
            if not (move.always or before[move.name].get(away_pk)):
                continue
            if given_up := move.settle(pair):
                kept[move.name] = given_up
            if keys := move.go(pair):
                moved.append(MergeMoved(merge=act, table=move.name, keys=keys))
                numbers[move.name] = len(keys)
        MergeMoved.objects.bulk_create(moved)
    _compare(before, count(people), kept, pair)
    pair.run("DELETE FROM supporters_supporter WHERE id = %(away)s")
    Supporter.objects.filter(pk=survivor_pk).update(**values, updated_at=Now())
    consents.settle(pair, act.pk, noes)
    if _money([survivor_pk]) != money:
        raise RuntimeError("A merge must not change how much was given.")
    Merge.objects.filter(pk=act.pk).update(kept=kept, numbers=numbers)
    log(by, survivor_pk, _("Record %(number)s was merged into it.") % {"number": away_pk})
    check_keys()
    act.kept, act.numbers = kept, numbers
    return act


def _pair(survivor: Supporter, away: Supporter, email: object) -> Pair:
    """`email` is the one that stays; the other one is given up."""
    others = [one for one in (survivor.email, away.email) if one and one != email]
    keeps = away if email and away.email == email else survivor
    return Pair(survivor.pk, away.pk, others[0] if others else "", keeps.pk)


def _row(pk: int) -> dict[str, object]:
    """A supporter's columns, as PostgreSQL reads them back."""
    names = ", ".join(f'"{name}"' for name in columns())
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT to_jsonb(t)::text FROM (SELECT {names} FROM supporters_supporter WHERE id = %s) t", [pk]
        )
        return json.loads(cursor.fetchone()[0])


def columns() -> list[str]:
    """Those that can be written."""
    return [field.column for field in Supporter._meta.concrete_fields if not field.generated]


def _changes(survivor: Supporter, values: Mapping[str, object]) -> dict[str, list[object]]:
    changed = {}
    for name, value in values.items():
        was = getattr(survivor, name)
        if was != value:
            changed[name] = [plain(was), plain(value)]
    return changed


def plain(value: object) -> object:
    return value.isoformat() if hasattr(value, "isoformat") else value


def _compare(
    before: Mapping[str, Mapping[int, int]],
    after: Mapping[str, Mapping[int, int]],
    kept: Mapping[str, Any],
    pair: Pair,
) -> None:
    """Nothing of a table gets lost but what is kept."""
    for move in moves():
        given_up = int(kept.get(move.name, {}).get("fewer", 0))
        whole = sum(after[move.name].values()) == sum(before[move.name].values()) - given_up
        if after[move.name].get(pair.away) or (move.counted and not whole):
            raise RuntimeError(f"A merge must not lose rows of {move.name}.")


def _money(pks) -> dict[tuple[str, str], Decimal]:  # noqa: ANN001
    """What was given, by currency and state."""
    rows = Donation.objects.filter(supporter__in=list(pks)).values_list("currency", "state")
    return {(currency, state): total for currency, state, total in rows.annotate(total=Sum("amount"))}


def log(by: "AbstractBaseUser | None", pk: int, message: str) -> None:
    if by is not None:
        LogEntry.objects.create(
            user_id=by.pk,
            content_type=ContentType.objects.get_for_model(Supporter),
            object_id=str(pk),
            object_repr=str(pk),
            action_flag=CHANGE,
            change_message=message,
        )


def check_keys() -> None:
    """Now rather than at the end, when nobody could say what it was."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
