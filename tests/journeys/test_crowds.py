"""Signatures from processes like those of `manage.py up`: many from one network, many from everywhere; and what the logs tell."""

import re
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

import pytest

from supporters.models import Letter, PetitionText, Signature, Supporter
from tests.factories import make_petition
from tests.processes import Web, Worker, wait_for
from tests.standins.mail import MailCatcher

pytestmark = [pytest.mark.workers, pytest.mark.django_db(transaction=True)]
AT_ONCE = 16


@pytest.fixture(autouse=True)
def petition(broker):
    petition = make_petition(slug="one-law")
    PetitionText.objects.create(petition=petition, language="en", title="One law", body="A law.")
    return petition


def send(web, path, fields, visitor="192.0.2.1"):
    """The status of the answer, and what its headers and body say."""
    connection = HTTPConnection("127.0.0.1", web.port, timeout=60)
    headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Forwarded-For": visitor}
    connection.request("POST" if fields else "GET", path, urlencode(fields), headers)
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, answer.headers, body


def sign(web, number, visitor):
    fields = {"first_name": "Ewa", "email": f"ewa{number}@mail.pl", "country": "PL", "agree": "on"}
    return send(web, "/en/p/one-law/", fields, visitor)


def crowd(web, visitors):
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda each: sign(web, *each), enumerate(visitors)))


def test_many_from_one_network_are_slowed_and_from_everywhere_are_not():
    with Web(BEHIND_PROXY="yes") as web:
        everywhere = crowd(web, [f"10.{n}.7.1" for n in range(150)])
        assert {status for status, _headers, _body in everywhere} == {303}
        assert Signature.objects.count() == 150
        Signature.objects.all().delete()

        near = crowd(web, [f"198.51.100.{n % 250}" for n in range(250)])
        passed = [status for status, _headers, _body in near].count(303)
        assert passed == Signature.objects.count()
        assert 40 <= passed < 120  # what a network may at once, and one a second for as long as it took
        refused = [(headers, body) for status, headers, body in near if status == 429]
        assert len(refused) == 250 - passed
        assert all(int(headers["Retry-After"]) >= 1 and "data-puzzle" in body for headers, body in refused)
        assert sign(web, 999, "203.0.113.9")[0] == 303  # another network meanwhile


def test_nothing_personal_stands_in_any_log_of_a_whole_signing(petition):
    markers = ("Zofia", "Marker", "zofia.marker", "198.51.100.77", "00-950")
    person = {"first_name": "Zofia", "last_name": "Marker", "email": "zofia.marker@mail.pl", "country": "PL"}
    petition.asks_postcode = True
    petition.save()
    typed = {**person, "postcode": "00-950", "agree": "on", "news": "on"}
    with (
        MailCatcher() as mail,
        Web(BEHIND_PROXY="yes", LOG_LEVEL="DEBUG") as web,
        Worker("default", 1, EMAIL_URL=mail.smtp_url, SITE_URL=web.url, LOG_LEVEL="DEBUG") as worker,
    ):
        visitor = "198.51.100.77"
        assert send(web, "/pl/p/one-law/", {**typed, "email": "zofia.marker@mail"}, visitor)[0] == 422
        assert send(web, "/pl/p/one-law/", typed, visitor)[0] == 303
        wait_for(lambda: Letter.objects.filter(state="sent").exists(), "the letter to leave")
        (letter,) = mail.messages
        path = urlsplit(re.search(rf"{re.escape(web.url)}/pl/s/\S+", letter.text)[0].rstrip(".)>")).path
        token = path.split("/")[3]
        assert send(web, path, {}, visitor)[0] == 200
        assert send(web, path, {"yes": "1"}, visitor)[0] == 303
        assert Supporter.objects.get().email == "zofia.marker@mail.pl"
        assert send(web, path + "x/", {}, visitor)[0] == 404
        assert send(web, "/pl/me/", {"email": "zofia.marker@mail.pl"}, visitor)[0] == 303
        wait_for(lambda: Letter.objects.filter(kind="preferences", state="sent").exists(), "the second letter")
        said = web.output() + worker.output()
    assert "DEBUG" in said
    assert "mail.pl" not in said
    assert [each for each in (*markers, token) if each in said] == []
