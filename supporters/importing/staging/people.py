"""What makes a slice's rows people on file: statements on `stage`, in the order in which they run."""

from supporters.importing import merged
from supporters.importing.staging.lookups import ANOTHER_NAME, BY_ADDRESS, BY_REFERENCE, KNOWN_TO_SHARE
from supporters.matching import door

# Somebody's other address leads to them and is not written to. Of two that are spelt almost the same, the one on file stays.
_OTHER_ADDRESSES = (
    door.by_index(f"""
UPDATE stage SET supporter_id = r.supporter_id, email = NULL
FROM supporters_reference r JOIN supporters_supporter s ON s.id = r.supporter_id
WHERE round = %(round)s AND reason IS NULL AND stage.supporter_id IS NULL AND standing <> 'cleaned'
  AND EXISTS (SELECT FROM supporters_reference WHERE system = '{door.OTHER_ADDRESS}')
  AND r.system = '{door.OTHER_ADDRESS}' AND r.identifier = stage.email AND NOT {ANOTHER_NAME}
""")
    + f"""
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
)

# No index on what is updated many times within its transaction: the dead versions of a row would stand in every way.
STAGE = """
CREATE TEMP TABLE stage (
    number bigint, round int, key uuid, reference text, email text, first_name text, last_name text,
    language text, country text, birth_date date, phone text, street text, postcode text, city text, region text,
    organisation text, source_code text, tags text[], standing text, standing_at timestamptz,
    withdrawn text[], note text, marks text[], how_often text, discreet text,
    system text NOT NULL DEFAULT %(system)s, organisation_id bigint, supporter_id bigint, verdict text, candidate_id bigint, apart_id bigint, decided_by bigint,
    decided_at timestamptz, shares_with bigint,
    fresh boolean NOT NULL DEFAULT false, changed boolean NOT NULL DEFAULT false, reason text,
    before text[], after text[], reference_id bigint, tag_ids bigint[], gained text[], said text[] NOT NULL DEFAULT '{}'
) ON COMMIT DROP;
CREATE TEMP TABLE granted (id bigint, supporter_id bigint, purpose text) ON COMMIT DROP
"""

PREPARE = """
INSERT INTO supporters_organisation (name, role, source_code)
SELECT DISTINCT ON (lower(organisation)) organisation, 'partner', 'org-' || left(md5(lower(organisation)), 12)
FROM stage WHERE organisation <> '' AND %(create_organisations)s
  AND NOT EXISTS (SELECT FROM supporters_organisation o WHERE lower(o.name) = lower(organisation) OR lower(o.source_code) = lower(organisation))
ON CONFLICT DO NOTHING;
UPDATE stage SET organisation_id = o.id FROM supporters_organisation o
WHERE organisation <> '' AND (lower(o.name) = lower(organisation) OR lower(o.source_code) = lower(organisation));
UPDATE stage SET reason = %(no_organisation)s WHERE organisation <> '' AND organisation_id IS NULL;
"""

VERDICTS = """
UPDATE stage SET verdict = r.verdict, candidate_id = CASE r.verdict WHEN 'same' THEN r.supporter_id END,
                 apart_id = CASE r.verdict WHEN 'second' THEN r.supporter_id END, decided_by = r.decided_by_id, decided_at = r.decided_at
FROM supporters_importrow r WHERE r.run_id = %(run)s AND r.number = stage.number;
"""

# Rows of one round have different addresses and references, so that each statement meets a person once.
MATCH_AND_ADD = f"""
UPDATE stage SET supporter_id = candidate_id, candidate_id = NULL
WHERE round = %(round)s AND reason IS NULL AND candidate_id IS NOT NULL;

{BY_REFERENCE.format(which="round = %(round)s", system="stage.system")}

{KNOWN_TO_SHARE.format(which="round = %(round)s AND standing NOT IN ('left', 'cleaned') AND verdict IS DISTINCT FROM 'same'")}

UPDATE stage SET shares_with = s.id, email = NULL
FROM {BY_ADDRESS.format(which="round = %(round)s AND verdict = 'second'")} s
WHERE stage.number = s.number AND (apart_id IS NULL OR apart_id = s.id);

{merged.SUPPORTERS}

UPDATE stage SET supporter_id = coalesce(stage.supporter_id, s.id),
                 reason = CASE WHEN stage.supporter_id <> s.id THEN %(two_people)s END,
                 candidate_id = CASE WHEN stage.supporter_id IS NULL AND {ANOTHER_NAME} THEN s.id END
FROM {BY_ADDRESS.format(which="round = %(round)s")} s WHERE stage.number = s.number;

-- Whoever of those who share an address says that it be left alone is heard at once; nothing else is taken from the row.
UPDATE stage SET first_name = '', last_name = '', language = '', country = '', birth_date = NULL, phone = '', street = '', postcode = '',
                 city = '', region = '', organisation_id = NULL, source_code = '', how_often = '', discreet = '', tags = '{{}}', marks = '{{}}', reference = '',
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
                                  city, region, organisation_id, source_code, shares_email_with_id, marks, how_often, discreet)
SELECT supporter_id, email, first_name, last_name, language, country, birth_date, phone, street, postcode,
       city, region, organisation_id, source_code, shares_with, marks, how_often, discreet <> ''
FROM stage WHERE round = %(round)s AND reason IS NULL AND fresh;
"""

ADD_REFERENCES = """
WITH written AS (
    INSERT INTO supporters_reference (supporter_id, system, identifier)
    SELECT supporter_id, system, reference FROM stage WHERE round = %(round)s AND reason IS NULL AND reference <> ''
    ON CONFLICT (system, identifier) DO NOTHING RETURNING id, system, identifier
) UPDATE stage SET changed = true, reference_id = written.id FROM written
WHERE round = %(round)s AND stage.system = written.system AND reference = written.identifier;
"""

TAGS = """
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
