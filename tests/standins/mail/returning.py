"""What comes back of the mails that were caught: some addresses are gone, some mailboxes full, some readers press “spam”.

Which ones, their address decides, so that the same people do so each time. It lies in a mailbox to be fetched over IMAP.
"""

from hashlib import sha256

from tests.standins.imap import Mailbox
from tests.standins.mail.store import Mail

PASSWORD = "open"
SAID = {
    "gone": ("5.1.1", "550 5.1.1 <{to}>: Recipient address rejected: User unknown"),
    "full": ("5.2.2", "552 5.2.2 <{to}>: Mailbox full"),
    "spam": ("5.7.1", "550 5.7.1 Message rejected as spam by content filter"),
}


class Returning(Mailbox):
    def __init__(self) -> None:
        super().__init__()
        self.password = PASSWORD

    @property
    def url(self) -> str:
        return f"imap://bounces:{PASSWORD}@127.0.0.1:{self.port}/INBOX"

    def hear(self, mail: Mail) -> None:
        for to in mail.to if "+" in mail.sender else []:
            fate = fate_of(to)
            if fate == "complaint":
                self.add(complaint(mail))
            elif fate:
                self.add(report(mail, to, *SAID[fate]))


def fate_of(address: str) -> str:
    """Of a hundred, two are gone, one is full, one filters us, and of two hundred one complains."""
    number = int.from_bytes(sha256(address.lower().encode()).digest()[:2], "big") % 200
    fates = {**dict.fromkeys(range(4), "gone"), 4: "full", 5: "full", 6: "spam", 7: "spam", 8: "complaint"}
    return fates.get(number, "")


def report(mail: Mail, to: str, status: str, said: str) -> bytes:
    """As Postfix writes it (RFC 3464)."""
    said = said.format(to=to)
    return (
        f"From: MAILER-DAEMON@catcher.mail.test (Mail Delivery System)\r\nTo: {mail.sender}\r\n"
        "Subject: Undelivered Mail Returned to Sender\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="=b"\r\n\r\n'
        "--=b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nThis is the mail system at host catcher.mail.test.\r\n\r\n"
        f"<{to}>: host mx.test said: {said} (in reply to RCPT TO command)\r\n\r\n"
        "--=b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; catcher.mail.test\r\n\r\n"
        f"Final-Recipient: rfc822; {to}\r\nAction: failed\r\nStatus: {status}\r\nDiagnostic-Code: smtp; {said}\r\n\r\n"
        f"--=b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {mail.message_id}\r\n\r\n--=b--\r\n"
    ).encode()


def complaint(mail: Mail) -> bytes:
    """As a feedback loop writes it, without the address (RFC 5965)."""
    return (
        f"From: fbl@catcher.mail.test\r\nTo: {mail.sender}\r\nSubject: Complaint\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="=b"\r\n\r\n'
        "--=b\r\nContent-Type: text/plain\r\n\r\nThis is an email abuse report.\r\n\r\n"
        "--=b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nVersion: 1\r\n\r\n"
        f"--=b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {mail.message_id}\r\n\r\n--=b--\r\n"
    ).encode()
