"""What a file says is read as supporters.hygiene reads it, and odd values are marked, never lost."""

import csv
import io

import pytest

from supporters.models import ImportRun, Supporter
from tests.factories import make_supporter
from tests.supporters.importing.test_run import counts, load, reasons

pytestmark = pytest.mark.django_db


def file(header: str, *rows: tuple[str, ...]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows([header.split(","), *rows])
    return text.getvalue()


def test_values_are_kept_in_one_form():
    load(
        file(
            "email,name,country,language,phone,postcode,city",
            (
                "mailto:Anna@Mail.se;",
                "Berg,  Dr. Anna",
                "Schweden",
                "svenska",
                "070-123 45 67",
                "SE-11455",
                " Stock­holm",
            ),
        )
    )
    anna = Supporter.objects.get()
    assert (anna.email, anna.first_name, anna.last_name) == ("anna@mail.se", "Dr. Anna", "Berg")
    assert (anna.country, anna.language) == ("SE", "sv")
    assert (anna.phone, anna.postcode, anna.city, anna.marks) == ("+46701234567", "114 55", "Stockholm", [])


def test_one_address_in_two_alphabets_is_one_person():
    run = load(file("email,city", ("Ä@BÜCHER.example", "Ulm"), ("ä@xn--bcher-kva.example", "Bonn")))
    assert counts(run) == (2, 1, 1, 0, 0)
    assert Supporter.objects.get().email == "ä@xn--bcher-kva.example"


def test_what_can_not_be_read_goes_in_as_written_and_is_marked():
    run = load(
        file(
            "email,country,phone,postcode",
            ("info@verein.de", "DE", "ask me", "1011"),
            ("bo@mailinator.com", "PL", "22 123 45 67", "Warszawa"),
        )
    )
    assert counts(run) == (2, 2, 0, 0, 0)
    office, bo = Supporter.objects.order_by("pk")
    assert (office.phone, office.postcode, office.marks) == ("ask me", "01011", ["role", "phone"])
    assert (bo.phone, bo.postcode, bo.marks) == ("+48221234567", "Warszawa", ["disposable", "postcode"])


def test_marks_follow_what_a_later_file_changes():
    def marks() -> set[str]:
        return set(Supporter.objects.get().marks)

    load(file("id,email,phone,postcode,country", ("1", "info@verein.de", "ask me", "Bonn", "DE")))
    load(file("id,phone,city", ("1", "030 901820", "Berlin")))
    assert marks() == {
        "role",
        "phone",
        "postcode",
    }  # a number without a country, in a row without one, is one of ours
    load(file("id,phone,country", ("1", "030 901820", "D")))
    assert marks() == {"role", "postcode"}
    load(file("id,email", ("1", "anna@verein.de")))
    assert marks() == {"postcode"}
    load(file("id,email,postcode,country", ("1", "yop@yopmail.com", "53111", "DE")))
    assert marks() == {"disposable"}


def test_a_second_person_behind_an_address_has_no_marks_of_it():
    make_supporter(first_name="Anna", last_name="Berg", email="info@verein.de", marks=["role"])
    first = Supporter.objects.get()
    Supporter.objects.create(first_name="Erik", last_name="Ek", shares_email_with=first)
    load(file("email,first name,last name,city,phone", ("info@verein.de", "Erik", "Ek", "Bonn", "?")))
    assert list(Supporter.objects.order_by("pk").values_list("city", "marks")) == [
        ("", ["role"]),
        ("Bonn", ["phone"]),
    ]


def test_a_country_that_is_not_clear_is_refused_with_what_it_may_be():
    run = load(file("email,country", ("kim@mail.se", "Korea"), ("bo@mail.se", "Atlantis")))
    assert reasons(run) == [
        (2, "“Korea” may be several countries: North Korea, South Korea. Write the one that is meant."),
        (3, "“Atlantis” is no country we know."),
    ]
    assert not Supporter.objects.exists()


def test_countries_of_the_file_come_before_the_organisations_for_phones(settings):
    settings.ORGANISATION_COUNTRY = "FR"
    load(file("email,phone", ("a@mail.se", "01 42 68 53 00")))
    load(file("email,phone", ("b@mail.se", "070-123 45 67")), options={"country": "SE"})
    assert list(Supporter.objects.order_by("email").values_list("phone", flat=True)) == [
        "+33142685300",
        "+46701234567",
    ]


def test_donors_of_a_file_of_gifts_are_marked():
    load(
        file("email,name,date,amount,currency", ("kontakt@verein.de", "Verein", "2026-01-02", "5.00", "EUR")),
        kind=ImportRun.Kind.DONATIONS,
    )
    assert Supporter.objects.get().marks == ["role"]


def test_no_file_loosens_how_somebody_wants_to_be_written_to():
    make_supporter(email="ann@mail.se", how_often="month", discreet=True)
    make_supporter(email="bo@mail.se", how_often="week")
    make_supporter(email="cy@mail.se")
    rows = (("ann@mail.se", "week", "no"), ("bo@mail.se", "month", "yes"), ("cy@mail.se", "", ""))
    run = load(
        file("email,how_often,discreet", *rows, ("new@mail.se", "Weekly", "ja"), ("odd@mail.se", "rarely", ""))
    )
    assert counts(run) == (5, 2, 1, 2, 0)
    found = dict(Supporter.objects.values_list("email", "how_often"))
    assert found == {
        "ann@mail.se": "month",
        "bo@mail.se": "month",
        "cy@mail.se": "",
        "new@mail.se": "week",
        "odd@mail.se": "month",
    }
    discreet = Supporter.objects.filter(discreet=True).values_list("email", flat=True)
    assert set(discreet) == {"ann@mail.se", "bo@mail.se", "new@mail.se"}
