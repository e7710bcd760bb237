from email import message_from_bytes, policy
from uuid import UUID

import pytest

from campaigns.mail import message
from campaigns.mail.message import AddressUnusable, Recipient
from campaigns.models import Appeal, AppealText

UUID_1 = UUID("11111111-2222-3333-4444-555555555555")
APPEAL = Appeal(
    pk=7,
    source_code="spring",
    sender_name="Malin på RealStars",
    sender_email="hej@realstars.example",
    reply_to="svar@realstars.example",
)


def build(appeal=APPEAL, body="Hej {{ first_name }}", subject="Åsa & co", eight_bit=False, **person):
    recipient = Recipient(**{"delivery": UUID_1, "email": "ann@mail.example", "first_name": "Ann", **person})
    text = AppealText(language="sv", subject=subject, body=body)
    return message.wire(appeal, text, eight_bit=eight_bit).fill(recipient)


def parsed(raw):
    return message_from_bytes(raw, policy=policy.default)


def test_headers_of_bulk_mail_are_there(settings):
    settings.SITE_URL = "https://crm.example"
    mail = parsed(build())
    assert mail["From"].addresses[0].display_name == "Malin på RealStars"
    assert mail["From"].addresses[0].addr_spec == "hej@realstars.example"
    assert mail["To"].addresses[0].addr_spec == "ann@mail.example"
    assert mail["Reply-To"] == "svar@realstars.example"
    assert mail["Subject"] == "Åsa & co"
    assert mail["Message-ID"] == f"<{UUID_1.hex}@realstars.example>"
    assert mail["List-Id"] == "<appeals.realstars.example>"
    assert mail["List-Unsubscribe"] == f"<{message.unsubscribe_url(UUID_1)}>"
    assert mail["List-Unsubscribe"].startswith("<https://crm.example/u/")
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["Feedback-ID"] == "7:0:sv:lodestar"
    assert mail["Date"].datetime is not None
    assert "Auto-Submitted" not in mail
    assert "Precedence" not in mail


def test_the_message_is_ascii_with_a_text_and_an_html_part():
    raw = build(body="Räksmörgås " * 100 + "\n\n.dot at the start")
    assert raw.isascii()
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    mail = parsed(raw)
    text, html = mail.iter_parts()
    assert [text.get_content_type(), html.get_content_type()] == ["text/plain", "text/html"]
    assert "Räksmörgås" in text.get_content()
    assert "Räksmörgås" in html.get_content()


def test_no_name_can_add_a_header():
    mail = parsed(build(subject="For {{ name }}", first_name="Ann\r\nBcc: all@example.org", last_name="\nX: y"))
    assert "Bcc" not in mail
    assert "X" not in mail
    assert mail["Subject"] == "For Ann Bcc: all@example.org X: y"


@pytest.mark.parametrize("name", ['Ann "The" <b@c.example>', "Ann, Bo; Co", "安娜", "Ann (x)", "=?utf-8?q?x?="])
def test_odd_names_leave_the_address_alone(name):
    mail = parsed(build(first_name=name))
    assert mail["To"].addresses[0].addr_spec == "ann@mail.example"
    assert len(mail["To"].addresses) == 1


def test_an_address_outside_ascii_is_written_as_it_is():
    raw = build(email="jörgen@mail.example")
    assert "jörgen@mail.example".encode() in raw


def test_an_address_that_no_header_can_hold_is_refused():
    with pytest.raises(AddressUnusable):
        build(email="ann@mail\r\n.example")


def test_source_code_joins_what_the_address_has():
    assert message.with_source("https://a.example/give?x=1#top", "vår") == (
        "https://a.example/give?x=1&source=v%C3%A5r#top"
    )
    assert message.with_source("", "spring") == ""
