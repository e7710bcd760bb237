"""What the engine compares, and what it takes for a slip of the pen: on DuckDB, without the rest of the search."""

import duckdb
import pytest

from supporters.matching.engine import candidates, model, standards
from tests.supporters.matching.people import make


def prepared(rows):
    con = duckdb.connect()
    con.execute(
        "CREATE TABLE raw ("
        + ", ".join(f"{n} {'BIGINT' if n == 'id' else 'VARCHAR'}" for n in standards.COLUMNS)
        + ")"
    )
    con.executemany(
        f"INSERT INTO raw VALUES ({', '.join('?' * len(standards.COLUMNS))})",
        [[row.get(name) for name in standards.COLUMNS] for row in rows],
    )
    standards.prepare(con)
    return con


def test_pairs_are_proposed_once_however_many_parts_it_takes(monkeypatch):
    con = prepared(make(150, 3))
    monkeypatch.setattr(candidates, "EVERYBODY", 0)
    found = []
    for size in (candidates.PART, 40):
        monkeypatch.setattr(candidates, "PART", size)
        candidates.propose(con)
        found.append(sorted(con.execute("SELECT join_key_l, join_key_r FROM candidates").fetchall()))
    assert found[0] == found[1]
    assert len(found[0]) == len(set(found[0])) > 200


def test_a_weak_key_proposes_little_in_a_large_file(monkeypatch):
    con = prepared([{"id": n, "first_name": f"A{n % 40:02}", "last_name": f"B{n}"} for n in range(400)])
    monkeypatch.setattr(candidates, "EVERYBODY", 0)
    monkeypatch.setattr(candidates, "PAIRS_AT_LEAST", 0)
    candidates.propose(con)
    assert con.execute("SELECT count(*) FROM candidates").fetchone() == (0,)
    monkeypatch.setattr(candidates, "WEAK", set())
    monkeypatch.setattr(candidates, "PAIRS_PER_PERSON", 5)
    candidates.propose(con)
    assert con.execute("SELECT count(*) FROM candidates").fetchone()[0] > 1000


@pytest.mark.parametrize(
    ("one", "other", "level"),
    [
        ("Maria", "Maria", "same"),
        ("Maria", "Marta", "similar"),
        ("Maria", "Mariaa", "typo"),
        ("Ewa", "Ewsa", "typo"),
        ("Eva", "Evf", "typo"),
        ("Eva", "Ina", "different"),
        ("Mateusz", "Mateuz", "typo"),
        ("Bill", "William", "nickname"),
        ("Maria", "Erik", "different"),
    ],
)
def test_two_usual_names_are_no_slip_of_the_pen(one, other, level):
    usual = ["Maria", "Marta", "Eva", "Ina"]
    rows = [{"id": n, "first_name": usual[n % 4], "last_name": "Ek"} for n in range(80)]
    rows += [{"id": 100, "first_name": one, "last_name": "Ek"}, {"id": 101, "first_name": other, "last_name": "Ek"}]
    assert compared("first_name", rows) == level


@pytest.mark.parametrize(
    ("one", "other", "level"),
    [
        (("Storgatan 9", "41101", "Lund"), ("Storg. 9", "41101", "Lund"), "same"),
        (("Storgatan 9", "41101", "Lund"), ("Storgatan 11", "411 01", "Lund"), "street"),
        (("Storgatan 9", "41101", "Lund"), ("Storgatan 9", "41107", ""), "moved_digit"),
        (("Storgatan 9", "41101", "Lund"), ("", "41101", ""), "postcode"),
        (("Storgatan 9", "41101", "Lund"), ("Ringvägen 3", "41222", "Lund"), "across_town"),
        (("Storgatan 9", "41101", "Lund"), ("", "41222", "Lund"), "city"),
        (("Storgatan 9", "41101", "Lund"), ("Ringvägen 3", "", "Lund"), "city"),
        (("Storgatan 9", "41101", "Lund"), ("Ringvägen 3", "11222", "Ystad"), "different"),
    ],
)
def test_one_town_is_something_else_where_both_homes_are_known(one, other, level):
    rows = [
        {"id": 100 + n, "first_name": "Åsa", "last_name": "Ek", "street": street, "postcode": postcode, "city": city}
        for n, (street, postcode, city) in enumerate((one, other))
    ]
    assert compared("address", rows) == level


def compared(name, rows):
    """The level of this comparison between the people 100 and 101."""
    con = prepared(rows)
    names = [column for (column,) in con.execute("SELECT column_name FROM (DESCRIBE people)").fetchall()]
    both = ", ".join(f"l.{name} AS {name}_l, r.{name} AS {name}_r" for name in names)
    cases = " ".join(
        f"WHEN {condition} THEN '{code}'" for code, condition in model.LEVELS[name] if condition != "ELSE"
    )
    (found,) = con.execute(
        f"SELECT CASE {cases} ELSE 'different' END FROM (SELECT {both} FROM people l, people r WHERE l.id = 100 AND r.id = 101)"
    ).fetchone()
    return found
