"""Webhooks on their way to whoever asked for them: one after the other, in the order of what happened."""

import hashlib
import hmac
import http.client
import queue
import threading
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlencode, urlsplit

from tests.standins.mailchimp.state import Audience, Webhook

PATIENCE = 10  # seconds, as Mailchimp's


@dataclass
class Delivery:
    hook: Webhook
    list_id: str
    kind: str
    body: bytes
    headers: dict[str, str]
    answers: list[int | None] = field(default_factory=list)
    """A status for each time it was sent; None: nobody answered."""

    @property
    def url(self) -> str:
        return self.hook.url

    @property
    def status(self) -> int | None:
        return self.answers[-1] if self.answers else None


def make(hook: Webhook, audience: Audience, kind: str, data: dict, now: datetime) -> Delivery:
    """Form-encoded and signed as Mailchimp does it."""
    pairs = [("type", kind), ("fired_at", f"{now:%Y-%m-%d %H:%M:%S}"), *_pairs("data", data)]
    body = urlencode(pairs).encode()
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "User-Agent": "MailChimp.com",
        "X-Mailchimp-Signature": sign(hook.secret, body, int(now.timestamp())),
    }
    return Delivery(hook, audience.id, kind, body, headers)


def sign(secret: str, body: bytes, at: int) -> str:
    """`t=<unix>,v1=<hex>`: HMAC-SHA256 of the time, a full stop and the raw body."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def _pairs(name: str, value: object) -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [pair for key, inner in value.items() for pair in _pairs(f"{name}[{key}]", inner)]
    return [(name, "" if value is None else str(value))]


def request(url: str, method: str, body: bytes | None, headers: dict[str, str]) -> int | None:
    """The status of the answer, None when there was none."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    try:
        connection = kind(parts.hostname or "", parts.port, timeout=PATIENCE)
    except http.client.InvalidURL:
        return None
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request(method, target, body=body, headers=headers)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()


def answers_get(url: str) -> bool:
    """What Mailchimp asks of an address before it takes it for a webhook."""
    status = request(url, "GET", None, {"User-Agent": "MailChimp.com WebHook Validator"})
    return status is not None and 200 <= status < 300


class Postman:
    def __init__(self) -> None:
        self.sent: list[Delivery] = []
        self._owed: queue.Queue[Delivery | None] = queue.Queue()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def post(self, delivery: Delivery) -> None:
        self.sent.append(delivery)
        del self.sent[:-10_000]
        self._owed.put(delivery)

    def settle(self) -> None:
        """Wait until everything was sent."""
        self._owed.join()

    def stop(self) -> None:
        self._owed.put(None)
        self._thread.join(PATIENCE)

    def _work(self) -> None:
        while (delivery := self._owed.get()) is not None:
            delivery.answers.append(request(delivery.url, "POST", delivery.body, delivery.headers))
            self._owed.task_done()
        self._owed.task_done()
