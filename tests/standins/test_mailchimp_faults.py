"""The Mailchimp stand-in told to fail, what it remembers of calls, and the contract they are held against."""

import threading
from http.client import RemoteDisconnected

import pytest

from tests.processes import wait_for
from tests.standins.mailchimp import contract


@pytest.mark.parametrize(
    ("body", "kind", "text"),
    [
        ("problem", "application/problem+json; charset=utf-8", None),
        ("html", "text/html", "<html><body><h1>Bad Gateway</h1></body></html>"),
        ("empty", "text/html", ""),
    ],
)
def test_failing_answers_the_status_for_the_calls_it_hits(mailchimp, call, body, kind, text):
    call.check = False
    mailchimp.fail(times=2, status=503, body=body, path="^/lists", retry_after=1)
    assert call("GET", "/ping")[0] == 200
    for _ in range(2):
        call.connection.request("GET", "/3.0/lists", headers={"Authorization": "Basic dXNlcjprZXk="})
        answer = call.connection.getresponse()
        got = answer.read().decode()
        assert (answer.status, answer.headers["Content-Type"]) == (503, kind)
        assert answer.headers["Retry-After"] == "1"
        assert text is None or got == text
    assert call("GET", "/lists")[0] == 200


@pytest.mark.parametrize("applied", [True, False])
def test_dropped_connection_leaves_the_call_applied_or_not(mailchimp, call, members, applied):
    mailchimp.drop(applied=applied, method="POST")
    with pytest.raises((RemoteDisconnected, ConnectionResetError)):
        call("POST", members, {"email_address": "ann@mail.se", "status": "subscribed"})
    assert list(mailchimp.members()) == (["ann@mail.se"] if applied else [])
    assert mailchimp.requests[-1].status is None


def test_stalled_call_is_answered_when_calm(mailchimp, call, members):
    mailchimp.stall(applied=True)
    body = {"email_address": "ann@mail.se", "status": "subscribed"}
    thread = threading.Thread(target=call, args=("POST", members, body))
    thread.start()
    wait_for(mailchimp.members, "the call to take effect")
    assert mailchimp.requests[-1].status is None
    mailchimp.calm()
    thread.join(10)
    assert mailchimp.requests[-1].status == 200


def test_requests_are_kept_with_what_was_said(mailchimp, call):
    call.add("ann@mail.se")
    call("GET", "/lists", count=5)
    write, read = mailchimp.requests
    assert (write.method, write.path) == ("POST", f"/lists/{mailchimp.list_id}")
    assert write.body == {"members": [{"email_address": "ann@mail.se", "status": "subscribed"}]}
    assert write.answer["total_created"] == 1
    assert (read.query, read.status) == ({"count": "5"}, 200)
    assert mailchimp.writes() == [write]
    assert mailchimp.calls("GET", "lists$") == [read]


# The contract


@pytest.mark.parametrize(
    ("method", "path", "query", "body", "what"),
    [
        ("GET", "/list", {}, None, "no such path"),
        ("DELETE", "/lists/x/members", {}, None, "no such method"),
        ("GET", "/lists", {"colour": "red"}, None, "no such parameter"),
        ("GET", "/lists", {"fields": "l,i,s,t,s"}, None, "fields"),
        ("GET", "/lists/x/members", {"count": "1001"}, None, "count"),
        ("GET", "/lists/x/members", {"status": "gone"}, None, "status"),
        ("GET", "/lists/x/members", {"since_last_changed": "yesterday"}, None, "since_last_changed"),
        ("POST", "/lists/x/members", {}, {"email_address": "a@b.se"}, "'status' is a required"),
        ("POST", "/lists/x", {}, {"members": [{"status": "gone"}]}, "members/0/status"),
        ("POST", "/lists/x", {}, {"members": [{"colour": "red"}]}, "colour"),
        ("POST", "/lists/x", {}, {"members": [{}] * 501}, "too long"),
        ("POST", "/lists/x/members/y/actions/delete-permanent", {}, {"a": 1}, "takes no body"),
    ],
)
def test_contract_refuses_what_is_not_described(method, path, query, body, what):
    with pytest.raises(contract.ContractBroken, match=what):
        contract.check_request(method, path, query, body)


def test_contract_refuses_an_answer_that_is_not_described():
    with pytest.raises(contract.ContractBroken, match="colour"):
        contract.check_response("GET", "/lists/x/webhooks", 200, {"webhooks": [], "colour": "red"})
