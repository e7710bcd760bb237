"""Rows with an address that somebody had under a record which was merged into theirs.

They are about that person, whose address stays the one it is. What is said of the old address alone, that mail to it came back,
is not said of the person. A row of a name that is neither record's is doubtful, as with any other address.
"""

_THEIRS = """
FROM supporters_merge m JOIN supporters_supporter s ON s.id = m.survivor_id
WHERE {which} AND reason IS NULL AND m.other_email = stage.email AND m.undone_at IS NULL
  AND NOT EXISTS (SELECT FROM supporters_supporter o WHERE o.email = stage.email)
"""
_OF_NEITHER_NAME = """stage.supporter_id IS NULL
    AND supporters_names_differ(stage.first_name, stage.last_name, s.first_name, s.last_name)
    AND supporters_names_differ(stage.first_name, stage.last_name, m.away->>'first_name', m.away->>'last_name')"""

SUPPORTERS = f"""
UPDATE stage SET shares_with = s.id, email = NULL {_THEIRS.format(which="round = %(round)s AND verdict = 'second'")};
UPDATE stage SET supporter_id = coalesce(stage.supporter_id, s.id), email = NULL,
                 standing = CASE standing WHEN 'cleaned' THEN '' ELSE standing END,
                 reason = CASE WHEN stage.supporter_id <> s.id THEN %(two_people)s END,
                 candidate_id = CASE WHEN {_OF_NEITHER_NAME} THEN s.id END
{_THEIRS.format(which="round = %(round)s")};
"""
DONATIONS = f"""
UPDATE stage SET supporter_id = coalesce(stage.supporter_id, s.id), email = NULL,
                 reason = CASE WHEN stage.supporter_id <> s.id THEN %(two_people)s END,
                 note = CASE WHEN {_OF_NEITHER_NAME} THEN concat_ws(' ', nullif(note, ''), %(another_name)s) ELSE note END
{_THEIRS.format(which="true")};
"""
