"""Somebody who is probably on file already, asked at the door: of the rows of an import, and of a record made by hand.

Each rule looks in an index by a key that few people share, and only there are names, streets and addresses compared
(pg_trgm, supporters_names_differ). So it costs a row a few look-ups, however many people are on file; of a crowd that
shares a key after all, only some are looked at. What takes more than that, such as a name misspelt from its first letter
on, is left to the search of the whole file.

Who has a reference of the same system as the row, but another one, is told apart by that system and not asked about.
"""

from collections.abc import Iterable
from typing import NamedTuple

from django.db import connection
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from supporters.models import Supporter

OTHER_ADDRESS = "email"
"""The system of references that are a person's other email addresses: known at the door, never written to."""
ALIKE = 0.4
"""Trigram similarity of two names that may be one, misspelt: “Öberg” and “Öbreg”, but not “Berg” and “Bengtsson”."""
HOSTS_ALIKE = 0.5
"""The same of two mail hosts: hotmail.com and hotmail.se."""
ABBREVIATED = 0.3
"""The same of two streets that may be one: “Storg. 9” and “Storgatan 9”."""
CROWD = 50
"""Rows of a file that share so much more than this share nothing that tells of one person; of people on file, as many are looked at."""
CROWD_BY_HAND = 2_000
"""The same of a record made by hand, which is asked about once."""


class Rule(NamedTuple):
    """SQL about {one}, who comes, and {other}, whom we know."""

    words: str | Promise
    """For staff: why it is asked."""
    has: str
    """What {one} needs for it."""
    key: str
    """Who is looked at; there is an index for it."""
    agrees: str
    """Who of them is held to be the same."""
    beside: str = ""
    """By what rows of one file are set side by side; empty where a file holds no such thing twice."""
    source: str = "{real}supporters_supporter {other}"


_FITS = "NOT supporters_names_differ({one}.first_name, {one}.last_name, {other}.first_name, {other}.last_name)"
_NAMED = "{one}.first_name <> '' AND {one}.last_name <> ''"
_NAME = "supporters_fold({side}.first_name || ' ' || {side}.last_name)"
_ALIKE = f"similarity({_NAME.replace('side', 'one')}, {_NAME.replace('side', 'other')}) >= {ALIKE} AND {_FITS}"
_FOLDED = "(supporters_fold({{one}}.{}), supporters_fold({{one}}.{})) = (supporters_fold({{other}}.first_name), supporters_fold({{other}}.last_name))"
_SAME_NAME = f"({_FOLDED.format('first_name', 'last_name')} OR {_FOLDED.format('last_name', 'first_name')})"
_NAME_KEY = "supporters_name_key({side}.first_name, {side}.last_name)"
_AGE = "({one}.birth_date = {other}.birth_date) IS NOT FALSE"
_HOST = "split_part({side}.email, '@', 2)"
_HOUSE = "substring({side}.street FROM '[0-9]+')"
_HOME = f"""{_ALIKE} AND similarity(supporters_fold({{one}}.street), supporters_fold({{other}}.street)) >= {ABBREVIATED}
    AND ({_HOUSE.replace("side", "one")} = {_HOUSE.replace("side", "other")}) IS NOT FALSE"""


def _both(text: str) -> str:
    """An expression of {side} that is the same of both."""
    return f"{text.replace('side', 'other')} = {text.replace('side', 'one')}"


RULES = {
    "email": Rule(
        _("Somebody whose name fits has an email address that is spelt almost the same."),
        "{one}.email IS NOT NULL",
        # That the address is there follows; said beside it, the index of all addresses would do as well, read from end to end.
        _both("supporters_email_key({side}.email)"),
        f"""{_FITS} AND (({_NAMED} AND {{other}}.last_name <> '') OR length(supporters_email_key({{one}}.email)) >= 10)
            AND ({_both(_HOST)} OR supporters_names_misspelt({_HOST.replace("side", "one")}, {_HOST.replace("side", "other")})
                 OR similarity({_HOST.replace("side", "one")}, {_HOST.replace("side", "other")}) >= {HOSTS_ALIKE})""",
        "supporters_email_key({one}.email)",
    ),
    "birth_date": Rule(
        _("Somebody of this name has the same birth date."),
        f"{{one}}.birth_date IS NOT NULL AND {_NAMED}",
        f"{{other}}.birth_date IS NOT NULL AND {_both('{side}.birth_date')} AND {_both(_NAME_KEY)}",
        _ALIKE,
        f"{{one}}.birth_date || {_NAME_KEY.replace('side', 'one')}",
    ),
    "phone": Rule(
        _("Somebody whose name fits has the same phone number."),
        "{one}.phone <> '' AND length(supporters_phone_key({one}.phone)) >= 6",
        f"{{other}}.phone <> '' AND {_both('supporters_phone_key({side}.phone)')}",
        f"{_AGE} AND {_FITS}",
        "supporters_phone_key({one}.phone)",
    ),
    "reference": Rule(
        _("Somebody of this name has the same reference in another system."),
        f"{{one}}.key IS NULL AND {{one}}.reference <> '' AND {_NAMED}",
        "r.identifier = {one}.reference AND r.system <> {one}.system",
        f"{_AGE} AND {_ALIKE}",
        source="""systems JOIN {real}supporters_reference r ON r.system = systems.system
            JOIN {real}supporters_supporter {other} ON {other}.id = r.supporter_id""",
    ),
    "home": Rule(
        _("Somebody of this name, or one much like it, has the same postcode."),
        f"{{one}}.postcode <> '' AND {_NAMED}",
        f"{{other}}.postcode <> '' AND {_both('supporters_postcode_key({side}.postcode)')} AND {_both(_NAME_KEY)}",
        f"{_AGE} AND ({_SAME_NAME} OR ({_HOME}))",
        f"supporters_postcode_key({{one}}.postcode) || {_NAME_KEY.replace('side', 'one')}",
    ),
}
"""The weightiest first."""
NAMESAKE = Rule(
    _("Somebody of this name is on file, and nothing there tells them apart."),
    _NAMED,
    "{other}.search LIKE '%%' || regexp_replace(supporters_fold({one}.first_name || ' ' || {one}.last_name), '[^[:alnum:]]+', '%%', 'g') || '%%'",
    f"""{_SAME_NAME} AND {_AGE} AND ({{one}}.email IS NULL OR {{other}}.email IS NULL)
        AND '' IN ({{one}}.phone, {{other}}.phone) AND '' IN ({{one}}.postcode, {{other}}.postcode)
        AND ({{one}}.city = '' OR {{other}}.city = '' OR supporters_fold({{one}}.city) = supporters_fold({{other}}.city))""",
)
"""Of a record made by hand; so little is no reason to hold a row."""

# The systems that references belong to, each found by one step in the index.
_SYSTEMS = """
systems AS (
    (SELECT system FROM {real}supporters_reference ORDER BY system LIMIT 1)
    UNION ALL
    SELECT (SELECT r.system FROM {real}supporters_reference r WHERE r.system > systems.system ORDER BY r.system LIMIT 1)
    FROM systems WHERE systems.system IS NOT NULL
)
"""
# Not EXISTS, which is joined, and joined badly where PostgreSQL believes that there are no references yet.
_TOLD_APART = """((SELECT true FROM {real}supporters_reference theirs WHERE theirs.supporter_id = {other}.id
    AND {one}.key IS NULL AND {one}.reference <> '' AND theirs.system = {one}.system LIMIT 1) IS TRUE)"""


def _known(
    rules: Iterable[Rule], rows: str, asked: str, which: str = "true", most: int = 1, crowd: int = CROWD
) -> str:
    """SELECT of number, id and place of the rule, for those of the rows asked about whom the rules find on file."""
    return " UNION ALL ".join(
        f"""
        SELECT one.number, found.id, {place} AS place FROM {rows} one CROSS JOIN LATERAL (
            SELECT other.id FROM (SELECT other.* FROM {rule.source} WHERE {rule.key} AND {which} LIMIT {crowd}) other
            WHERE {rule.agrees} AND NOT {_TOLD_APART} LIMIT {most}
        ) found WHERE {asked} AND {rule.has}
        """.replace("{one}", "one").replace("{other}", "other")
        for place, rule in enumerate(rules, start=1)
    )


def by_index(statement: str) -> str:
    """Where few of the people on file have been counted yet, or none, PostgreSQL holds going through all of them to be cheap."""
    return f"SET LOCAL enable_seqscan = off; {statement.strip().removesuffix(';')}; SET LOCAL enable_seqscan = on;"


_REASONS = f"(ARRAY[{', '.join(f'%({name})s' for name in RULES)}])[found.place]"
_ASKED = """one.round = %(round)s AND one.reason IS NULL AND one.supporter_id IS NULL AND one.standing NOT IN ('left', 'cleaned')
    AND one.verdict IS DISTINCT FROM 'second'"""

HOLD_KNOWN = by_index(
    f"""
WITH RECURSIVE {_SYSTEMS}
UPDATE stage SET candidate_id = found.id, reason = {_REASONS} FROM (
    SELECT DISTINCT ON (number) number, id, place FROM ({_known(RULES.values(), "stage", _ASKED)}) each
    ORDER BY number, place
) found WHERE stage.number = found.number
"""
).replace("{real}", "")
"""Hold the rows of a round that are probably about somebody on file. Of the parameters, `reasons` are a part."""

PERHAPS_KNOWN = f"""
WITH RECURSIVE {_SYSTEMS}
SELECT id FROM ({_known(RULES.values(), "stage", "one.reason IS NULL AND one.standing NOT IN ('left', 'cleaned')")}) each
UNION SELECT r.supporter_id FROM {{real}}supporters_reference r JOIN stage ON r.system = '{OTHER_ADDRESS}' AND r.identifier = stage.email
"""
"""Whom of the people on file that could ask about; {real} is the schema of their tables, and a dot."""

TELL_APART = """
INSERT INTO supporters_double AS d (first_id, second_id, probability, evidence, cluster, state, found_by, decided_by_id, decided_at)
SELECT DISTINCT ON (1, 2) least(supporter_id, apart_id), greatest(supporter_id, apart_id), 0.5, '[]'::jsonb, least(supporter_id, apart_id),
       'different', 'door', decided_by, coalesce(decided_at, statement_timestamp())
FROM stage JOIN supporters_supporter s ON s.id = apart_id WHERE reason IS NULL AND supporter_id <> apart_id
ON CONFLICT (first_id, second_id) DO UPDATE SET
    state = 'different', certain = false, decided_by_id = excluded.decided_by_id, decided_at = excluded.decided_at
WHERE d.state = 'open'
"""
"""Rows that staff have said are about a second person: the search of the whole file does not propose the two as one."""

_SIDE_BY_SIDE = {name: rule for name, rule in RULES.items() if rule.beside}
_FRESH = "one.round = %(round)s AND one.fresh AND one.reason IS NULL AND one.verdict IS NULL AND one.standing NOT IN ('left', 'cleaned')"
_KEYS = " UNION ALL ".join(
    f"SELECT '{name}', {rule.beside.replace('{one}', 'one')}, one.number FROM stage one WHERE {_FRESH} AND {rule.has.replace('{one}', 'one')}"
    for name, rule in _SIDE_BY_SIDE.items()
)
_WHICH = (
    " ".join(
        f"WHEN kind = '{name}' AND {rule.has} AND {rule.agrees} THEN {list(RULES).index(name) + 1}"
        for name, rule in _SIDE_BY_SIDE.items()
    )
    .replace("{one}", "one")
    .replace("{other}", "other")
)

HOLD_AMONG_THEMSELVES = f"""
WITH shared AS MATERIALIZED (
    SELECT kind, array_agg(number ORDER BY number) AS numbers FROM ({_KEYS}) AS keys (kind, key, number)
    GROUP BY kind, key HAVING count(*) BETWEEN 2 AND {CROWD}
), beside AS MATERIALIZED (
    -- On its own: else the planner goes through the slice once for every key.
    SELECT kind, a.number, b.number AS earlier
    FROM shared, unnest(numbers) AS a (number), unnest(numbers) AS b (number) WHERE a.number > b.number
), pairs AS MATERIALIZED (
    SELECT one.number, other.number AS earlier, other.supporter_id AS id, CASE {_WHICH} END AS place
    FROM beside JOIN stage one ON one.number = beside.number JOIN stage other ON other.number = beside.earlier
    WHERE (one.key IS NOT NULL OR other.key IS NOT NULL OR one.reference = '' OR other.reference = '' OR one.system <> other.system)
), held AS (
    -- Whoever is held is nobody that another row could be held for.
    SELECT DISTINCT ON (number) number, id, place FROM pairs
    WHERE place IS NOT NULL AND earlier NOT IN (SELECT number FROM pairs WHERE place IS NOT NULL)
    ORDER BY number, place, earlier
)
UPDATE stage SET candidate_id = found.id, reason = {_REASONS}, supporter_id = NULL, fresh = false FROM held found
WHERE stage.number = found.number;
"""
"""Of the new people of a round, hold those who are probably an earlier row of it; the same parameters."""


def reasons() -> dict[str, str]:
    """Why rows are held, in words, by the names of the rules."""
    return {name: str(rule.words) for name, rule in RULES.items()}


_FOR_STAFF = (*RULES.values(), NAMESAKE)
_ANYBODY = _known(_FOR_STAFF, "made", "true", "other.id <> one.number", 20, CROWD_BY_HAND)
_BY_HAND = f"""
WITH RECURSIVE {_SYSTEMS}, made AS (
    SELECT s.id AS number, s.first_name, s.last_name, s.email, s.birth_date, s.phone, s.street, s.postcode, s.city, NULL::uuid AS key,
           coalesce(r.system, '') AS system, coalesce(r.identifier, '') AS reference
    FROM supporters_supporter s LEFT JOIN supporters_reference r ON r.supporter_id = s.id WHERE s.id = %(pk)s
)
SELECT id, min(place) FROM ({_ANYBODY}) found
WHERE NOT EXISTS (SELECT FROM supporters_double d WHERE d.first_id = least(found.id, number) AND d.second_id = greatest(found.id, number)
                  AND d.state <> 'open')
GROUP BY id ORDER BY min(place), id LIMIT %(most)s
""".replace("{real}", "")


def probably_the_same(supporter: Supporter, most: int = 5) -> list[tuple[Supporter, str]]:
    """Other people on file who are probably this one, each with the reason in words; whom staff told apart are left out."""
    with connection.cursor() as cursor:
        cursor.execute(_BY_HAND, {"pk": supporter.pk, "most": most})
        found = cursor.fetchall()
    people = Supporter.objects.in_bulk([pk for pk, _place in found])
    words = [str(rule.words) for rule in _FOR_STAFF]
    return [(people[pk], words[place - 1]) for pk, place in found if pk in people]
