"""HTTP on loopback: keys, faults, the record of calls; then the operations and the page."""

import base64
import json
import socket
import threading
from urllib.parse import parse_qsl, urlsplit

from tests.standins.loopback import LoopbackHandler, LoopbackServer
from tests.standins.stripe import page
from tests.standins.stripe.forms import decoded
from tests.standins.stripe.problems import Problem, bad_key

JSON = "application/json"
ORDERS = {
    "fail", "drop", "calm", "repeat", "pause", "lose", "hold", "release", "settle", "roll_secret", "pay",
    "settle_payment", "expire", "renew", "cancel_subscription", "wait", "refund", "fail_refund", "dispute",
    "close_dispute", "invent",
}  # fmt: skip


class Server(LoopbackServer):
    def __init__(self, port, standin):
        super().__init__(port, standin, Handler)


class Handler(LoopbackHandler):
    def do_GET(self):
        parts = urlsplit(self.path)
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if parts.path == "/__control__":
            self._answer(*_control(self.server.standin, self.command, raw))
        elif parts.path.startswith("/v1/"):
            self._api(parts, raw.decode())
        else:
            site = self.headers.get("Sec-Fetch-Site", "")
            form = dict(parse_qsl(raw.decode()))
            self._answer(*page.answer(self.server.standin, self.command, parts.path, form, site))

    do_POST = do_DELETE = do_GET

    def _api(self, parts, raw):
        standin = self.server.standin
        fields = decoded(parts.query if self.command == "GET" else raw)
        with standin.lock:
            standin.requests.append((self.command, parts.path, fields, dict(self.headers)))
        fault = standin.faults.take(self.command, parts.path)
        try:
            if fault and not fault.applied:
                return self._go_wrong(fault)
            if not self._has_key(standin):
                raise bad_key()
            key = self.headers.get("Idempotency-Key", "") if self.command == "POST" else ""
            status, document = standin.answer(self.command, parts.path, fields, key)
        except Problem as problem:
            status, document = problem.status, problem.document()
        if fault:
            return self._go_wrong(fault)
        return self._answer(status, json.dumps(document).encode(), JSON)

    def _has_key(self, standin):
        kind, _, value = self.headers.get("Authorization", "").partition(" ")
        if kind == "Basic":
            value = base64.b64decode(value).decode().partition(":")[0]
        return value == standin.api_key if standin.api_key else value.startswith(("sk_test_", "rk_test_"))

    def _go_wrong(self, fault):
        if fault.kind == "drop":
            self.close_connection = True
            try:
                self.connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            return
        error = {"type": "api_error", "message": "An unexpected error occurred."}
        self._answer(fault.status, json.dumps({"error": error}).encode(), JSON)

    def _answer(self, status, body, kind=JSON, headers=None):
        try:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            self.close_connection = True


def _control(standin, method, raw):
    if method == "GET":
        told = {"count": len(standin.requests), "events": [event["type"] for event in standin.events]}
        return 200, json.dumps(told).encode()
    try:
        order = json.loads(raw)
        name = order.pop("do")
        if name not in ORDERS:
            raise ValueError(f"Unknown order {name!r}; there are {', '.join(sorted(ORDERS))}")
        result = getattr(standin, name)(**order)
    except Exception as error:
        return 400, json.dumps({"error": f"{type(error).__name__}: {error}"}).encode()
    return 200, json.dumps({"result": result}).encode()


def serve(standin, port):
    server = Server(port, standin)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    return server
