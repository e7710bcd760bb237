"""Slices of rows into the records: COPY into a temporary table, then a handful of statements for all rows at once.

A slice is one transaction with its failures, its counts and its checkpoint, so a run that is cut short anywhere goes
on behind the last whole slice.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from django.db import connection
from django.utils.translation import gettext as _

from supporters.importing import merged, policy, refunds
from supporters.importing.known import KNOWN
from supporters.importing.parsing import OWN_PROVIDER, REFERENCE_SYSTEM, StagedDonation, StagedSupporter
from supporters.matching import door
from supporters.models import ImportRun

CONTENT_SYSTEM = "import"
"""The system of references for people whose row has neither an address nor a reference of its own."""


class Watch(Protocol):
    """Looks on while a slice is written; both see it in the table `stage`."""

    def before(self, cursor: Any) -> None:
        """Its rows are there, and nobody has been looked up yet."""

    def after(self, cursor: Any) -> None:
        """All of it is written."""


class Failure(NamedTuple):
    number: int
    cells: Sequence[str]
    reason: str
    went_in: bool = False
    verdict: str = ""
    supporter_id: int | None = None


class Counts(NamedTuple):
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    failed: int = 0
    held_back: int = 0
    noted: int = 0
    doubtful: int = 0
    not_taken: int = 0

    def plus(self, other: "Counts") -> "Counts":
        return Counts(*(a + b for a, b in zip(self, other, strict=True)))


def load_supporters(
    run: ImportRun,
    rows: Sequence[StagedSupporter],
    cells: Mapping[int, Sequence[str]],
    *,
    decided: bool = False,
    watch: Watch | None = None,
) -> Counts:
    """Bring the rows in, or those that staff have decided on: see doubts. Call it in a transaction."""
    with connection.cursor() as cursor:
        cursor.execute(_STAGE_SUPPORTERS)
        _copy(cursor, "stage", StagedSupporter._fields, rows)
        cursor.execute("ANALYZE stage")
        winners = policy.chosen(run.options)
        parameters = {
            "run": run.pk,
            "system": run.options.get("reference_system") or REFERENCE_SYSTEM,
            "content_system": CONTENT_SYSTEM,
            "create_organisations": bool(run.options.get("create_organisations")),
            "no_organisation": _(
                "There is no organisation of this name; let the import create it, or correct the name."
            ),
            "two_people": _("The reference and the email address belong to two different people on file."),
            "doubtful": _("The address belongs to somebody of another name."),
            "only_left": _(
                "The address belongs to somebody of another name: it is not written to any more, and that is all."
            ),
            "email_stays": winners["email"] != policy.Winner.FILE,
            **door.reasons(),
        }
        _number_equal_rows(cursor, run, "key IS NOT NULL")
        cursor.execute(_PREPARE_SUPPORTERS, parameters)
        if decided:
            cursor.execute(_VERDICTS, parameters)
        if watch:
            watch.before(cursor)
        write = _MATCH_AND_ADD_SUPPORTERS + policy.update_statement(winners) + _ADD_REFERENCES
        for current in range(max((row.round for row in rows), default=-1) + 1):
            cursor.execute(write, {**parameters, "round": current})
        if decided:
            cursor.execute(door.TELL_APART)
        cursor.execute(_TAGS)
        held_back = _write_consents(cursor, run)
        _keep_failures(cursor, run, cells)
        cursor.execute(
            """
            SELECT count(*) FILTER (WHERE reason IS NULL AND fresh), count(*) FILTER (WHERE reason IS NULL AND NOT fresh AND changed),
                   count(*) FILTER (WHERE reason IS NULL AND NOT fresh AND NOT changed),
                   count(*) FILTER (WHERE reason IS NOT NULL AND candidate_id IS NULL),
                   %s, count(*) FILTER (WHERE reason IS NULL AND note <> ''),
                   count(*) FILTER (WHERE reason IS NOT NULL AND candidate_id IS NOT NULL)
            FROM stage
            """,
            [held_back],
        )
        counts = Counts(*cursor.fetchone())
        if watch:
            watch.after(cursor)
        cursor.execute("DROP TABLE stage")
    return counts


def load_donations(
    run: ImportRun,
    rows: Sequence[StagedDonation],
    cells: Mapping[int, Sequence[str]],
    *,
    watch: Watch | None = None,
) -> Counts:
    """Bring the rows in. Call it in a transaction."""
    with connection.cursor() as cursor:
        cursor.execute(_STAGE_DONATIONS)
        _copy(cursor, "stage", StagedDonation._fields, rows)
        cursor.execute("ANALYZE stage")
        _number_equal_rows(cursor, run, "provider_id = ''")
        parameters = {
            "run": run.pk,
            "system": run.options.get("reference_system") or REFERENCE_SYSTEM,
            "provider": run.options.get("provider") or "file",
            "two_people": _("The reference and the email address belong to two different people on file."),
            "no_person": _("The payment is not on file, and the row does not say whose donation it is."),
            "no_payment": _("The payment that went back is not on file: import it, then this file again."),
            "too_much": _("More would go back than came."),
            "refunded": _("As the export of the payment tells."),
            "another_name": _("The gift is entered for whose address it is, who has another name."),
        }
        cursor.execute(_PROVIDERS, parameters)
        if watch:
            watch.before(cursor)
        if of_payments := any(row.names for row in rows):
            cursor.execute(refunds.NAMES, parameters)
        cursor.execute(_WRITE_DONATIONS, parameters)
        if of_payments:
            cursor.execute(refunds.REFUNDS, parameters)
        _keep_failures(cursor, run, cells)
        cursor.execute(
            """
            SELECT count(*) FILTER (WHERE reason IS NULL AND fresh), count(*) FILTER (WHERE reason IS NULL AND NOT fresh AND changed),
                   count(*) FILTER (WHERE reason IS NULL AND NOT fresh AND NOT changed), count(*) FILTER (WHERE reason IS NOT NULL),
                   0, count(*) FILTER (WHERE reason IS NULL AND note <> '')
            FROM stage
            """
        )
        counts = Counts(*cursor.fetchone())
        if watch:
            watch.after(cursor)
        cursor.execute("DROP TABLE stage, arrivals")
    return counts


def keep_failures(run: ImportRun, failures: Iterable[Failure]) -> None:
    """List rows for staff to look at."""
    with connection.cursor() as cursor:
        cursor.execute(
            """CREATE TEMP TABLE failures (number bigint, cells text[], reason text, went_in boolean, verdict text,
                                           supporter_id bigint) ON COMMIT DROP"""
        )
        _copy(cursor, "failures", Failure._fields, failures)
        cursor.execute(
            """
            INSERT INTO supporters_importrow (run_id, number, "values", reason, went_in, verdict, supporter_id)
            SELECT %s, number, to_jsonb(cells), reason, went_in, verdict, supporter_id FROM failures
            ON CONFLICT (run_id, number) DO UPDATE SET "values" = excluded."values", reason = excluded.reason,
                went_in = excluded.went_in, verdict = excluded.verdict, supporter_id = excluded.supporter_id, settled_at = NULL
            """,
            [run.pk],
        )
        cursor.execute("DROP TABLE failures")


def _keep_failures(cursor, run: ImportRun, cells: Mapping[int, Sequence[str]]) -> None:  # noqa: ANN001
    cursor.execute(
        """
        SELECT number, coalesce(reason, note), reason IS NULL, CASE WHEN reason IS NOT NULL AND candidate_id IS NOT NULL THEN 'waiting' ELSE '' END,
               CASE WHEN reason IS NOT NULL THEN candidate_id END
        FROM stage WHERE reason IS NOT NULL OR note <> ''
        """
    )
    failures = [Failure(number, cells[number], *rest) for number, *rest in cursor.fetchall()]
    if failures:
        keep_failures(run, failures)


def _copy(cursor, table: str, columns: Sequence[str], rows: Iterable[tuple]) -> None:  # noqa: ANN001
    with cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _number_equal_rows(cursor, run: ImportRun, which: str) -> None:  # noqa: ANN001
    """Give equal rows of the file the numbers 1, 2, 3 …, over all slices."""
    cursor.execute(
        f"""
        UPDATE stage SET occurrence = numbered.occurrence + coalesce(earlier.times, 0)
        FROM (SELECT number, row_number() OVER (PARTITION BY key ORDER BY number) AS occurrence FROM stage WHERE {which}) numbered
        JOIN stage same USING (number)
        LEFT JOIN supporters_importkey earlier ON earlier.run_id = %(run)s AND earlier.key = same.key
        WHERE stage.number = numbered.number;
        INSERT INTO supporters_importkey (run_id, key, times)
        SELECT %(run)s, key, count(*) FROM stage WHERE {which} GROUP BY key
        ON CONFLICT (run_id, key) DO UPDATE SET times = supporters_importkey.times + excluded.times
        """,
        {"run": run.pk},
    )


_ANOTHER_NAME = """((stage.first_name, stage.last_name) <> (s.first_name, s.last_name)
    AND supporters_names_differ(stage.first_name, stage.last_name, s.first_name, s.last_name))"""

# Rows of a slice are few among all on file, but PostgreSQL's guess of both is often wrong by then: OFFSET 0 has it look
# each up in an index, so that the file's end goes in as fast as its start.
_BY_REFERENCE = """
UPDATE stage SET supporter_id = r.supporter_id FROM (
    SELECT number, r.* FROM stage, LATERAL (
        SELECT supporter_id FROM supporters_reference r WHERE r.system = {system} AND r.identifier = stage.reference OFFSET 0) r
    WHERE {which} AND reason IS NULL AND reference <> ''
) r WHERE stage.number = r.number;
"""

_BY_ADDRESS = """(
    SELECT number, s.* FROM stage, LATERAL (
        SELECT id, email, first_name, last_name FROM supporters_supporter s WHERE s.email = stage.email OFFSET 0) s
    WHERE {which} AND reason IS NULL
)"""

# Of those who share the address of a row, the one it is about: staff have said before who else is behind it.
_KNOWN_TO_SHARE = f"""
UPDATE stage SET supporter_id = s.sharing_id, email = NULL FROM (
    SELECT number, s.* FROM stage, LATERAL (
        SELECT s.first_name, s.last_name, l.id AS sharing_id, l.first_name AS sharing_first_name, l.last_name AS sharing_last_name
        FROM supporters_supporter s JOIN supporters_supporter l ON l.shares_email_with_id = s.id WHERE s.email = stage.email OFFSET 0) s
    WHERE {{which}} AND reason IS NULL
) s WHERE stage.number = s.number AND (
    stage.supporter_id = s.sharing_id OR (stage.supporter_id IS NULL AND {_ANOTHER_NAME}
        AND NOT supporters_names_differ(stage.first_name, stage.last_name, s.sharing_first_name, s.sharing_last_name)));
"""

# Somebody's other address leads to them and is not written to. Of two that are spelt almost the same, the one on file stays.
_OTHER_ADDRESSES = f"""
UPDATE stage SET supporter_id = r.supporter_id, email = NULL
FROM supporters_reference r JOIN supporters_supporter s ON s.id = r.supporter_id
WHERE round = %(round)s AND reason IS NULL AND stage.supporter_id IS NULL AND standing <> 'cleaned'
  AND EXISTS (SELECT FROM supporters_reference WHERE system = '{door.OTHER_ADDRESS}')
  AND r.system = '{door.OTHER_ADDRESS}' AND r.identifier = stage.email AND NOT {_ANOTHER_NAME};

WITH two AS (
    SELECT number, supporter_id, s.email AS kept, stage.email AS came,
           %(email_stays)s OR supporters_email_key(s.email) = supporters_email_key(stage.email) AS stays
    FROM stage JOIN supporters_supporter s ON s.id = supporter_id
    WHERE round = %(round)s AND reason IS NULL AND verdict = 'same' AND s.email <> stage.email
), remembered AS (
    INSERT INTO supporters_reference (supporter_id, system, identifier)
    SELECT supporter_id, '{door.OTHER_ADDRESS}', CASE WHEN stays THEN came ELSE kept END FROM two
    WHERE length(CASE WHEN stays THEN came ELSE kept END) <= 128
    ON CONFLICT DO NOTHING
) UPDATE stage SET email = NULL FROM two WHERE stage.number = two.number AND stays;
"""

# No index on what is updated many times within its transaction: the dead versions of a row would stand in every way.
_STAGE_SUPPORTERS = """
CREATE TEMP TABLE stage (
    number bigint, round int, key uuid, reference text, email text, first_name text, last_name text,
    language text, country text, birth_date date, phone text, street text, postcode text, city text, region text,
    organisation text, source_code text, tags text[], standing text, standing_at timestamptz,
    withdrawn text[], note text, marks text[],
    occurrence bigint, system text, organisation_id bigint, supporter_id bigint, verdict text, candidate_id bigint, apart_id bigint, decided_by bigint,
    decided_at timestamptz, shares_with bigint,
    fresh boolean NOT NULL DEFAULT false, changed boolean NOT NULL DEFAULT false, reason text,
    before text[], after text[], reference_id bigint, tag_ids bigint[], grant_id bigint, gained text[], said text[] NOT NULL DEFAULT '{}'
) ON COMMIT DROP
"""

_PREPARE_SUPPORTERS = """
UPDATE stage SET system = CASE WHEN key IS NULL THEN %(system)s ELSE %(content_system)s END,
                 reference = CASE WHEN key IS NULL THEN reference ELSE key || '-' || occurrence END;
INSERT INTO supporters_organisation (name, role, source_code)
SELECT DISTINCT ON (lower(organisation)) organisation, 'partner', 'org-' || left(md5(lower(organisation)), 12)
FROM stage WHERE organisation <> '' AND %(create_organisations)s
  AND NOT EXISTS (SELECT FROM supporters_organisation o WHERE lower(o.name) = lower(organisation) OR lower(o.source_code) = lower(organisation))
ON CONFLICT DO NOTHING;
UPDATE stage SET organisation_id = o.id FROM supporters_organisation o
WHERE organisation <> '' AND (lower(o.name) = lower(organisation) OR lower(o.source_code) = lower(organisation));
UPDATE stage SET reason = %(no_organisation)s WHERE organisation <> '' AND organisation_id IS NULL;
"""

_VERDICTS = """
UPDATE stage SET verdict = r.verdict, candidate_id = CASE r.verdict WHEN 'same' THEN r.supporter_id END,
                 apart_id = CASE r.verdict WHEN 'second' THEN r.supporter_id END, decided_by = r.decided_by_id, decided_at = r.decided_at
FROM supporters_importrow r WHERE r.run_id = %(run)s AND r.number = stage.number;
"""

# Rows of one round have different addresses and references, so that each statement meets a person once.
_MATCH_AND_ADD_SUPPORTERS = f"""
UPDATE stage SET supporter_id = candidate_id, candidate_id = NULL
WHERE round = %(round)s AND reason IS NULL AND candidate_id IS NOT NULL;

{_BY_REFERENCE.format(which="round = %(round)s", system="stage.system")}

{_KNOWN_TO_SHARE.format(which="round = %(round)s AND standing NOT IN ('left', 'cleaned') AND verdict IS DISTINCT FROM 'same'")}

UPDATE stage SET shares_with = s.id, email = NULL
FROM {_BY_ADDRESS.format(which="round = %(round)s AND verdict = 'second'")} s
WHERE stage.number = s.number AND (apart_id IS NULL OR apart_id = s.id);

{merged.SUPPORTERS}

UPDATE stage SET supporter_id = coalesce(stage.supporter_id, s.id),
                 reason = CASE WHEN stage.supporter_id <> s.id THEN %(two_people)s END,
                 candidate_id = CASE WHEN stage.supporter_id IS NULL AND {_ANOTHER_NAME} THEN s.id END
FROM {_BY_ADDRESS.format(which="round = %(round)s")} s WHERE stage.number = s.number;

-- Whoever of those who share an address says that it be left alone is heard at once; nothing else is taken from the row.
UPDATE stage SET first_name = '', last_name = '', language = '', country = '', birth_date = NULL, phone = '', street = '', postcode = '',
                 city = '', region = '', organisation_id = NULL, source_code = '', tags = '{{}}', marks = '{{}}', reference = '',
                 candidate_id = NULL, note = %(only_left)s
WHERE round = %(round)s AND reason IS NULL AND candidate_id IS NOT NULL AND standing IN ('left', 'cleaned');
UPDATE stage SET reason = %(doubtful)s WHERE round = %(round)s AND reason IS NULL AND candidate_id IS NOT NULL;

{_OTHER_ADDRESSES}
{door.HOLD_KNOWN}
UPDATE stage SET supporter_id = nextval((SELECT pg_get_serial_sequence('supporters_supporter', 'id')::regclass)), fresh = true
WHERE round = %(round)s AND reason IS NULL AND supporter_id IS NULL;
{door.HOLD_AMONG_THEMSELVES}

UPDATE stage SET marks = array_remove(array_remove(marks, 'role'), 'disposable')
WHERE round = %(round)s AND email IS NULL AND marks && '{{role, disposable}}';

INSERT INTO supporters_supporter (id, email, first_name, last_name, language, country, birth_date, phone, street, postcode,
                                  city, region, organisation_id, source_code, shares_email_with_id, marks)
SELECT supporter_id, email, first_name, last_name, language, country, birth_date, phone, street, postcode,
       city, region, organisation_id, source_code, shares_with, marks
FROM stage WHERE round = %(round)s AND reason IS NULL AND fresh;
"""

_ADD_REFERENCES = """
WITH written AS (
    INSERT INTO supporters_reference (supporter_id, system, identifier)
    SELECT supporter_id, system, reference FROM stage WHERE round = %(round)s AND reason IS NULL AND reference <> ''
    ON CONFLICT (system, identifier) DO NOTHING RETURNING id, system, identifier
) UPDATE stage SET changed = true, reference_id = written.id FROM written
WHERE round = %(round)s AND stage.system = written.system AND reference = written.identifier;
"""

_TAGS = """
INSERT INTO supporters_tag (name)
SELECT DISTINCT ON (lower(tag)) tag FROM stage, unnest(tags) tag WHERE reason IS NULL ON CONFLICT DO NOTHING;
WITH written AS (
    INSERT INTO supporters_supporter_tags (supporter_id, tag_id)
    SELECT DISTINCT supporter_id, t.id FROM stage, unnest(tags) tag JOIN supporters_tag t ON lower(t.name) = lower(tag)
    WHERE reason IS NULL ON CONFLICT DO NOTHING RETURNING id, supporter_id, tag_id
), together AS (
    SELECT supporter_id, array_agg(written.id) AS ids, array_agg(t.name ORDER BY t.name) AS names
    FROM written JOIN supporters_tag t ON t.id = written.tag_id GROUP BY supporter_id
) UPDATE stage SET changed = true, tag_ids = together.ids, gained = together.names
FROM together WHERE stage.supporter_id = together.supporter_id;
"""


def _write_consents(cursor, run: ImportRun) -> int:  # noqa: ANN001
    """Record what the file says of consent; returns how many grants were held back because the person had left."""
    parameters = {
        "run": run.pk,
        "purpose": run.consent_purpose or "email",
        "wording": run.consent_wording or _proof(run),
        "language": run.consent_language,
        "source": f"{run.file_name[:120]}: {run.consent_how}" if run.consent_how else run.file_name[:250],
        "on": run.consent_on,
        "whole_file": bool(run.consent_purpose),
        "user": run.created_by_id,
    }
    cursor.execute(_LEAVINGS, parameters)
    cursor.execute(_REFUSALS, parameters)
    cursor.execute(_GRANTS, parameters)
    return cursor.fetchone()[0]


def _proof(run: ImportRun) -> str:
    """What stands for the words of a form that another system keeps."""
    known = KNOWN.get(run.layout.get("known", ""))
    if known and known.wording:
        return str(known.wording)
    return _("Subscribed in Mailchimp; the wording of the form is kept there.")


_LATEST = """
(SELECT c.state FROM supporters_consent c WHERE c.supporter_id = {supporter} AND c.purpose = {purpose} AND c.organisation_id IS NULL
 ORDER BY c.happened_at DESC, c.state DESC, c.id DESC LIMIT 1)
"""

# A leaving in the file counts from when it happened: somebody who came back later, by their own confirmed act, stays.
_LEAVINGS = f"""
WITH leaving AS (
    SELECT DISTINCT ON (supporter_id) supporter_id, email, standing, coalesce(standing_at, statement_timestamp()) AS at
    FROM stage WHERE reason IS NULL AND standing IN ('left', 'cleaned') ORDER BY supporter_id, number DESC
), written AS (
    INSERT INTO supporters_consent (supporter_id, purpose, state, wording, method, source, happened_at, import_run_id, recorded_by_id)
    SELECT supporter_id, 'email', 'withdrawn', '', CASE standing WHEN 'left' THEN 'import' ELSE 'bounce' END, %(source)s, at, %(run)s, %(user)s
    FROM leaving
    WHERE coalesce({_LATEST.format(supporter="leaving.supporter_id", purpose="'email'")}, '') <> 'withdrawn'
    RETURNING supporter_id
), suppressed AS (
    INSERT INTO supporters_suppression (email_hash, reason)
    SELECT supporters_address_hash(email), CASE standing WHEN 'left' THEN 'left' ELSE 'hard_bounce' END
    FROM leaving WHERE email IS NOT NULL AND (standing = 'cleaned' OR NOT EXISTS (
        SELECT FROM supporters_consent c WHERE c.supporter_id = leaving.supporter_id AND c.purpose = 'email'
        AND c.state = 'granted' AND c.happened_at > leaving.at))
    ON CONFLICT DO NOTHING
) UPDATE stage SET changed = true, said = said || 'withdrawn:email'::text WHERE supporter_id IN (SELECT supporter_id FROM written)
"""

_REFUSALS = f"""
WITH refusal AS (
    SELECT DISTINCT supporter_id, purpose FROM stage, unnest(withdrawn) purpose WHERE reason IS NULL
), written AS (
    INSERT INTO supporters_consent (supporter_id, purpose, state, wording, method, source, import_run_id, recorded_by_id)
    SELECT supporter_id, purpose, 'withdrawn', '', 'import', %(source)s, %(run)s, %(user)s FROM refusal
    WHERE coalesce({_LATEST.format(supporter="refusal.supporter_id", purpose="refusal.purpose")}, '') <> 'withdrawn'
    RETURNING supporter_id, purpose
), together AS (
    SELECT supporter_id, array_agg('withdrawn:' || purpose ORDER BY purpose) AS said FROM written GROUP BY supporter_id
) UPDATE stage SET changed = true, said = stage.said || together.said FROM together WHERE stage.supporter_id = together.supporter_id
"""

# No file brings back who left: neither over a withdrawal nor over a suppressed address.
_GRANTS = f"""
WITH granting AS (
    SELECT DISTINCT ON (stage.supporter_id) stage.supporter_id, number,
           CASE WHEN standing = 'granted' THEN 'email' ELSE %(purpose)s END AS purpose,
           coalesce(standing_at, %(on)s::timestamptz, statement_timestamp()) AS at
    FROM stage WHERE reason IS NULL AND (standing = 'granted' OR (%(whole_file)s AND standing = ''))
    ORDER BY stage.supporter_id, number
), standing AS (
    SELECT granting.*, s.language, {_LATEST.format(supporter="granting.supporter_id", purpose="granting.purpose")} AS latest,
           (purpose = 'email' AND EXISTS (
               SELECT FROM supporters_suppression p WHERE p.email_hash = supporters_address_hash(s.email))) AS suppressed
    FROM granting JOIN supporters_supporter s ON s.id = granting.supporter_id
), written AS (
    INSERT INTO supporters_consent (supporter_id, purpose, state, wording, language, method, source, happened_at, import_run_id, recorded_by_id)
    SELECT supporter_id, purpose, 'granted', %(wording)s, coalesce(nullif(%(language)s, ''), language), 'import', %(source)s, at, %(run)s, %(user)s
    FROM standing WHERE NOT suppressed AND coalesce(latest, '') NOT IN ('granted', 'withdrawn')
    RETURNING id, supporter_id, purpose
), marked AS (
    UPDATE stage SET changed = true, said = said || ('granted:' || purpose), grant_id = written.id FROM written WHERE stage.supporter_id = written.supporter_id
)
SELECT count(*) FROM standing WHERE suppressed OR latest = 'withdrawn'
"""

_STAGE_DONATIONS = """
CREATE TEMP TABLE stage (
    number bigint, key uuid, reference text, email text, first_name text, last_name text, amount numeric,
    currency text, received_on date, method text, provider_id text, source_code text, designation text, provider text,
    names text[], may_be_unknown boolean, refunded numeric, refunded_on date, refund_of text, note text, marks text[],
    occurrence bigint, supporter_id bigint, candidate_id bigint, fresh boolean NOT NULL DEFAULT false,
    changed boolean NOT NULL DEFAULT false, reason text, donation_id bigint, refund_id bigint
) ON COMMIT DROP
"""

_PROVIDERS = """
UPDATE stage SET provider = CASE WHEN provider_id = '' THEN 'import' WHEN provider <> '' THEN provider ELSE %(provider)s END,
                 provider_id = CASE provider_id WHEN '' THEN key || '-' || occurrence ELSE provider_id END;
"""

_BY_HAND = f"""
(provider = '{OWN_PROVIDER}' AND EXISTS (
    SELECT FROM supporters_donation d
    WHERE d.id = CASE WHEN stage.provider_id ~ '^[0-9]{{1,18}}$' THEN stage.provider_id::bigint END
      AND (d.provider_id, d.amount, d.currency, d.received_on) = ('', stage.amount, stage.currency, stage.received_on)))
"""

_WRITE_DONATIONS = f"""
{_BY_REFERENCE.format(which="true", system="%(system)s")}

{_KNOWN_TO_SHARE.format(which="true")}

{merged.DONATIONS}
UPDATE stage SET supporter_id = coalesce(stage.supporter_id, s.id),
                 reason = CASE WHEN stage.supporter_id <> s.id THEN %(two_people)s END,
                 note = CASE WHEN stage.supporter_id IS NULL AND {_ANOTHER_NAME} THEN concat_ws(' ', nullif(note, ''), %(another_name)s) ELSE note END
FROM {_BY_ADDRESS.format(which="true")} s WHERE stage.number = s.number;

CREATE TEMP TABLE arrivals ON COMMIT DROP AS
SELECT nextval((SELECT pg_get_serial_sequence('supporters_supporter', 'id')::regclass)) AS id, who.* FROM (
    SELECT DISTINCT ON (coalesce(nullif(reference, ''), email)) reference, email, first_name, last_name, source_code, marks
    FROM stage WHERE supporter_id IS NULL AND reason IS NULL
    ORDER BY coalesce(nullif(reference, ''), email), number
) who;
-- One address, one person: of several new references with the same address, the first has it, and gifts that name but the address are theirs.
UPDATE arrivals SET email = NULL, marks = '{{}}' FROM (
    SELECT id, row_number() OVER (PARTITION BY email ORDER BY reference = '', id) AS place FROM arrivals WHERE email IS NOT NULL
) ranked WHERE ranked.id = arrivals.id AND ranked.place > 1;
DELETE FROM arrivals WHERE email IS NULL AND reference = '';
INSERT INTO supporters_supporter (id, email, first_name, last_name, source_code, marks)
SELECT id, email, first_name, last_name, source_code, marks FROM arrivals;
INSERT INTO supporters_reference (supporter_id, system, identifier)
SELECT id, %(system)s, reference FROM arrivals WHERE reference <> '';
{_BY_REFERENCE.format(which="stage.supporter_id IS NULL", system="%(system)s")}
UPDATE stage SET supporter_id = s.id,
                 note = CASE WHEN {_ANOTHER_NAME} THEN concat_ws(' ', nullif(note, ''), %(another_name)s) ELSE note END
FROM {_BY_ADDRESS.format(which="stage.supporter_id IS NULL")} s WHERE stage.number = s.number;

WITH written AS (
    INSERT INTO supporters_donation (supporter_id, amount, currency, method, state, received_on, provider, provider_id,
                                     source_code, designation, other_ids, import_run_id)
    SELECT supporter_id, amount, currency, method, 'received', received_on, provider, provider_id, source_code, designation,
           array_remove(names, provider_id), %(run)s
    FROM stage WHERE reason IS NULL AND NOT {_BY_HAND} ORDER BY number
    ON CONFLICT (provider, provider_id) WHERE provider_id <> '' DO NOTHING
    RETURNING id, provider, provider_id
), first AS (
    SELECT min(number) AS number, written.id FROM stage JOIN written USING (provider, provider_id) GROUP BY written.id
) UPDATE stage SET fresh = true, donation_id = first.id FROM first WHERE stage.number = first.number;
"""
