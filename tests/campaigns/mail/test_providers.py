import json
import socket
import threading
from collections import deque
from uuid import uuid4

import pytest

from campaigns.appeals.sending import work
from campaigns.mail import message, way_out
from campaigns.mail.message import Recipient
from campaigns.mail.providers import Provider
from campaigns.mail.transport import InDoubt, Mail, Pool, Refused, Unreachable
from campaigns.models import Appeal
from config import env
from tests.campaigns.conftest import launched, make_appeal, make_people, make_text
from tests.standins import provider as standin

pytestmark = pytest.mark.django_db
URLS = {
    "brevo": "brevo://key@?api={}",
    "mailersend": "mailersend://key@?api={}",
    "mailgun": "mailgun://key@example.org?api={}",
    "mailjet": "mailjet://key:secret@?api={}",
    "mandrill": "mandrill://key@?api={}",
    "postmark": "postmark://key@?api={}&stream=broadcast",
    "resend": "resend://key@?api={}",
    "sendgrid": "sendgrid://key@?api={}",
    "sparkpost": "sparkpost://key@?api={}",
}


INACTIVE = (
    "You tried to send to recipient(s) that have been marked as inactive. Found inactive addresses: anna2@mail.se. "
    "Inactive recipients are ones that have generated a hard bounce, a spam complaint, or a manual suppression."
)


class Outbox:
    """Holds messages for a transport, and keeps what became of each."""

    def __init__(self, *mails):
        self.mails = deque(mails)
        self.ends = {}
        self.withheld = set()

    def next(self, eight_bit):
        return self.mails.popleft() if self.mails else None

    def waiting(self):
        return len(self.mails)

    def over(self):
        return not self.mails

    def may_leave(self, mail):
        return mail.key not in self.withheld

    def done(self, mail, failure):
        assert mail.key not in self.ends
        self.ends[mail.key] = failure

    def put_back(self, mail):
        assert mail.key not in self.ends
        self.ends[mail.key] = "back"


@pytest.fixture
def esp(settings, monkeypatch):
    with standin.Provider() as esp:
        use(settings, monkeypatch, esp.url)
        yield esp


def use(settings, monkeypatch, url, name="postmark"):
    monkeypatch.setenv("EMAIL_URL", URLS[name].format(url))
    settings.EMAIL_PROVIDER = env.mail_provider()
    settings.ANYMAIL = {"REQUESTS_TIMEOUT": 5}


def mails(number=1):
    appeal = make_appeal(languages=())
    text = make_text(appeal, body="Dear {{ first_name }},\n\n.dots stay, åäö too.")
    skeleton = message.wire(appeal, text, eight_bit=True)
    made = []
    for key in range(1, number + 1):
        delivery = uuid4()
        to = f"anna{key}@mail.se"
        made.append(Mail(key, "bounces@example.org", to, skeleton.fill_wire(Recipient(delivery, to, "Åsa", "Öst"))))
    return made


def carry(*made, size=1):
    outbox = Outbox(*made)
    transport = Provider(size)
    try:
        transport.carry(outbox)
    finally:
        transport.close()
    return outbox


@pytest.mark.parametrize("name", URLS)
def test_each_provider_gets_the_message_with_its_headers_and_number(settings, monkeypatch, esp, name):
    use(settings, monkeypatch, esp.url, name)
    [mail] = mails()
    assert carry(mail).ends == {1: None}
    [body] = esp.bodies
    number = mail.body.partition(b"Message-ID: <")[2].partition(b"@")[0].decode()
    assert "anna1@mail.se" in body
    assert number in body
    assert "List-Unsubscribe" in body
    assert "List-Unsubscribe=One-Click" in body
    assert "<html" in body
    assert "Dear Åsa" in body


def test_the_texts_arrive_as_they_were_written(esp):
    [mail] = mails()
    carry(mail)
    sent = json.loads(esp.requests[0][2])
    assert sent["TextBody"].startswith("Dear Åsa,\n\n.dots stay, åäö too.")
    assert sent["To"] == "Åsa Öst <anna1@mail.se>"
    assert sent["MessageStream"] == "broadcast"
    assert esp.requests[0][1]["X-Postmark-Server-Token"] == "key"


@pytest.mark.parametrize(
    ("answer", "end", "says"),
    [
        (
            (422, {"ErrorCode": 406, "Message": INACTIVE}),
            Refused,
            "does not send to this address",
        ),
        ((422, {"ErrorCode": 300, "Message": "Invalid 'To' address"}), Refused, "Invalid 'To' address"),
        ((413, {"Message": "too large"}), Refused, "too large"),
        ((500, {"Message": "oops"}), InDoubt, "does not tell"),
        ((502, b"<html>"), InDoubt, "does not tell"),
        ((200, b"no JSON"), InDoubt, "does not tell"),
        (standin.DROP, InDoubt, "broke"),
    ],
)
def test_an_answer_is_a_refusal_or_leaves_us_in_doubt(esp, answer, end, says):
    first, second = mails(2)
    esp.answers = [None, answer]
    ends = carry(first, second).ends
    assert ends[1] is None
    assert isinstance(ends[2], end)
    assert says in str(ends[2])


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ((401, {"Message": "bad token"}), "refuses our key"),
        ((403, {"Message": "account closed"}), "refuses our key or our account"),
        ((429, {"Message": "slow down"}), "asks us to wait"),
        ((503, b"maintenance"), "asks us to wait"),
    ],
)
def test_an_answer_about_us_stops_everything_and_costs_nobody(esp, answer, says):
    esp.usual = answer
    outbox = Outbox(*mails(3))
    with pytest.raises(Unreachable, match=says):
        Provider(1).carry(outbox)
    assert outbox.ends == {1: "back"}
    assert len(esp.requests) == 1


def test_the_same_refusal_for_everybody_is_about_us(esp):
    """A sender that is not confirmed there must not use up a whole appeal."""
    esp.usual = (422, {"ErrorCode": 400, "Message": "The 'From' address you supplied is not a Sender Signature"})
    outbox = Outbox(*mails(6))
    with pytest.raises(Unreachable, match="refuses everything"):
        Provider(1).carry(outbox)
    assert [type(outbox.ends[1]), type(outbox.ends[2]), outbox.ends[3]] == [Refused, Refused, "back"]
    assert len(outbox.mails) == 3


def test_nobody_there_is_no_doubt(settings, monkeypatch):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        use(settings, monkeypatch, f"http://127.0.0.1:{nobody.getsockname()[1]}")
        outbox = Outbox(*mails())
        with pytest.raises(Unreachable, match="can't be reached"):
            Provider(1).carry(outbox)
    assert outbox.ends == {1: "back"}


def test_a_slow_answer_leaves_us_in_doubt(settings, esp):
    settings.ANYMAIL = {"REQUESTS_TIMEOUT": 0.2}
    wait = threading.Event()
    esp.answers = [wait]
    try:
        ends = carry(*mails()).ends
    finally:
        wait.set()
    assert isinstance(ends[1], InDoubt)


def test_several_requests_are_under_way_at_once(esp):
    """Each of three waits until all three have come: one after the other none would ever be answered."""
    together = threading.Barrier(3, timeout=20)

    class Together(threading.Event):
        def wait(self, timeout=None):
            together.wait()
            return True

    esp.answers = [Together(), Together(), Together()]
    assert carry(*mails(3), size=3).ends == {1: None, 2: None, 3: None}


def test_who_may_not_be_written_to_any_more_is_not_sent_to(esp):
    outbox = Outbox(*mails(2))
    outbox.withheld = {1}
    Provider(2).carry(outbox)
    assert outbox.ends == {2: None}
    assert len(esp.requests) == 1


def test_transport_is_the_providers_only_if_one_is_set(settings, esp):
    assert isinstance(way_out.transport(2), Provider)
    settings.EMAIL_PROVIDER = {}
    assert isinstance(way_out.transport(2), Pool)


def outcomes(appeal):
    return sorted(appeal.deliveries.values_list("state", flat=True))


def test_an_appeal_goes_out_with_the_same_ledger(esp, broker):
    appeal = launched(make_people(7))
    assert work(appeal.pk) == {"sent": 7}
    assert outcomes(appeal) == ["sent"] * 7
    numbers = {json.loads(body)["Metadata"]["delivery"] for _path, _headers, body in esp.requests}
    assert numbers == {uuid.hex for uuid in appeal.deliveries.values_list("uuid", flat=True)}
    appeal.refresh_from_db()
    assert appeal.state == "sent"


def test_a_provider_that_is_away_costs_an_appeal_nothing(esp, broker):
    appeal = launched(make_people(7))
    esp.usual = (401, {"Message": "bad token"})
    assert work(appeal.pk) == {}
    assert outcomes(appeal) == ["queued"] * 7
    assert set(appeal.deliveries.values_list("attempts", "claim")) == {(0, None)}
    appeal.refresh_from_db()
    assert "refuses our key" in appeal.trouble
    esp.usual = None
    Appeal.objects.update(retry_at=None)
    assert work(appeal.pk) == {"sent": 7}


def test_a_connection_that_breaks_leaves_one_in_doubt_and_is_never_repeated(settings, esp, broker):
    settings.MAIL_CONNECTIONS = 1
    appeal = launched(make_people(5))
    esp.answers = [None, standin.DROP]
    assert work(appeal.pk) == {"sent": 4, "unknown": 1}
    assert work(appeal.pk) == {}
    assert len(esp.requests) == 5
