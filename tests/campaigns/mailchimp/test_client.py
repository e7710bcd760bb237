import pickle
import threading

import pytest
import redis

from campaigns.mailchimp import client, slots
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


@pytest.mark.parametrize(("asked", "paused"), [(7, 7), (600, client.LONGEST_PAUSE)])
def test_mailchimp_says_how_long_to_wait(settings, mailchimp, monkeypatch, asked, paused):
    pauses = []
    monkeypatch.undo()
    settings.MAILCHIMP_API_KEY, settings.MAILCHIMP_API_URL = "key-us1", mailchimp.url
    monkeypatch.setattr(client.time, "sleep", pauses.append)
    mailchimp.fail(times=1, status=429, body="empty", retry_after=asked)
    connect().audiences()
    assert pauses == [paused]


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
