"""The page on which caught mail is read, as its reader would see it."""

import json
import threading
from collections.abc import Iterable
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote, urlsplit

if TYPE_CHECKING:
    from tests.standins.mail.catcher import Caught, MailCatcher

PAGE = 50
_STYLE = """
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5d6b7c; --line: #dde3ea; --paper: #fff; --ground: #f4f6f9; --mark: #6d28d9 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8ecf2; --soft: #9aa7b8; --line: #2c3644; --paper: #171d26; --ground: #0f141b; --mark: #b794f6 } }
* { box-sizing: border-box } body { margin: 0; font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--ground) }
header { padding: 1rem clamp(1rem, 4vw, 3rem); background: var(--paper); border-bottom: 1px solid var(--line); display: flex; gap: 1rem; flex-wrap: wrap; align-items: center }
h1 { font-size: 1.2rem; margin: 0; flex: 1 } a { color: inherit } header a { text-decoration: none }
main { max-width: 60rem; margin: 1.5rem auto; padding: 0 1rem }
input { font: inherit; padding: .4rem .7rem; border: 1px solid var(--line); border-radius: .5rem; background: var(--ground); color: inherit; width: 16rem; max-width: 100% }
ol { list-style: none; margin: 0; padding: 0; background: var(--paper); border: 1px solid var(--line); border-radius: .8rem; overflow: hidden }
li a { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 2fr) auto; gap: .2rem 1rem; padding: .7rem 1rem; text-decoration: none; border-top: 1px solid var(--line) }
li:first-child a { border-top: 0 } li a:hover { background: var(--ground) } li span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap }
.soft { color: var(--soft); font-size: .9rem } .empty { padding: 3rem; text-align: center; color: var(--soft) }
@media (max-width: 40rem) { li a { grid-template-columns: 1fr } }
dl { display: grid; grid-template-columns: auto 1fr; gap: .2rem 1rem; margin: 0 0 1rem; overflow-wrap: anywhere } dt { color: var(--soft) } dd { margin: 0 }
iframe { width: 100%; height: 70vh; border: 1px solid var(--line); border-radius: .8rem; background: #fff }
pre { background: var(--paper); border: 1px solid var(--line); border-radius: .8rem; padding: 1rem; overflow: auto; white-space: pre-wrap; overflow-wrap: anywhere }
nav { margin: 1rem 0; display: flex; gap: 1rem } nav a { color: var(--mark) } details { margin: 1rem 0 } summary { cursor: pointer; color: var(--mark) }
"""
_SHOWN = ("From", "To", "Subject", "Date", "Reply-To", "List-Unsubscribe", "List-Unsubscribe-Post", "Message-ID")


def serve(catcher: "MailCatcher", port: int) -> ThreadingHTTPServer:
    server = ThreadingHTTPServer(("127.0.0.1", port), type("Handler", (_Handler,), {"catcher": catcher}))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


class _Handler(BaseHTTPRequestHandler):
    catcher: "MailCatcher"
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        messages = list(self.catcher.messages)
        if parts.path == "/":
            self._answer(_list_page(messages, query))
        elif parts.path == "/messages.json":
            self._answer(json.dumps([_facts(message) for message in messages]), "application/json")
        else:
            number, _slash, view = parts.path.strip("/").partition("/")
            found = next((message for message in messages if str(message.number) == number), None)
            if found is None:
                self._answer(_page("No such message", '<p class="empty">It may have been forgotten.</p>'), status=404)
            elif view == "html":
                self._answer(found.part("html"), sandbox=True)
            elif view == "raw":
                self._answer(found.raw.decode("utf-8", "replace"), "text/plain")
            else:
                self._answer(_message_page(found))

    def _answer(self, text: str, kind: str = "text/html", status: int = 200, sandbox: bool = False) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        if sandbox:
            self.send_header("Content-Security-Policy", "sandbox allow-popups; script-src 'none'")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def _facts(message: "Caught") -> dict:
    parsed = message.parsed
    return {
        "number": message.number,
        "to": message.recipients,
        "from": str(parsed["From"]),
        "subject": message.subject,
        "message_id": str(parsed["Message-ID"]),
        "at": message.at.isoformat(),
    }


def _list_page(messages: list["Caught"], query: dict[str, str]) -> str:
    wanted = query.get("q", "").strip().lower()
    found = [message for message in reversed(messages) if wanted in f"{message.recipients} {message.subject}".lower()]
    page = max(int(query["page"]), 1) if query.get("page", "").isdigit() else 1
    shown = found[(page - 1) * PAGE : page * PAGE]
    rows = "".join(
        f'<li><a href="/{message.number}"><span class="soft">{escape(", ".join(message.recipients))}</span>'
        f"<span><b>{escape(message.subject)}</b></span>"
        f'<span class="soft">{message.at.astimezone():%H:%M:%S}</span></a></li>'
        for message in shown
    )
    body = f"<ol>{rows}</ol>" if rows else '<p class="empty">Nothing here yet. This page looks again by itself.</p>'
    links = []
    if page > 1:
        links.append(f'<a href="/?q={quote(wanted)}&page={page - 1}">Newer</a>')
    if len(found) > page * PAGE:
        links.append(f'<a href="/?q={quote(wanted)}&page={page + 1}">Older</a>')
    search = f'<form><input name="q" type="search" placeholder="Recipient or subject" aria-label="Search" value="{escape(wanted)}"></form>'
    count = f'<p class="soft">{len(found)} messages</p>'
    return _page("Caught mail", f"{count}{body}<nav>{''.join(links)}</nav>", search, reload=page == 1 and not wanted)


def _message_page(message: "Caught") -> str:
    parsed = message.parsed
    shown = _definitions((name, str(parsed[name])) for name in _SHOWN if parsed[name])
    every = _definitions((name, str(value)) for name, value in parsed.items())
    html = (
        f'<iframe sandbox="allow-popups" src="/{message.number}/html" title="The message"></iframe>'
        if message.part("html")
        else ""
    )
    return _page(
        message.subject,
        f'<nav><a href="/">All mail</a><a href="/{message.number}/raw">Source</a></nav>{shown}{html}'
        f"<details{' open' if not html else ''}><summary>Text part</summary><pre>{escape(message.part('plain'))}</pre></details>"
        f"<details><summary>All headers</summary>{every}</details>",
    )


def _definitions(pairs: Iterable[tuple[str, str]]) -> str:
    return "<dl>" + "".join(f"<dt>{escape(name)}</dt><dd>{_linked(value)}</dd>" for name, value in pairs) + "</dl>"


def _linked(value: str) -> str:
    if value.startswith("<http") and value.endswith(">"):
        return f'<a href="{escape(value[1:-1])}" target="_blank" rel="noopener">{escape(value)}</a>'
    return escape(value)


def _page(title: str, body: str, aside: str = "", reload: bool = False) -> str:
    refresh = '<meta http-equiv="refresh" content="3">' if reload else ""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">{refresh}'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f'<body><header><h1><a href="/">Caught mail</a></h1>{aside}</header><main>{body}</main></body></html>'
    )
