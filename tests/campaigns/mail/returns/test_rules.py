"""What real mail servers say, by what it means; the wordings are from their documentation and sources."""

import pytest

from campaigns.mail.returns.reasons import Reason
from campaigns.mail.returns.reports import Kind, Recipient, Report
from campaigns.mail.returns.rules import judge

SAYINGS = [
    # Nobody there: the status or the command says that it is about the recipient.
    (
        "5.1.1",
        "550 5.1.1 <a@b.se>: Recipient address rejected: User unknown in virtual mailbox table",
        "userunknown",
        True,
    ),
    (
        "5.1.1",
        "550-5.1.1 The email account that you tried to reach does not exist. Please try 550-5.1.1 double-checking",
        "userunknown",
        True,
    ),
    ("5.1.1", "550 5.1.1 <a@b.se>... User unknown", "userunknown", True),
    ("5.1.1", "550 5.1.1 RESOLVER.ADR.RecipNotFound; not found", "userunknown", True),
    (
        "5.1.10",
        "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup",
        "userunknown",
        True,
    ),
    ("5.5.0", "550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302).", "userunknown", True),
    ("5.0.0", "550 No such user here (in reply to RCPT TO command)", "userunknown", True),
    ("5.0.0", "550 unknown user (in reply to RCPT TO command)", "userunknown", True),
    ("5.0.0", "550 Invalid recipient <a@b.se> (in reply to RCPT TO command)", "userunknown", True),
    (
        "5.0.0",
        "554 delivery error: dd This user doesn't have a yahoo.com account (a@yahoo.com) [0]",
        "userunknown",
        True,
    ),
    (
        "5.0.0",
        "554 30 Sorry, your message to a@aol.com cannot be delivered. This mailbox is disabled (554.30).",
        "suspend",
        False,
    ),
    ("5.1.1", "550 5.1.1 sorry, no mailbox here by that name (#5.1.1)", "userunknown", True),
    ("5.1.1", '550 5.1.1 Mailbox "a@b.se" unknown: invalid mailbox', "userunknown", True),
    ("5.1.0", "550 #5.1.0 Address rejected.", "userunknown", True),
    ("5.4.1", "550 5.4.1 Recipient address rejected: Access denied. AS(201806281)", "userunknown", True),
    (
        "5.1.1",
        "550 5.1.1 Adresse d au moins un destinataire invalide. Invalid recipient. OFR_416 [416]",
        "userunknown",
        True,
    ),
    ("5.1.1", "550 5.1.1 <a@web.de> Benutzer hier unbekannt", "userunknown", True),
    ("5.1.1", "550 5.1.1 Mailbox does not exist!", "userunknown", True),
    ("5.1.1", "550 5.1.1 unknown or illegal alias: a@me.com", "userunknown", True),
    ("5.0.0", "550 Mail content denied... no, 用户不存在 (in reply to RCPT TO command)", "userunknown", True),
    ("5.7.1", "550 5.7.1 <a@b.se>... Recipient unknown (in reply to RCPT TO command)", "userunknown", True),
    (
        "5.2.1",
        "550 5.2.1 <a@b.se>: Recipient address rejected: this mailbox is inactive and has been disabled",
        "suspend",
        False,
    ),
    # Said of the whole message, it is a filter's way to say no.
    ("5.0.0", "550 Unknown user a@docomo.ne.jp (in reply to end of DATA command)", "filtered", False),
    ("5.0.0", "550 : User unknown", "filtered", False),
    # No such host.
    (
        "5.4.4",
        "Host or domain name not found. Name service error for name=b.se type=AAAA: Host not found",
        "hostunknown",
        True,
    ),
    ("5.1.2", "550 Host unknown (Authoritative answer from name server)", "hostunknown", True),
    (
        "5.1.2",
        "DNS Error: 3 DNS type 'mx' lookup of b.se responded with code NXDOMAIN Domain name not found: b.se",
        "hostunknown",
        True,
    ),
    ("5.1.2", 'Unrouteable mail domain "b.se"', "hostunknown", True),
    ("5.4.310", "550 5.4.310 DNS domain b.se does not exist [Message=InfoDomainNonexistent]", "hostunknown", True),
    ("5.1.2", "Sorry, I couldn't find any host named b.se. (#5.1.2)", "hostunknown", True),
    (
        "4.4.3",
        "Host or domain name not found. Name service error for name=b.se type=MX: Host not found, try again",
        "networkerror",
        False,
    ),
    # Moved.
    ("5.1.6", "551 5.1.6 User has moved; please try <c@d.se>", "hasmoved", True),
    ("5.1.6", "550 5.1.6 recipient no longer on server: a@me.com", "hasmoved", True),
    # Takes no mail.
    ("5.1.10", "Domain b.se does not accept mail (nullMX)", "notaccept", True),
    ("5.1.10", "556 5.1.10 Recipient address has null MX", "notaccept", True),
    ("5.3.2", "554 5.3.2 Host does not accept mail", "notaccept", True),
    # Full, or over a limit.
    (
        "5.2.2",
        "552-5.2.2 The email account that you tried to reach is over quota and inactive.",
        "mailboxfull",
        False,
    ),
    ("4.2.2", "452-4.2.2 The recipient's inbox is out of storage space.", "mailboxfull", False),
    ("5.2.2", "554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException", "mailboxfull", False),
    ("5.0.0", "552 Requested mail action aborted: exceeded storage allocation", "mailboxfull", False),
    ("5.2.2", "550 5.2.2 Boite du destinataire pleine. Recipient overquota. OFR_417 [417]", "mailboxfull", False),
    ("5.0.0", "550 Benutzer hat zuviele Mails auf dem Server. Quota exceeded", "mailboxfull", False),
    ("5.3.4", "552 5.3.4 Message size exceeds fixed limit", "mesgtoobig", False),
    ("5.3.4", "552-5.3.4 Your message exceeded Google's message size limits.", "mesgtoobig", False),
    # We are not wanted: this must not cost a donor.
    ("5.7.1", "550 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using Spamhaus", "blocked", False),
    ("5.7.606", "550 5.7.606 Access denied, banned sending IP [192.0.2.1]", "blocked", False),
    (
        "5.7.1",
        "550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3140).",
        "blocked",
        False,
    ),
    (
        "5.7.1",
        "554 5.7.1 [192.0.2.1] has been blocked. For more information, please visit barracudacentral.org",
        "blocked",
        False,
    ),
    (
        "4.7.0",
        "421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints",
        "badreputation",
        False,
    ),
    (
        "5.7.1",
        "550-5.7.1 [192.0.2.1] Our system has detected that this message is likely unsolicited mail. To reduce the amount of spam sent to Gmail, this message has been blocked.",
        "spamdetected",
        False,
    ),
    (
        "5.7.26",
        "550-5.7.26 Unauthenticated email from example.org is not accepted due to domain's DMARC policy.",
        "authfailure",
        False,
    ),
    (
        "5.7.509",
        "550 5.7.509 Access denied, sending domain EXAMPLE.ORG does not pass DMARC verification",
        "authfailure",
        False,
    ),
    (
        "5.7.23",
        "550 5.7.23 The message was rejected because of Sender Policy Framework violation",
        "authfailure",
        False,
    ),
    (
        "5.7.25",
        "550-5.7.25 The IP address sending this message does not have a PTR record setup",
        "requireptr",
        False,
    ),
    (
        "5.7.1",
        "554 5.7.1 The message was rejected because it contains prohibited virus or spam content",
        "virusdetected",
        False,
    ),
    ("5.7.1", "550 5.7.1 Message rejected due to local policy", "policyviolation", False),
    (
        "5.7.9",
        "554 5.7.9 Message not accepted for policy reasons. See https://postmaster.yahooinc.com/error-codes",
        "policyviolation",
        False,
    ),
    ("5.7.1", "550 5.7.1 Unable to relay", "norelaying", False),
    ("5.1.8", "553 5.1.8 <a@b.se>... Domain of sender address a@b.se does not exist", "rejected", False),
    (
        "5.7.1",
        "550 5.7.1 Sender address rejected: not owned by user (in reply to MAIL FROM command)",
        "rejected",
        False,
    ),
    ("5.2.0", "550 5.2.0 Mail rejete. Mail rejected. ofr_506 [506]", "spamdetected", False),
    (
        "5.7.133",
        "550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required",
        "securityerror",
        False,
    ),
    ("5.7.1", "550 5.7.1 Your email has been blocked by the recipient's spam filter", "spamdetected", False),
    # For now.
    ("4.2.0", "450 4.2.0 <a@b.se>: Recipient address rejected: Greylisted", None, False),
    (
        "4.1.1",
        "450 4.1.1 <a@b.se>: Recipient address rejected: unverified address: Address verification in progress",
        None,
        False,
    ),
    (
        "4.7.28",
        "421-4.7.28 Our system has detected an unusual rate of unsolicited mail originating from your IP address.",
        None,
        False,
    ),
    ("4.4.1", "connect to b.se[192.0.2.1]:25: Connection timed out", "expired", False),
    ("4.4.7", "Message could not be delivered for 5 days", "expired", False),
    ("5.4.6", "554 5.4.6 Too many hops", "networkerror", False),
    ("4.3.1", "452 4.3.1 Insufficient system storage", "systemfull", False),
    ("4.7.0", "421 4.7.0 Too many connections from your IP", "toomanyconn", False),
    # Nobody can make sense of these.
    ("5.0.0", "550 qwerty", "onhold", False),
    ("", "", "onhold", False),
]


@pytest.mark.parametrize(("status", "said", "reason", "hard"), SAYINGS)
def test_judge_reads_a_servers_words_by_their_meaning(status, said, reason, hard):
    report = Report(Kind.DELIVERY, (Recipient("a@b.se", "failed", status, said),))
    verdict = judge(report)[0]
    assert verdict.hard is hard, verdict
    if reason:
        assert verdict.reason == Reason(reason), verdict
