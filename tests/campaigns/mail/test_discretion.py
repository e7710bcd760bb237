"""Mail that tells nothing before it is opened."""

from email import message_from_bytes, policy
from uuid import UUID

import pytest
from django.conf import settings as all_settings
from django.utils import translation

from campaigns import appeals, letters
from campaigns.letters.note import Note
from campaigns.letters.note import message as written
from campaigns.mail import discretion, message
from campaigns.mail.message import Recipient
from campaigns.models import Appeal, AppealText
from supporters.models import Letter, Supporter
from tests.campaigns.conftest import launched, make_people
from tests.factories import ask_to_sign, make_donation, make_supporter

TELLING = "Against trafficking"
APPEAL = Appeal(pk=7, source_code="spring", sender_name="RealStars", sender_email="hej@realstars.example")


def parsed(octets):
    return message_from_bytes(octets, policy=policy.default)


def build(discreet=True, **text):
    text = AppealText(**{"language": "en", "subject": TELLING, "preheader": "Sign now", "body": "The law.", **text})
    made = message.wire(APPEAL, text, eight_bit=False, discreet=discreet)
    return parsed(made.fill(Recipient(UUID(int=1), "ann@mail.example", "Ann")))


def shown_first(mail):
    """What an inbox may show of it: the head, and how each part begins."""
    text = mail.get_body(("plain",)).get_content()
    page = mail.get_body(("html",)).get_content()
    before = page[page.index("<body") : page.index("RealStars", page.index("<body"))]
    return {"subject": mail["Subject"], "from": str(mail["From"]), "text": text[:180], "page": before}


def test_subject_sender_and_beginning_tell_nothing(settings):
    settings.ORGANISATION_NAME = "RealStars"
    mail = build()
    found = shown_first(mail)
    assert found["subject"] == "A message for you"
    assert mail["From"].addresses[0].display_name == "Info"
    for where, words in found.items():
        assert TELLING not in words, where
        assert "Sign now" not in words, where
        assert "The law." not in words, where
    assert "<title>A message for you</title>" in mail.get_body(("html",)).get_content().replace("\n", "")
    # Nothing to be seen for longer than any inbox shows.
    assert found["page"].count("\u200c") >= 60
    assert "The law." in mail.get_body(("plain",)).get_content()
    assert "The law." in mail.get_body(("html",)).get_content()


def test_the_way_out_is_the_same():
    usual, discreet = build(discreet=False), build()
    for header in ("List-Unsubscribe", "List-Unsubscribe-Post", "List-Id", "Message-ID", "To"):
        assert usual[header] == discreet[header]
    assert usual["Subject"] == TELLING


def test_it_may_come_from_an_address_that_tells_nothing_either(settings):
    settings.DISCREET_FROM_NAME, settings.DISCREET_FROM_EMAIL = "Mail", "info@post.example"
    mail = build()
    assert str(mail["From"]) == "Mail <info@post.example>"
    assert mail["List-Id"] == "<appeals.post.example>"
    assert "realstars" not in " ".join(f"{name}: {value}" for name, value in mail.items()).lower()


@pytest.mark.parametrize("language", [code for code, _name in all_settings.LANGUAGES])
def test_the_words_name_nobody_in_any_language(language, settings):
    settings.ORGANISATION_NAME = "RealStars"
    with translation.override(language):
        for words in (discretion.subject(), discretion.preview()):
            assert "RealStars" not in words
            assert "{" not in words


@pytest.mark.django_db
@pytest.mark.usefixtures("broker")
def test_an_appeal_goes_to_each_in_the_way_they_wish(server):
    usual, discreet = make_people(1)[0], make_people(1, discreet=True)[0]
    appeal = launched([usual, discreet])
    assert appeals.work(appeal.pk) == {"sent": 2}
    subjects = {mail["To"].addresses[0].addr_spec: mail["Subject"] for mail in server.mails}
    assert subjects[discreet.email] == "A message for you"
    assert subjects[usual.email].startswith("Hello")


@pytest.mark.django_db
@pytest.mark.usefixtures("broker")
@pytest.mark.parametrize("kind", ["confirm", "remind", "receipt", "preferences"])
def test_every_letter_is_discreet_for_who_wishes_so(server, settings, kind):
    settings.ORGANISATION_NAME = "RealStars"
    who = make_supporter(email="ewa@mail.se", discreet=True, language="en")
    if kind in {"confirm", "remind"}:
        signature = ask_to_sign()
        Letter.objects.update(kind=kind, signature=signature)
    elif kind == "receipt":
        gift = make_donation(supporter=who)
        Letter.objects.create(kind=kind, donation=gift, language="en")
    else:
        Letter.objects.create(kind=kind, supporter=who, language="en")
    letters.work(linger=0)
    (mail,) = server.mails
    assert mail["From"].addresses[0].display_name == "Info"
    found = shown_first(mail)
    for where, words in found.items():
        assert "RealStars" not in words, where
        assert "petition" not in words, where
        assert "gift" not in words, where
        assert "ignature" not in words, where


@pytest.mark.django_db
@pytest.mark.usefixtures("broker")
def test_who_ticks_it_while_signing_gets_the_first_letter_so(server):
    ask_to_sign(discreet=True)
    letters.work(linger=0)
    assert server.mails[0]["Subject"] == "Please confirm your address"
    assert not Supporter.objects.exists()


def test_a_letter_without_a_quiet_subject_of_its_own_has_the_common_one():
    note = Note(to="a@b.se", language="en", subject=TELLING, blocks=("Hello.",), reason="Because.")
    assert parsed(written(note, discreet=True)[1])["Subject"] == "A message for you"
    assert parsed(written(note)[1])["Subject"] == TELLING
