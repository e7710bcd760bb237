import pytest
from django.utils import timezone

from campaigns.mail.returns.verp import envelope_sender
from campaigns.models import Delivery
from tests.campaigns.conftest import make_appeal
from tests.factories import make_supporter


@pytest.fixture(autouse=True)
def bounce_address(settings):
    settings.BOUNCE_ADDRESS = "bounces@lists.example.org"


def make_delivery(state="sent", **fields):
    """A delivery of an appeal to somebody who agreed to hear from us."""
    person = fields.pop("supporter", None) or make_supporter(consent=True)
    appeal = fields.pop("appeal", None) or make_appeal()
    fields = {"sent_at": timezone.now() if state not in {"queued", "sending"} else None, **fields}
    return Delivery.objects.create(appeal=appeal, supporter=person, state=state, **fields)


def bounced(
    delivery, *, said="550 5.1.1 User unknown", status="5.1.1", action="failed", address=None, to=None, original=""
):
    """A report of RFC 3464 about this delivery, as it arrives at its own address."""
    address = delivery.supporter.email if address is None else address
    to = to or envelope_sender("anna@example.org", delivery.uuid)
    recipient = f"Final-Recipient: rfc822; {address}\n" if address else ""
    return (
        f"From: MAILER-DAEMON@mx.example.se\nTo: {to}\nSubject: Undelivered\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
        "--b\nContent-Type: text/plain\n\nSorry.\n\n--b\nContent-Type: message/delivery-status\n\n"
        f"Reporting-MTA: dns; mx.example.se\n\n{recipient}Action: {action}\nStatus: {status}\nDiagnostic-Code: smtp; {said}\n\n"
        f"--b\nContent-Type: message/rfc822\n\n{original or 'Subject: Hej'}\n\nHej\n\n--b--\n"
    ).encode()


def complained(delivery, kind="abuse", to="abuse@example.org"):
    """A complaint of RFC 5965, with the address taken out as large receivers do."""
    return (
        f"From: fbl@example.com\nTo: {to}\nSubject: FW: Hej\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="b"\n\n'
        "--b\nContent-Type: text/plain\n\nA report.\n\n--b\nContent-Type: message/feedback-report\n\n"
        f"Feedback-Type: {kind}\nVersion: 1\nUser-Agent: T/1\n\n--b\nContent-Type: message/rfc822\n\n"
        f"Message-ID: <{delivery.uuid.hex}@example.org>\nTo: redacted@example.com\n\nHej\n\n--b--\n"
    ).encode()
