"""The page of Checkout, where the donor types the card, and a page of what was paid, for the demo."""

import re
from html import escape
from pathlib import Path

HTML = "text/html; charset=utf-8"
POLICY = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
ACTS = {"refund", "dispute", "renew", "fail", "cancel"}


def answer(standin, method, path, form, site):
    """`site`: where the browser says that the request comes from."""
    if path == "/page.css":
        css = (Path(__file__).parent.parent / "mailchimp" / "page.css").read_bytes()
        return (
            200,
            css + b"label { display: block; margin: .75rem 0 .25rem; } .pay input { padding: .5rem; font: inherit; }",
            "text/css",
        )
    found = re.fullmatch(r"/c/pay/(cs_\w+)", path)
    session = standin.objects.get(found[1]) if found else None
    if session is not None:
        return _checkout(standin, session, method, form)
    if path != "/":
        return 404, _page("Not here", "<p>There is nothing at this address.</p>"), HTML, POLICY
    if method == "POST":
        if site not in ("", "same-origin") or form.get("act") not in ACTS or form.get("id") not in standin.objects:
            return 400, _page("Refused", "<p>That can't be done.</p>"), HTML, POLICY
        return _act(standin, form["act"], form["id"])
    return 200, _page("Stripe, standing in", _list(standin)), HTML, POLICY


def _checkout(standin, session, method, form):
    back = escape(session["cancel_url"] or session["success_url"])
    if session["status"] != "open":
        return 410, _page("Checkout", f'<p>This page was used already. <a href="{back}">Back</a></p>'), HTML, POLICY
    trouble = ""
    if method == "POST":
        outcome = standin.pay(session["id"], form.get("card", ""), form.get("name", ""))
        if outcome in {"paid", "disputed"}:
            where = session["success_url"].replace("{CHECKOUT_SESSION_ID}", session["id"])
            return 303, b"", HTML, {**POLICY, "Location": where}
        said = {"declined": "Your card was declined."}.get(outcome, "Your card number is invalid.")
        trouble = f'<p role="alert"><strong>{said}</strong></p>'
    amount = f"{session['amount_total'] / 100:,.2f} {session['currency'].upper()}"
    often = " each month" if session["mode"] == "subscription" else ""
    body = f"""{trouble}<p>{escape(standin.lines[session["id"]]["name"])}</p><p><strong>{amount}{often}</strong></p>
<p>{escape(session["customer_email"] or "")}</p>
<form method="post" class="pay"><label for="card">Card number</label><input id="card" name="card" inputmode="numeric" autocomplete="off" value="4242 4242 4242 4242">
<label for="name">Name on card</label><input id="name" name="name" autocomplete="off" value="Ann Donor"><p><button>Pay</button></p></form>
<p><a href="{back}">Back without paying</a></p>
<p><small>A stand-in for Stripe: no money moves. 4000 0000 0000 0002 is declined; 4000 0000 0000 0259 is paid and then disputed.</small></p>"""
    return (200 if not trouble else 402), _page("Pay", body), HTML, POLICY


def _act(standin, act, name):
    if act == "refund":
        standin.refund(name)
    elif act == "dispute":
        standin.dispute(name)
    elif act == "cancel":
        standin.cancel_subscription(name)
    else:
        standin.renew(name, act == "renew")
    return 303, b"", HTML, {**POLICY, "Location": "/"}


def _list(standin):
    rows = []
    for thing in reversed(list(standin.objects.values())):
        if thing["object"] == "payment_intent":
            buttons = _buttons(thing["id"], refund="Give back", dispute="Dispute")
            rows.append(f"<tr><td>Payment<td>{thing['amount'] / 100:,.2f} {thing['currency'].upper()}<td>{buttons}")
        elif thing["object"] == "subscription":
            buttons = _buttons(thing["id"], renew="Next month", fail="Next month fails", cancel="Cancel")
            amount = thing["items"]["data"][0]["price"]["unit_amount"] / 100
            rows.append(
                f"<tr><td>Monthly, {thing['status']}<td>{amount:,.2f} {thing['currency'].upper()}<td>{buttons}"
            )
    table = "".join(rows[:200]) or '<tr><td class="empty">Nobody has paid anything yet.'
    events = "".join(f"<tr><td>{event['type']}<td>{event['id']}" for event in standin.events[:-40:-1])
    return f"<table>{table}</table><details><summary>Events</summary><table>{events}</table></details>"


def _buttons(name, **acts):
    made = (f'<button name="act" value="{act}">{label}</button> ' for act, label in acts.items())
    return f'<form method="post"><input type="hidden" name="id" value="{name}">{"".join(made)}</form>'


def _page(title, body):
    return f"""<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title><link rel="stylesheet" href="/page.css"><main><h1>{escape(title)}</h1>{body}</main></html>""".encode()
