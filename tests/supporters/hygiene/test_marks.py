import pytest

from supporters.hygiene.marks import of_email


@pytest.mark.parametrize(
    "local",
    [
        *(
            "info",
            "office",
            "kontakt",
            "contact",
            "contacto",
            "contatti",
            "kansli",
            "styrelsen",
            "vorstand",
            "sekretariat",
        ),
        *(
            "no-reply",
            "do_not_reply",
            "customer.service",
            "info+news",
            "info.malmo",
            "kontakt-berlin",
            "büro",
            "buero",
        ),
        *(
            "secrétariat",
            "biuro",
            "zarząd",
            "podatelna",
            "iroda",
            "toimisto",
            "kirjaamo",
            "birou",
            "γραμματεία",
            "контакти",
        ),
        *(
            "postmaster",
            "abuse",
            "bestuur",
            "redazione",
            "prensa",
            "tajnistvo",
            "valdyba",
            "kantselei",
            "geschäftsstelle",
        ),
    ],
)
def test_offices_are_known_in_the_languages_of_the_union(local):
    assert of_email(f"{local}@mail.eu") == ["role"]


@pytest.mark.parametrize(
    "local", ["anna", "anna.info", "informer", "infante", "contacta.anna", "bo+info", "rooth", "pressler"]
)
def test_people_are_no_offices(local):
    assert of_email(f"{local}@mail.eu") == []


def test_throw_away_addresses_are_known_by_their_domain():
    assert of_email("anna@mailinator.com") == of_email("anna@box.mailinator.com") == ["disposable"]
    assert of_email("info@yopmail.com") == ["role", "disposable"]
    assert of_email("anna@notmailinator.com.se") == of_email(None) == of_email("") == []
