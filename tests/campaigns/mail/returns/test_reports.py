import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.mail.returns.reports import MOST_BYTES, Kind, Unreadable, read
from campaigns.mail.returns.rules import judge

OURS = "<6f1c2b7e90a44d358c113f6f0f1d2a3b@example.org>"


def report(*groups: str, original: str = f"Message-ID: {OURS}\nTo: anna@example.se") -> bytes:
    fields = "\n\n".join(["Reporting-MTA: dns; mx.example.se", *groups])
    return (
        "From: MAILER-DAEMON@mx.example.se\nTo: bounces@example.org\nSubject: Undelivered\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
        "--b\nContent-Type: text/plain\n\nSorry.\n\n"
        f"--b\nContent-Type: message/delivery-status\n\n{fields}\n\n"
        f"--b\nContent-Type: message/rfc822\n\n{original}\n\nHej\n\n--b--\n"
    ).encode()


def complaint(kind: str, *fields: str) -> bytes:
    lines = "\n".join([f"Feedback-Type: {kind}", "User-Agent: T/1", "Version: 1", *fields])
    return (
        "From: fbl@example.com\nTo: abuse@example.org\nSubject: FW: Hej\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="b"\n\n'
        f"--b\nContent-Type: text/plain\n\nA report.\n\n--b\nContent-Type: message/feedback-report\n\n{lines}\n\n"
        f"--b\nContent-Type: message/rfc822\n\nMessage-ID: {OURS}\nTo: redacted@example.com\n\nHej\n\n--b--\n"
    ).encode()


def test_read_tells_recipients_apart():
    found = read(
        report(
            "Final-Recipient: rfc822; anna@example.se\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1\n  User unknown",
            "Final-Recipient: rfc822; bo@example.se\nAction: delayed\nStatus: 4.4.1",
        )
    )
    assert found.kind == Kind.DELIVERY
    assert [(one.address, one.action, one.status, one.said) for one in found.recipients] == [
        ("anna@example.se", "failed", "5.1.1", "550 5.1.1 User unknown"),
        ("bo@example.se", "delayed", "4.4.1", ""),
    ]
    assert found.message_ids == (OURS,)


@pytest.mark.parametrize("action", ["delivered", "relayed", "expanded"])
def test_success_is_no_bounce(action):
    verdicts = judge(read(report(f"Final-Recipient: rfc822; a@b.se\nAction: {action}\nStatus: 2.0.0")))
    assert [(one.reason, one.hard, one.final) for one in verdicts] == [("delivered", False, False)]


def test_delay_is_no_bounce_whatever_else_is_said():
    fields = "Final-Recipient: rfc822; a@b.se\nAction: delayed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 User unknown"
    verdict = judge(read(report(fields)))[0]
    assert (verdict.hard, verdict.final) == (False, False)


@pytest.mark.parametrize("kind", ["abuse", "opt-out", "auth-failure", "not-spam", "fraud"])
def test_read_knows_a_complaint_and_its_type(kind):
    found = read(complaint(kind, "Original-Rcpt-To: <anna@example.se>"))
    assert (found.kind, found.feedback, found.recipients[0].address) == (Kind.FEEDBACK, kind, "anna@example.se")
    assert found.message_ids == (OURS,)


def test_read_knows_a_complaint_in_a_plain_letter():
    fields = "Feedback-Type: abuse\nUser-Agent: T/1\nOriginal-Rcpt-To: anna@example.se\n"
    found = read(f"From: fbl@example.com\nTo: us@example.org\nSubject: FW: Hej\n\nA report.\n\n{fields}\n".encode())
    assert (found.kind, found.feedback, found.recipients[0].address) == (Kind.FEEDBACK, "abuse", "anna@example.se")


@pytest.mark.parametrize(
    "spelling", ["message/x-delivery-status", "message/xdelivery-status", "text/x-delivery-status"]
)
def test_read_takes_other_spellings_of_a_report(spelling):
    raw = report("Final-Recipient: rfc822; anna@example.se\nAction: failed\nStatus: 5.1.1").replace(
        b"message/delivery-status", spelling.encode()
    )
    assert [(one.address, one.status) for one in read(raw).recipients] == [("anna@example.se", "5.1.1")]


def test_read_knows_an_automatic_answer():
    found = read(
        b"From: anna@example.se\nTo: us@example.org\nSubject: Hej\nAuto-Submitted: auto-replied\n\nI am away.\n"
    )
    assert found.kind == Kind.AUTOMATIC
    assert judge(found)[0].final is False


def test_read_knows_a_persons_letter():
    found = read(b"From: anna@example.se\nTo: us@example.org\nSubject: Thank you\n\nFor your work.\n")
    assert found.kind == Kind.OTHER
    assert judge(found)[0].hard is False


def test_read_finds_our_message_id_anywhere_in_what_was_sent_back():
    raw = f"From: mailer-daemon@x.se\nSubject: failure notice\n\n<a@b.se>:\nno such user\n\n> Message-ID: {OURS}\n".encode()
    assert OURS in read(raw).message_ids


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00" * 50,
        b"\n\n\n",
        b"Content-Type: multipart/mixed; boundary=b\n\n"
        + b"--b\nContent-Type: multipart/mixed; boundary=b\n\n" * 500,
    ],
)
def test_read_refuses_what_is_no_message(raw):
    with pytest.raises(Unreadable):
        read(raw)


@pytest.mark.parametrize("charset", ["utf-7", "no-such-charset", "unicode-1-1-utf-7", "idna", "rot13", "hex"])
def test_read_survives_broken_encodings(charset):
    raw = f"From: mailer-daemon@x.se\nSubject: =?{charset}?B?/////w==?=\nContent-Type: text/plain; charset={charset}\nContent-Transfer-Encoding: base64\n\n/////w==\n"
    assert read(raw.encode()).kind == Kind.DELIVERY


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=2000))
def test_read_takes_any_bytes(raw):
    for message in (
        raw,
        report("Final-Recipient: rfc822; a@b.se\nAction: failed")[:-40] + raw,
        b"From: a@b.se\n" + raw,
    ):
        try:
            judge(read(message))
        except Unreadable:
            continue


@pytest.mark.parametrize(
    "piece", [b"a@b.", b"<style", b"<a@b.se>:\n", b"> ", b"mailbox ", b"=?utf-8?q?", b"-- \n--b\n"]
)
def test_read_looks_at_a_bounded_share_of_huge_messages(piece):
    for head in (b"From: mailer-daemon@x.se\nSubject: failure notice\n\n", b"Subject: "):
        try:
            found = read(head + piece * (2 * MOST_BYTES // len(piece)))
        except Unreadable:
            continue
        assert len(found.text) <= 40_000
        assert len(found.recipients) <= 100
        assert all(len(verdict.said) <= 500 for verdict in judge(found))
