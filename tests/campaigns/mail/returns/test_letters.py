"""The letters of mail servers that know of no form, as their programs write them."""

import pytest

from campaigns.mail.returns.reports import Kind, read
from campaigns.mail.returns.rules import judge

LETTERS = {
    "exim local": (
        "mailer-daemon@x.se",
        "Mail delivery failed: returning message to sender",
        """\
This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  anna@mail.se
    unknown user

------ This is a copy of the message, including all the headers. ------

Return-path: <us@x.se>
""",
        ("filtered", False),
    ),
    "exim unrouteable": (
        "mailer-daemon@x.se",
        "Mail delivery failed: returning message to sender",
        """\
The following address(es) failed:

  anna@mail.se
    Unrouteable address

------ This is a copy of the message, including all the headers. ------

Return-path: <us@x.se>
""",
        ("hostunknown", True),
    ),
    "communigate": (
        "MAILER-DAEMON@x.se",
        "Undeliverable mail: Hej",
        """\
Failed to deliver to '<anna@mail.se>'
SMTP module(domain mail.se) reports:
 host mx.mail.se says:
 550 5.1.1 User unknown

Reporting-MTA: dns; x.se

Original-Recipient: rfc822;<anna@mail.se>
Final-Recipient: system;<anna@mail.se>
Action: failed
Status: 5.0.0
""",
        ("userunknown", True),
    ),
    "notes": (
        "Postmaster@x.se",
        "DELIVERY FAILURE: User anna (anna@mail.se) not listed in public Name & Address Book",
        """\
Your message

  Subject: Hej

was not delivered to:

  anna@mail.se

because:

  User foo (anna@mail.se) not listed in public Name & Address Book
""",
        ("userunknown", True),
    ),
    "groupwise": (
        "postmaster@x.se",
        "Message status - undeliverable",
        """\
The attached file had the following undeliverable recipient(s):
	anna@mail.se

Transcript of session follows:
Command: RCPT TO:<anna@mail.se>
Response: 550 5.1.1 User unknown
""",
        ("userunknown", True),
    ),
    "interscan": (
        "InterScan MSS@x.se",
        "Mail delivery failed",
        """\
Unable to deliver message to <anna@mail.se>. Reason:
Sent <<< RCPT TO:<anna@mail.se>
Received >>> 550 5.1.1 <anna@mail.se>... user unknown
""",
        ("userunknown", True),
    ),
    "exchange ndr": (
        "System Administrator <postmaster@x.se>",
        "Undeliverable: Hej",
        """\
Your message

  To:      anna@mail.se
  Subject: Hej
  Sent:    Mon, 1 Jan 2024

did not reach the following recipient(s):

anna@mail.se on Mon, 1 Jan 2024
    The e-mail account does not exist at the organization this message was
sent to.  Check the e-mail address, or contact the recipient directly to
find out the correct address.
            <mx.x.se #5.1.1 smtp;550 5.1.1 RESOLVER.ADR.RecipNotFound; not found>
""",
        ("userunknown", True),
    ),
    "sendmail old": (
        "MAILER-DAEMON@x.se",
        "Returned mail: User unknown",
        """\
   ----- The following addresses had permanent fatal errors -----
<anna@mail.se>

   ----- Transcript of session follows -----
... while talking to mx.mail.se.:
>>> RCPT To:<anna@mail.se>
<<< 550 5.1.1 <anna@mail.se>... User unknown
550 <anna@mail.se>... User unknown

   ----- Original message follows -----
Return-Path: <us@x.se>
""",
        ("userunknown", True),
    ),
    "qmail host": (
        "MAILER-DAEMON@x.se",
        "failure notice",
        """\
Hi. This is the qmail-send program at x.se.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<anna@mail.se>:
Sorry, I couldn't find any host named mail.se. (#5.1.2)

--- Below this line is a copy of the message.

Return-Path: <us@x.se>
""",
        ("hostunknown", True),
    ),
    "qmail full": (
        "MAILER-DAEMON@x.se",
        "failure notice",
        """\
<anna@mail.se>:
203.0.113.1 does not like recipient.
Remote host said: 552 5.2.2 mailbox full
Giving up on 203.0.113.1.

--- Below this line is a copy of the message.

Return-Path: <us@x.se>
""",
        ("mailboxfull", False),
    ),
    "qq": (
        "postmaster@qq.com",
        "系统退信/Systems bounce",
        """\
抱歉，您的邮件被退回来了…
收件人 anna@mail.se
退信原因 收件人邮件地址（anna@mail.se）不存在，邮件无法送达。
host mx.mail.se said: 550 Mailbox not found (in reply to RCPT TO command)
""",
        ("userunknown", True),
    ),
    "163 full": (
        "Postmaster@163.com",
        "系统退信",
        """\
您的邮件 无法投递到 anna@mail.se
原因: 对方邮箱已满
""",
        ("mailboxfull", False),
    ),
    "docomo data": (
        "MAILER-DAEMON@x.jp",
        "Undelivered Mail Returned to Sender",
        """\
<anna@docomo.ne.jp>: host mfsmax.docomo.ne.jp[203.138.180.112] said: 550
    Unknown user anna@docomo.ne.jp (in reply to end of DATA command)
""",
        ("filtered", False),
    ),
    "softbank": (
        "MAILER-DAEMON@x.jp",
        "Returned mail",
        """\
<anna@softbank.ne.jp>: host mx.softbank.jp said: 550 Invalid recipient: <anna@softbank.ne.jp> (in reply to RCPT TO command)
""",
        ("userunknown", True),
    ),
    "orange": (
        "MAILER-DAEMON@x.fr",
        "Undelivered",
        """\
<anna@orange.fr>: host smtp-in.orange.fr said: 552 5.1.1 Boite du destinataire archivee. Archived recipient. OFR_415 [415] (in reply to RCPT TO command)
""",
        ("suspend", False),
    ),
    "gmx de": (
        "mailer-daemon@gmx.de",
        "Mail delivery failed: returning message to sender",
        """\
Diese Nachricht wurde automatisch erstellt.
Ihre E-Mail konnte nicht zugestellt werden:

"anna@mail.se":
SMTP error from remote server for RCPT TO command, host: mx.mail.se reason: 550 5.1.1 user unknown
""",
        ("userunknown", True),
    ),
    "yahoo": (
        "MAILER-DAEMON@yahoo.com",
        "Failure Notice",
        """\
Sorry, we were unable to deliver your message to the following address.

<anna@mail.se>:
550: 5.1.1 <anna@mail.se>: Recipient address rejected: User unknown

--- Below this line is a copy of the message.

Received: from [1.1.1.1]
""",
        ("userunknown", True),
    ),
}


@pytest.mark.parametrize("name", LETTERS)
def test_a_letter_of_a_mail_server_is_understood(name):
    sender, subject, body, (reason, hard) = LETTERS[name]
    head = f"From: {sender}\nTo: us@example.org\nSubject: {subject}\nContent-Type: text/plain; charset=utf-8\n"
    report = read(f"{head}Content-Transfer-Encoding: 8bit\n\n{body}".encode())
    assert report.kind == Kind.DELIVERY
    [verdict] = judge(report)
    assert verdict.address.startswith("anna@")
    assert (verdict.reason, verdict.hard) == (reason, hard)


def test_several_people_in_one_letter_are_told_apart():
    body = "<anna@mail.se>:\nmailbox full\n\n<bo@mail.se>:\nSorry, no mailbox here by that name. (#5.1.1)\n"
    report = read(f"From: MAILER-DAEMON@x.se\nTo: us@example.org\nSubject: failure notice\n\n{body}".encode())
    assert [(one.address, one.reason, one.hard) for one in judge(report)] == [
        ("anna@mail.se", "mailboxfull", False),
        ("bo@mail.se", "userunknown", True),
    ]


def test_what_is_sent_back_below_is_not_taken_for_the_servers_words():
    body = "<anna@mail.se>:\nmailbox full\n\n--- Below this line is a copy of the message.\n\nReturn-Path: <a@b.se>\n\nuser unknown\n"
    report = read(f"From: MAILER-DAEMON@x.se\nTo: us@example.org\nSubject: failure notice\n\n{body}".encode())
    assert [one.reason for one in judge(report)] == ["mailboxfull"]
    assert "user unknown" not in report.text
