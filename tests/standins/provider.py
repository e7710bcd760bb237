"""The sending interfaces of mail providers, over HTTP on loopback: they keep what they get, and fail when told to."""

import json
import threading
from urllib.parse import unquote_plus

from tests.standins.loopback import LoopbackHandler, LoopbackServer

DROP = "drop"
"""An answer: hang up instead."""


class Provider:
    def __init__(self):
        self.requests = []
        self.answers = []
        """Taken one after another: (status, JSON), DROP, or an event to wait for before the usual answer."""
        self.usual = None
        self._lock = threading.Lock()

    def __enter__(self):
        self._server = LoopbackServer(0, self, _Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *failure):
        self._server.stop()

    def take(self, path, headers, body):
        with self._lock:
            self.requests.append((path, dict(headers), body))
            answer = self.answers.pop(0) if self.answers else self.usual
        if isinstance(answer, threading.Event):
            answer.wait(30)
            answer = None
        return answer or _as_usual(path, body, len(self.requests))

    @property
    def bodies(self):
        """What was sent, readable: forms and JSON alike."""
        return [_readable(body) for _path, _headers, body in self.requests]


def _readable(body):
    if body.startswith(b"{"):
        return json.dumps(json.loads(body), ensure_ascii=False)
    return unquote_plus(body.decode())


def _as_usual(path, body, number):
    if path == "/email" and b'"HtmlBody"' in body:  # Postmark
        return 200, {"ErrorCode": 0, "Message": "OK", "MessageID": f"m-{number}", "To": json.loads(body)["To"]}
    if path == "/email":  # MailerSend
        return 202, None
    if path.endswith("/messages"):  # Mailgun
        return 200, {"id": f"<m-{number}@x>", "message": "Queued. Thank you."}
    if path == "/mail/send":  # SendGrid
        return 202, None
    if path == "/smtp/email":  # Brevo
        return 201, {"messageId": f"<m-{number}@x>"}
    if path == "/send":  # Mailjet
        to = json.loads(body)["Messages"][0]["To"][0]["Email"]
        return 200, {"Messages": [{"Status": "success", "To": [{"Email": to, "MessageID": number}]}]}
    if path == "/emails":  # Resend
        return 200, {"id": f"m-{number}"}
    if path == "/transmissions/":  # SparkPost
        return 200, {"results": {"total_accepted_recipients": 1, "total_rejected_recipients": 0, "id": str(number)}}
    if path == "/messages/send.json":  # Mandrill
        to = json.loads(body)["message"]["to"][0]["email"]
        return 200, [{"email": to, "status": "sent", "_id": str(number)}]
    return 404, {"message": f"nothing at {path}"}


class _Handler(LoopbackHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        answer = self.server.standin.take(self.path.partition("?")[0], self.headers, body)
        if answer == DROP:
            self.close_connection = True
            self.connection.close()
            return
        status, content = answer
        said = b"" if content is None else content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html" if content is None else "application/json")
        self.send_header("X-Message-Id", "m")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)
        self.wfile.flush()
