"""Where people read what was caught, and programs ask for it: HTTP on loopback."""

import json
import re
import threading
from collections.abc import Callable
from email.message import EmailMessage
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

from tests.standins.loopback import LoopbackHandler, LoopbackServer
from tests.standins.mail import pages
from tests.standins.mail.store import Mail

if TYPE_CHECKING:
    from tests.standins.mail.catcher import MailCatcher

HTML = "text/html; charset=utf-8"
JSON = "application/json"
FILES = {"/mail.css": "text/css; charset=utf-8", "/mail.js": "text/javascript; charset=utf-8"}
PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; frame-src 'self'; "
    "img-src 'self' data:; form-action 'self' http: https:; base-uri 'none'"
)
MAIL_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; "
    "font-src data:; img-src data: http://127.0.0.1:* http://localhost:*"
)
"""A mail runs nothing, and loads pictures from this machine only."""
ORDERS = ("refuse", "fail", "drop", "stall", "close_after", "calm", "clear", "up", "down")
Answer = tuple[int, bytes, str] | tuple[int, bytes, str, str]


class Server(LoopbackServer):
    standin: "MailCatcher"

    def __init__(self, port: int, standin: "MailCatcher") -> None:
        super().__init__(port, standin, Handler)


class Handler(LoopbackHandler):
    server: Server

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        for pattern, answer in ROUTES:
            found = re.fullmatch(pattern, unquote(parts.path))
            if found:
                return self._answer(*answer(self.server.standin, query, *found.groups()))
        self._answer(*_nowhere())

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if urlsplit(self.path).path.rstrip("/") != "/__control__":
            return self._answer(*_nowhere())
        self._answer(*_control(self.server.standin, raw))

    def _answer(self, status: int, body: bytes, kind: str, policy: str = PAGE_POLICY) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", policy)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)


def _list(catcher: "MailCatcher", query: dict[str, str]) -> Answer:
    start = _number(query, "from", 0)
    wanted = query.get("to", "")
    found = list(islice(catcher.store.newest(wanted), start, start + pages.PAGE + 1))
    page = pages.mails(found[: pages.PAGE], catcher.count, wanted, start, len(found) > pages.PAGE)
    return 200, page.encode(), HTML


def _json(catcher: "MailCatcher", query: dict[str, str]) -> Answer:
    """The newest first; `to` narrows, `count` (1,000 unless said) and `offset` page."""
    start = _number(query, "offset", 0)
    found = islice(catcher.store.newest(query.get("to", "")), start, start + _number(query, "count", 1000))
    told = {"count": catcher.count, "messages": [mail.facts() for mail in found]}
    return 200, json.dumps(told).encode(), JSON


def _count(catcher: "MailCatcher", query: dict[str, str]) -> Answer:
    return 200, json.dumps({"count": catcher.count}).encode(), JSON


def _mail(catcher: "MailCatcher", query: dict[str, str], number: str) -> Answer:
    mail = catcher.store.mails.get(int(number))
    if mail is None:
        return _nowhere()
    return 200, pages.mail(mail, query.get("view", "")).encode(), HTML


def _html(catcher: "MailCatcher", query: dict[str, str], number: str) -> Answer:
    mail = catcher.store.mails.get(int(number))
    if mail is None:
        return _nowhere()
    return 200, _readable(mail).encode(), HTML, MAIL_POLICY


def _raw(catcher: "MailCatcher", query: dict[str, str], number: str) -> Answer:
    mail = catcher.store.mails.get(int(number))
    return (200, mail.raw, "text/plain; charset=utf-8") if mail else _nowhere()


def _part(catcher: "MailCatcher", query: dict[str, str], number: str, index: str) -> Answer:
    mail = catcher.store.mails.get(int(number))
    if mail is None or int(index) >= len(mail.attachments):
        return _nowhere()
    part: EmailMessage = mail.attachments[int(index)]
    return 200, part.get_payload(decode=True) or b"", part.get_content_type(), MAIL_POLICY


def _file(catcher: "MailCatcher", query: dict[str, str], name: str) -> Answer:
    return 200, (Path(__file__).parent / name).read_bytes(), FILES[f"/{name}"]


def _nowhere() -> Answer:
    return 404, pages.nowhere().encode(), HTML


def _control(catcher: "MailCatcher", raw: bytes) -> Answer:
    """{"do": "refuse", "address": "…"} calls the method of that name."""
    try:
        order = json.loads(raw)
        name = order.pop("do")
        if name not in ORDERS:
            raise ValueError(f"Unknown order {name!r}; there are {', '.join(ORDERS)}")
        getattr(catcher, name)(**order)
    except Exception as error:
        return 400, json.dumps({"error": f"{type(error).__name__}: {error}"}).encode(), JSON
    return 200, b"{}", JSON


def _readable(mail: Mail) -> str:
    """Its HTML with links that open beside the page, and the pictures it brought along."""
    html = mail.html
    for index, part in enumerate(mail.attachments):
        name = str(part.get("Content-ID", "")).strip("<> ")
        if name:
            html = html.replace(f"cid:{name}", f"/messages/{mail.id}/parts/{index}")
    base = '<base target="_blank">'
    with_base, done = re.subn(r"<head\b[^>]*>", lambda found: found[0] + base, html, count=1, flags=re.I)
    return with_base if done else base + html


def _number(query: dict[str, str], name: str, default: int) -> int:
    text = query.get(name, "")
    return int(text) if text.isdecimal() else default


ROUTES: tuple[tuple[str, Callable[..., Answer]], ...] = (
    (r"/", _list),
    (r"/messages\.json", _json),
    (r"/count\.json", _count),
    (r"/messages/(\d+)/?", _mail),
    (r"/messages/(\d+)/html", _html),
    (r"/messages/(\d+)/raw", _raw),
    (r"/messages/(\d+)/parts/(\d+)", _part),
    (r"/(mail\.css|mail\.js)", _file),
)


def serve(catcher: "MailCatcher", port: int) -> Server:
    server = Server(port, catcher)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    return server
