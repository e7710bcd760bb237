import hashlib
import hmac
import json
from base64 import b64encode

import pytest

from campaigns.mail.returns.applying import apply_owed
from campaigns.models import Return, ReturnedMessage
from supporters.models import Supporter
from tests.campaigns.mail.returns.conftest import make_delivery

pytestmark = pytest.mark.django_db
SECRET = "lodestar:a-long-password-of-ours"
POSTMARK = "/webhooks/mail/postmark/"


@pytest.fixture(autouse=True)
def _secret(settings):
    settings.ANYMAIL = {"WEBHOOK_SECRET": SECRET}


def post(client, url, data, secret=SECRET):
    headers = {"Authorization": f"Basic {b64encode(secret.encode()).decode()}"} if secret else {}
    return client.post(url, json.dumps(data), content_type="application/json", headers=headers)


def postmark(delivery, **fields):
    return {
        "RecordType": "Bounce",
        "Type": "HardBounce",
        "TypeCode": 1,
        "ID": 42,
        "MessageID": "b7bc2f4a-e38e-4336-af7d-e6c392c2f817",
        "Details": "smtp;550 5.1.1 The email account that you tried to reach does not exist",
        "Email": delivery.supporter.email,
        "BouncedAt": "2026-05-01T16:33:54.9070259Z",
        "Metadata": {"delivery": delivery.uuid.hex},
        **fields,
    }


def contactable(delivery):
    return Supporter.objects.contactable().filter(pk=delivery.supporter_id).exists()


def test_a_bounce_is_stored_at_once_and_applied_by_a_worker(client):
    delivery = make_delivery()
    for _twice in range(2):
        assert post(client, POSTMARK, postmark(delivery)).status_code == 200
    kept = ReturnedMessage.objects.get()
    assert (kept.provider, kept.event["type"], kept.applied_at) == ("postmark", "bounced", None)
    assert contactable(delivery)
    assert apply_owed()["bounced"] == 1
    assert not contactable(delivery)
    assert Return.objects.get().delivery == delivery


def test_a_complaint_stops_all_mail(client):
    delivery = make_delivery()
    post(client, POSTMARK, postmark(delivery, RecordType="SpamComplaint", Type="SpamComplaint", TypeCode=100001))
    assert apply_owed()["complained"] == 1
    assert not contactable(delivery)


@pytest.mark.parametrize("kind", ["Open", "Click", "Delivery"])
def test_who_opened_or_clicked_is_not_listened_to(client, kind):
    delivery = make_delivery()
    data = {
        "RecordType": kind,
        "Recipient": delivery.supporter.email,
        "Metadata": {},
        "MessageID": "m",
        "OriginalLink": "x",
    }
    assert post(client, POSTMARK, data).status_code == 200
    assert not ReturnedMessage.objects.exists()


@pytest.mark.parametrize("secret", ["", "lodestar:wrong", "x"])
def test_what_does_not_prove_itself_is_not_read(client, secret):
    assert post(client, POSTMARK, postmark(make_delivery()), secret).status_code == 403
    assert not ReturnedMessage.objects.exists()


def test_without_a_secret_there_is_no_hook(client, settings):
    settings.ANYMAIL = {}
    assert post(client, POSTMARK, postmark(make_delivery())).status_code == 404
    assert post(client, "/webhooks/mail/nobody/", {}).status_code == 404


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b'{"RecordType": 7}', b"\xff\xfe"])
def test_what_has_no_known_form_changes_nothing(client, body):
    headers = {"Authorization": f"Basic {b64encode(SECRET.encode()).decode()}"}
    answer = client.post(POSTMARK, body, content_type="application/json", headers=headers)
    assert answer.status_code in {200, 400}
    assert apply_owed()["left"] == 0


def test_a_huge_body_is_not_read(client):
    headers = {"Authorization": f"Basic {b64encode(SECRET.encode()).decode()}"}
    answer = client.post(POSTMARK, b"x" * 2_000_001, content_type="application/json", headers=headers)
    assert answer.status_code == 413


def test_only_post_acts(client):
    assert client.head(POSTMARK).status_code == 200
    assert client.get(POSTMARK).status_code == 405


def test_mailguns_signature_must_fit_too(client, settings):
    settings.ANYMAIL = {"WEBHOOK_SECRET": SECRET, "MAILGUN_WEBHOOK_SIGNING_KEY": "key"}
    delivery = make_delivery()
    event = {
        "event": "failed",
        "severity": "permanent",
        "id": "e1",
        "timestamp": 1777600000,
        "recipient": delivery.supporter.email,
        "delivery-status": {"code": 550, "message": "5.1.1 No such user here"},
        "message": {"headers": {"message-id": "m@x"}},
        "user-variables": {"delivery": delivery.uuid.hex},
    }

    def signed(key):
        signature = hmac.new(key, b"1777600000" + b"t" * 50, hashlib.sha256).hexdigest()
        return {
            "signature": {"timestamp": "1777600000", "token": "t" * 50, "signature": signature},
            "event-data": event,
        }

    assert post(client, "/webhooks/mail/mailgun/", signed(b"wrong")).status_code == 403
    assert post(client, "/webhooks/mail/mailgun/", signed(b"key")).status_code == 200
    apply_owed()
    assert Return.objects.get().delivery == delivery
    assert not contactable(delivery)


def test_several_events_at_once(client):
    first, second = make_delivery(), make_delivery()
    told = [
        {
            "event": "bounce",
            "sg_event_id": str(number),
            "timestamp": 1777600000,
            "email": delivery.supporter.email,
            "reason": "550 5.1.1 User unknown",
            "delivery": delivery.uuid.hex,
        }
        for number, delivery in enumerate((first, second, first))
    ]
    assert post(client, "/webhooks/mail/sendgrid/", told).status_code == 200
    assert apply_owed()["bounced"] == 2
    assert not contactable(first)
    assert not contactable(second)
