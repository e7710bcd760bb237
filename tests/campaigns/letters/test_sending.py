from datetime import timedelta

import pytest
from django.utils import timezone

from campaigns import letters
from supporters import consent, links, signing
from supporters.links import Link
from supporters.models import Letter, Petition, PetitionText, Suppression
from tests.factories import ask_to_sign, make_petition

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _broker(broker):
    return broker


def work():
    return letters.work(linger=0)


def test_the_letter_asks_to_confirm_in_the_signers_language(server, settings):
    petition = make_petition()
    PetitionText.objects.create(petition=petition, language="en", title="One law for all", body="x")
    signature = ask_to_sign(petition)
    assert work() is False
    mail = server.mails[0]
    link = f"{settings.SITE_URL}/en/s/{links.token(Link.CONFIRM, signature.uuid)}/"
    text = mail.get_body(("plain",)).get_content()
    assert mail["To"] == "ewa@mail.se"
    assert mail["Subject"] == "Please confirm your signature"
    assert "One law for all" in text
    assert link in text
    assert f'href="{link}"' in mail.get_body(("html",)).get_content().replace("\n", "")
    assert mail["Content-Language"] == "en"
    letter = Letter.objects.get()
    assert (letter.state, letter.times) == ("sent", 1)
    assert work() is False
    assert len(server.mails) == 1


@pytest.mark.parametrize(
    ("language", "title", "button"),
    [
        ("en", "“One law”", "Confirm your signature:\nhttp"),
        ("de", "„One law“", "Unterschrift bestätigen:\nhttp"),
        ("fr", "«\u202fOne law\u202f»", "Confirmer votre signature\u202f:\nhttp"),
    ],
)
def test_the_letter_has_the_marks_of_its_language(server, language, title, button):
    petition = make_petition()
    PetitionText.objects.create(petition=petition, language="en", title="One law", body="x")
    ask_to_sign(petition, language=language)
    work()
    text = server.mails[0].get_body(("plain",)).get_content().replace("\r\n", "\n")
    assert f"\n{title}\n" in text
    assert button in text


def test_nothing_that_was_typed_is_repeated(server):
    ask_to_sign(first_name="Buy gold", last_name="at evil dot example")
    work()
    whole = server.taken[0][1].decode()
    assert "gold" not in whole


def test_a_signature_confirmed_meanwhile_asks_nothing(server):
    signature = ask_to_sign()
    signing.confirm(signature.uuid)
    work()
    assert server.taken == []


@pytest.mark.parametrize("reason", ["hard_bounce", "complaint", "by_hand"])
def test_nothing_goes_to_an_address_that_is_never_written_to(server, reason):
    consent.suppress("ewa@mail.se", reason)
    ask_to_sign()
    work()
    assert server.taken == []


def test_who_left_is_asked_for_what_they_do_themselves(server):
    consent.suppress("ewa@mail.se", Suppression.Reason.LEFT)
    ask_to_sign()
    work()
    assert len(server.taken) == 1


def test_a_refused_letter_says_why_and_the_next_one_goes(server):
    server.answer = lambda verb, argument: "550 no such user" if verb == "RCPT" and "ewa" in argument else None
    ask_to_sign()
    ask_to_sign(email="eva@mail.se")
    work()
    states = dict(Letter.objects.values_list("signature__email", "state"))
    assert states == {"ewa@mail.se": "failed", "eva@mail.se": "sent"}
    assert "550" in Letter.objects.get(state="failed").error


def test_a_letter_that_may_have_left_is_unknown(server):
    server.answer = lambda verb, argument: "drop" if verb == "END" else None
    ask_to_sign()
    work()
    assert Letter.objects.get().state == "unknown"


def test_letters_wait_for_a_mail_server_that_is_away(server, settings):
    settings.EMAIL_PORT = 1
    ask_to_sign()
    assert work() is False
    letter = Letter.objects.get()
    assert (letter.state, letter.times) == ("owed", 0)
    assert letter.due_at > timezone.now()


def test_what_a_dead_worker_had_taken_is_unknown(server):
    ask_to_sign()
    Letter.objects.update(state="sending", taken_at=timezone.now() - timedelta(hours=1))
    assert letters.tick() == {"lost": 1}
    assert Letter.objects.get().state == "unknown"


def test_the_minutes_job_wakes_a_worker_for_what_a_lost_nudge_left(broker, monkeypatch):
    from supporters import letters as owed

    ask_to_sign()
    broker.flushdb()
    monkeypatch.setattr(owed, "_nudged", 0.0)
    letters.tick()
    assert broker.llen("default") == 1


def test_a_petition_closed_meanwhile_asks_nothing(server):
    ask_to_sign()
    Petition.objects.update(state="closed")
    work()
    assert server.taken == []
