"""Signatures that nobody confirms, asked about once more. A rule of supporters.retention forgets them in the end."""

from datetime import timedelta

from django.db import connection

from supporters import letters

REMIND_AFTER = timedelta(days=3)
_SLICE = 5_000

# Only who is still to confirm, whose first letter left, and who had no reminder yet.
_REMIND = """
INSERT INTO supporters_letter (kind, signature_id, language)
SELECT 'remind', signature.id, signature.language FROM supporters_signature signature
JOIN supporters_petition petition ON petition.id = petition_id
JOIN supporters_letter letter ON letter.signature_id = signature.id AND letter.kind = 'confirm' AND letter.state IN ('sent', 'unknown')
WHERE email IS NOT NULL AND signature.created_at < statement_timestamp() - %(after)s
  AND letter.taken_at < statement_timestamp() - %(after)s
  AND petition.state = 'open' AND (petition.closes_at IS NULL OR petition.closes_at > statement_timestamp())
  AND NOT EXISTS (SELECT FROM supporters_letter earlier WHERE earlier.signature_id = signature.id AND earlier.kind = 'remind')
ORDER BY signature.id LIMIT %(slice)s
ON CONFLICT DO NOTHING
"""


def remind() -> dict[str, int]:
    """Owe a reminder to all who signed three days ago and have yet to confirm; each gets one."""
    reminded = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_REMIND, {"after": REMIND_AFTER, "slice": _SLICE})
            reminded += cursor.rowcount
            if cursor.rowcount < _SLICE:
                break
    if reminded:
        letters.wake()
    return {"reminded": reminded}
