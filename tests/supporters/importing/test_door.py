"""Rows that are probably about somebody on file, or about an earlier row of the same file."""

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext

from supporters.importing import doubts, staging
from supporters.importing import run as runs
from supporters.importing.parsing import parser_for
from supporters.importing.rounds import in_rounds
from supporters.matching import deciding, search
from supporters.matching.door import CROWD
from supporters.models import Double, ImportRow, Reference, Supporter
from tests.factories import make_supporter
from tests.supporters.importing.test_doubts import decide
from tests.supporters.importing.test_run import counts, load, reasons

pytestmark = pytest.mark.django_db
Verdict = ImportRow.Verdict
SPELT = "Somebody whose name fits has an email address that is spelt almost the same."
BORN = "Somebody of this name has the same birth date."
PHONE = "Somebody whose name fits has the same phone number."
ELSEWHERE = "Somebody of this name has the same reference in another system."
HOME = "Somebody of this name, or one much like it, has the same postcode."


def asa(**fields):
    return make_supporter(**{"first_name": "Åsa", "last_name": "Öberg", "email": None, **fields})


HELD = [
    ({"email": "asa.oberg@gmail.com"}, "email", "asa.oberg@gmial.com", SPELT),
    ({"email": "asa.oberg@gmail.com"}, "email", "asaoberg+lodestar@gmail.com", SPELT),
    ({"email": "asa.oberg@hotmail.com"}, "email", "asa.oberg@hotmail.se", SPELT),
    ({"birth_date": "1970-02-03"}, "birth date", "1970-02-03", BORN),
    ({"phone": "+46 70-123 45 67"}, "phone", "070 1234567", PHONE),
    ({"postcode": "411 01"}, "postcode", "41101", HOME),
]


@pytest.mark.parametrize(("fields", "column", "cell", "why"), HELD)
@pytest.mark.parametrize("name", ["Åsa,Öberg", "Asa,Oberg", "Öberg,Åsa"])
def test_a_row_about_somebody_on_file_waits(fields, column, cell, why, name):
    known = asa(**fields)
    run = load(f"first name,last name,{column}\n{name},{cell}\n")
    assert (counts(run), run.doubtful, reasons(run)) == ((1, 0, 0, 0, 0), 1, [(2, why)])
    row = run.failures.get()
    assert (row.supporter, row.verdict) == (known, Verdict.WAITING)
    assert Supporter.objects.count() == 1


NOT_HELD = [
    ({"email": "asa.oberg@gmail.com"}, "email", "asa.oberg@telia.com"),
    ({"email": "asa.oberg@gmail.com"}, "email", "asa.berg@gmail.com"),
    ({"birth_date": "1970-02-03"}, "birth date", "1970-02-04"),
    ({"phone": "+46 70-123 45 67"}, "phone", "070 1234568"),
    ({"phone": "12345"}, "phone", "12345"),
    ({"postcode": "411 01"}, "postcode", "41102"),
    ({"city": "Lund"}, "city", "Lund"),
]


@pytest.mark.parametrize(("fields", "column", "cell"), NOT_HELD)
def test_a_row_that_shares_less_goes_in(fields, column, cell):
    asa(**fields)
    assert load(f"first name,last name,{column}\nÅsa,Öberg,{cell}\n").created == 1


@pytest.mark.parametrize("name", ["Erik,Öberg", "Anders,Öman"])
def test_housemates_of_other_names_go_in(name):
    asa(phone="031123456", postcode="41101", street="Storgatan 9", birth_date="1970-02-03")
    run = load(
        f"first name,last name,phone,postcode,street,birth date\n{name},031123456,41101,Storgatan 9,1970-02-03\n"
    )
    assert (run.created, run.doubtful) == (1, 0)


def test_a_son_with_his_fathers_name_and_home_goes_in():
    make_supporter(
        first_name="Jan", last_name="Ek", email=None, phone="031123456", postcode="41101", birth_date="1950-01-01"
    )
    run = load("first name,last name,phone,postcode,birth date\nJan,Ek,031123456,41101,1980-01-01\n")
    assert (run.created, run.doubtful) == (1, 0)


def test_a_name_misspelt_waits_where_street_and_house_agree():
    asa(postcode="41101", street="Storgatan 9")
    head = "first name,last name,postcode,street\n"
    assert load(head + "Åsa,Öbreg,41101,Storg. 9\n").doubtful == 1
    assert load(head + "Åsa,Öbreg,41101,Storg. 19\n").created == 1


def test_the_same_reference_in_another_system_waits():
    known = asa()
    known.references.create(system="civicrm", identifier="4711")
    run = load("id,first name,last name\n4711,Åsa,Öberg\n4711x,Åsa,Öberg\n")
    assert (run.created, reasons(run)) == (1, [(2, ELSEWHERE)])
    make_supporter(first_name="Bo", last_name="Ek").references.create(system="civicrm", identifier="12")
    assert load("id,first name,last name\n12,Åsa,Öberg\n").created == 1


def test_whom_the_system_of_the_row_tells_apart_is_not_asked_about():
    known = asa(postcode="41101")
    known.references.create(system="donor", identifier="1")
    assert load("id,first name,last name,postcode\n2,Åsa,Öberg,41101\n").created == 1
    text = "id,first name,last name,postcode\n3,Bo,Ek,41102\n4,Bo,Ek,41102\n"
    assert (load(text).created, Reference.objects.count()) == (2, 4)


def test_a_known_address_or_reference_is_never_asked_about():
    asa(postcode="41101", phone="031123456")
    make_supporter(first_name="Åsa", last_name="Öberg", email="asa@work.se").references.create(
        system="donor", identifier="1"
    )
    head = "id,email,first name,last name,postcode,phone\n"
    run = load(head + "1,,Åsa,Öberg,41101,031123456\n,asa@work.se,Åsa,Öberg,41101,031123456\n")
    assert (run.doubtful, run.created, run.updated) == (0, 0, 1)


def test_a_leaving_is_never_held():
    asa(email="asa.oberg@gmail.com")
    text = "Email Address,First Name,Last Name,MEMBER_RATING,UNSUB_TIME,LEID,EUID\n"
    run = load(text + "asa.oberg@gmial.com,Åsa,Öberg,2,2026-01-01 10:00:00,1,a\n", name="unsubscribed.csv")
    assert (run.doubtful, run.created) == (0, 1)


def test_the_same_person_is_changed_and_known_from_then_on():
    known = asa(email="asa@work.se", postcode="41101")
    text = "email,first name,last name,postcode,city\nasa@home.se,Åsa,Öberg,41101,Lund\n"
    run = load(text)
    assert decide(run, Verdict.SAME) == 1
    assert (counts(run), run.doubtful) == ((1, 0, 1, 0, 0), 0)
    known.refresh_from_db()
    assert (known.email, known.city, Supporter.objects.count()) == ("asa@home.se", "Lund", 1)
    again = load(text)
    assert (again.unchanged, again.doubtful) == (1, 0)
    old = load("email,first name,last name,city\nasa@work.se,Åsa,Öberg,Ystad\n")
    known.refresh_from_db()
    assert (old.updated, known.email, known.city) == (1, "asa@home.se", "Ystad")


def test_of_two_spellings_of_an_address_the_one_on_file_stays():
    known = asa(email="asa.oberg@gmail.com")
    text = "email,first name,last name,city\nasa.oberg@gmial.com,Åsa,Öberg,Lund\n"
    decide(load(text), Verdict.SAME)
    known.refresh_from_db()
    assert (known.email, known.city) == ("asa.oberg@gmail.com", "Lund")
    again = load(text)
    assert (again.unchanged, again.doubtful, Supporter.objects.count()) == (1, 0, 1)
    assert known.references.get().identifier == "asa.oberg@gmial.com"


def test_somebody_new_is_kept_with_an_address_of_their_own_and_told_apart_for_good():
    user = get_user_model().objects.create(username="eva")
    known = asa(postcode="41101")
    text = "email,first name,last name,postcode\nasa@home.se,Åsa,Öberg,41101\n"
    run = load(text)
    doubts.decide(run, Verdict.SECOND, by=user)
    doubts.settle(run.pk)
    other = Supporter.objects.get(email="asa@home.se")
    assert other.shares_email_with is None
    pair = Double.objects.get()
    assert (pair.first, pair.second, pair.state, pair.decided_by) == (known, other, "different", user)
    assert load(text).unchanged == 1
    search.run()
    assert [each.state for each in Double.objects.all()] == ["different"]
    assert deciding.reconsider([pair.pk]) == 1


def test_what_staff_said_closes_a_pair_that_is_open():
    run = load("email,first name,last name\nberg@home.se,Anna,Berg\nberg@home.se,Erik,Berg\n")
    decide(run, Verdict.SECOND)
    assert Double.objects.get().state == "different"


def test_rows_of_one_file_wait_for_the_first_of_them():
    text = "first name,last name,postcode,phone\n"
    text += "Åsa,Öberg,41101,\nAsa,Öberg,41101,\nÅsa,Oberg,411 01,\nBo,Ek,41101,031123456\nB,Ek,,031 123456\n"
    run = load(text)
    assert (run.created, run.doubtful) == (2, 3)
    assert reasons(run) == [(3, HOME), (4, HOME), (6, PHONE)]
    assert decide(run, Verdict.SAME) == 3
    assert (Supporter.objects.count(), run.doubtful) == (2, 0)
    again = load(text)
    assert (again.created, again.doubtful, Supporter.objects.count()) == (0, 0, 2)


def test_two_rows_said_to_be_one_person_both_count():
    known = asa(postcode="41101")
    run = load("first name,last name,postcode,street,city\nÅsa,Öberg,41101,Storgatan 9,\nÅsa,Öberg,41101,,Lund\n")
    assert decide(run, Verdict.SAME) == 2
    known.refresh_from_db()
    assert (run.updated, known.street, known.city) == (2, "Storgatan 9", "Lund")


def test_a_row_for_somebody_who_is_gone_meanwhile_goes_in():
    known = asa(postcode="41101")
    run = load("first name,last name,postcode\nÅsa,Öberg,41101\n")
    known.delete()
    assert decide(run, Verdict.SAME) == 1
    assert (run.created, run.doubtful, Supporter.objects.count()) == (1, 0, 1)


def test_many_rows_take_as_many_statements_as_one():
    taken = []
    for number in (1, 5):
        rows = "".join(f"Åsa{n}{number},Öberg,4110{n}\n" * 2 for n in range(number))
        with CaptureQueriesContext(connection) as context:
            run = load("first name,last name,postcode\n" + rows)
        assert run.doubtful == number
        taken.append(len(context))
    assert taken[0] == taken[1]


@pytest.mark.parametrize("rule", ["email", "birth_date", "phone", "home"])
def test_each_rule_asks_an_index(rule):
    from supporters.matching.door import RULES

    index = {
        "email": "supporter_email_key",
        "birth_date": "supporter_born",
        "phone": "supporter_phone",
        "home": "supporter_home",
    }
    key = RULES[rule].key.replace("{one}", "one").replace("{other}", "other")
    with connection.cursor() as cursor:
        # In a table without rows every index is as good as another.
        cursor.execute(
            """INSERT INTO supporters_supporter (email, first_name, last_name, birth_date, phone, postcode)
               SELECT 'p' || n || '@mail.se', 'Åsa', 'Ek ' || n, date '1950-01-01' + n, '070' || 1000000 + n, 10000 + n
               FROM generate_series(1, 3000) n"""
        )
        cursor.execute("ANALYZE supporters_supporter")
        cursor.execute(
            f"EXPLAIN SELECT FROM supporters_supporter one CROSS JOIN LATERAL (SELECT FROM supporters_supporter other WHERE {key} LIMIT 1) x WHERE one.id = 1"
        )
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert index[rule] in plan


def test_where_the_record_wins_its_address_stays_and_the_other_is_known():
    known = asa(email="asa@work.se", postcode="41101")
    text = "email,first name,last name,postcode\nasa@home.se,Åsa,Öberg,41101\n"
    decide(load(text, options={"policy": {"email": "record"}}), Verdict.SAME)
    known.refresh_from_db()
    assert (known.email, known.references.get().identifier) == ("asa@work.se", "asa@home.se")
    assert load(text).unchanged == 1


def test_the_preview_tells_of_the_rows_that_will_wait():
    from tests.supporters.importing.preview.test_preview import go, look, upload

    asa(postcode="41101", street="Storgatan 9").references.create(system="civicrm", identifier="4711")
    asa(email="asa.oberg@gmail.com", last_name="Ödman").references.create(system="email", identifier="asa@old.se")
    run = upload(
        "id,email,first name,last name,postcode\n,,Åsa,Öberg,41101\n4711,,Åsa,Öberg,\n,asaoberg@gmial.com,Åsa,Ödman,\n"
        ",asa@old.se,Åsa,Ödman,41102\n,,Bo,Ek,41102\n,,Bo,Ek,41102\n"
    )
    found = look(run)
    assert [found.counts[name] for name in ("doubtful", "created", "updated")] == [4, 1, 1]
    go(run)
    assert (run.doubtful, run.created, run.updated) == (4, 1, 1)


def _read_of_people() -> int:
    """Rows of people that this transaction has read, by an index or not."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'supporters_supporter'"
        )
        return cursor.fetchone()[0]


def test_a_crowd_that_shares_a_key_is_not_gone_through_for_every_row():
    with connection.cursor() as cursor:
        # Never counted by ANALYZE: the planner knows nothing of them.
        cursor.execute(
            """INSERT INTO supporters_supporter (email, first_name, last_name, postcode, phone)
               SELECT 'info+' || n || '@mail.se', 'Annika', 'Anderberg ' || n, '22100', '0701234567'
               FROM generate_series(1, 5000) n"""
        )
    rows = "".join(f"info@m{n}.se,Antonia,Angelov{n},22100,0701234567\n" for n in range(60))
    before = _read_of_people()
    run = load("email,first name,last name,postcode,phone\n" + rows)
    assert run.created == 60
    assert _read_of_people() - before < 60 * 3 * CROWD + 1000


def test_people_who_were_counted_when_there_were_none_are_not_gone_through():
    """As they are while the first slice of a large file is still there for nobody else."""
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO supporters_supporter (email, first_name, last_name)
               SELECT 'm' || n || '-1@mail.se', 'Åsa', 'Ek ' || n FROM generate_series(1, 5000) n"""
        )
        cursor.execute(
            """UPDATE pg_class SET reltuples = 0, relpages = 100 WHERE oid = 'supporters_supporter'::regclass
               OR oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = 'supporters_supporter'::regclass)"""
        )
    before = _read_of_people()
    assert load("email,city\n" + "".join(f"q{n}-1@mail.se,Lund\n" for n in range(60))).created == 60
    read = _read_of_people() - before
    assert read < 5000, read


class Reads:
    """How often a slice was gone through while it was written."""

    def before(self, cursor):
        pass

    def after(self, cursor):
        cursor.execute("SELECT seq_scan FROM pg_stat_xact_all_tables WHERE relid = 'stage'::regclass")
        (self.times,) = cursor.fetchone()


def test_a_slice_of_twins_is_not_gone_through_for_each_of_them():
    rows = "".join(f"Anna,Andersson,{10000 + n // 2},070{1000000 + n // 2}\n" for n in range(4000))
    run = runs.upload("supporters", "people.csv", [f"first name,last name,postcode,phone\n{rows}".encode()])
    parse = parser_for(run)
    cells = dict(enumerate((row.split(",") for row in rows.splitlines()), start=2))
    reads = Reads()
    staged = in_rounds([parse(number, row) for number, row in cells.items()])
    found = staging.load_supporters(run, staging.ready(staged), cells, watch=reads)
    assert (found.created, found.doubtful) == (2000, 2000)
    assert reads.times < 200
