import hashlib
import json
import threading
import time
from copy import deepcopy

from tests.standins.mailchimp.faults import Fault, Faults
from tests.standins.stripe import api, objects, server
from tests.standins.stripe.posting import Postman
from tests.standins.stripe.problems import Problem, at_it, other_parameters

CARDS = {
    "4242424242424242": "paid",
    "4000000000000002": "declined",
    "4000000000009995": "declined",
    "4000000000000259": "disputed",
}
"""Of https://docs.stripe.com/testing: any other number is no card."""


class StripeStandIn:
    """Listens between `with` and its end, or start() and stop(). `api_key` None takes any test key."""

    def __init__(
        self, port=0, api_key=None, webhook_url="", webhook_secret="whsec_0123456789abcdef", old_forms=False
    ):
        self.port, self.api_key, self.old_forms = port, api_key, old_forms
        self.webhook_url, self.webhook_secret = webhook_url, webhook_secret
        self.objects = {}
        """Every object by its id."""
        self.events = []
        self.lines = {}
        """What each session is for."""
        self.requests = []
        """(method, path, fields, headers) of each call of the API."""
        self.faults = Faults()
        self.lock = threading.RLock()
        self._answered = {}
        self._ahead = 0

    def start(self):
        self.postman = Postman(self.webhook_url, [self.webhook_secret])
        self._server = server.serve(self, self.port)
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        return self

    def stop(self):
        self.faults.calm()
        self._server.stop()
        self.postman.stop()

    def __enter__(self):
        return self.start()

    def __exit__(self, *failure):
        self.stop()

    # Told to misbehave

    def fail(self, times=1, status=500, path=None, applied=False):
        self.faults.add(Fault("fail", times, None, path, status, applied=applied))

    def drop(self, times=1, path=None, applied=True):
        """Cut the connection instead of answering."""
        self.faults.add(Fault("drop", times, None, path, applied=applied))

    def calm(self):
        self.faults.calm()

    def repeat(self, times):
        """Send each event that often."""
        self.postman.times = times

    def pause(self, seconds):
        """Send each event that much later."""
        self.postman.pause = seconds

    def lose(self, number=1):
        """Never send the next events; they stay on the list of events."""
        self.postman.lose(number)

    def hold(self):
        self.postman.hold()

    def release(self, order="as they happened"):
        """`order`: or reversed, or shuffled."""
        self.postman.release(order)

    def settle(self):
        self.postman.settle()

    def roll_secret(self, secret):
        """Both secrets sign for now, as Stripe does for a day."""
        self.postman.secrets = [secret, *self.postman.secrets][:2]

    # What donors do

    def pay(self, session_id, card="4242424242424242", name="Ann Donor", later=False):
        """Pay on the page; returns "paid", "declined" or "no card". `later`: the money comes by settle_payment()."""
        with self.lock:
            session = self.objects[session_id]
            outcome = CARDS.get(card.replace(" ", ""), "no card")
            if session["status"] != "open" or outcome in {"declined", "no card"}:
                return outcome
            session["status"] = "complete"
            session["customer_details"] = {"email": session["customer_email"], "name": name}
            if session["mode"] == "subscription":
                self._subscribe(session, name)
            elif later:
                self.happen("checkout.session.completed", session)
                return "later"
            else:
                self._charge_once(session, name)
                self.happen("checkout.session.completed", session)
            if outcome == "disputed":
                self.dispute(session["payment_intent"])
            return "paid"

    def settle_payment(self, session_id, succeeded=True):
        """The end of a payment that takes days."""
        with self.lock:
            session = self.objects[session_id]
            if succeeded:
                self._charge_once(session, session["customer_details"]["name"])
            word = "succeeded" if succeeded else "failed"
            self.happen(f"checkout.session.async_payment_{word}", session)

    def expire(self, session_id):
        with self.lock:
            session = self.objects[session_id]
            session["status"] = "expired"
            self.happen("checkout.session.expired", session)

    def _charge_once(self, session, name):
        metadata = self.lines[session["id"]]["payment_metadata"]
        intent = self._take(session["amount_total"], session["currency"], metadata, session["customer_email"], name)
        session |= {"payment_intent": intent["id"], "payment_status": "paid"}

    def _subscribe(self, session, name):
        line = self.lines[session["id"]]
        made = objects.subscription(
            session["amount_total"], session["currency"], line["recurring"], line["subscription_metadata"]
        )
        self._keep(made)
        made["_payer"] = (session["customer_email"], name)
        self.happen("customer.subscription.created", made)
        invoice = self._bill(made, "subscription_create")
        session |= {"subscription": made["id"], "invoice": invoice["id"], "payment_status": "paid"}
        self.happen("checkout.session.completed", session)

    # What time does

    def renew(self, subscription_id, succeeded=True):
        """The next month: an invoice that is paid, or not."""
        with self.lock:
            subscription = self.objects[subscription_id]
            invoice = self._bill(subscription, "subscription_cycle", succeeded)
            subscription["status"] = "active" if succeeded else "past_due"
            subscription["items"]["data"][0]["current_period_end"] += 30 * 86_400
            self.happen("customer.subscription.updated", subscription)
            return invoice["id"]

    def cancel_subscription(self, subscription_id):
        with self.lock:
            subscription = self.objects[subscription_id]
            subscription |= {"status": "canceled", "ended_at": self.now()}
            self.happen("customer.subscription.deleted", subscription)

    def wait(self, seconds):
        """Set Stripe's clock ahead."""
        self._ahead += seconds

    # What staff do in the dashboard, and banks

    def refund(self, payment_intent, amount=None, reason="requested_by_customer"):
        with self.lock:
            charge = self.objects[self.objects[payment_intent]["latest_charge"]]
            left = charge["amount"] - charge["amount_refunded"]
            amount = left if amount is None else int(amount)
            if not 0 < amount <= left:
                raise api.too_much_back(amount, left)
            made = objects.refund(charge, amount, reason)
            self._keep(made)
            charge["amount_refunded"] += amount
            charge["refunded"] = charge["amount_refunded"] == charge["amount"]
            self.happen("refund.created", made)
            self.happen("charge.refunded", charge)
            return made["id"]

    def fail_refund(self, refund_id):
        with self.lock:
            refund = self.objects[refund_id]
            refund["status"] = "failed"
            self.objects[refund["charge"]]["amount_refunded"] -= refund["amount"]
            self.happen("refund.failed", refund)

    def dispute(self, payment_intent, reason="fraudulent"):
        with self.lock:
            made = objects.dispute(self.objects[self.objects[payment_intent]["latest_charge"]], reason)
            self._keep(made)
            self.happen("charge.dispute.created", made)
            return made["id"]

    def close_dispute(self, dispute_id, status="lost"):
        with self.lock:
            self.objects[dispute_id]["status"] = status
            self.happen("charge.dispute.closed", self.objects[dispute_id])

    def invent(self, kind, thing):
        """An event about something that never was here."""
        self.happen(kind, thing)

    # For the parts above

    def _bill(self, subscription, reason, succeeded=True):
        email, name = subscription["_payer"]
        price = subscription["items"]["data"][0]["price"]
        intent = self._take(price["unit_amount"], price["currency"], {}, email, name) if succeeded else None
        paid_by = intent["id"] if intent else None
        invoice = objects.invoice(subscription, email, name, reason, succeeded, self.old_forms, paid_by)
        self._keep(invoice)
        if intent:
            payment = {"type": "payment_intent", "payment_intent": intent["id"]}
            self._keep(
                {
                    "id": objects.new_id("inpay"),
                    "object": "invoice_payment",
                    "invoice": invoice["id"],
                    "payment": payment,
                    "status": "paid",
                }
            )
        self.happen("invoice.paid" if succeeded else "invoice.payment_failed", invoice)
        return invoice

    def _take(self, amount, currency, metadata, email, name):
        charge = objects.charge(amount, currency, email, name)
        intent = objects.intent(amount, currency, metadata, charge["id"])
        charge["payment_intent"] = intent["id"]
        self._keep(charge)
        self._keep(intent)
        self.happen("charge.succeeded", charge)
        self.happen("payment_intent.succeeded", intent)
        return intent

    def _keep(self, thing):
        self.objects[thing["id"]] = thing

    def now(self):
        return int(time.time()) + self._ahead

    def happen(self, kind, thing):
        event = objects.event(kind, visible(thing), self.now())
        self.events.append(event)
        self.postman.post(event)

    def answer(self, method, path, fields, key):
        """What the API answers: status and document. A key that was used before gets what was answered then."""
        digest = hashlib.sha256(json.dumps([method, path, fields], sort_keys=True).encode()).hexdigest()
        if not key:
            return self._answer(method, path, fields)
        with self.lock:
            before = self._answered.get(key)
            if before is None:
                self._answered[key] = (digest, None)
        if before is not None:
            if before[0] != digest:
                raise other_parameters()
            if before[1] is None:
                raise at_it()
            return before[1]
        try:
            made = self._answer(method, path, fields)
        except Problem:
            # What was refused before it began can be asked for anew.
            self._answered.pop(key)
            raise
        self._answered[key] = (digest, made)
        return made

    def _answer(self, method, path, fields):
        with self.lock:
            return 200, visible(api.answer(self, method, path, fields))


def visible(thing):
    """As others see it: a copy, without what we noted on it."""
    return deepcopy({name: value for name, value in thing.items() if not name.startswith("_")})
