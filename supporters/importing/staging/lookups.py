"""Who is on file: the looks into references and addresses that people and gifts have in common."""

from supporters.matching.door import by_index

ANOTHER_NAME = """((stage.first_name, stage.last_name) <> (s.first_name, s.last_name)
    AND supporters_names_differ(stage.first_name, stage.last_name, s.first_name, s.last_name))"""

# Rows of a slice are few among all on file, but PostgreSQL's guess of both is often wrong by then: OFFSET 0 has it look
# each up in an index, so that the file's end goes in as fast as its start.
BY_REFERENCE = """
UPDATE stage SET supporter_id = r.supporter_id FROM (
    SELECT number, r.* FROM stage, LATERAL (
        SELECT supporter_id FROM supporters_reference r WHERE r.system = {system} AND r.identifier = stage.reference OFFSET 0) r
    WHERE {which} AND reason IS NULL AND reference <> ''
) r WHERE stage.number = r.number;
"""

BY_ADDRESS = """(
    SELECT number, s.* FROM stage, LATERAL (
        SELECT id, email, first_name, last_name FROM supporters_supporter s WHERE s.email = stage.email OFFSET 0) s
    WHERE {which} AND reason IS NULL
)"""

# Of those who share the address of a row, the one it is about: staff have said before who else is behind it.
KNOWN_TO_SHARE = by_index(f"""
UPDATE stage SET supporter_id = s.sharing_id, email = NULL FROM (
    SELECT number, s.* FROM stage, LATERAL (
        SELECT s.first_name, s.last_name, l.id AS sharing_id, l.first_name AS sharing_first_name, l.last_name AS sharing_last_name
        FROM (SELECT * FROM supporters_supporter WHERE email = stage.email OFFSET 0) s
        CROSS JOIN LATERAL (SELECT * FROM supporters_supporter WHERE shares_email_with_id = s.id OFFSET 0) l OFFSET 0) s
    WHERE {{which}} AND reason IS NULL AND EXISTS (SELECT FROM supporters_supporter WHERE shares_email_with_id IS NOT NULL)
) s WHERE stage.number = s.number AND (
    stage.supporter_id = s.sharing_id OR (stage.supporter_id IS NULL AND {ANOTHER_NAME}
        AND NOT supporters_names_differ(stage.first_name, stage.last_name, s.sharing_first_name, s.sharing_last_name)));
""")
