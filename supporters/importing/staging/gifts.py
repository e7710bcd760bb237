"""What makes a slice's rows gifts on file: statements on `stage`, in the order in which they run."""

from supporters.importing import merged
from supporters.importing.parsing import OWN_PROVIDER
from supporters.importing.staging.lookups import ANOTHER_NAME, BY_ADDRESS, BY_REFERENCE, KNOWN_TO_SHARE

STAGE = """
CREATE TEMP TABLE stage (
    number bigint, key uuid, reference text, email text, first_name text, last_name text, amount numeric,
    currency text, received_on date, method text, provider_id text, source_code text, designation text, provider text,
    names text[], may_be_unknown boolean, refunded numeric, refunded_on date, refund_of text, note text, marks text[],
    supporter_id bigint, candidate_id bigint, fresh boolean NOT NULL DEFAULT true,
    changed boolean NOT NULL DEFAULT false, reason text, donation_id bigint DEFAULT nextval(%(sequence)s), refund_id bigint
) ON COMMIT DROP
"""

PROVIDERS = "UPDATE stage SET provider = %(provider)s WHERE provider = '' AND provider_id <> ''"

BY_HAND = f"""
(provider = '{OWN_PROVIDER}' AND EXISTS (
    SELECT FROM supporters_donation d
    WHERE d.id = CASE WHEN stage.provider_id ~ '^[0-9]{{1,18}}$' THEN stage.provider_id::bigint END
      AND (d.provider_id, d.amount, d.currency, d.received_on) = ('', stage.amount, stage.currency, stage.received_on)))
"""

PEOPLE = f"""
{BY_REFERENCE.format(which="true", system="%(system)s")}

{KNOWN_TO_SHARE.format(which="true")}

{merged.DONATIONS}
UPDATE stage SET supporter_id = coalesce(stage.supporter_id, s.id),
                 reason = CASE WHEN stage.supporter_id <> s.id THEN %(two_people)s END,
                 note = CASE WHEN stage.supporter_id IS NULL AND {ANOTHER_NAME} THEN concat_ws(' ', nullif(note, ''), %(another_name)s) ELSE note END
FROM {BY_ADDRESS.format(which="true")} s WHERE stage.number = s.number;

CREATE TEMP TABLE arrivals ON COMMIT DROP AS
SELECT nextval((SELECT pg_get_serial_sequence('supporters_supporter', 'id')::regclass)) AS id, who.* FROM (
    SELECT DISTINCT ON (reference, CASE reference WHEN '' THEN email END) reference, email, first_name, last_name, source_code, marks
    FROM stage WHERE supporter_id IS NULL AND reason IS NULL
    ORDER BY reference, CASE reference WHEN '' THEN email END, number
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
UPDATE stage SET supporter_id = arrivals.id FROM arrivals
WHERE supporter_id IS NULL AND reason IS NULL AND stage.reference <> '' AND stage.reference = arrivals.reference;
UPDATE stage SET supporter_id = s.id,
                 note = CASE WHEN {ANOTHER_NAME} THEN concat_ws(' ', nullif(note, ''), %(another_name)s) ELSE note END
FROM arrivals s WHERE supporter_id IS NULL AND reason IS NULL AND stage.email = s.email;
"""

INSERT = f"""
INSERT INTO supporters_donation (id, supporter_id, amount, currency, method, state, received_on, provider, provider_id,
                                 source_code, designation, other_ids, import_run_id)
SELECT donation_id, supporter_id, amount, currency, method, 'received', received_on, provider, provider_id, source_code, designation,
       array_remove(names, provider_id), %(run)s
FROM stage WHERE reason IS NULL AND NOT {BY_HAND} ORDER BY number
ON CONFLICT (provider, provider_id) WHERE provider_id <> '' DO NOTHING
"""

# Every row is taken to be new until it is seen that it is not: so a slice of new gifts need not be gone through once more.
# OFFSET 0 as in lookups.
ON_FILE = """
UPDATE stage SET fresh = false, donation_id = NULL
WHERE reason IS NULL AND NOT EXISTS (SELECT FROM supporters_donation d WHERE d.id = stage.donation_id OFFSET 0)
"""
