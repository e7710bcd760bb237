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
        ("Mateusz", "Mateuz", "typo"),
        ("Bill", "William", "nickname"),
        ("Maria", "Erik", "different"),
    ],
)
def test_two_usual_names_are_no_slip_of_the_pen(one, other, level):
    rows = [{"id": n, "first_name": ["Maria", "Marta"][n % 2], "last_name": "Ek"} for n in range(40)]
    rows += [{"id": 100, "first_name": one, "last_name": "Ek"}, {"id": 101, "first_name": other, "last_name": "Ek"}]
    con = prepared(rows)
    names = [column for (column,) in con.execute("SELECT column_name FROM (DESCRIBE people)").fetchall()]
    both = ", ".join(f"l.{name} AS {name}_l, r.{name} AS {name}_r" for name in names)
    cases = " ".join(
        f"WHEN {condition} THEN '{code}'" for code, condition in model.LEVELS["first_name"] if condition != "ELSE"
    )
    found = con.execute(
        f"SELECT CASE {cases} ELSE 'different' END FROM (SELECT {both} FROM people l, people r WHERE l.id = 100 AND r.id = 101)"
    ).fetchone()
    assert found == (level,)
