"""What staff type is read as every other door reads it; what is odd is shown, found and filtered."""

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from supporters.models import Organisation, Supporter
from tests.factories import make_supporter

pytestmark = pytest.mark.django_db


def typed(**fields) -> dict:
    names = (
        "first_name",
        "last_name",
        "email",
        "phone",
        "language",
        "country",
        "street",
        "postcode",
        "city",
        "region",
    )
    inlines = {
        f"{name}-{key}": value
        for name in ("references", "consents", "donations", "signatures")
        for key, value in {"TOTAL_FORMS": 0, "INITIAL_FORMS": 0}.items()
    }
    return {**dict.fromkeys(names, ""), "source_code": "", "birth_date": "", **inlines, **fields}


def save(client, person: Supporter | None = None, **fields):
    name = "admin:supporters_supporter_change" if person else "admin:supporters_supporter_add"
    return client.post(reverse(name, args=[person.pk] if person else []), typed(**fields))


def problems(answer) -> dict:
    return answer.context["adminform"].form.errors


def test_values_are_kept_in_one_form(staff_client):
    answer = save(
        staff_client,
        first_name=" Anna\u200b  Maria ",
        last_name="O’Brien",
        email="mailto:Ä@BÜCHER.example",
        phone="(070) 123 45 67",
        country="Schweden",
        language="svenska",
        postcode="SE-11455",
    )
    assert answer.status_code == 302, problems(answer)
    anna = Supporter.objects.get()
    assert (anna.first_name, anna.last_name, anna.email) == ("Anna Maria", "O’Brien", "ä@xn--bcher-kva.example")
    assert (anna.phone, anna.postcode, anna.country, anna.language, anna.marks) == (
        *("+46701234567", "114 55", "SE", "sv"),
        [],
    )


def test_odd_values_are_kept_as_written_and_staff_are_told(staff_client):
    answer = save(staff_client, email="info@yopmail.com", phone="ask me", country="D", postcode="Bonn")
    office = Supporter.objects.get()
    assert (office.phone, office.postcode) == ("ask me", "Bonn")
    assert office.marks == ["role", "disposable", "phone", "postcode"]
    assert next(str(each) for each in get_messages(answer.wsgi_request)) == (
        "Marked: Role address, Disposable address, Doubtful phone number, Doubtful postcode."
    )
    save(staff_client, office, email="anna@mail.de", phone="030 901820", country="DE", postcode="53111")
    office.refresh_from_db()
    assert (office.phone, office.marks) == ("+4930901820", [])


def test_a_number_that_is_only_shown_is_not_read_again(staff_client):
    anna = make_supporter(phone="+46701234567", country="SE")
    page = staff_client.get(reverse("admin:supporters_supporter_change", args=[anna.pk]))
    shown = page.context["adminform"].form.initial["phone"]
    assert shown == "070-123 45 67"
    save(staff_client, anna, first_name="Anna", email=anna.email, phone=shown, country="Germany")
    anna.refresh_from_db()
    assert (anna.phone, anna.country, anna.marks) == ("+46701234567", "DE", [])
    page = staff_client.get(reverse("admin:supporters_supporter_change", args=[anna.pk]))
    assert page.context["adminform"].form.initial["phone"] == "+46 70 123 45 67"


@pytest.mark.parametrize(
    ("field", "text", "words"),
    [
        ("country", "Korea", "may be several countries: North Korea, South Korea"),
        ("country", "Atlantis", "no country we know"),
        ("language", "Elvish", "no language we know"),
        ("email", "anna@mail.se, bo@mail.se", "more than one address"),
    ],
)
def test_what_can_not_be_read_is_told_where_it_was_typed(staff_client, field, text, words):
    answer = save(staff_client, **{field: text})
    assert words in problems(answer)[field][0]
    assert not Supporter.objects.exists()


def test_organisations_take_countries_by_name(staff_client):
    sent = {"name": " Vrouwen  in Nood", "country": "Nederland", "role": "partner", "source_code": "vin"}
    sent |= {
        f"{inline}-{name}": 0
        for inline in ("sites", "organisationcontact_set")
        for name in ("TOTAL_FORMS", "INITIAL_FORMS")
    }
    staff_client.post(reverse("admin:supporters_organisation_add"), sent)
    assert Organisation.objects.values_list("name", "country").get() == ("Vrouwen in Nood", "NL")


@pytest.mark.parametrize(
    ("mark", "names"), [("role", "Office"), ("disposable", "Cia Office"), ("phone", ""), ("", "Cia Bo Office")]
)
def test_people_are_filtered_by_marks(staff_client, mark, names):
    make_supporter(first_name="Office", marks=["role", "disposable"])
    make_supporter(first_name="Bo")
    make_supporter(first_name="Cia", marks=["disposable"])
    answer = staff_client.get(reverse("admin:supporters_supporter_changelist"), {"mark": mark} if mark else {})
    assert " ".join(person.first_name for person in answer.context["cl"].result_list) == names


@pytest.mark.parametrize("text", ["070-123 45 67", "0701234567", "+46 70 123 45 67", "701234567", "0046701234567"])
def test_a_phone_number_is_found_in_any_spelling(staff_client, text):
    make_supporter(first_name="Ann", phone="+46701234567")
    make_supporter(first_name="Bo", phone="+46701234568")
    answer = staff_client.get(reverse("admin:supporters_supporter_changelist"), {"q": text})
    assert [person.first_name for person in answer.context["cl"].result_list] == ["Ann"]


def test_who_else_has_an_address_is_a_link(staff_client):
    owner = make_supporter(email="anna@mail.se", first_name="Owner")
    other = make_supporter(email="anna@mail.se.", marks=["taken", "role"])
    page = staff_client.get(reverse("admin:supporters_supporter_change", args=[other.pk])).text
    assert "Address somebody else has too" in page
    assert reverse("admin:supporters_supporter_change", args=[owner.pk]) in page
