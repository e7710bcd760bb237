"""The benchmarks' Mailchimp: as fast as it says, and in Mailchimp's shape."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from tests.processes import ROOT
from tests.standins.mailchimp import contract


@pytest.fixture
def wire(tmp_path):
    command = [sys.executable, "-m", "tests.standins.mailchimp.wire", "--delay", "0.5", "--record"]
    with subprocess.Popen(
        [*command, str(tmp_path / "bodies")], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        facts = json.loads(process.stdout.readline())
        yield urlsplit(facts["url"]).netloc, facts["list_id"]
        process.terminate()


def ask(host, method, path, body=None):
    connection = HTTPConnection(host, timeout=30)
    connection.request(method, path, json.dumps(body) if body is not None else None)
    answer = connection.getresponse()
    told = json.loads(answer.read())
    connection.close()
    return answer.status, told


def test_answers_have_mailchimps_shape(wire):
    host, list_id = wire
    member = {
        "email_address": "ann@mail.se",
        "status": "subscribed",
        "merge_fields": {"FNAME": "A”nn"},
        "tags": ["Swedes"],
    }
    asked = {"members": [member], "update_existing": False, "sync_tags": False}
    status, answer = ask(host, "POST", f"/3.0/lists/{list_id}", asked)
    contract.check_request("POST", f"/lists/{list_id}", {}, asked)
    contract.check_response("POST", f"/lists/{list_id}", status, answer)
    assert answer["new_members"][0]["tags"] == [{"id": 10_001, "name": "Swedes"}]
    asked = {"members_to_add": ["ann@mail.se"], "members_to_remove": []}
    status, answer = ask(host, "POST", f"/3.0/lists/{list_id}/segments/10001", asked)
    contract.check_response("POST", f"/lists/{list_id}/segments/10001", status, answer)
    assert answer["total_added"] == 1


def test_the_eleventh_call_at_once_is_refused(wire):
    host = wire[0]
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _n: ask(host, "GET", "/3.0/lists")[0], range(20)))
    told = ask(host, "GET", "/__control__")[1]
    assert 429 in answers
    assert told["refused"] == answers.count(429)
    assert told["calls"] == 20
    assert ask(host, "POST", "/__control__")[1]["calls"] == 20
    assert ask(host, "GET", "/__control__")[1]["calls"] == 0


def test_bodies_are_kept_as_they_came(wire, tmp_path):
    host, list_id = wire
    body = {"members": [{"email_address": "ann@mail.se", "status": "subscribed"}]}
    ask(host, "POST", f"/3.0/lists/{list_id}", body)
    ask(host, "GET", "/__control__")
    head, _, rest = (tmp_path / "bodies").read_bytes().partition(b"\n")
    assert head.decode() == f"POST /3.0/lists/{list_id} {len(rest)}"
    assert json.loads(rest) == body
