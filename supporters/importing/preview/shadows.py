"""Tables that stand in for the records, so that an import can be tried out with its own statements.

They are temporary tables of the same names, which PostgreSQL finds before the real ones. Each slice brings the people
and payments into them that its rows could be about; what the slices before it wrote stays. So nothing that is real is
written or locked, however large the file, and what one row did is what the next one meets.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

from supporters.importing.parsing import REFERENCE_SYSTEM
from supporters.matching import door
from supporters.models import (
    Consent,
    Donation,
    ImportKey,
    ImportRow,
    ImportRun,
    Organisation,
    Reference,
    Refund,
    Supporter,
    Suppression,
    Tag,
)

FIRST_ID = 1 << 62
"""Ids from here on are of what only the preview made."""
SHADOWED = [
    model._meta.db_table
    for model in (
        *(Supporter, Reference, Organisation, Tag, Supporter.tags.through, Consent, Suppression),
        *(Donation, Refund, ImportKey, ImportRow),
    )
]
_WHOLE = [model._meta.db_table for model in (Organisation, Tag)]
"""Small tables, which are taken over as they are."""


class Shadows:
    """The stand-ins, while they are there."""

    def __init__(self, run: ImportRun) -> None:
        self.run = run
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT quote_ident(n.nspname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = %s::regclass",
                [SHADOWED[0]],
            )
            self._real = cursor.fetchone()[0]
            self._columns = {table: self._create(cursor, table) for table in SHADOWED}
            for table in _WHOLE:
                self._take_over(cursor, table, "true")

    def _create(self, cursor: Any, table: str) -> str:
        """Make a stand-in with the defaults, constraints, keys and triggers of the real one; returns its columns."""
        cursor.execute(f"CREATE TEMP TABLE {table} (LIKE {self._real}.{table} INCLUDING ALL)")
        cursor.execute(
            "SELECT quote_ident(attname) FROM pg_attribute WHERE attrelid = %s::regclass AND attidentity <> ''",
            [f"pg_temp.{table}"],
        )
        for (column,) in cursor.fetchall():
            cursor.execute(f"ALTER TABLE pg_temp.{table} ALTER COLUMN {column} RESTART WITH {FIRST_ID}")
        # Nothing here is searched by parts of words, and such an index is slow to fill.
        cursor.execute(
            """SELECT i.indexrelid::regclass::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam
               WHERE i.indrelid = %s::regclass AND a.amname = 'gin'""",
            [f"pg_temp.{table}"],
        )
        for (index,) in cursor.fetchall():
            cursor.execute(f"DROP INDEX {index}")
        cursor.execute(
            "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal AND tgtype & 2 = 2",
            [f"{self._real}.{table}"],
        )
        for (definition,) in cursor.fetchall():
            cursor.execute(definition.replace(f" ON {self._real}.{table} ", f" ON pg_temp.{table} "))
        cursor.execute(
            """SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
               WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''""",
            [f"{self._real}.{table}"],
        )
        return cursor.fetchone()[0]

    def bring(self, cursor: Any) -> None:
        """Take over whom and what the rows in `stage` could be about, as far as they are not here yet."""
        of_people = self.run.kind == ImportRun.Kind.SUPPORTERS
        system = self.run.options.get("reference_system") or REFERENCE_SYSTEM
        self._gather(cursor, "people", _PEOPLE, "stage.system" if of_people else "%(system)s", system)
        if of_people:
            perhaps = door.PERHAPS_KNOWN.replace("{real}", f"{self._real}.")
            cursor.execute(f"INSERT INTO people {perhaps} ON CONFLICT DO NOTHING")
        else:
            self._gather(cursor, "payments", _PAYMENTS)
            cursor.execute(f"INSERT INTO people {_PAYERS.format(real=self._real)} ON CONFLICT DO NOTHING")
        cursor.execute(f"INSERT INTO people {_SHARING.format(real=self._real)} ON CONFLICT DO NOTHING")
        cursor.execute("DELETE FROM people WHERE id IN (SELECT id FROM pg_temp.supporters_supporter)")
        self._take_over(cursor, "supporters_supporter", "id IN (SELECT id FROM people)")
        for table in ("supporters_reference", "supporters_supporter_tags", "supporters_consent"):
            self._take_over(cursor, table, "supporter_id IN (SELECT id FROM people)")
        self._take_over(cursor, "supporters_suppression", _SUPPRESSED)
        if not of_people:
            cursor.execute("DELETE FROM payments WHERE id IN (SELECT id FROM pg_temp.supporters_donation)")
            self._take_over(cursor, "supporters_donation", "id IN (SELECT id FROM payments)")
            self._take_over(cursor, "supporters_refund", _BACK)
            cursor.execute("DROP TABLE payments")
        cursor.execute("DROP TABLE people")
        # What was just brought is many times what the planner knows of.
        cursor.execute(
            "ANALYZE pg_temp.supporters_supporter, pg_temp.supporters_reference, pg_temp.supporters_consent"
        )

    def _gather(self, cursor: Any, name: str, query: str, system_sql: str = "", system: str = "") -> None:
        cursor.execute(f"CREATE TEMP TABLE {name} (id bigint PRIMARY KEY) ON COMMIT DROP")
        cursor.execute(f"INSERT INTO {name} {query.format(real=self._real, system=system_sql)}", {"system": system})

    def _take_over(self, cursor: Any, table: str, which: str) -> None:
        columns = self._columns[table]
        cursor.execute(
            f"INSERT INTO pg_temp.{table} ({columns}) SELECT {columns} FROM {self._real}.{table} real WHERE {which} ON CONFLICT DO NOTHING"
        )

    def look_at_sizes(self) -> None:
        """Tell the planner how large they have become: nobody else does that for temporary tables."""
        with connection.cursor() as cursor:
            for table in SHADOWED:
                cursor.execute(f"ANALYZE pg_temp.{table}")


@contextmanager
def standing_in(run: ImportRun) -> Iterator[Shadows]:
    """For as long as the block runs, this session sees the stand-ins in place of the records."""
    try:
        yield Shadows(run)
    finally:
        _drop()


def _drop() -> None:
    # A session that kept them would write what is real into what vanishes.
    try:
        with connection.cursor() as cursor:
            for table in SHADOWED:
                cursor.execute(f"DROP TABLE IF EXISTS pg_temp.{table}")
    except BaseException:
        connection.close()
        raise


_PEOPLE = """
SELECT s.id FROM {real}.supporters_supporter s JOIN stage ON s.email = stage.email
UNION SELECT r.supporter_id FROM {real}.supporters_reference r JOIN stage ON r.system = {system} AND r.identifier = stage.reference
"""
_SHARING = """
SELECT s.id FROM {real}.supporters_supporter s JOIN people ON s.shares_email_with_id = people.id
UNION SELECT s.shares_email_with_id FROM {real}.supporters_supporter s JOIN people USING (id) WHERE s.shares_email_with_id IS NOT NULL
"""
_PAYMENTS = """
SELECT d.id FROM {real}.supporters_donation d JOIN stage ON d.provider = stage.provider AND d.provider_id = stage.provider_id AND d.provider_id <> ''
UNION SELECT d.id FROM (SELECT provider, unnest(names) AS name FROM stage) known
    JOIN {real}.supporters_donation d ON d.provider = known.provider AND d.provider_id = known.name AND d.provider_id <> ''
UNION SELECT d.id FROM (SELECT provider, unnest(names) AS name FROM stage) known
    JOIN {real}.supporters_donation d ON d.other_ids @> ARRAY[known.name::varchar] AND d.other_ids <> '{{}}' AND d.provider = known.provider
UNION SELECT r.donation_id FROM {real}.supporters_refund r JOIN stage
    ON r.provider = stage.provider AND r.provider_id = stage.provider_id AND r.provider_id <> ''
"""
_PAYERS = """
SELECT d.supporter_id FROM {real}.supporters_donation d JOIN payments USING (id) WHERE d.supporter_id IS NOT NULL
"""
_BACK = "donation_id IN (SELECT id FROM payments)"
_SUPPRESSED = """
email_hash IN (SELECT supporters_address_hash(email) FROM stage WHERE email IS NOT NULL
               UNION SELECT supporters_address_hash(s.email) FROM pg_temp.supporters_supporter s JOIN people USING (id) WHERE s.email IS NOT NULL)
"""
