"""Undoing a merge: two records again, each with what was its own."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

from supporters.locks import in_the_end
from supporters.merging import consents
from supporters.merging.declaring import Pair, moves, put_back
from supporters.merging.joining import check_keys, columns, log, plain
from supporters.merging.locking import lock
from supporters.models import Double, Merge, MergeMoved, Supporter
from supporters.privacy import ledger_open_for

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser


class CannotUndo(ValueError):
    """The merge can't be undone; the message says why. Nothing was changed."""


def undo(pk: int, *, by: "AbstractBaseUser | None" = None) -> Merge:
    """Make two of the person again. What came after the merge stays with the survivor, but a withdrawal holds for both.

    What was changed on the survivor since then stays changed. Raises CannotUndo.
    """
    return in_the_end(lambda: _undo(pk, by))


@transaction.atomic
def _undo(pk: int, by: "AbstractBaseUser | None") -> Merge:
    lock(Merge.objects.standing().filter(pk=pk).values_list("survivor", flat=True))
    act = Merge.objects.select_for_update().standing().filter(pk=pk).first()
    if act is None:
        raise CannotUndo(_("This merge was undone before, or the person was erased."))
    if act.settled_at:
        raise CannotUndo(
            _(
                "This merge is too old to be undone: what the other record held is not kept for longer than %(days)s days."
            )
            % {"days": settings.KEEP_MERGES_DAYS}
        )
    later = Merge.objects.standing().filter(pk__gt=pk, survivor=act.survivor_id).exclude(pk=pk)
    taken_along = MergeMoved.objects.filter(table="supporters.Merge.survivor", keys__contains=[pk])
    if first := later.filter(pk__in=taken_along.values("merge")).order_by("-pk").first():
        raise CannotUndo(
            _("The person was merged again since: undo the merge of record %(number)s first.")
            % {"number": first.away_pk}
        )
    survivor = Supporter.objects.get(pk=act.survivor_id)
    _give_back_fields(act, survivor)
    email = act.away.get("email")
    if email and Supporter.objects.filter(email=email).exists():
        raise CannotUndo(_("The address of the record that would come back is another record's by now."))
    put_back("supporters_supporter", [_without_the_gone(act.away)], columns())
    if not Supporter.objects.filter(pk=act.away_pk).exists():
        raise CannotUndo(_("The record can't come back: its number or its address is taken."))
    pair = Pair(survivor.pk, act.away_pk, act.other_email or "")
    moved = {row.table: row.keys for row in act.moved.all()}
    with ledger_open_for("merge"):
        for move in reversed(moves()):
            if keys := moved.get(move.name):
                move.go_back(pair, keys)
            if kept := act.kept.get(move.name):
                move.restore(pair, kept)
    consents.part(pair, act.pk, act.merged_at, act.kept.get("suppressions", []))
    _keep_apart(pair, by)
    act.moved.all().delete()
    Merge.objects.filter(pk=pk).update(undone_at=Now(), undone_by=by, other_email=None, away={}, changed={}, kept={})
    for one in (survivor.pk, act.away_pk):
        log(by, one, _("The merge of record %(number)s was undone.") % {"number": act.away_pk})
    check_keys()
    return act


def _give_back_fields(act: Merge, survivor: Supporter) -> None:
    """What the merge changed and nobody since."""
    back = {}
    for name, (was, came) in act.changed.items():
        if plain(getattr(survivor, name)) == came:
            back[name] = was
    for name in ("created_at", "birth_date"):
        if back.get(name):
            back[name] = (parse_datetime if name == "created_at" else parse_date)(back[name])
    if "email" in back and back["email"] and Supporter.objects.filter(email=back["email"]).exists():
        raise CannotUndo(_("The address that the person had before the merge is another record's by now."))
    for name, model in (("organisation_id", "organisation"), ("shares_email_with_id", "shares_email_with")):
        related = Supporter._meta.get_field(model).related_model
        if back.get(name) and back[name] != act.away_pk and not related.objects.filter(pk=back[name]).exists():
            back[name] = None
    Supporter.objects.filter(pk=survivor.pk).update(**back, updated_at=Now())


def _without_the_gone(row: dict) -> dict:
    """An organisation or a person that it pointed at may be gone."""
    row = dict(row)
    for column, table in (
        ("organisation_id", "supporters_organisation"),
        ("shares_email_with_id", "supporters_supporter"),
    ):
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT FROM {table} WHERE id = %s", [row[column]])
            if not cursor.rowcount:
                row[column] = None
    return row


def _keep_apart(pair: Pair, by: "AbstractBaseUser | None") -> None:
    """Whoever undoes a merge says that they are two: nobody proposes them again."""
    first, second = sorted((pair.survivor, pair.away))
    verdict = {"state": Double.State.DIFFERENT, "decided_by": by, "decided_at": Now(), "certain": False}
    Double.objects.update_or_create(
        first_id=first,
        second_id=second,
        defaults=verdict,
        create_defaults={
            **verdict,
            "probability": 0.0,
            "cluster": first,
            "found_by": Double.FoundBy.STAFF,
        },
    )
