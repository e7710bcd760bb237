"""People as they can be compared: one DuckDB table `people`, made from the columns as they are on file."""

from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

COLUMNS = (
    "id",
    "first_name",
    "last_name",
    "email",
    "birth_date",
    "phone",
    "street",
    "postcode",
    "city",
    "organisation",
)
"""What the engine is given of each person, in this order; only `id` has to be filled."""

# Letters that no decomposition takes apart, and the alphabets of the European Union beside the Latin one, as passports
# write them (ICAO 9303).
_SINGLE = (
    "øłđðıабвгдезийклмнопрстуфхъыьіαβγδεζηικλμνοπρσςτυφω",
    "olddiabvgdeziiklmnoprstufh" + "ayyi" + "avgdeziiklmnoprsstyfo",
)
_SEVERAL = {
    **{"ß": "ss", "æ": "ae", "œ": "oe", "þ": "th", "ж": "zh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "sht"},
    **{
        "ю": "yu",
        "я": "ya",
        "э": "e",
        "є": "ye",
        "ї": "yi",
        "ґ": "g",
        "ου": "ou",
        "θ": "th",
        "χ": "ch",
        "ψ": "ps",
        "ξ": "x",
    },
}
_SOUNDS = [
    *[("ae", "a"), ("oe", "o"), ("ue", "u"), ("sch", "s"), ("tsch", "s"), ("sh", "s"), ("sz", "s"), ("cz", "s")],
    *[("ch", "k"), ("ph", "f"), ("th", "t"), ("dt", "t"), ("ck", "k"), ("qu", "k"), ("gn", "n"), ("ij", "i")],
    *[("c([eiy])", r"s\1"), ("[cq]", "k"), ("x", "ks"), ("w", "v"), ("z", "s"), ("[yj]", "i"), ("(.)h", r"\1")],
]
_STREETS = [
    (r"\b(str|strasse)\b", "strasse"),
    (r"str$", "strasse"),
    (r"\bg\b", "gatan"),
    (r"\bv\b", "vagen"),
    (r"\b(ul|ulica|ulitsa)\b", ""),
    (r"\b(rd|road)\b", "road"),
    (r"\b(st|street)\b", "street"),
    (r"\b(ave|av|avenue)\b", "avenue"),
    (r"\b(bd|blvd|boulevard)\b", "boulevard"),
    (r"\b(c|calle)\b", "calle"),
    (r"\b(pl|platz|plaza|place)\b", "platz"),
]
USUAL = 5e-4
"""The share of people who have a first name that is nobody's slip of the pen."""


def prepare(con: "DuckDBPyConnection", source: str = "raw") -> None:
    """Make `people` from a table with COLUMNS, all of them text but the number."""
    con.execute(_macros())
    con.execute("CREATE OR REPLACE TABLE nicknames (name VARCHAR, called VARCHAR)")
    con.executemany("INSERT INTO nicknames VALUES (?, ?)", _nicknames())
    con.execute(
        f"""
        CREATE OR REPLACE TABLE people AS
        WITH folded AS (
            SELECT id, nullif(words(first_name), '') AS first, nullif(words(last_name), '') AS last,
                   lower(trim(nullif(email, ''))) AS email, try_cast(nullif(birth_date, '') AS DATE) AS birth_date,
                   regexp_replace(coalesce(phone, ''), '[^0-9]', '', 'g') AS digits,
                   words(street) AS street, regexp_replace(fold(postcode), '[^a-z0-9]', '', 'g') AS postcode,
                   nullif(words(city), '') AS city, nullif(organisation, '') AS organisation
            FROM {source}
        )
        SELECT id, first, last, sound(first) AS first_sound, sound(last) AS last_sound,
               sound(first) AS first_key, sound(last) AS last_key,
               coalesce(n.called, split_part(first, ' ', 1)) AS called,
               email, nullif(split_part(email, '@', 1), '') AS email_name,
               strftime(birth_date, '%Y-%m-%d') AS birth_date,
               CASE WHEN length(digits) >= 6 THEN right(digits, 8) END AS phone,
               nullif(trim(regexp_replace(regexp_replace(street_words(street), '^[0-9]+ ?[a-z]?\\b', ''), '[0-9].*', '')), '') AS street,
               nullif(regexp_extract(street, '[0-9]+ ?[a-z]?\\b'), '').replace(' ', '') AS house,
               nullif(postcode, '') AS postcode, city, organisation
               , CASE WHEN count(*) OVER (PARTITION BY first, last) <= 4 THEN first || ' ' || last END AS rare_name
               , count(*) OVER (PARTITION BY first) > {USUAL} * count(*) OVER () + 1 AS first_is_usual
        FROM folded LEFT JOIN nicknames n ON n.name = split_part(first, ' ', 1)
        """
    )


def _nicknames() -> list[tuple[str, str]]:
    text = files(__package__).joinpath("nicknames.txt").read_text(encoding="utf-8")
    known: dict[str, str] = {}
    for line in text.splitlines():
        names = line.split()
        for name in names:
            known.setdefault(name, names[0])
    return list(known.items())


def _macros() -> str:
    folded = "strip_accents(lower(value))"
    for letter, letters in _SEVERAL.items():
        folded = f"replace({folded}, '{letter}', '{letters}')"
    folded = f"strip_accents(translate({folded}, '{_SINGLE[0]}', '{_SINGLE[1]}'))"
    sound = "value"
    for pattern, letters in _SOUNDS:
        sound = f"regexp_replace({sound}, '{pattern}', '{letters}', 'g')"
    for letter in "abdefgiklmnoprstuv":
        sound = f"regexp_replace({sound}, '{letter}{letter}+', '{letter}', 'g')"
    streets = "value"
    for pattern, word in _STREETS:
        streets = f"regexp_replace({streets}, '{pattern}', '{word}', 'g')"
    return f"""
    CREATE OR REPLACE MACRO fold(value) AS coalesce({folded}, '');
    CREATE OR REPLACE MACRO words(value) AS
        trim(regexp_replace(replace(replace(fold(value), '''', ''), '’', ''), '[^a-z0-9]+', ' ', 'g'));
    CREATE OR REPLACE MACRO sound(value) AS {sound};
    CREATE OR REPLACE MACRO street_words(value) AS {streets};
    """
