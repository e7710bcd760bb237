import pickle
import socket
import threading
import time
from urllib.parse import unquote

import pytest
import redis

from campaigns.mailchimp import circuit, client, slots
from campaigns.mailchimp.client import Mailchimp, MailchimpError, NotConfigured, connect


def test_the_key_decides_which_data_centre_is_asked():
    assert Mailchimp("0123456789abcdef-us21")._lists.api_client.host == "https://us21.api.mailchimp.com/3.0"


@pytest.mark.parametrize("key", ["", "no-data-centre", "0123 4567-us1", "0123-us1.evil.example/", "0123-us1\n-us2"])
def test_what_is_no_key_is_refused_before_anything_is_sent(key):
    with pytest.raises(NotConfigured) as refusal:
        Mailchimp(key)
    assert "MAILCHIMP_API_KEY" in refusal.value.for_staff
    assert not key or key not in refusal.value.for_staff


def test_spaces_round_a_key_do_no_harm(mailchimp, settings):
    settings.MAILCHIMP_API_KEY = "  key-us1\n"
    assert connect().account()["account_name"] == "RealStars"


def test_an_error_carries_what_mailchimp_said_and_travels_between_processes(mailchimp):
    with pytest.raises(MailchimpError) as refusal:
        connect().change_member(mailchimp.list_id, "0" * 32, {})
    error = pickle.loads(pickle.dumps(refusal.value))
    assert (error.status, error.title) == (404, "Resource Not Found")
    assert pickle.loads(pickle.dumps(NotConfigured("no key"))).for_staff == "no key"


@pytest.mark.parametrize("body", ["empty", "html"])
def test_an_answer_that_says_nothing_is_asked_for_again(mailchimp, body):
    mailchimp.fail(times=2, status=200, body=body)
    assert [item["id"] for item in connect().audiences()] == [mailchimp.list_id]
    assert mailchimp.count == 3


def test_calls_share_one_connection(mailchimp, monkeypatch):
    opened = []
    request = client.requests.Session.request
    monkeypatch.setattr(
        client.requests.Session,
        "request",
        lambda self, *args, **more: opened.append(self) or request(self, *args, **more),
    )
    for _turn in range(3):
        connect().audiences()
    assert len(set(opened)) == 1


@pytest.mark.parametrize(("asked", "least"), [(7, 7), (600, client.LONGEST_PAUSE)])
def test_mailchimp_says_how_long_to_wait(settings, mailchimp, monkeypatch, asked, least):
    pauses = []
    monkeypatch.undo()
    settings.MAILCHIMP_API_KEY, settings.MAILCHIMP_API_URL = "key-us1", mailchimp.url
    monkeypatch.setattr(client.time, "sleep", pauses.append)
    mailchimp.fail(times=1, status=429, body="empty", retry_after=asked)
    connect().audiences()
    (pause,) = pauses
    assert least <= pause <= least + 1


def test_trying_again_ends(mailchimp, monkeypatch):
    mailchimp.fail(times=None, status=503, body="empty")
    with pytest.raises(MailchimpError):
        connect().audiences()
    assert mailchimp.count == client.ATTEMPTS
    monkeypatch.setattr(client, "BUDGET", 0)
    with pytest.raises(MailchimpError):
        connect().audiences()
    assert mailchimp.count == client.ATTEMPTS + 1


def test_while_a_person_waits_there_is_one_attempt(mailchimp, monkeypatch):
    monkeypatch.setattr(client, "HASTE", (1, 0.2))
    mailchimp.stall(times=None, seconds=5)
    with pytest.raises(MailchimpError) as failure:
        Mailchimp("key-us1", mailchimp.url, quick=True).audiences()
    assert failure.value.status == 0
    assert "does not answer" in failure.value.for_staff
    assert mailchimp.count <= 1
    mailchimp.calm()


def test_what_was_made_although_the_answer_got_lost_is_found(mailchimp):
    mailchimp.drop(times=1, applied=True, path="/segments$", method="POST")
    mailchimp.drop(times=1, applied=True, path="/merge-fields$", method="POST")
    made = connect().add_tag(mailchimp.list_id, "Swedes")
    assert connect().tags(mailchimp.list_id) == [(made, "Swedes", 0)]
    connect().add_merge_field(mailchimp.list_id, "CITY", "City")
    assert "CITY" in {field["tag"] for field in connect().merge_fields(mailchimp.list_id)}


def test_no_more_than_eight_calls_are_in_flight(mailchimp):
    mailchimp.delay(0.1)
    threads = [threading.Thread(target=lambda: connect().audiences()) for _number in range(14)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (mailchimp.most_at_once, len(mailchimp.requests)) == (slots.AT_ONCE, 14)
    assert {request.status for request in mailchimp.requests} == {200}


def test_a_slot_whose_holder_died_comes_free(broker):
    now = broker.time()[0]
    broker.zadd(slots._KEY, {f"dead-{number}": now - 1 for number in range(slots.AT_ONCE)})
    with slots.slot(patience=0):
        assert broker.zcard(slots._KEY) == 1
    assert broker.zcard(slots._KEY) == 0


def test_when_every_slot_is_taken_we_wait_so_long_and_no_longer(broker):
    now = broker.time()[0]
    broker.zadd(slots._KEY, {f"alive-{number}": now + 60 for number in range(slots.AT_ONCE)})
    with pytest.raises(slots.NoSlot), slots.slot(patience=0):
        pass


def test_without_redis_a_process_makes_one_call_at_a_time(settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    with slots.slot(patience=0):
        assert not slots._alone.acquire(blocking=False)
    assert slots._alone.acquire(blocking=False)
    slots._alone.release()
    with pytest.raises(redis.ConnectionError):
        redis.Redis.from_url(settings.REDIS_URL).ping()


def test_two_pauses_after_one_failure_differ():
    assert len({client._pause(3, None) for _turn in range(5)}) == 5
    assert all(0 <= client._pause(20, None) <= client.LONGEST_PAUSE for _turn in range(50))


@pytest.mark.parametrize(
    ("told", "status", "said"),
    [
        ({"status": 403, "body": "empty"}, 429, "slow down"),
        ({"status": 403, "body": "html"}, 429, "slow down"),
        ({"status": 403, "body": "problem"}, 403, "may not do this"),
        ({"status": 429, "body": "empty"}, 429, "slow down"),
        ({"status": 429, "body": "problem"}, 429, "slow down"),
        ({"status": 500, "body": "empty"}, 500, "does not answer"),
        ({"status": 503, "body": "html"}, 503, "does not answer"),
        ({"status": 302, "body": "html"}, 502, "does not answer"),
        ({"status": 200, "body": "html"}, 502, "does not answer"),
    ],
)
def test_what_is_no_good_answer_is_an_error_with_words(mailchimp, told, status, said):
    mailchimp.fail(times=None, **told)
    with pytest.raises(MailchimpError) as failure:
        connect().audiences()
    assert failure.value.status == status
    assert said in failure.value.for_staff
    assert mailchimp.count == (1 if status == 403 else client.ATTEMPTS)


def test_a_refusal_keeps_what_is_wrong_with_each_field(mailchimp):
    with pytest.raises(MailchimpError) as refusal:
        connect().write_members(mailchimp.list_id, [], update=False)
    assert (refusal.value.status, refusal.value.title) == (400, "Invalid Resource")
    assert refusal.value.errors[0]["field"] == "members"
    assert "Between 1 and 500 members" in refusal.value.for_staff


def test_a_batch_answers_well_with_refusals_inside(mailchimp):
    answer = connect().write_members(mailchimp.list_id, [{"email_address": "no"}], update=False)
    assert (answer["error_count"], answer["new_members"]) == (1, [])


def test_fields_are_asked_for_by_their_whole_names(mailchimp):
    connect().audiences()
    assert mailchimp.requests[0].query["fields"] == "lists.id,lists.name,lists.stats.member_count"


def test_what_goes_into_an_address_stays_one_step_of_it(mailchimp):
    """The generated client leaves slashes alone, and takes the word server for a place to fill in."""
    for strange in ("../../lists", "a/b?c=d#e", "server", "{list_id}"):
        mailchimp.forget_requests()
        with pytest.raises(MailchimpError):
            connect().change_member(mailchimp.list_id, strange, {})
        (request,) = mailchimp.requests
        assert unquote(request.path) == f"/lists/{mailchimp.list_id}/members/{strange}"
        assert request.path.count("/") == 4


def test_a_call_that_stalls_is_given_up_and_made_again(mailchimp, monkeypatch, broker):
    monkeypatch.setattr(client, "READ_TIMEOUT", 0.3)
    mailchimp.stall(times=1, seconds=30)
    fresh = Mailchimp("key-us1", mailchimp.url)
    assert fresh.audiences()
    assert mailchimp.count == 2
    # It may be under way there still, so its slot is not given to another.
    assert broker.zcard(slots._KEY) == 1
    mailchimp.calm()


def test_an_answer_that_drips_is_given_up(mailchimp):
    with socket.create_server(("127.0.0.1", 0)) as server:
        pooled = client._Pooled("key-us1", f"http://127.0.0.1:{server.getsockname()[1]}", quick=True)
        pooled.whole_timeout = 0.3

        def drip() -> None:
            connection, _address = server.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                try:
                    while True:
                        connection.sendall(b"1\r\n \r\n")
                        time.sleep(0.05)
                except OSError:
                    pass

        thread = threading.Thread(target=drip)
        thread.start()
        with pytest.raises(MailchimpError) as failure:
            pooled.call_api("/ping", "GET")
        thread.join()
    assert (failure.value.status, failure.value.title) == (0, "Timeout")


def test_a_lost_connection_is_made_anew(mailchimp):
    mailchimp.drop(times=2, applied=False)
    assert connect().audiences()
    assert mailchimp.count == 3


@pytest.fixture
def down(mailchimp):
    """Mailchimp, down so long that nobody calls it any more."""
    mailchimp.fail(times=None, status=503, body="empty")
    for _turn in range(2):
        with pytest.raises(MailchimpError):
            connect().audiences()
    return mailchimp


def test_while_mailchimp_is_down_nobody_calls_it(down, broker):
    assert circuit.seconds_left() > circuit.SHORTEST - 5
    before = down.count
    assert before == circuit.FAILURES
    with pytest.raises(MailchimpError) as failure:
        Mailchimp("key-us1", down.url, quick=True).audiences()
    assert (failure.value.status, down.count) == (0, before)
    assert "does not answer" in failure.value.for_staff


def test_when_the_time_is_over_one_call_tries_and_closes_the_circuit(down, broker):
    down.calm()
    broker.delete(circuit._KEYS[1])
    assert circuit.seconds_left() == 0
    assert circuit.may_call()
    assert not circuit.may_call()  # one at a time
    broker.delete(circuit._KEYS[3])
    assert connect().audiences()
    assert circuit.seconds_left() is None
    assert connect().audiences()


def test_a_try_that_fails_leaves_mailchimp_alone_for_twice_as_long(down, broker):
    for length in (60, 120, 240, 480, 600, 600):
        before = down.count
        broker.delete(circuit._KEYS[1])
        with pytest.raises(MailchimpError):
            connect().audiences()
        assert down.count == before + 1
        assert length - 5 < circuit.seconds_left() <= length


@pytest.mark.parametrize("status", [400, 404, 429])
def test_a_refusal_opens_no_circuit(mailchimp, status):
    mailchimp.fail(times=None, status=status)
    for _turn in range(circuit.FAILURES + 1):
        with pytest.raises(MailchimpError):
            Mailchimp("key-us1", mailchimp.url, quick=True).audiences()
    assert circuit.seconds_left() is None


def test_without_redis_there_is_no_circuit_and_calls_are_made(mailchimp, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    mailchimp.fail(times=1, status=503)
    assert connect().audiences()
    assert circuit.seconds_left() is None
