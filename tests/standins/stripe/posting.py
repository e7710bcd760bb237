"""Events on their way to the endpoint: signed, and repeated, held back, mixed up or lost when told to.

An endpoint that does not answer 2xx gets the event again, as from Stripe; here after a second, three times.
"""

import hashlib
import hmac
import json
import queue
import random
import threading
import time
from dataclasses import dataclass, field

from tests.standins.mailchimp.deliveries import request

AGAIN = (1, 1, 1)


@dataclass
class Posting:
    event: dict
    answers: list = field(default_factory=list)


def signature(secrets, body, at):
    signed = f"{at}.".encode() + body
    made = (hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets)
    return ",".join([f"t={at}", *(f"v1={each}" for each in made), "v0=" + "0" * 64])


class Postman:
    def __init__(self, url, secrets):
        self.url = url
        self.secrets = list(secrets)
        self.postings = []
        self.times = 1
        self.pause = 0
        self._losing = 0
        self._held = None
        self._owed = queue.Queue()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def post(self, event):
        if self._losing > 0:
            self._losing -= 1
            return
        if self._held is not None:
            self._held.append(event)
            return
        self._send(event)

    def lose(self, number):
        self._losing = number

    def hold(self):
        self._held = self._held or []

    def release(self, order="as they happened"):
        held, self._held = self._held or [], None
        if order == "reversed":
            held.reverse()
        elif order == "shuffled":
            random.shuffle(held)
        for event in held:
            self._send(event)

    def _send(self, event):
        posting = Posting(event)
        self.postings.append(posting)
        for _time in range(self.times):
            self._owed.put(posting)

    def settle(self):
        """Wait until everything was sent."""
        self._owed.join()

    def stop(self):
        self._owed.put(None)
        self._thread.join(10)

    def _work(self):
        while (posting := self._owed.get()) is not None:
            if self.pause:
                time.sleep(self.pause)
            self._deliver(posting)
            self._owed.task_done()
        self._owed.task_done()

    def _deliver(self, posting):
        if not self.url:
            return
        body = json.dumps(posting.event, indent=2).encode()
        for wait in (0, *AGAIN):
            time.sleep(wait)
            headers = {
                "Content-Type": "application/json; charset=utf-8",
                "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
                "Stripe-Signature": signature(self.secrets, body, int(time.time())),
            }
            posting.answers.append(request(self.url, "POST", body, headers))
            if posting.answers[-1] is not None and 200 <= posting.answers[-1] < 300:
                return
