"""Who and what is built on, of that which an import wrote: it can't be taken away any more.

Whatever points at a person or a gift, and was not written by the same import, stands in the way, in whichever table it is; so does
any change of the row itself since, which its xmin tells. Apps say in a module `built_on` what of theirs is no more than
worked out.
"""

from collections.abc import Iterable
from functools import cache

from django.apps import apps
from django.db.models import CASCADE, ForeignKey, Model
from django.utils.translation import gettext as _

from supporters.declared import declared, pointing_at
from supporters.models import Consent, Donation, Refund, Supporter

EDITED, TAKEN = "edited", "taken"
_WORKED_OUT = ["supporters.Double:first", "supporters.Double:second", "supporters.ImportRow:supporter"]
_OURS = "{alias}.xmin::text::bigint = ANY(%(writers)s)"
# Rows that the import itself wrote beside the person, and that go with them.
_BESIDE: dict[str, str] = {
    "supporters.Reference:supporter": _OURS,
    "supporters.Supporter_tags:supporter": _OURS,
    "supporters.Supporter:shares_email_with": _OURS,
    "supporters.Consent:supporter": "{alias}.import_run_id IS NOT DISTINCT FROM %(run)s",
    "supporters.Donation:supporter": _OURS
    + " AND NOT {alias}.id = ANY(%(held)s) AND {alias}.id NOT IN (SELECT id FROM doomed_gifts WHERE why <> '{{}}')",
    "supporters.Refund:donation": _OURS,
}


def _field(place: str) -> ForeignKey:
    label, _colon, name = place.partition(":")
    return apps.get_model(label)._meta.get_field(name)


def sent_since(person: str, since: str) -> str:
    """SQL: whether anything was sent to this person since then."""
    asked = [f"EXISTS ({query.format(person=person, since=since)})" for query in declared("built_on", "SENT")]
    return f"({' OR '.join(asked) or 'false'})"


@cache
def in_the_way(model: type[Model], table: str) -> list[str]:
    """Statements that note in `why` of a table (id, why) what stands in the way of deleting rows of the model."""
    derived = {*_WORKED_OUT, *declared("built_on", "DERIVED")}
    statements = []
    for place in pointing_at(model):
        if place in derived:
            continue
        field = _field(place)
        fine = _BESIDE.get(place, "false").format(alias="r")
        statements.append(
            f"""
            UPDATE {table} SET why = why || '{place}'::text FROM (
                SELECT DISTINCT r.{field.column} AS id FROM {field.model._meta.db_table} r JOIN {table} ON {table}.id = r.{field.column}
                WHERE NOT ({fine})
            ) found WHERE {table}.id = found.id
            """
        )
    return statements


def left_over(table: str) -> list[str]:
    """The same for people, of what the import wrote itself: a gift that had to stay, somebody who shares the address."""
    return [
        f"UPDATE {table} SET why = why || '{place}'::text FROM {_field(place).model._meta.db_table} r WHERE r.{_field(place).column} = {table}.id"
        for place in ("supporters.Donation:supporter", "supporters.Supporter:shares_email_with")
    ]


@cache
def taking_along(model: type[Model], table: str) -> list[str]:
    """Statements that take away what goes with the rows of the model whose `why` in the table is empty, and then those."""
    free = f"(SELECT id FROM {table} WHERE why = '{{}}')"
    statements = []
    for place in pointing_at(model):
        field = _field(place)
        mine = field.model._meta.db_table
        if field.model in {Supporter, Donation} or place not in {
            *_WORKED_OUT,
            *declared("built_on", "DERIVED"),
            *_BESIDE,
        }:
            continue
        if field.remote_field.on_delete is CASCADE or field.model in {Consent, Refund}:
            statements.append(f"DELETE FROM {mine} WHERE {field.column} IN {free}")
        else:
            statements.append(f"UPDATE {mine} SET {field.column} = NULL WHERE {field.column} IN {free}")
    return [*statements, f"DELETE FROM {model._meta.db_table} WHERE id IN {free}"]


def in_words(reasons: Iterable[str]) -> str:
    """Reasons, for staff."""
    said = []
    for reason in reasons:
        if reason == EDITED:
            said.append(_("changed since"))
        elif reason == TAKEN:
            said.append(_("the old address is somebody else's by now"))
        else:
            said.append(_("has %(what)s since") % {"what": _field(reason).model._meta.verbose_name_plural})
    return ", ".join(dict.fromkeys(said))
