import pytest
from django.db import OperationalError, connection

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("path", "browser", "language", "words"),
    [
        ("/pl/p/nothing/", "en", "pl", "Ten link donikąd nie prowadzi."),
        ("/p/nothing/", "sv-SE", "sv", "Länken leder ingenstans."),
        ("/xx/p/one-law/", "en", "en", "This link leads nowhere."),
        ("/ar/give/pay/forged/", "en", "ar", 'dir="rtl"'),
        ("/pl/\u202e%00/", "en", "pl", "Ten link donikąd nie prowadzi."),
        ("/pl", "en", "en", "This link leads nowhere."),
    ],
)
def test_an_address_that_leads_nowhere_says_so_in_the_reader_s_language(client, path, browser, language, words):
    answer = client.get(path, headers={"accept-language": browser})
    assert answer.status_code == 404
    assert f'<html lang="{language}"' in answer.text
    assert answer["Content-Language"] == language
    assert words in answer.text
    assert answer["Cache-Control"] == "no-store"
    assert "unsafe-inline" not in answer["Content-Security-Policy"]
    assert path not in answer.text


def test_staff_are_told_plainly(staff_client):
    answer = staff_client.get("/admin/nothing/")
    assert answer.status_code == 404
    assert "supporters/public" not in answer.text


def test_a_page_that_failed_says_so_without_asking_the_database(client, broker):
    def away(*_call):
        raise OperationalError("eva@mail.se is not to be told")

    client.raise_request_exception = False
    with connection.execute_wrapper(away):
        answer = client.get("/ar/p/one-law/")
    assert answer.status_code == 500
    assert '<html lang="ar" dir="rtl"' in answer.text
    assert answer["Content-Language"] == "ar"
    assert "eva@mail.se" not in answer.text
