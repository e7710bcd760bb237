"""HTTP on loopback: keys, the limit of ten at once, faults, the record of calls; then the operations."""

import base64
import json
import socket
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from tests.standins.loopback import LoopbackHandler, LoopbackServer
from tests.standins.mailchimp import batches, control, page
from tests.standins.mailchimp.faults import Fault
from tests.standins.mailchimp.problems import Problem, bad_key, too_many, unreadable, upset

if TYPE_CHECKING:
    from tests.standins.mailchimp.standin import MailchimpStandIn

AT_ONCE = 10
"""Calls in flight that Mailchimp bears from one key."""
JSON = "application/json; charset=utf-8"


@dataclass
class Request:
    """One call and what came of it. `status` None: it got no answer."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    status: int | None = None
    answer: Any = None

    @property
    def writes(self) -> bool:
        return self.method != "GET"


class Server(LoopbackServer):
    standin: "MailchimpStandIn"

    def __init__(self, port: int, standin: "MailchimpStandIn") -> None:
        super().__init__(port, standin, Handler)


class Handler(LoopbackHandler):
    server: Server

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if parts.path.startswith("/__control__"):
            self._answer(*control.answer(self.server.standin, self.command, raw))
        elif parts.path == "/3.0" or parts.path.startswith("/3.0/"):
            self._serve_api(parts.path[4:] or "/", dict(parse_qsl(parts.query, True)), raw)
        elif parts.path.startswith("/batches/"):
            name = parts.path.removeprefix("/batches/")
            has_key = "Authorization" in self.headers
            self._answer(
                *batches.archive(self.server.standin.account, name, parts.query, has_key), "application/gzip"
            )
        else:
            site = self.headers.get("Sec-Fetch-Site", "")
            self._answer(*page.answer(self.server.standin, self.command, parts, raw, site))

    def _serve_api(self, path: str, query: dict[str, str], raw: bytes) -> None:
        standin = self.server.standin
        body, readable = _parsed(raw)
        request = Request(self.command, path, query, body)
        standin.record(request)
        key = self._key()
        try:
            if not standin.enter(key):
                return self._refuse(request, too_many())
            if not standin.accepts(key):
                return self._refuse(request, bad_key())
            fault = standin.faults.take(self.command, path)
            if standin.faults.delay:
                time.sleep(standin.faults.delay)
            if fault and not fault.applied and fault.kind != "stall":
                return self._go_wrong(request, fault)
            if not readable:
                return self._refuse(request, unreadable())
            if fault and fault.kind == "stall" and not fault.applied:
                fault.released.wait(fault.seconds)
            try:
                answer = standin.answer(self.command, path, query, body)
            except Problem as problem:
                return self._refuse(request, problem)
            if fault and fault.kind == "stall":
                fault.released.wait(fault.seconds)
            elif fault:
                return self._go_wrong(request, fault)
            request.status, request.answer = (204, None) if answer is None else (200, answer)
            self._answer(request.status, b"" if answer is None else json.dumps(answer).encode(), JSON)
        finally:
            standin.leave(key)
            standin.trim(request)

    def _go_wrong(self, request: Request, fault: Fault) -> None:
        if fault.kind == "drop":
            self.close_connection = True
            try:
                self.connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            return
        headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
        if fault.body == "problem":
            problem = too_many() if fault.status == 429 else upset(fault.status)
            problem.headers.update(headers)
            return self._refuse(request, problem)
        request.status = fault.status
        html = b"<html><body><h1>Bad Gateway</h1></body></html>" if fault.body == "html" else b""
        self._answer(fault.status, html, "text/html", headers)

    def _refuse(self, request: Request, problem: Problem) -> None:
        request.status, request.answer = problem.status, problem.document()
        body = json.dumps(request.answer).encode()
        self._answer(problem.status, body, "application/problem+json; charset=utf-8", problem.headers)

    def _answer(self, status: int, body: bytes, kind: str = JSON, headers: dict[str, str] | None = None) -> None:
        try:
            self.send_response(status)
            if status != 204:
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            self.close_connection = True  # the client has gone

    def _key(self) -> str:
        kind, _, value = self.headers.get("Authorization", "").partition(" ")
        if kind.lower() == "bearer":
            return value
        try:
            return base64.b64decode(value).decode().partition(":")[2]
        except ValueError:
            return ""


def _parsed(raw: bytes) -> tuple[Any, bool]:
    """The body, and whether it could be read. The official client sends an empty string for none."""
    if raw in (b"", b'""', b"null"):
        return {}, True
    try:
        return json.loads(raw), True
    except ValueError:
        return raw.decode(errors="replace"), False


def serve(standin: "MailchimpStandIn", port: int) -> Server:
    server = Server(port, standin)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    return server
