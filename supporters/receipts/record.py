"""What a receipt says, written by PostgreSQL as JSON in the canonical form of RFC 8785: by key, without spaces, as few escapes as can be.

A record never changes once it is sealed. Another form of it is another version, beside this one.
"""

VERSION = 1


def _text(value: str) -> str:
    # PostgreSQL escapes in JSON what RFC 8785, 3.2.2.2, says, and no more.
    return f"coalesce(to_json({value}::text)::text, 'null')"


def _number(value: str) -> str:
    return f"coalesce({value}::text, 'null')"


def _time(value: str) -> str:
    return f"""coalesce('"' || to_char({value} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || '"', 'null')"""


_FIELDS = {
    "address_hash": _text("encode(c.address_hash, 'hex')"),
    "asked_at": _time("asked.happened_at"),
    "asked_how": _text("asked.method"),
    "controller": _text("parties.controller"),
    "entered_by": _number("c.recorded_by_id"),
    "happened_at": _time("c.happened_at"),
    "how": _text("c.method"),
    "import": _number("c.import_run_id"),
    "language": _text("c.language"),
    "line": _number("c.id"),
    "page": _text(
        """CASE WHEN c.source LIKE 'petition %%' THEN parties.site || '/p/' || substr(c.source, 10) || '/'
                WHEN c.source IN ('me', 'give') THEN parties.site || '/' || c.source || '/' END"""
    ),
    "partner": _text("nullif(parties.partner, '')"),
    "partner_number": _number("nullif(parties.partner_number, 0)"),
    "person": _text("whose.uuid"),
    "purpose": _text("c.purpose"),
    "recorded_at": _time("c.recorded_at"),
    "source": _text("c.source"),
    "state": _text("c.state"),
    "text": _text("c.wording"),
    "version": _text("c.wording_version"),
}
RECORD = (
    "('{' || "
    + " || ',' || ".join(f"""'"{name}":' || {value}""" for name, value in sorted(_FIELDS.items()))
    + " || '}')"
)
"""In SQL, of a line `c`, the line that asked before it `asked`, the `parties`, and `whose.uuid`."""
ROW_BY_ROW = "SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL jit = off"
"""For statements about a slice: whatever the planner believes, no table is gone through as a whole for it."""
SEALED_STATES = "('granted', 'withdrawn')"
SEALED = "EXISTS (SELECT FROM supporters_receipt r WHERE r.line_id = c.id AND r.line_id > %(after)s AND r.line_id <= %(last)s)"
"""Of a line `c` among these. The bounds say nothing new, but keep the planner from going through all receipts for each slice."""
COMMITMENT = "sha256(uuid_send({salt}) || convert_to({record}, 'UTF8'))"
LINK = "sha256({previous} || uuid_send({chain}) || int8send({number}::bigint) || {commitment})"
NOTHING = r"'\x" + "00" * 32 + "'::bytea"
"""What comes before the first of a chain."""
CHAIN = "encode(substr(supporters_address_hash('receipts ' || {uuid}), 1, 16), 'hex')::uuid"
"""The key of the chain of whoever has this uuid: a salted hash, so that nothing leads from a receipt to somebody who was erased."""
WHOSE = f"""
SELECT known.uuid FROM (
    SELECT s.uuid FROM supporters_supporter s WHERE s.id = c.supporter_id
    UNION ALL SELECT m.away_uuid FROM supporters_merge m WHERE m.survivor_id = c.supporter_id AND m.undone_at IS NULL) known
WHERE {CHAIN.format(uuid="known.uuid::text")} = r.chain LIMIT 1
"""
"""Under which of the records that the person of line `c` is or was the receipt `r` was sealed."""
