"""A stand-in for Stripe: its API and the page of Checkout over real HTTP on loopback, state in memory, webhooks signed.

    with StripeStandIn(webhook_url=…, webhook_secret="whsec_…") as stripe:
        client(stripe.url)                             # http://127.0.0.1:PORT
        stripe.pay(session_id)                         # what a donor does on the page, without a browser
        stripe.hold(); …; stripe.release("reversed")   # events in another order
        stripe.repeat(10); stripe.lose(1)              # ten times, or never
        stripe.refund(payment_intent, 500)             # what staff do in Stripe's dashboard

As a process: `python -m tests.standins.stripe --port 0` says where it is in JSON on its first line, and
`POST /__control__ {"do": "refund", …}` calls the methods above. Objects have the form of version 2025-03-31.basil; with
`old_forms` invoices have the one before. It refuses what Stripe refuses, in the form of Stripe's errors. It leaves out
customers, balances, fees and everything else that Lodestar never asks for.
"""

from tests.standins.stripe.standin import StripeStandIn

__all__ = ["StripeStandIn"]
