"""The mail catcher, sent mail over SMTP and read over HTTP."""

import json
import smtplib
import socket
from email.message import EmailMessage
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.standins.mail import MailCatcher


@pytest.fixture
def mail():
    with MailCatcher() as mail:
        yield mail


@pytest.fixture
def smtp(mail):
    client = smtplib.SMTP("127.0.0.1", mail.smtp_port, timeout=10)
    yield client
    client.close()


def letter(to="ann@mail.se", subject="Vår lag", text="Hej Ann", html="<p>Hej <b>Ann</b></p>"):
    message = EmailMessage()
    message["From"] = "RealStars <hej@realstars.eu>"
    message["To"] = f"Ann Ek <{to}>"
    message["Subject"] = subject
    message["Message-ID"] = "<1@realstars.eu>"
    message["List-Unsubscribe"] = "<https://realstars.eu/u/token/>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    return message


def get(mail, path):
    with urlopen(f"{mail.web_url}{path}", timeout=10) as answer:
        return answer.headers, answer.read().decode()


def order(mail, **what):
    with urlopen(Request(f"{mail.web_url}__control__", json.dumps(what).encode()), timeout=10) as answer:
        return answer.status


def test_mail_is_kept_as_it_came(mail, smtp):
    smtp.send_message(letter(), "bounce+1@realstars.eu", ["ann@mail.se"])
    (caught,) = mail.messages
    assert caught.sender == "bounce+1@realstars.eu"
    assert caught.to == ["ann@mail.se"]
    assert caught.subject == "Vår lag"
    assert caught.message_id == "<1@realstars.eu>"
    assert (caught.text, caught.html) == ("Hej Ann\n", "<p>Hej <b>Ann</b></p>\n")
    assert caught.raw.startswith(b"From: RealStars <hej@realstars.eu>\r\n")
    assert mail.to("ann@mail.se") == [caught]
    assert mail.to("nn@mail.se") == []


def test_server_offers_what_a_good_one_offers(smtp):
    smtp.ehlo("realstars.eu")
    for offer in ("8bitmime", "smtputf8", "pipelining", "size", "enhancedstatuscodes"):
        assert smtp.has_extn(offer), offer


def test_address_beyond_ascii_is_taken(mail, smtp):
    smtp.send_message(letter(to="åsa@räksmörgås.se"), "hej@realstars.eu", ["åsa@räksmörgås.se"])
    assert mail.recipients() == ["åsa@räksmörgås.se"]
    assert "SMTPUTF8" in mail.messages[0].options


def test_commands_may_come_without_waiting_for_answers(mail):
    with socket.create_connection(("127.0.0.1", mail.smtp_port), 10) as connection, connection.makefile() as file:
        file.readline()
        connection.sendall(b"EHLO x\r\n")
        while file.readline().startswith("250-"):
            pass
        connection.sendall(b"MAIL FROM:<a@b.se>\r\nRCPT TO:<ann@mail.se>\r\nDATA\r\n")
        assert [file.readline()[:3] for _ in range(3)] == ["250", "250", "354"]
        connection.sendall(
            b"Subject: one\r\n\r\n..dot\r\n.\r\nMAIL FROM:<a@b.se>\r\nRCPT TO:<bo@mail.se>\r\nDATA\r\n"
        )
        assert [file.readline()[:3] for _ in range(4)] == ["250", "250", "250", "354"]
        connection.sendall(b"Subject: two\r\n\r\n.\r\nQUIT\r\n")
        assert [file.readline()[:3] for _ in range(2)] == ["250", "221"]
    assert [(m.to, m.subject) for m in mail.messages] == [(["ann@mail.se"], "one"), (["bo@mail.se"], "two")]
    assert mail.messages[0].text == ".dot\n"


def test_only_the_newest_are_kept():
    with MailCatcher(keep=2) as mail, smtplib.SMTP("127.0.0.1", mail.smtp_port) as smtp:
        for number in range(3):
            smtp.send_message(letter(subject=f"No. {number}"))
        assert [m.subject for m in mail.messages] == ["No. 1", "No. 2"]
        assert (mail.count, mail.connections) == (3, 1)


# Told to fail


@pytest.mark.parametrize("code", [550, 451])
def test_refused_recipient_is_answered_the_code(mail, smtp, code):
    mail.refuse("Gone@mail.se", code=code)
    with pytest.raises(smtplib.SMTPRecipientsRefused) as failure:
        smtp.send_message(letter(to="gone@mail.se"))
    assert failure.value.recipients["gone@mail.se"][0] == code
    smtp.send_message(letter())
    assert mail.recipients() == ["ann@mail.se"]


def test_refusal_may_be_for_once(mail, smtp):
    mail.refuse("ann@mail.se", code=451, times=1)
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        smtp.send_message(letter())
    smtp.send_message(letter())
    assert mail.count == 1


@pytest.mark.parametrize(
    ("stage", "failure"),
    [
        ("connect", smtplib.SMTPConnectError),
        ("mail", smtplib.SMTPSenderRefused),
        ("rcpt", smtplib.SMTPRecipientsRefused),
        ("data", smtplib.SMTPDataError),
    ],
)
def test_failing_hits_the_stage_it_was_told(mail, stage, failure):
    mail.fail(code=421 if stage == "connect" else 451, stage=stage)
    with pytest.raises(failure), smtplib.SMTP("127.0.0.1", mail.smtp_port, timeout=10) as smtp:
        smtp.send_message(letter())
    with smtplib.SMTP("127.0.0.1", mail.smtp_port, timeout=10) as smtp:
        smtp.send_message(letter())
    assert mail.count == 1


def test_connection_is_closed_after_so_many_mails(mail, smtp):
    mail.close_after(2)
    smtp.send_message(letter())
    smtp.send_message(letter())
    with pytest.raises(smtplib.SMTPSenderRefused) as failure:
        smtp.send_message(letter())
    assert failure.value.smtp_code == 421
    assert smtp.sock is None
    with smtplib.SMTP("127.0.0.1", mail.smtp_port, timeout=10) as another:
        another.send_message(letter())
    assert mail.count == 3


@pytest.mark.parametrize("kept", [True, False])
def test_dropped_connection_leaves_the_fate_unknown(mail, smtp, kept):
    mail.drop(kept=kept)
    with pytest.raises(smtplib.SMTPServerDisconnected):
        smtp.send_message(letter())
    assert mail.count == int(kept)


def test_stalled_answer_comes_when_calm(mail):
    mail.stall(kept=True)
    impatient = smtplib.SMTP("127.0.0.1", mail.smtp_port, timeout=0.3)
    with pytest.raises((TimeoutError, smtplib.SMTPServerDisconnected)):
        impatient.send_message(letter())
    impatient.close()
    assert mail.count == 1
    mail.stall(seconds=0.05)
    with smtplib.SMTP("127.0.0.1", mail.smtp_port, timeout=10) as smtp:
        smtp.send_message(letter())
    assert mail.count == 2


def test_server_that_is_down_comes_up_on_its_port(mail, smtp):
    port = mail.smtp_port
    mail.down()
    with pytest.raises(smtplib.SMTPServerDisconnected):
        smtp.send_message(letter())
    with pytest.raises(ConnectionRefusedError):
        smtplib.SMTP("127.0.0.1", port, timeout=10)
    mail.up()
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as again:
        again.send_message(letter())
    assert mail.count == 1


@pytest.mark.filterwarnings("ignore:Requiring AUTH")
def test_wrong_password_is_refused():
    with MailCatcher(login=("lodestar", "right")) as mail:
        with smtplib.SMTP("127.0.0.1", mail.smtp_port, timeout=10) as smtp:
            with pytest.raises(smtplib.SMTPSenderRefused) as failure:
                smtp.send_message(letter())
            assert failure.value.smtp_code == 530
            with pytest.raises(smtplib.SMTPAuthenticationError):
                smtp.login("lodestar", "wrong")
        with smtplib.SMTP("127.0.0.1", mail.smtp_port, timeout=10) as smtp:
            smtp.login("lodestar", "right")
            smtp.send_message(letter())
        assert mail.count == 1


# Pages


def test_list_shows_the_newest_first_and_finds_a_recipient(mail, smtp):
    smtp.send_message(letter(subject="First"))
    smtp.send_message(letter(to="bo@mail.se", subject="Second <i>"))
    _, page = get(mail, "")
    assert page.index("Second &lt;i&gt;") < page.index("First")
    assert "2 mails" in page
    _, page = get(mail, "?to=BO@")
    assert "Second" in page
    assert "First" not in page
    assert "No mail to such an address." in get(mail, "?to=cid")[1]


def test_list_is_paged(mail, smtp):
    for number in range(51):
        smtp.send_message(letter(subject=f"No. {number:02}"))
    page = get(mail, "")[1]
    assert "No. 50" in page
    assert "No. 00" not in page
    assert 'href="/?from=50"' in page
    assert "No. 00" in get(mail, "?from=50")[1]


def test_mail_is_shown_with_its_parts_and_a_one_click_button(mail, smtp):
    smtp.send_message(letter())
    _, page = get(mail, "messages/1")
    assert '<iframe sandbox="allow-popups allow-popups-to-escape-sandbox" src="/messages/1/html"' in page
    assert 'method="post" action="https://realstars.eu/u/token/"' in page
    assert "Hej Ann" in get(mail, "messages/1?view=text")[1]
    assert "&lt;1@realstars.eu&gt;" in get(mail, "messages/1?view=headers")[1]
    assert get(mail, "messages/1/raw")[1] == mail.messages[0].raw.decode()


def test_html_of_a_mail_runs_nothing(mail, smtp):
    smtp.send_message(letter(html="<html><head><title>x</title></head><p>Hi<script>alert(1)</script>"))
    headers, html = get(mail, "messages/1/html")
    assert headers["Content-Security-Policy"].startswith("sandbox allow-popups")
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert html.startswith('<html><head><base target="_blank"><title>')


def test_pictures_that_came_along_are_shown(mail, smtp):
    message = letter(html='<img src="cid:logo@realstars.eu">')
    message.get_body(("html",)).add_related(b"PNG", "image", "png", cid="<logo@realstars.eu>")
    smtp.send_message(message)
    assert '<img src="/messages/1/parts/0">' in get(mail, "messages/1/html")[1]
    headers, picture = get(mail, "messages/1/parts/0")
    assert (headers["Content-Type"], picture) == ("image/png", "PNG")


def test_mail_that_is_not_there_is_404(mail):
    with pytest.raises(HTTPError) as failure:
        get(mail, "messages/1")
    assert failure.value.code == 404


def test_mail_of_broken_making_is_shown_all_the_same(mail, smtp):
    smtp.sendmail("a@b.se", ["ann@mail.se"], b"Content-Type: text/plain; charset=nosuch\r\n\r\nHi \xe5\r\n")
    assert "(no subject)" in get(mail, "")[1]
    assert "Hi å" in get(mail, "messages/1")[1]


def test_json_tells_every_mail(mail, smtp):
    smtp.send_message(letter())
    smtp.send_message(letter(to="bo@mail.se"))
    told = json.loads(get(mail, "messages.json?to=ann")[1])
    assert told["count"] == 2
    (first,) = told["messages"]
    del first["received"], first["size"]
    assert first == {
        "id": 1,
        "sender": "hej@realstars.eu",
        "to": ["ann@mail.se"],
        "from": "RealStars <hej@realstars.eu>",
        "subject": "Vår lag",
        "message_id": "<1@realstars.eu>",
        "list_unsubscribe": "<https://realstars.eu/u/token/>",
    }
    assert len(json.loads(get(mail, "messages.json?count=1")[1])["messages"]) == 1


def test_control_tells_it_to_fail_from_outside(mail, smtp):
    assert order(mail, do="refuse", address="ann@mail.se") == 200
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        smtp.send_message(letter())
    assert order(mail, do="calm") == 200
    smtp.send_message(letter())
    with pytest.raises(HTTPError) as failure:
        order(mail, do="stop")
    assert failure.value.code == 400
