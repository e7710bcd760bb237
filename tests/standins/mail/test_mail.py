import smtplib
from email.message import EmailMessage
from urllib.request import urlopen

import pytest

from tests.standins.mail import MailCatcher


@pytest.fixture
def mail():
    with MailCatcher() as catcher:
        yield catcher


def message(to: str = "asa@mail.se") -> EmailMessage:
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = "RealStars <hej@realstars.test>", to, "Hej Åsa"
    letter.set_content("I text.")
    letter.add_alternative("<p>I html.</p>", subtype="html")
    return letter


def send(mail: MailCatcher, to: str = "asa@mail.se") -> None:
    with smtplib.SMTP("127.0.0.1", mail.smtp_port, timeout=5) as client:
        client.send_message(message(to))


def test_a_message_is_kept_and_can_be_read(mail):
    send(mail)
    (caught,) = mail.messages
    assert (caught.recipients, caught.subject, caught.part("plain").strip()) == (
        ["asa@mail.se"],
        "Hej Åsa",
        "I text.",
    )
    with urlopen(mail.web_url) as page:
        assert "Hej Åsa" in page.read().decode()
    with urlopen(mail.web_url + "1/html") as page:
        assert page.read().decode().strip() == "<p>I html.</p>"
        assert "sandbox" in page.headers["Content-Security-Policy"]


def test_a_recipient_is_refused_when_told_to(mail):
    mail.faults.refused["gone@mail.se"] = "550 5.1.1 No such user"
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        send(mail, "gone@mail.se")
    assert not mail.messages


def test_a_connection_is_dropped_after_data_with_the_message_kept(mail):
    mail.faults.drop_after_data = 1
    with pytest.raises(smtplib.SMTPServerDisconnected):
        send(mail)
    assert len(mail.messages) == 1
    send(mail)
    assert len(mail.messages) == 2


def test_a_busy_server_answers_421(mail):
    send(mail)
    mail.faults.busy_after = 1
    with pytest.raises((smtplib.SMTPResponseException, smtplib.SMTPServerDisconnected)):
        send(mail)
    assert len(mail.messages) == 1
