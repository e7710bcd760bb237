"""Who is compared with whom: people who share a key. What is shared by too many tells nothing, and is left out.

Every rule may propose so many pairs for each person on file and no more. Its rarest keys come first, so the work grows
with the file and not with its square, however common a name is. What is not unusual in strangers, such as a first name or
a month of birth, is looked at widely in small files only: in a large one it brings in millions of pairs and next to no
double that nothing else does.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

PAIRS_PER_PERSON = 3
PAIRS_PER_PERSON_WEAK = 0.4
PAIRS_AT_LEAST = 200_000
LARGEST_BLOCK = 500
PART = 5_000_000
"""Pairs of which those that were proposed twice are found at once."""

_NAMES = "least(first_sound, last_sound) || '|' || greatest(first_sound, last_sound)"
EVERYBODY = 3_000
"""Up to so many people, each is compared with each."""
KEYS = {
    "email": "email",
    "email_name": "CASE WHEN length(email_name) > 5 THEN email_name END",
    "phone": "phone",
    "birth_date": "birth_date",
    "birth_date_first": "birth_date || '|' || left(first_sound, 2)",
    "birth_date_last": "birth_date || '|' || left(last_sound, 2)",
    "names": _NAMES,
    "names_city": f"{_NAMES} || '|' || left(city, 3)",
    "called_last": "called || '|' || last_sound",
    "last_day": "last_sound || '|' || right(birth_date, 5)",
    "last_year": "last_sound || '|' || left(birth_date, 7)",
    "first_day": "first_sound || '|' || right(birth_date, 5)",
    "first_year": "first_sound || '|' || left(birth_date, 7)",
    "door": "postcode || '|' || house",
    "door_last": "postcode || '|' || left(last_sound, 2)",
    "door_first": "postcode || '|' || left(first_sound, 3)",
    "street_last": "street || '|' || last_sound",
    "street_first": "street || '|' || coalesce(house, '') || '|' || first_sound",
    "city_last": "city || '|' || last_sound || '|' || left(first_sound, 1)",
    "city_first": "city || '|' || first_sound || '|' || left(last_sound, 1)",
    "email_last": "last_sound || '|' || left(email_name, 3)",
    "email_first": "first_sound || '|' || left(email_name, 3)",
    "starts": "left(first_sound, 4) || '|' || left(last_sound, 4)",
    "first": "first_sound",
    "last": "last_sound",
    "month": "left(birth_date, 7)",
    "day": "right(birth_date, 5)",
    "ends": "right(first_sound, 4) || '|' || right(last_sound, 4)",
}
WEAK = {
    *("called_last", "street_last", "email_last", "email_first"),
    *("starts", "ends", "first", "last", "month", "day"),
}


def propose(con: "DuckDBPyConnection") -> None:
    """Make the table `candidates` in the form in which splink takes pairs."""
    ((people,),) = con.execute("SELECT count(*) FROM people").fetchall()
    if people <= EVERYBODY:
        con.execute(
            """
            CREATE OR REPLACE TABLE candidates AS
            SELECT '0' AS match_key, l.id AS join_key_l, r.id AS join_key_r FROM people l JOIN people r ON l.id < r.id
            """
        )
        return
    con.execute("CREATE OR REPLACE TABLE candidates_all (a BIGINT, b BIGINT)")
    for name, key in KEYS.items():
        budget = PAIRS_AT_LEAST + people * (PAIRS_PER_PERSON_WEAK if name in WEAK else PAIRS_PER_PERSON)
        con.execute(
            f"""
            INSERT INTO candidates_all
            WITH keyed AS (SELECT id, hash({key}) AS key FROM people WHERE {key} IS NOT NULL),
            sizes AS (SELECT key, count(*) AS size FROM keyed GROUP BY key HAVING size BETWEEN 2 AND {LARGEST_BLOCK}),
            by_size AS (SELECT size, sum(size * (size - 1) / 2) AS pairs FROM sizes GROUP BY size),
            allowed AS (SELECT size FROM (SELECT size, sum(pairs) OVER (ORDER BY size) AS pairs FROM by_size) WHERE pairs <= {budget}),
            kept AS (SELECT id, key FROM keyed SEMI JOIN (SELECT key FROM sizes SEMI JOIN allowed USING (size)) USING (key))
            SELECT l.id, r.id FROM kept l JOIN kept r ON l.key = r.key AND l.id < r.id
            """
        )
    # Part by part, for all pairs at once would not fit into memory.
    con.execute("CREATE OR REPLACE TABLE candidates (match_key VARCHAR, join_key_l BIGINT, join_key_r BIGINT)")
    ((proposed,),) = con.execute("SELECT count(*) FROM candidates_all").fetchall()
    parts = proposed // PART + 1
    for part in range(parts):
        con.execute(
            f"INSERT INTO candidates SELECT DISTINCT '0', a, b FROM candidates_all WHERE a % {parts} = {part}"
        )
    con.execute("DROP TABLE candidates_all")
