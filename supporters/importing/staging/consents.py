"""What a slice's rows say of consent, for the ledger."""

from django.utils.translation import gettext as _

from supporters.importing.known import KNOWN
from supporters.models import ImportRun


def write_consents(cursor, run: ImportRun) -> int:  # noqa: ANN001
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
    SELECT granting.supporter_id, purpose, at, s.language, {_LATEST.format(supporter="granting.supporter_id", purpose="granting.purpose")} AS latest,
           (purpose = 'email' AND EXISTS (
               SELECT FROM supporters_suppression p WHERE p.email_hash = supporters_address_hash(s.email))) AS suppressed
    FROM granting CROSS JOIN LATERAL (SELECT email, language FROM supporters_supporter WHERE id = granting.supporter_id OFFSET 0) s
), written AS (
    INSERT INTO supporters_consent (supporter_id, purpose, state, wording, language, method, source, happened_at, import_run_id, recorded_by_id)
    SELECT supporter_id, purpose, 'granted', %(wording)s, coalesce(nullif(%(language)s, ''), language), 'import', %(source)s, at, %(run)s, %(user)s
    FROM standing WHERE NOT suppressed AND coalesce(latest, '') NOT IN ('granted', 'withdrawn')
    RETURNING id, supporter_id, purpose
), kept AS (
    INSERT INTO granted SELECT id, supporter_id, purpose FROM written
), marked AS (
    UPDATE stage SET changed = true FROM written WHERE NOT fresh AND stage.supporter_id = written.supporter_id
)
SELECT count(*) FROM standing WHERE suppressed OR latest = 'withdrawn'
"""
