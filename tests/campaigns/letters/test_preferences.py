"""The letter with the link to somebody's own page."""

import re

import pytest

from campaigns import letters
from supporters import consent, preferences
from supporters.models import Letter, Suppression
from tests.factories import make_supporter

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _broker(broker):
    return broker


def test_the_letter_leads_to_the_page_and_names_nobody(server, settings, client):
    settings.ORGANISATION_NAME = "RealStars"
    make_supporter(first_name="Eva", email="eva@mail.se")
    preferences.ask("eva@mail.se", "en")
    letters.work(linger=0)
    letters.work(linger=0)
    [mail] = server.mails
    assert (mail["To"], mail["Subject"]) == ("eva@mail.se", "Your choices at RealStars")
    text = mail.get_body(("plain",)).get_content()
    assert "Eva" not in text
    link = re.search(r"/en/me/\S+/", text).group()
    assert "eva@mail.se" in client.get(link).content.decode()
    assert Letter.objects.get().state == "sent"


def test_who_left_gets_it_and_whose_address_is_not_to_be_written_to_does_not(server):
    left, barred = make_supporter(email="left@mail.se"), make_supporter(email="barred@mail.se")
    consent.leave(left, method="link")
    consent.suppress(barred.email, Suppression.Reason.BY_HAND)
    for supporter in (left, barred):
        preferences.ask(supporter.email, "en")
    letters.work(linger=0)
    assert [mail["To"] for mail in server.mails] == ["left@mail.se"]
