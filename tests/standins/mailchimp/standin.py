import re
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from types import TracebackType
from typing import Any

from tests.standins.mailchimp import (
    batches,
    campaigns,
    lists,
    members,
    merge_fields,
    reports,
    routing,
    segments,
    webhooks,
)
from tests.standins.mailchimp.deliveries import Delivery, Postman, answers_get, make
from tests.standins.mailchimp.faults import Fault, Faults
from tests.standins.mailchimp.people import People
from tests.standins.mailchimp.problems import Problem, invalid
from tests.standins.mailchimp.server import AT_ONCE, Request, serve
from tests.standins.mailchimp.state import Account, Batch, subscriber_hash

OPERATIONS = (
    batches,
    campaigns,
    lists,
    members,
    merge_fields,
    reports,
    segments,
    webhooks,
)  # imported so that they register
FIRST_LIST = "5e1f3a9c20"


class MailchimpStandIn(People):
    """Listens between `with` and its end, or start() and stop(). Begins with one audience, `list_id`.

    `api_key` None takes any key; it may be changed at any time. `requests` holds the newest `keep` calls,
    with bodies and answers unless `keep_bodies` is off.
    """

    def __init__(
        self,
        port: int = 0,
        api_key: str | None = None,
        keep: int = 10_000,
        keep_bodies: bool = True,
        account: Account | None = None,
    ) -> None:
        self.port = port
        self.api_key = api_key
        self.keep = keep
        self.keep_bodies = keep_bodies
        self.account = account or Account()
        if not self.account.audiences:
            self.account.add_audience("RealStars", FIRST_LIST)
        self.list_id = next(iter(self.account.audiences))
        self.faults = Faults()
        self.requests: list[Request] = []
        self.count = 0
        """Calls so far, those no longer in `requests` too."""
        self.most_at_once = 0
        self.changes = 0
        """Writes and acts so far."""
        self.checks_webhook_addresses = True
        """Whether an address must answer GET before it becomes a webhook, as at Mailchimp."""
        self.batch_trouble: Callable[[], str] = lambda: ""
        """Whether the next call within a batch fails, though the batch does not: “before” it takes effect, “after”, or not at all."""
        self._batches = threading.Lock()
        self._batches_go_on = threading.Event()
        self._batches_go_on.set()
        self._at_once: dict[str, int] = {}
        self.lock = threading.RLock()
        self._counting = threading.Lock()

    # Life

    def start(self) -> "MailchimpStandIn":
        self.postman = Postman()
        self._server = serve(self, self.port)
        self.port = self._server.server_address[1]
        self.account.address = f"http://127.0.0.1:{self.port}"
        return self

    def stop(self) -> None:
        self.faults.calm()
        self._batches_go_on.set()
        self._server.stop()
        self.postman.stop()

    def __enter__(self) -> "MailchimpStandIn":
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/3.0"

    @property
    def web_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    @property
    def at_once(self) -> int:
        """Calls that it is answering now."""
        with self._counting:
            return sum(self._at_once.values())

    # What it was asked

    def calls(self, method: str | None = None, path: str = "") -> list[Request]:
        """The calls of a method whose path has a match of the expression `path`."""
        return [r for r in self.requests if method in (None, r.method) and re.search(path, r.path)]

    def writes(self) -> list[Request]:
        return [request for request in self.requests if request.writes]

    def forget_requests(self) -> None:
        self.requests.clear()
        self.most_at_once = 0

    # What it holds

    def member(self, email: str, list_id: str = "") -> dict | None:
        """As GET would answer, None if there is none."""
        audience = self.account.audiences[list_id or self.list_id]
        with self.lock:
            found = audience.find(subscriber_hash(email))
            return members.rendered(audience, found) if found else None

    def members(self, list_id: str = "") -> dict[str, dict]:
        """By address."""
        audience = self.account.audiences[list_id or self.list_id]
        with self.lock:
            return {m.email: members.rendered(audience, m) for m in audience.members.values()}

    def tags(self, email: str, list_id: str = "") -> set[str]:
        audience = self.account.audiences[list_id or self.list_id]
        found = audience.find(subscriber_hash(email))
        return {audience.segments[number].name for number in found.tags} if found else set()

    def add_list(self, name: str) -> str:
        with self.lock:
            return self.account.add_audience(name).id

    # Told to fail

    def delay(self, seconds: float) -> None:
        """Every call takes that long."""
        self.faults.delay = seconds

    def fail(
        self,
        times: int | None = 1,
        status: int = 500,
        body: str = "problem",
        method: str | None = None,
        path: str | None = None,
        retry_after: int | None = None,
        applied: bool = False,
    ) -> None:
        """Answer the next calls with a status; `body` is problem, html or empty; `times` None: until calm().

        `applied`: the call takes effect all the same.
        """
        self.faults.add(Fault("fail", times, method, path, status, body, retry_after, applied))

    def drop(
        self, times: int | None = 1, applied: bool = True, method: str | None = None, path: str | None = None
    ) -> None:
        """Cut the connection instead of answering, after the call took effect or before."""
        self.faults.add(Fault("drop", times, method, path, applied=applied))

    def stall(
        self,
        times: int | None = 1,
        seconds: float = 3600,
        applied: bool = False,
        method: str | None = None,
        path: str | None = None,
    ) -> None:
        """Hold the answer back that long, or until calm(); `applied`: the call takes effect before that."""
        self.faults.add(Fault("stall", times, method, path, seconds=seconds, applied=applied))

    def calm(self) -> None:
        self.faults.calm()

    def skew(self, seconds: float) -> None:
        """Set Mailchimp's clock ahead of ours, or behind."""
        self.account.skew = timedelta(seconds=seconds)

    def sending_takes(self, seconds: float) -> None:
        """How long a campaign is on its way; nothing unless said."""
        self.account.sending_seconds = seconds

    # Batches

    def hold_batches(self) -> None:
        """Work none of them off until let_batches_go()."""
        self._batches_go_on.clear()

    def let_batches_go(self) -> None:
        """Returns when all are done."""
        self._batches_go_on.set()
        while any(batch.status != "finished" for batch in list(self.account.batches.values())):
            time.sleep(0.01)

    def lose_batches(self) -> None:
        """All of them are deleted, whatever became of them."""
        self.account.batches.clear()

    def _work_on(self, batch: Batch) -> None:
        with self._batches:  # one after the other
            batches.work_on(self.account, batch, self._answer_within, self._batches_go_on.wait)

    def _answer_within(self, method: str, path: str, query: dict[str, str], body: Any) -> dict | None:
        trouble = self.batch_trouble()
        if trouble == "before":
            raise Problem(500, "Internal Server Error", "An unexpected internal error has occurred.")
        answer = self.answer(method, path, query, body)
        if trouble:
            raise Problem(500, "Internal Server Error", "An unexpected internal error has occurred.")
        return answer

    # Webhooks

    @property
    def deliveries(self) -> list[Delivery]:
        """Every webhook sent, the last one at the end."""
        return self.postman.sent

    def redeliver(self, delivery: Delivery) -> None:
        """Send it again, as Mailchimp does when it got no good answer."""
        self.postman.post(delivery)
        self.postman.settle()

    def settle(self) -> None:
        """Wait until the webhooks owed were sent."""
        self.postman.settle()

    def post_events(self) -> None:
        with self.lock:
            events, self.account.events = self.account.events, []
            for list_id, kind, source, data in events:
                audience = self.account.audiences.get(list_id)
                for hook in list(audience.webhooks.values()) if audience else ():
                    if hook.events.get(kind) and (kind == "campaign" or hook.sources.get(source)):
                        self.postman.post(make(hook, audience, kind, data, self.account.now()))

    # For the server

    def accepts(self, key: str) -> bool:
        return bool(key) and self.api_key in (None, key)

    def enter(self, key: str) -> bool:
        """Count a call in; False if it is one too many at once."""
        with self._counting:
            now = self._at_once[key] = self._at_once.get(key, 0) + 1
            self.most_at_once = max(self.most_at_once, now)
            return now <= AT_ONCE

    def leave(self, key: str) -> None:
        with self._counting:
            self._at_once[key] -= 1

    def record(self, request: Request) -> None:
        with self._counting:
            self.count += 1
            self.requests.append(request)
            if len(self.requests) > self.keep:
                del self.requests[: self.keep // 10]

    def trim(self, request: Request) -> None:
        if not self.keep_bodies:
            request.body = request.answer = None

    def answer(self, method: str, path: str, query: dict[str, str], body: Any) -> dict | None:
        self._check_webhook_address(method, path, body)
        with self.lock:
            campaigns.move_on(self.account)
            answer = routing.answer(self.account, method, path, query, body)
            if method != "GET":
                self.changes += 1
        self.post_events()
        if (method, path.rstrip("/")) == ("POST", "/batches"):
            batch = self.account.batches[answer["id"]]
            threading.Thread(target=self._work_on, args=(batch,), daemon=True).start()
        return answer

    def _check_webhook_address(self, method: str, path: str, body: Any) -> None:
        """Asked before the lock is taken, for whoever answers may call us meanwhile."""
        if not self.checks_webhook_addresses or method not in ("POST", "PATCH"):
            return
        if not re.fullmatch(r"/lists/\w+/webhooks(/\w+)?/?", path) or not isinstance(body, dict):
            return
        url = body.get("url")
        if isinstance(url, str) and url.startswith(("http://", "https://")) and not answers_get(url):
            raise invalid([("url", "We couldn't validate the URL: it has to answer a GET request.")])
