"""Payments by card and wallet through Stripe Checkout: the page where the card is typed is Stripe's, not ours.

`client` asks Stripe, `signature` tells its messages from forged ones, `reading` puts them into our words, `checkout` starts
a payment.
"""
