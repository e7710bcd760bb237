import smtplib

from campaigns.mail.returns.reports import read
from campaigns.mail.returns.rules import judge
from tests.standins.mail import MailCatcher
from tests.standins.mail.returning import Returning, fate_of

LETTER = b"From: a@r.eu\r\nMessage-ID: <6f1c2b7e90a44d358c113f6f0f1d2a3b@r.eu>\r\n\r\nHej\r\n"


def address(fate):
    return next(found for number in range(10_000) if fate_of(found := f"ann{number}@mail.se") == fate)


def test_some_of_what_was_caught_comes_back_as_real_servers_write_it():
    with Returning() as returning, MailCatcher(heard=returning.hear) as mail:
        with smtplib.SMTP("127.0.0.1", mail.smtp_port, timeout=10) as client:
            for fate in ("", "gone", "full", "spam", "complaint"):
                client.sendmail("bounces+x@r.eu", [address(fate)], LETTER)
            client.sendmail("hej@r.eu", [address("gone")], LETTER)
        reports = [read(raw) for raw in returning.messages.values()]
    assert [(verdict.reason, verdict.hard) for report in reports for verdict in judge(report)] == [
        ("userunknown", True),
        ("mailboxfull", False),
        ("spamdetected", False),
        ("feedback", False),
    ]
    assert all(report.arrived_for == ("bounces+x@r.eu",) for report in reports)
