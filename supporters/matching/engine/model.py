"""What each agreement weighs, by Fellegi and Sunter, learnt by splink from the file alone.

How often unrelated people agree (u) is seen in a random sample; how often one and the same person agrees with itself
(m) by expectation maximisation over pairs that share a key; how rare doubles are at all, from the scored pairs
themselves. No truth is asked for and no threshold is set by one.
"""

import math
from collections.abc import Iterator
from copy import deepcopy
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SAMPLE_PAIRS = 2_000_000
TRAINING_PAIRS = 400_000
SEED = 1906
WEAKEST = -12.0
"""Match weight (bits) below which a pair is forgotten at once."""
TYPICAL = {"same": 0.7, "different": 0.05}
"""Where the learning starts: how often one person agrees with themself so."""
UNSEEN = 0.02
"""How often one person may agree so where no pair on file did."""
_NEVER = 2e-6
BELIEF = 40
"""What is assumed before looking counts as so many pairs."""
RARELY = 3e-3
"""No agreement is held to be less usual than this in one person: anything may be mistyped."""


def _near(l: str, r: str, least: float) -> str:  # noqa: E741
    return f"jaro_winkler_similarity({l}, {r}) >= {least}"


def _typo(l: str, r: str, letters: int = 1) -> str:  # noqa: E741
    return f"(abs(length({l}) - length({r})) <= {letters} AND damerau_levenshtein({l}, {r}) <= {letters})"


_SWAPPED = f"({_near('first_l', 'last_r', 0.9)} AND {_near('last_l', 'first_r', 0.9)} AND NOT {_near('first_l', 'first_r', 0.9)})"
_CROSSED = "((first_l = last_r AND (last_l IS NULL OR first_r IS NULL)) OR (last_l = first_r AND (first_l IS NULL OR last_r IS NULL)))"
_NO_ADDRESS = "coalesce(postcode_l <> postcode_r, street_l <> street_r, city_l <> city_r) IS NULL"

# Maria and Marta differ by a letter and are two names: of a slip of the pen, one spelling is unusual.
_MISSPELT = f"{_typo('first_l', 'first_r')} AND length(first_l) + length(first_r) > 4 AND NOT (first_is_usual_l AND first_is_usual_r)"

LEVELS: dict[str, list[tuple[str, str]]] = {
    "first_name": [
        ("crossed", _CROSSED),
        ("unknown", "first_l IS NULL OR first_r IS NULL"),
        ("same", "first_l = first_r"),
        ("swapped", _SWAPPED),
        ("typo", f"called_l <> called_r AND {_MISSPELT} OR first_sound_l = first_sound_r"),
        ("nickname", "called_l = called_r"),
        ("initial", "left(first_l, 1) = left(first_r, 1) AND least(length(first_l), length(first_r)) = 1"),
        ("similar", _near("first_l", "first_r", 0.86)),
        ("different", "ELSE"),
    ],
    "last_name": [
        ("unknown", f"last_l IS NULL OR last_r IS NULL OR {_CROSSED} OR (first_l <> first_r AND {_SWAPPED})"),
        ("same", "last_l = last_r"),
        ("typo", f"{_typo('last_l', 'last_r')} OR last_sound_l = last_sound_r"),
        ("part", "list_has_any(string_split(last_l, ' '), string_split(last_r, ' '))"),
        ("similar", _near("last_l", "last_r", 0.88)),
        ("different", "ELSE"),
    ],
    "birth_date": [
        ("unknown", "birth_date_l IS NULL OR birth_date_r IS NULL"),
        ("same", "birth_date_l = birth_date_r"),
        (
            "typo",
            f"{_typo('birth_date_l', 'birth_date_r')} OR (left(birth_date_l, 4) = left(birth_date_r, 4)"
            " AND right(birth_date_l, 2) = birth_date_r[6:7] AND right(birth_date_r, 2) = birth_date_l[6:7])",
        ),
        (
            "two_parts",
            "(left(birth_date_l, 4) = left(birth_date_r, 4))::int + (birth_date_l[6:7] = birth_date_r[6:7])::int"
            " + (right(birth_date_l, 2) = right(birth_date_r, 2))::int = 2",
        ),
        (
            "near",
            "abs(date_diff('day', birth_date_l::date, birth_date_r::date)) <= 400 OR damerau_levenshtein(birth_date_l, birth_date_r) <= 2",
        ),
        ("decade", "abs(date_diff('day', birth_date_l::date, birth_date_r::date)) <= 3653"),
        ("different", "ELSE"),
    ],
    "email": [
        ("unknown", "email_l IS NULL OR email_r IS NULL"),
        ("same", "email_l = email_r"),
        ("typo", f"{_typo('email_l', 'email_r', 2)}"),
        ("name", "email_name_l = email_name_r AND length(email_name_l) > 3"),
        ("similar", _near("email_l", "email_r", 0.9)),
        ("different", "ELSE"),
    ],
    "phone": [
        ("unknown", "phone_l IS NULL OR phone_r IS NULL"),
        ("same", "phone_l = phone_r"),
        ("typo", _typo("phone_l", "phone_r")),
        ("different", "ELSE"),
    ],
    "address": [
        ("unknown", _NO_ADDRESS),
        (
            "same",
            f"{_near('street_l', 'street_r', 0.9)} AND house_l = house_r AND (postcode_l = postcode_r OR city_l = city_r)",
        ),
        ("street", f"postcode_l = postcode_r AND {_near('street_l', 'street_r', 0.9)}"),
        (
            "moved_digit",
            f"{_near('street_l', 'street_r', 0.9)} AND house_l = house_r",
        ),
        ("postcode", "postcode_l = postcode_r"),
        ("across_town", f"city_l = city_r AND postcode_l <> postcode_r AND NOT {_near('street_l', 'street_r', 0.9)}"),
        ("city", "city_l = city_r"),
        (
            "city_typo",
            f"{_typo('city_l', 'city_r', 2)} AND least(length(city_l), length(city_r)) > 4 OR {_near('city_l', 'city_r', 0.9)}",
        ),
        ("different", "ELSE"),
    ],
    "organisation": [
        ("unknown", "organisation_l IS NULL OR organisation_r IS NULL"),
        ("same", "organisation_l = organisation_r"),
        ("different", "ELSE"),
    ],
}
_FREQUENCIES = {
    ("first_name", "same"): "first",
    ("last_name", "same"): "last",
    ("address", "city"): "city",
    ("address", "across_town"): "city",
    ("address", "postcode"): "postcode",
}
_TEACHES: dict[tuple[str, ...], str] = {
    ("birth_date",): "first_name last_name email phone address organisation",
    ("email",): "last_name birth_date phone address organisation",
    ("email", "last_key"): "first_name",
    ("rare_name",): "birth_date email phone address organisation",
    ("first_key", "birth_date"): "last_name email phone address organisation",
    ("last_key", "birth_date"): "first_name email phone address organisation",
    ("first_key", "phone"): "last_name birth_date email address organisation",
    ("last_key", "phone"): "first_name birth_date email organisation",
    ("first_key", "postcode"): "last_name birth_date email phone",
    ("last_key", "postcode", "house"): "first_name birth_date email",
}
_TEACHES_LESS: dict[tuple[str, ...], str] = {
    ("first_key", "city"): "last_name birth_date email phone",
    ("last_key", "city"): "first_name birth_date email phone",
}
"""What pairs who share a key teach of. People who share only a home or a family name are often a family; the first name
is learnt among those who share the family name too, where a relative's differs as a stranger's does. What people who
share a town teach is asked for only where nothing better is on file."""
_CERTAIN = (
    ("email",),
    ("first", "last", "birth_date"),
    ("first", "last", "postcode", "house"),
    ("last", "first", "phone"),
    ("first", "last", "city"),
)
_FOUND_BY_THEM = 0.6
"""What share of the doubles such plain agreement may be expected to find; only where the learning starts."""


def used(con: "DuckDBPyConnection") -> list[str]:
    """The comparisons that the file has anything for."""
    columns = {"first_name": "first", "last_name": "last", "address": "coalesce(postcode, street, city)"}
    counts = ", ".join(f"count({columns.get(name, name)})" for name in LEVELS)
    (found,) = con.execute(f"SELECT {counts} FROM people").fetchall()
    return [name for name, count in zip(LEVELS, found, strict=True) if count > 1]


def learn(con: "DuckDBPyConnection") -> dict[str, Any]:
    """Settings of splink with every m, u and the prior filled in."""
    from splink import DuckDBAPI, Linker, block_on
    from splink.internals.exceptions import EMTrainingException

    names = used(con)
    api = DuckDBAPI(connection=con)
    people = api.register("people")
    linker = Linker(people, _settings(names), log_level=None, validate_settings=False)
    if rules := [block_on(*rule) for rule in _CERTAIN if _shared(con, rule)]:
        linker.training.estimate_probability_two_random_records_match(rules, recall=_FOUND_BY_THEM)
    linker.training.estimate_u_using_random_sampling(max_pairs=SAMPLE_PAIRS, seed=SEED, min_count_per_level=None)
    model = linker.misc.save_model_to_json()
    prior = model["probability_two_random_records_match"]
    _contrast(con, _filled(deepcopy(model), {}, con), model)
    unrelated = {
        (name, level["label_for_charts"]): level.get("u_probability") for name, level in _levels(model["comparisons"])
    }
    learnt: dict[tuple[str, str], list[float]] = {}
    for lessons in (_TEACHES, _TEACHES_LESS):
        known = {name for name, _code in learnt}
        for key, teaches in lessons.items():
            subjects = [name for name in names if name in teaches.split() and name not in known]
            if not subjects or not _shared(con, key):
                continue
            pupil = Linker(people, _settings(subjects, unrelated, prior), log_level=None, validate_settings=False)
            try:
                pupil.training.estimate_parameters_using_expectation_maximisation(
                    block_on(*key), estimate_without_term_frequencies=True, max_pairs=TRAINING_PAIRS
                )
            except EMTrainingException:
                continue  # these pairs say nothing
            for name, level in _levels(pupil.misc.save_model_to_json()["comparisons"]):
                share, code = level.get("m_probability"), level["label_for_charts"]
                if isinstance(share, float) and share > _NEVER and share != TYPICAL.get(code, UNSEEN):
                    learnt.setdefault((name, code), []).append(share)
    return _filled(model, learnt, con)


NEIGHBOURS = 12
CONTRASTED = 40_000
"""Of more people about so many are set in contrast: strangers are strangers in any sample."""
_LEAST = 500
_UNLIKE: dict[str, tuple[str, str, str]] = {
    # comparison: what the pairs share, in which comparison they must differ, and how in others
    "address": ("first_key", "last_name", ""),
    "first_name": ("city", "last_name", ""),
    "last_name": ("city", "first_name", "address"),
}


def _contrast(con: "DuckDBPyConnection", start: dict[str, Any], model: dict[str, Any]) -> None:
    """Correct u where strangers are not strangers: who has a Polish name lives in Poland.

    How often two people agree in one thing is counted among pairs who share another and are two people all the same,
    since their names differ. Only such pairs are ever in doubt.
    """
    numbers = codes(start)
    ((people,),) = con.execute("SELECT count(*) FROM people").fetchall()
    one_in = max(people // CONTRASTED, 1)
    for name, (key, unlike, _far) in _UNLIKE.items():
        if name not in numbers or unlike not in numbers:
            continue
        con.execute(
            f"""
            CREATE OR REPLACE TABLE contrast AS
            WITH placed AS (SELECT id, {key} AS key, row_number() OVER (ORDER BY {key}, hash(id)) AS place
                            FROM people WHERE {key} IS NOT NULL AND hash(id) % {one_in} = 0)
            SELECT '0' AS match_key, l.id AS join_key_l, r.id AS join_key_r
            FROM placed l JOIN (SELECT *, unnest(range(1, {NEIGHBOURS + 1})) AS step FROM placed) r
              ON l.place = r.place + r.step AND l.key = r.key
            """
        )
        score(con, start, "contrast", "unlike", weakest=None)
        different = next(number for number, code in numbers[unlike].items() if code == "different")
        far = ""
        if name == "last_name" and "address" in numbers:
            near = [number for number, code in numbers["address"].items() if code in {"same", "street", "postcode"}]
            far = f"AND gamma_address NOT IN ({', '.join(map(str, near))})"
        counts = dict(
            con.execute(
                f"SELECT gamma_{name}, count(*) FROM unlike WHERE gamma_{unlike} = {different} AND gamma_{name} >= 0 {far} GROUP BY 1"
            ).fetchall()
        )
        if (total := sum(counts.values())) < _LEAST:
            continue
        for number, (_name, level) in zip(
            sorted(numbers[name], reverse=True),
            [each for each in _levels(model["comparisons"]) if each[0] == name],
            strict=True,
        ):
            u = level.get("u_probability")
            level["u_probability"] = max(counts.get(number, 0) / total, u if isinstance(u, float) else 0.0)


def numbered(levels: list[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """By splink's numbers: it counts the levels that weigh something down to 0."""
    weighing = [level for level in levels if not level.get("is_null_level")]
    return {len(weighing) - 1 - place: level for place, level in enumerate(weighing)}


def codes(model: dict[str, Any]) -> dict[str, dict[int, str]]:
    """What each level of each comparison is called, by its number."""
    return {
        each["output_column_name"]: {
            number: level["label_for_charts"] for number, level in numbered(each["comparison_levels"]).items()
        }
        for each in model["comparisons"]
    }


def score(
    con: "DuckDBPyConnection", model: dict[str, Any], candidates: str, into: str, weakest: float | None = WEAKEST
) -> None:
    """Score the pairs of a table in splink's form into a table: match_weight, gamma_* and mw_* for each comparison."""
    from splink import DuckDBAPI, Linker

    api = DuckDBAPI(connection=con)
    linker = Linker(api.register("people"), model, log_level=None, validate_settings=False)
    linker.table_management.register_blocked_pairs_for_predict(api.register(candidates))
    scored = linker.inference.predict(threshold_match_weight=weakest, warning_mode="never")
    con.execute(f"""
        CREATE OR REPLACE TABLE {into} AS
        SELECT least(id_l, id_r) AS a, greatest(id_l, id_r) AS b, match_weight, COLUMNS('^(gamma|mw)_')
        FROM {scored.physical_name}
        """)
    scored.drop_table_from_database_and_remove_from_cache()


DEPENDS = {"email": ("first_name", "last_name")}
"""What is made from what: two people of one name have much the same address on the net."""


def correct(con: "DuckDBPyConnection", model: dict[str, Any], scored: str) -> list[tuple[str, dict[int, float]]]:
    """What must be added to the weight of a comparison, by level, where what it is made from agrees.

    How often two people agree in it then is learnt from the scored pairs, whose chance to be one person is known but
    for this comparison.
    """
    numbers = codes(model)
    found = []
    for name, sources in DEPENDS.items():
        if name not in numbers or not set(sources) <= set(numbers):
            continue
        levels = [level for each, level in _levels(model["comparisons"]) if each == name]
        one = {len(levels) - 1 - place: level["m_probability"] for place, level in enumerate(levels)}
        two = {len(levels) - 1 - place: level["u_probability"] for place, level in enumerate(levels)}
        counted = con.execute(
            f"""
            SELECT round(match_weight - mw_{name}, 1), gamma_{name}, count(*) FROM {scored}
            WHERE gamma_{name} >= 0 AND {agree(numbers, sources)} GROUP BY ALL
            """
        ).fetchall()
        assumed = dict(two)
        for _turn in range(30):
            sums = {value: BELIEF * share for value, share in assumed.items()}
            for rest, value, count in counted:
                bits = rest + math.log2(one[value] / two[value])
                sums[value] += count / (1 + 2 ** min(bits, 500))
            total = sum(sums.values())
            two = {value: share / total for value, share in sums.items()}
        highest = max(two)  # the very same address is nobody else's, whatever the name
        found.append((name, {value: math.log2(assumed[value] / two[value]) for value in two if value != highest}))
    return found


def apply(
    con: "DuckDBPyConnection", model: dict[str, Any], corrections: list[tuple[str, dict[int, float]]], scored: str
) -> None:
    numbers = codes(model)
    for name, bits in corrections:
        cases = " ".join(f"WHEN {value} THEN {weight}" for value, weight in bits.items())
        con.execute(
            f"""
            UPDATE {scored} SET match_weight = match_weight + (CASE gamma_{name} {cases} ELSE 0 END),
                                mw_{name} = mw_{name} + (CASE gamma_{name} {cases} ELSE 0 END)
            WHERE gamma_{name} >= 0 AND {agree(numbers, DEPENDS[name])}
            """
        )


def agree(numbers: dict[str, dict[int, str]], names: tuple[str, ...]) -> str:
    """SQL for pairs who agree in any of these comparisons, or in their names crosswise."""
    alike = {"same", "typo", "nickname", "swapped", "crossed", "part"}
    return (
        "("
        + " OR ".join(
            f"gamma_{name} IN ({', '.join(str(number) for number, code in numbers[name].items() if code in alike)})"
            for name in names
        )
        + ")"
    )


def prior_weight(model: dict[str, Any]) -> float:
    prior = model["probability_two_random_records_match"]
    return math.log2(prior / (1 - prior))


def relearn_prior(con: "DuckDBPyConnection", model: dict[str, Any], scored: str) -> float:
    """The share of doubles among all pairs that agrees with the scores, by expectation maximisation; in bits."""
    ((people,),) = con.execute("SELECT count(*) FROM people").fetchall()
    pairs = people * (people - 1) / 2
    before = prior_weight(model)
    weights = con.execute(f"SELECT round(match_weight - ({before}), 1), count(*) FROM {scored} GROUP BY 1").fetchall()
    prior = before
    for _turn in range(100):
        expected = sum(count / (1 + 2 ** -(weight + prior)) for weight, count in weights)
        share = max(expected, 0.5) / pairs
        after = math.log2(share / (1 - share)) if share < 1 else 0.0
        if abs(after - prior) < 0.01:
            break
        prior = after
    return prior


def _levels(comparisons: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each level that weighs something, with its comparison's name."""
    for comparison in comparisons:
        for level in comparison["comparison_levels"]:
            if not level.get("is_null_level"):
                yield comparison["output_column_name"], level


def _settings(
    names: list[str], unrelated: dict[tuple[str, str], float] | None = None, prior: float = 1e-4
) -> dict[str, Any]:
    comparisons = []
    for name in names:
        levels = []
        for code, condition in LEVELS[name]:
            level: dict[str, Any] = {"sql_condition": condition, "label_for_charts": code}
            if code == "unknown":
                level["is_null_level"] = True
            elif unrelated is not None:
                level["u_probability"] = max(unrelated[name, code] or 0.0, _NEVER)
                level["m_probability"] = TYPICAL.get(code, UNSEEN)
            elif column := _FREQUENCIES.get((name, code)):
                level["tf_adjustment_column"] = column
                level["tf_minimum_u_value"] = 1e-5
            levels.append(level)
        comparisons.append({"output_column_name": name, "comparison_levels": levels})
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "id",
        "probability_two_random_records_match": prior,
        "comparisons": comparisons,
        "blocking_rules_to_generate_predictions": [],
        "retain_matching_columns": True,  # else splink keeps no gamma
        "retain_intermediate_calculation_columns": True,
        "max_iterations": 50,
    }


def _shared(con: "DuckDBPyConnection", columns: tuple[str, ...]) -> bool:
    present = " AND ".join(f"{column} IS NOT NULL" for column in columns)
    return bool(
        con.execute(
            f"SELECT 1 FROM people WHERE {present} GROUP BY {', '.join(columns)} HAVING count(*) > 1 LIMIT 1"
        ).fetchall()
    )


def _filled(
    model: dict[str, Any], learnt: dict[tuple[str, str], list[float]], con: "DuckDBPyConnection"
) -> dict[str, Any]:
    """What was never seen gets a careful value, and what was hardly seen no extreme one."""
    ((people,),) = con.execute("SELECT count(*) FROM people").fetchall()
    sampled = min(SAMPLE_PAIRS, people * (people - 1) / 2)
    for name, level in _levels(model["comparisons"]):
        code, u = level["label_for_charts"], level.get("u_probability")
        shares = learnt.get((name, code))
        level["m_probability"] = max(median(shares), RARELY) if shares else UNSEEN
        level["u_probability"] = max(u if isinstance(u, float) else 0.0, 1 / (sampled + 1))
    for comparison in model["comparisons"]:
        levels = [level for level in comparison["comparison_levels"] if not level.get("is_null_level")]
        for kind in ("m_probability", "u_probability"):
            total = sum(level[kind] for level in levels)
            for level in levels:
                level[kind] /= total
    return model
