"""A bare client of the stand-in for Mailchimp, and somebody who gets its webhooks."""

import json
import threading
from base64 import b64encode
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlencode

import pytest

from tests.standins.mailchimp import MailchimpStandIn, contract


class Client:
    """A bare client on one connection that holds each call and its answer against the description."""

    def __init__(self, mailchimp, key="key-us1", check=True):
        self.mailchimp = mailchimp
        self.key = key
        self.check = check
        self.connection = HTTPConnection("127.0.0.1", mailchimp.port, timeout=10)

    def __call__(self, method, path, body=None, raw=None, **query):
        raw = raw if raw is not None else None if body is None else json.dumps(body)
        headers = {"Authorization": "Basic " + b64encode(f"user:{self.key}".encode()).decode()}
        target = f"/3.0{path}" + (f"?{urlencode(query)}" if query else "")
        self.connection.request(method, target, raw, headers)
        answer = self.connection.getresponse()
        text = answer.read()
        self.headers = answer.headers
        if self.check:
            contract.check_call(self.mailchimp.requests[-1])
        return answer.status, json.loads(text) if text else None

    def add(self, *emails, status="subscribed", **more):
        members = [{"email_address": email, "status": status, **more} for email in emails]
        status, answer = self("POST", f"/lists/{self.mailchimp.list_id}", {"members": members})
        assert (status, answer["errors"]) == (200, [])
        return answer


@pytest.fixture
def mailchimp():
    with MailchimpStandIn() as mailchimp:
        yield mailchimp


@pytest.fixture
def call(mailchimp):
    client = Client(mailchimp)
    yield client
    client.connection.close()


@pytest.fixture
def members(mailchimp):
    return f"/lists/{mailchimp.list_id}/members"


class Listener:
    """Somebody who gets webhooks."""

    def __init__(self):
        self.got = []
        self.asked = 0
        self.status = 200
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                listener.asked += 1
                self.send_response(listener.status)
                self.end_headers()

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                listener.got.append((dict(parse_qsl(body.decode(), True)), body, self.headers))
                self.send_response(listener.status)
                self.end_headers()

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/webhooks/mailchimp/token/"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()


@pytest.fixture
def listener():
    listener = Listener()
    yield listener
    listener.server.shutdown()
    listener.server.server_close()


@pytest.fixture
def listener_raw():
    """Somebody who gets webhooks that are no forms: bodies and headers."""
    listener = Listener()
    seen = []

    def keep(handler):
        seen.append((handler.rfile.read(int(handler.headers["Content-Length"])), handler.headers))
        handler.send_response(200)
        handler.end_headers()

    listener.server.RequestHandlerClass.do_POST = keep
    listener.got = seen
    yield listener
    listener.server.shutdown()
    listener.server.server_close()
