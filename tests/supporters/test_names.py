"""Whether two names are of two people: the database function that imports ask."""

import pytest
from django.db import connection

pytestmark = pytest.mark.django_db

ONE_PERSON = [
    ("Anna", "Berg", "anna", "BERG"),
    ("Åsa", "Öberg", "Asa", "Oberg"),
    ("Bill", "Berg", "William", "Berg"),
    ("Liz", "Ek", "Elizabeth", "Ek"),
    ("Kasia", "Nowak", "Katarzyna", "Nowak"),
    ("Pepe", "García", "José", "García"),
    ("A.", "Berg", "Anna", "Berg"),
    ("A", "Berg", "Anna Maria", "Berg"),
    ("Berg", "Anna", "Anna", "Berg"),
    ("Anna", "Berg", "Anna", "Lindqvist"),
    ("Anna", "Berg-Lind", "Anna", "Lind"),
    ("Anna-Karin", "Berg", "Anna", "Berg"),
    ("Anna & Erik", "Berg", "Erik", "Berg"),
    ("", "Berg", "Anna", "Berg"),
    ("Anna", "", "Anna", "Berg"),
    ("", "", "Anna", "Berg"),
    ("Anna Berg", "", "Anna", "Berg"),
    ("Олена", "Коваль", "Olena", "Koval"),
    ("Галина", "Шевченко", "Halyna", "Shevchenko"),
    ("Сергій", "Бондар", "Serhii", "Bondar"),
    ("Γιώργος", "Παπαδόπουλος", "Giorgos", "Papadopoulos"),
    ("Katarina", "Ek", "Catharina", "Ek"),
    ("Erik", "Ek", "Eric", "Eck"),
    ("Jörg", "Weiß", "Joerg", "Weiss"),
    ("Dr. Anna", "Berg", "Anna", "Berg"),
    ("Alex", "Berg", "Alexandra", "Berg"),
    ("محمد", "علي", "Mohammed", "Ali"),
    ("Fredrik", "Berg", "Fredirk", "Berg"),
    ("Rnyan", "", "Ryan", "Cole"),
    ("Moore", "Oscar", "Osacar", "Moore"),
    ("iElliot", "Page", "Elliot", "Page"),
    ("", "Kelyl", "Alfie", "Kelly"),
    ("W.", "Berg", "Bill", "Berg"),
    ("Zoe\u0308", "Ek", "Zoë", "Ek"),
]
TWO_PEOPLE = [
    ("Anna", "Berg", "Erik", "Berg"),
    ("Anna", "Berg", "Erik", "Lind"),
    ("Mario", "Rossi", "Maria", "Rossi"),
    ("Christian", "Vogel", "Christina", "Vogel"),
    ("Maria", "Rossi", "Marta", "Rossi"),
    ("Laura", "Rossi", "Paula", "Rossi"),
    ("Gabriel", "Roux", "Gabrielle", "Roux"),
    ("Martin", "Vogel", "Martina", "Vogel"),
    ("Олена", "Коваль", "Андрій", "Коваль"),
    ("Olena", "Koval", "Андрій", "Коваль"),
    ("", "Berg", "Erik", "Lindqvist"),
    ("", "Berg", "", "Lindqvist"),
    ("Anna", "", "Erik", "Berg"),
    ("E.", "Berg", "Anna", "Berg"),
    ("Γιώργος", "Παπαδόπουλος", "Ελένη", "Παπαδοπούλου"),
    ("Null", "Berg", "Anna", "Berg"),
]


def differ(*names: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT supporters_names_differ(%s, %s, %s, %s)", names)
        return cursor.fetchone()[0]


@pytest.mark.parametrize("names", ONE_PERSON)
def test_spellings_of_one_name_do_not_differ(names):
    assert (differ(*names), differ(*names[2:], *names[:2])) == (False, False)


@pytest.mark.parametrize("names", TWO_PEOPLE)
def test_names_of_two_people_differ(names):
    assert (differ(*names), differ(*names[2:], *names[:2])) == (True, True)
