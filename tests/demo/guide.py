"""The page that tells where to click: what supporters meet, what staff see, and what stands in for the world outside."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from http import HTTPStatus
from pathlib import Path

from tests.demo import partner
from tests.demo.petition import SLUG
from tests.standins.loopback import LoopbackHandler, LoopbackServer

PARTNER = partner.CODE
CSS = Path(__file__).parent.parent / "standins" / "mailchimp" / "page.css"
COMMANDS = (
    ("verify_consents", "holds every receipt of consent against the ledger, and names what was changed"),
    ("consent_digests", "the digest of each day that is over, to be kept elsewhere"),
)
"""Of manage.py, on the records of the demo."""
POLICY = "default-src 'none'; style-src 'self'"


@dataclass(frozen=True)
class Stop:
    label: str
    address: str
    what: str


@dataclass(frozen=True)
class Elsewhere:
    """Where the stand-ins are."""

    inbox: str
    mailchimp: str
    stripe: str
    partner: str


Part = tuple[str, str, Sequence[Stop]]
"""Heading, a line below it, and its stops."""


def parts(site: str, elsewhere: Elsewhere) -> list[Part]:
    petition = f"/p/{SLUG}/"
    return [
        (
            "One person's way",
            "As on a phone: make the window narrow. Any name and address will do.",
            [
                Stop(
                    "1. Sign", f"{site}/pl{petition}?via={PARTNER}", "in Polish, by the link of a partner, La Strada"
                ),
                Stop("2. Confirm", elsewhere.inbox, "the letter is in the inbox; only the button on its page counts"),
                Stop("3. Give", f"{site}/pl/give/?currency=PLN&amount=100", "100 zł by card, typed on Stripe's page"),
                Stop("4. Choose or leave", f"{site}/pl/me/", "have the link to your own page sent to that inbox"),
            ],
        ),
        (
            "What supporters meet",
            "In 26 languages, without a cookie and without JavaScript.",
            [
                Stop("The petition", f"{site}/en{petition}", "text, counter, form, latest signers"),
                Stop("… på svenska", f"{site}/sv{petition}", "in Swedish"),
                Stop("… بالعربية", f"{site}/ar{petition}", "in Arabic, from right to left"),
                Stop("… українською", f"{site}/uk{petition}", "in Ukrainian"),
                Stop("Totals", f"{site}/en{petition}totals/", "by member state and by week"),
                Stop("Totals as JSON", f"{site}{petition}totals.json", "for other sites"),
                Stop("A poster", f"{site}/en{petition}poster/?via={PARTNER}", "to print, with a code for phones"),
                Stop("Thanks", f"{site}/en{petition}thanks/", "after confirming: pass it on, give"),
                Stop("Give in kronor", f"{site}/sv/give/?currency=SEK", "by card, Swish or bank"),
                Stop("Give in euro", f"{site}/de/give/?currency=EUR&interval=month&amount=10", "10 € each month"),
                Stop("Your choices", f"{site}/en/me/", "what we hold of you, and what you can do about it"),
                Stop(
                    "Never again",
                    f"{site}/en/never/",
                    "for whoever reads an inbox and wants no letter to it, for good",
                ),
            ],
        ),
        (
            "What a partner has",
            "In another browser or a private window, for it logs staff out.",
            [
                Stop("Its own site", elsewhere.partner, "with our form in it, in Polish: sign there"),
                Stop("The same without a script", f"{elsewhere.partner}framed/", "a plain frame"),
                Stop(
                    "Its login",
                    f"{site}/partners/",
                    "its signatures by country and week, and who allowed it to write",
                ),
                Stop(
                    "A file of them",
                    f"{site}/partners/people/",
                    "take one, then leave as one of them: Who left tells",
                ),
            ],
        ),
        (
            "What staff see",
            "The first appeal goes out within a minute: open it and watch.",
            [
                Stop("Overview", f"{site}/admin/", "where the day begins"),
                Stop("Supporters", f"{site}/admin/supporters/supporter/", "the people on file"),
                Stop("Petitions", f"{site}/admin/supporters/petition/", "their texts and counts"),
                Stop("Signatures", f"{site}/admin/supporters/signature/", "pending until confirmed"),
                Stop(
                    "Paper",
                    f"{site}/admin/supporters/tally/",
                    "signatures gathered elsewhere, checked by a second person",
                ),
                Stop("Partners", f"{site}/admin/supporters/organisation/", "the organisations and their codes"),
                Stop("Pledges", f"{site}/admin/supporters/pledge/", "what was typed on the giving page"),
                Stop("Payments", f"{site}/admin/supporters/paymentevent/", "what Stripe and the bank told"),
                Stop("Donations", f"{site}/admin/supporters/donation/", "the books"),
                Stop(
                    "Consents",
                    f"{site}/admin/supporters/consent/",
                    "who allowed what, in which words; each with its receipt",
                ),
                Stop("Letters", f"{site}/admin/supporters/letter/", "what was sent to single people"),
                Stop("Appeals", f"{site}/admin/campaigns/appeal/", "one goes out within a minute"),
                Stop("Segments", f"{site}/admin/campaigns/segment/", "whom appeals go to"),
                Stop("Came back", f"{site}/admin/campaigns/return/", "some of the mail does, within five minutes"),
                Stop("Imports", f"{site}/admin/supporters/importrun/", "files of people and gifts"),
                Stop("Mailchimp", f"{site}/admin/campaigns/audience/", "what is synced there"),
                Stop("Background", f"{site}/admin/background/", "what the workers do"),
            ],
        ),
        (
            "What stands in for the world outside",
            "Nothing leaves this machine.",
            [
                Stop("The inbox", elsewhere.inbox, "every mail that was sent, as its reader sees it"),
                Stop("Stripe", elsewhere.stripe, "give back, dispute, let the next month come"),
                Stop("Mailchimp", elsewhere.mailchimp, "what the sync put there"),
            ],
        ),
    ]


class Guide:
    """Serves the page on loopback until its process ends."""

    def __init__(self, found: list[Part], logins: str) -> None:
        self.page = _page(found, logins).encode()
        server = LoopbackServer(0, self, _Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{server.server_address[1]}/"


class _Handler(LoopbackHandler):
    def do_GET(self) -> None:
        if self.path == "/page.css":
            body, kind = CSS.read_bytes(), "text/css"
        else:
            body, kind = self.server.standin.page, "text/html; charset=utf-8"
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", POLICY)
        self.end_headers()
        self.wfile.write(body)


def _page(found: list[Part], logins: str) -> str:
    return "".join(
        [
            '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
            '<title>Lodestar: where to click</title><link rel="stylesheet" href="/page.css"><main><h1>Where to click</h1>',
            f"<p>{escape(logins)}</p>",
            *_sections(found),
            *_commands(),
            "</main></html>",
        ]
    )


def _sections(found: list[Part]) -> Iterator[str]:
    for heading, line, stops in found:
        yield f"<h2>{escape(heading)}</h2><p>{escape(line)}</p><table>"
        for stop in stops:
            yield f'<tr><td><a href="{escape(stop.address)}">{escape(stop.label)}</a><td>{escape(stop.what)}'
        yield "</table>"


def _commands() -> Iterator[str]:
    yield "<h2>In a terminal</h2><p>In the folder of the demo, in another window.</p><table>"
    for name, what in COMMANDS:
        yield f"<tr><td><code>.venv/bin/python -m tests.demo {name}</code><td>{escape(what)}"
    yield "</table>"
