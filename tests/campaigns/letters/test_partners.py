"""Letters to people of partners: the invitation, and a password that was forgotten."""

import re

import pytest

from campaigns import letters
from supporters.models import Letter
from supporters.partners import members
from tests.factories import make_organisation

pytestmark = pytest.mark.django_db
PASSWORD = "a long enough password"


@pytest.fixture(autouse=True)
def _broker(broker, settings):
    settings.ORGANISATION_NAME = "RealStars"


def sent(server) -> tuple[dict, str]:
    """The last mail, and the path of its link."""
    letters.work(linger=0)
    mail = server.mails[-1]
    text = mail.get_body(("plain",)).get_content()
    return mail, re.search(r"/partners/password/\S+/", text).group()


def test_an_invitation_and_a_new_password_lead_to_the_page_that_sets_one(server, client, staff):
    aurora = make_organisation(name="Aurora")
    members.invite(aurora, "ida@aurora.example", staff)
    mail, link = sent(server)
    assert (mail["To"], mail["Subject"]) == ("ida@aurora.example", "Your login for Aurora at RealStars")
    said = {"password": PASSWORD, "again": PASSWORD}
    assert client.post(link, said).status_code == 303
    client.post("/partners/password/", {"email": "Ida@Aurora.example"})
    mail, link = sent(server)
    assert (mail["To"], mail["Subject"]) == ("ida@aurora.example", "A new password at RealStars")
    assert client.post(link, said).status_code == 303
    assert set(Letter.objects.values_list("kind", "state")) == {("invitation", "sent"), ("password", "sent")}


def test_who_was_disabled_meanwhile_gets_no_letter(server, staff):
    member = members.invite(make_organisation(), "ida@aurora.example", staff)
    members.disable(member, staff)
    letters.work(linger=0)
    assert server.mails == []
    members.enable(member, staff)
    letters.work(linger=0)
    assert [mail["To"] for mail in server.mails] == ["ida@aurora.example"]
